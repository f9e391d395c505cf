# Differs: NumPy inside, scalings absorbed into potentials, eigenvalues of the product, stratified times, AdamW.
import math

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F


def _np(value):
    return value.detach().cpu().double().numpy()


def _lse(matrix, axis):
    top = matrix.max(axis=axis, keepdims=True)
    return (top + np.log(np.exp(matrix - top).sum(axis=axis, keepdims=True))).squeeze(axis)


def _squared(u, v):
    return np.maximum((u**2).sum(1)[:, None] + (v**2).sum(1) - 2 * u @ v.T, 0.0)


def _solve(x, y, epsilon, a, b, n_iterations, tolerance):
    M = -_squared(x, y) / epsilon
    g = np.zeros(len(y))
    for _ in range(n_iterations):
        f = -_lse(M + (np.log(b) + g)[None, :], 1)
        g = -_lse(M + (np.log(a) + f)[:, None], 0)
        plan = np.exp(M + (np.log(a) + f)[:, None] + (np.log(b) + g)[None, :])
        if np.abs(plan.sum(1) - a).sum() + np.abs(plan.sum(0) - b).sum() <= tolerance:
            break
    return plan, epsilon * f, epsilon * g


def schrodinger_coupling(x, y, sigma, a=None, b=None, n_iterations=1000, tolerance=1e-9):
    if not sigma > 0:
        raise ValueError(f"sigma = {sigma}")
    if x.shape[1] != y.shape[1]:
        raise ValueError("dimensions differ")
    masses = []
    for given, cloud in ((a, x), (b, y)):
        if given is not None and given.shape != (len(cloud),):
            raise ValueError("lengths differ")
        masses.append(np.full(len(cloud), 1.0 / len(cloud)) if given is None else _np(given))
    found = _solve(_np(x), _np(y), 2 * sigma**2, *masses, n_iterations, tolerance)
    return tuple(torch.from_numpy(v).to(x) for v in found)


def _ot(u, v, epsilon, n_iterations, tolerance):
    ends = np.full(len(u), 1 / len(u)), np.full(len(v), 1 / len(v))
    _, f, g = _solve(u, v, epsilon, *ends, n_iterations, tolerance)
    return f.mean() + g.mean()


def sinkhorn_divergence(x, y, epsilon, n_iterations=1000, tolerance=1e-9):
    if epsilon <= 0 or x.shape[1] != y.shape[1]:
        raise ValueError("epsilon or dimensions")
    u, v, rest = _np(x), _np(y), (epsilon, n_iterations, tolerance)
    return torch.tensor(_ot(u, v, *rest) - 0.5 * (_ot(u, u, *rest) + _ot(v, v, *rest))).to(x)


def penalised_step(x, score, y, step, weight, epsilon, noise):
    if epsilon <= 0 or x.shape[1] != y.shape[1] or score.shape != x.shape or noise.shape != x.shape:
        raise ValueError("epsilon or shapes")
    u, v = _np(x), _np(y)
    uniform = np.full(len(u), 1 / len(u)), np.full(len(v), 1 / len(v))
    to_y = _solve(u, v, epsilon, *uniform, 5000, 1e-10)[0]
    to_x = _solve(u, u, epsilon, uniform[0], uniform[0], 5000, 1e-10)[0]
    pull = to_y @ v / to_y.sum(1, keepdims=True) - to_x @ u / to_x.sum(1, keepdims=True)
    drift = score + weight * torch.from_numpy(pull).to(x)
    return x + step * drift + math.sqrt(2 * step) * noise


def gaussian_bridge(mean0, cov0, mean1, cov1, sigma, t):
    if not sigma > 0 or cov0.shape != cov1.shape or mean0.shape != mean1.shape:
        raise ValueError("sigma or dimensions")
    A, B = _np(cov0), _np(cov1)
    values, vectors = np.linalg.eig(4 * A @ B + sigma**4 * np.eye(len(A)))
    root = np.real(vectors @ np.diag(np.sqrt(values)) @ np.linalg.inv(vectors))
    K = 0.5 * (root - sigma**2 * np.eye(len(A)))
    S = (1 - t) ** 2 * A + t**2 * B + t * (1 - t) * (K + K.T + sigma**2 * np.eye(len(A)))
    return torch.lerp(mean0, mean1, t), torch.from_numpy(S).to(cov0)


def _column(t, x, open_end=False):
    t = torch.as_tensor(t).to(x)
    if t.min() < 0 or t.max() > 1 or (open_end and t.max() >= 1):
        raise ValueError("t out of range")
    return t.expand(len(x)).unsqueeze(1)


def bridge_interpolate(x0, x1, t, sigma, noise):
    t = _column(t, x0)
    return torch.lerp(x0, x1, t) + sigma * torch.sqrt(t - t**2) * noise


def bridge_path(x0, x1, times, sigma, noise):
    if tuple(noise.shape) != (times.numel(), *x0.shape):
        raise ValueError("noise")
    if (times.diff() <= 0).any() or times.min() < 0 or times.max() > 1:
        raise ValueError("times")
    out, s = [], torch.zeros((), dtype=x0.dtype, device=x0.device)
    x = x0
    for t, z in zip(times.to(x0), noise):
        r = (t - s) / (1 - s)
        x = torch.lerp(x, x1, r) + sigma * torch.sqrt(r * (1 - t)) * z
        x = torch.where(t == 1, x1, x)
        out.append(x)
        s = t
    return torch.stack(out)


def sample_coupling(plan, n, generator=None):
    levels = torch.rand(n, generator=generator, dtype=torch.float64).cpu().numpy()
    steps = np.cumsum(_np(plan).ravel())
    flat = np.minimum(np.searchsorted(steps, levels * steps[-1], side="right"), len(steps) - 1)
    i, j = np.unravel_index(flat, tuple(plan.shape))
    return torch.from_numpy(i.astype(np.int64)), torch.from_numpy(j.astype(np.int64))


def bridge_drift(x, t, y, b, g, sigma):
    left = 1 - _column(t, x, open_end=True)
    logits = torch.log(b) + (g - (x.unsqueeze(1) - y.unsqueeze(0)).pow(2).sum(2) / left) / (2 * sigma**2)
    return (F.softmax(logits, dim=-1) @ y - x) / left


@torch.no_grad()
def simulate_bridge(drift_fn, x0, sigma, noise):
    times = np.linspace(0, 1, len(noise) + 1)
    way = [x0]
    for s, t, z in zip(times[:-1], times[1:], noise):
        way.append(way[-1] + (t - s) * drift_fn(way[-1], float(s)) + sigma * math.sqrt(t - s) * z)
    return torch.stack(way)


class EndpointNet(nn.Module):
    def __init__(self, dim, hidden=128):
        super().__init__()
        self.frequencies = nn.Parameter(torch.linspace(0.5, 4.0, hidden // 4), requires_grad=False)
        self.place = nn.Linear(dim, hidden)
        self.time = nn.Linear(2 * (hidden // 4), hidden)
        self.body = nn.Sequential(nn.GELU(), nn.Linear(hidden, hidden), nn.GELU(), nn.Linear(hidden, dim))

    def forward(self, x, t):
        angles = t.to(x)[:, None] * self.frequencies
        return self.body(self.place(x) + self.time(torch.cat([angles.sin(), angles.cos()], 1)))


def endpoint_loss(model, x0, x1, t, sigma, noise):
    return F.mse_loss(model(bridge_interpolate(x0, x1, t, sigma, noise), t), x1)


def endpoint_drift(model, x, t):
    t = _column(t, x, open_end=True)
    return (model(x, t.squeeze(1)) - x) / (1 - t)


def train_bridge(model, x, y, plan, sigma, steps, batch_size=256, lr=1e-3, generator=None, progress=False):
    if tuple(plan.shape) != (len(x), len(y)):
        raise ValueError("plan")
    optimiser = torch.optim.AdamW(model.parameters(), lr=lr)
    history = {"loss": [], "batch_size": [batch_size]}
    for _ in range(steps):
        i, j = sample_coupling(plan, batch_size, generator)
        t = (torch.arange(batch_size, device=x.device) + torch.rand(batch_size, generator=generator, dtype=x.dtype).to(x)) / batch_size
        z = torch.randn(batch_size, x.shape[1], generator=generator, dtype=x.dtype).to(x)
        loss = endpoint_loss(model, x[i], y[j], t.to(x), sigma, z)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        history["loss"].append(np.float64(loss.detach()))
    return history


def neighbours_kept(x, mapped, k):
    if len(x) != len(mapped) or not 0 < k < len(x):
        raise ValueError("k or lengths")
    tables = []
    for cloud in (_np(x), _np(mapped)):
        D = np.linalg.norm(cloud[:, None] - cloud[None], axis=-1)
        np.fill_diagonal(D, np.inf)
        tables.append(np.argsort(D, axis=1, kind="stable")[:, :k])
    return np.mean([len(np.intersect1d(p, q)) / k for p, q in zip(*tables)])
