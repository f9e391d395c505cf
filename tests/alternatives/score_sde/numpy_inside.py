# Differs: NumPy does the work where no derivative is taken; an embedding of sines for the time; a DataLoader; AdamW, a schedule and clipping.
import math

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def _np(v):
    return v.detach().cpu().numpy() if isinstance(v, torch.Tensor) else np.asarray(v)


def _back(a, like):
    return torch.from_numpy(np.ascontiguousarray(a)).to(like)


def _check(*tensors):
    if any(v.shape != tensors[0].shape for v in tensors):
        raise ValueError("shapes differ: " + str([tuple(v.shape) for v in tensors]))


def _time(t, x):
    t = _np(t).astype(np.float64)
    if t.ndim == 0:
        t = np.full(len(x), float(t))
    if t.shape != (len(x),):
        raise ValueError(f"t: {t.shape}")
    return t[:, None]


def ou_moments(t):
    a = _np(t).astype(np.float64)
    if np.any(a < 0):
        raise ValueError("negative time")
    decay, std = np.exp(-a), np.sqrt(-np.expm1(-2 * a))
    if isinstance(t, torch.Tensor):
        kind = t.dtype if t.is_floating_point() else torch.get_default_dtype()
        return torch.as_tensor(decay).to(kind), torch.as_tensor(std).to(kind)
    return float(decay), float(std)


def ou_sample(x0, t, noise):
    _check(x0, noise)
    t = _time(t, x0)
    return _back(np.exp(-t) * _np(x0) + np.sqrt(-np.expm1(-2 * t)) * _np(noise), x0)


def ou_step(x, dt, noise):
    _check(x, noise)
    if dt <= 0:
        raise ValueError("dt")
    return _back(_np(x) * (1 - dt) + np.sqrt(2 * dt) * _np(noise), x)


def noised_score(x, t, means, std, weights):
    X, M, w, t = _np(x), _np(means), _np(weights), _time(t, x)
    if X.shape[1] != M.shape[1] or w.shape != M.shape[:1]:
        raise ValueError("shapes")
    v = std**2 * np.exp(-2 * t) - np.expm1(-2 * t)
    gaps = np.exp(-t)[:, :, None] * M[None] - X[:, None]
    logs = np.log(w) - (gaps**2).sum(-1) / (2 * v)
    r = np.exp(logs - logs.max(1, keepdims=True))
    r /= r.sum(1, keepdims=True)
    return _back(np.einsum("bk,bkd->bd", r, gaps) / v, x)


def divergence(field, x):
    with torch.enable_grad():
        J = torch.autograd.functional.jacobian(lambda y: field(y).sum(0), x.detach())  # (d, B, d)
    return torch.diagonal(J, dim1=0, dim2=2).sum(-1).detach()


def fokker_planck_residual(log_prob, x, t):
    if t.shape != x.shape[:1]:
        raise ValueError("t")
    x, t = x.detach(), t.detach()
    with torch.enable_grad():
        dt = torch.autograd.functional.jacobian(lambda s: log_prob(x, s).sum(), t)
        grad = torch.autograd.functional.jacobian(lambda y: log_prob(y, t).sum(), x)
        hess = [
            torch.autograd.functional.hessian(lambda y, k=k: log_prob(y[None], t[k : k + 1]).sum(), x[k])
            for k in range(len(x))
        ]
    lap = torch.stack([h.trace() for h in hess])
    return dt - (x.shape[1] + (x * grad).sum(1) + grad.pow(2).sum(1) + lap)


def reverse_step(x, score, dt, noise, eta=1.0):
    _check(x, score, noise)
    if dt <= 0 or not 0 <= eta <= 1:
        raise ValueError("dt or eta")
    a, s, z = _np(x), _np(score), _np(noise)
    return _back(a + dt * (a + (1 + eta**2) * s) + eta * np.sqrt(2 * dt) * z, x)


def _ordered(times, sign):
    a = _np(times).astype(np.float64)
    if a.ndim != 1 or len(a) < 2 or a.min() < 0 or (sign * np.diff(a) <= 0).any():
        raise ValueError("times")
    return a


def reverse_sample(score_fn, x_T, times, eta=1.0, generator=None):
    a = _ordered(times, -1)
    if not 0 <= eta <= 1:
        raise ValueError("eta")
    noises = torch.randn((len(a) - 1, *x_T.shape), generator=generator, dtype=x_T.dtype).to(x_T)  # all at once
    path = [x_T.detach().clone()]
    for k in range(len(a) - 1):
        score = score_fn(path[-1], torch.full((len(x_T),), float(a[k]), dtype=x_T.dtype, device=x_T.device)).detach()
        path.append(reverse_step(path[-1], score, float(a[k] - a[k + 1]), noises[k], eta))
    return torch.stack(path)


def flow_log_likelihood(score_fn, x, times):
    a = _ordered(times, 1)
    d = x.shape[1]

    def slopes(y, t):
        now = torch.full((len(y),), float(t), dtype=y.dtype, device=y.device)
        with torch.enable_grad():
            y = y.detach().requires_grad_()
            s = score_fn(y, now)
            trace = torch.zeros(len(y), dtype=y.dtype, device=y.device)
            if s.requires_grad:
                for i in range(d):
                    g = torch.autograd.grad(s[:, i].sum(), y, retain_graph=True, allow_unused=True)[0]
                    trace = trace if g is None else trace + g[:, i]
        return (-y - s).detach(), (-d - trace).detach()

    y, total = x.detach(), torch.zeros(len(x), dtype=x.dtype, device=x.device)
    for t, u in zip(a, a[1:]):
        h = u - t
        v, r = slopes(y, t)
        w, q = slopes(y + 2 / 3 * h * v, t + 2 / 3 * h)  # Ralston
        y, total = y + h * (v / 4 + 3 / 4 * w), total + h * (r / 4 + 3 / 4 * q)
    return -0.5 * y.square().sum(1) - 0.5 * d * math.log(2 * math.pi) + total, y


class ScoreNetwork(nn.Module):
    def __init__(self, dim=2, hidden=64):
        super().__init__()
        self.register_buffer("frequencies", torch.tensor([0.5, 1.0, 2.0, 4.0]))
        self.time = nn.Sequential(nn.Linear(8, hidden), nn.GELU())
        self.space = nn.Linear(dim, hidden)
        self.body = nn.Sequential(nn.GELU(), nn.Linear(hidden, hidden), nn.GELU(), nn.Linear(hidden, dim))

    def forward(self, x, t):
        std = torch.sqrt(-torch.expm1(-2 * t))[:, None]
        angles = t.log()[:, None] * self.frequencies
        told = torch.cat([angles.sin(), angles.cos()], 1)
        # The best answer of a Gaussian of variance 1 is -x: learn the rest.
        return -x + self.body(self.space(x) + self.time(told)) / std


def score_matching_loss(model, x0, t, noise):
    _check(x0, noise)
    if t.shape != x0.shape[:1]:
        raise ValueError("t")
    decay, std = torch.exp(-t)[:, None], torch.sqrt(-torch.expm1(-2 * t))[:, None]
    return nn.functional.mse_loss(std * model(decay * x0 + std * noise, t), -noise)


def train_score(model, x, steps, batch_size=256, lr=5e-3, t_min=0.01, t_max=3.0, generator=None, progress=False):
    if steps < 1 or batch_size < 1 or not (0 < t_min < t_max):
        raise ValueError("steps, batch_size, t_min, t_max")
    optimiser = torch.optim.AdamW(model.parameters(), lr=lr)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps, eta_min=lr / 20)
    loader = DataLoader(TensorDataset(x), batch_size, shuffle=True, drop_last=len(x) >= batch_size, generator=generator)
    losses = []
    while len(losses) < steps:
        for (rows,) in loader:
            if len(losses) == steps:
                break
            u = torch.rand(len(rows), generator=generator, dtype=x.dtype).to(x)
            t = torch.exp(math.log(t_min) + u * (math.log(t_max) - math.log(t_min)))
            noise = torch.randn(rows.shape, generator=generator, dtype=x.dtype).to(x)
            loss = score_matching_loss(model, rows, t, noise)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 5.0)
            optimiser.step()
            schedule.step()
            losses.append(loss.item())
    return {"loss": losses}


def denoise(x_t, t, score):
    _check(x_t, score)
    t = _time(t, x_t)
    return _back(np.exp(t) * _np(x_t) + 2 * np.sinh(t) * _np(score), x_t)  # (1 - e^-2t) e^t = 2 sinh t


def wiener_filter(y, mean, covariance, sigma):
    Y, m, C = _np(y), _np(mean), _np(covariance)
    if m.shape != Y.shape[1:] or C.shape != (Y.shape[1],) * 2 or sigma <= 0:
        raise ValueError("mean, covariance or sigma")
    gain = C @ np.linalg.inv(C + sigma**2 * np.eye(len(C)))
    return _back(m + (Y - m) @ gain.T, y)
