# Differs: as short as can be, everything by torch.func, midpoint rule, one Jacobian for score and divergence, uniform times.
import math

import torch
from torch import nn
from torch.func import hessian, jacrev, vmap


def bad(condition, message="bad arguments"):
    if condition:
        raise ValueError(message)


def col(t, x):
    t = torch.as_tensor(t, dtype=x.dtype, device=x.device)
    bad(t.ndim > 1 or (t.ndim == 1 and len(t) != len(x)), "t")
    return t.reshape(-1, 1)


def ou_moments(t):
    t = torch.as_tensor(t)
    bad(bool((t < 0).any()), "t < 0")
    return torch.exp(-t), (1 - torch.exp(-2 * t)).sqrt()


def ou_sample(x0, t, noise):
    bad(x0.shape != noise.shape)
    a, s = ou_moments(col(t, x0))
    return a * x0 + s * noise


def ou_step(x, dt, noise):
    bad(x.shape != noise.shape or dt <= 0)
    return (1 - dt) * x + (2 * dt) ** 0.5 * noise


def noised_score(x, t, means, std, weights):
    bad(x.shape[1:] != means.shape[1:] or weights.shape != means.shape[:1])
    a, s = ou_moments(col(t, x))
    a, s = a.expand(len(x), 1), s.expand(len(x), 1)
    v = s**2 + (a * std) ** 2
    m = torch.einsum("bi,kd->bkd", a, means)
    r = (weights.log() - (x[:, None] - m).pow(2).sum(-1) / 2 / v).softmax(1)
    return (torch.einsum("bk,bkd->bd", r, m) - x) / v


def divergence(field, x):
    with torch.enable_grad():
        J = vmap(jacrev(lambda p: field(p[None])[0]))(x.detach())
    return torch.einsum("bii->b", J).detach()


def fokker_planck_residual(log_prob, x, t):
    bad(t.shape != x.shape[:1])
    one = lambda p, s: log_prob(p[None], s[None])[0]
    with torch.enable_grad():
        g = vmap(jacrev(one))(x.detach(), t.detach())
        h = vmap(hessian(one))(x.detach(), t.detach())
        dt = vmap(jacrev(one, 1))(x.detach(), t.detach())
    return (dt - x.shape[1] - (x * g).sum(1) - (g * g).sum(1) - torch.einsum("bii->b", h)).detach()


def reverse_step(x, score, dt, noise, eta=1.0):
    bad(not x.shape == score.shape == noise.shape or dt <= 0 or not 0 <= eta <= 1)
    return x + dt * x + dt * (1 + eta * eta) * score + eta * (2 * dt) ** 0.5 * noise


def reverse_sample(score_fn, x_T, times, eta=1.0, generator=None):
    bad(len(times) < 2 or bool((times.diff() >= 0).any()) or bool(times[-1] < 0) or not 0 <= eta <= 1)
    xs = [x_T.detach()]
    with torch.no_grad():
        for a, b in zip(times[:-1], times[1:]):
            z = torch.randn(x_T.shape, generator=generator, dtype=x_T.dtype).to(x_T)
            xs.append(reverse_step(xs[-1], score_fn(xs[-1], a.to(x_T).expand(len(x_T))), float(a - b), z, eta))
    return torch.stack(xs)


def flow_log_likelihood(score_fn, x, times):
    bad(len(times) < 2 or bool((times.diff() <= 0).any()) or bool(times[0] < 0))
    B, d = x.shape
    v = lambda p, t: -p - score_fn(p, t.to(p).expand(len(p)))
    total, x = x.new_zeros(B), x.detach()
    for a, b in zip(times[:-1], times[1:]):
        h = float(b - a)
        half = (x + h / 2 * v(x, a)).detach()
        total = total + h * divergence(lambda p: v(p, (a + b) / 2), half)
        x = (x + h * v(half, (a + b) / 2)).detach()
    return total - 0.5 * (x * x).sum(1) - d / 2 * math.log(2 * math.pi), x


class ScoreNetwork(nn.Module):
    def __init__(self, dim=2, hidden=64):
        super().__init__()
        self.a, self.b, self.c = nn.Linear(dim + 2, hidden), nn.Linear(hidden, hidden), nn.Linear(hidden, dim)

    def forward(self, x, t):
        t = t[:, None]
        h = torch.tanh(self.a(torch.cat([x, t, t.sqrt()], 1)))
        return self.c(torch.tanh(self.b(h))) / ou_moments(t)[1]


def score_matching_loss(model, x0, t, noise):
    bad(t.shape != x0.shape[:1])
    return nn.functional.mse_loss(-ou_moments(t)[1][:, None] * model(ou_sample(x0, t, noise), t), noise)


def train_score(model, x, steps, batch_size=256, lr=5e-3, t_min=0.01, t_max=3.0, generator=None, progress=False):
    bad(steps < 1 or batch_size < 1 or not 0 < t_min < t_max)
    opt = torch.optim.Adam(model.parameters(), lr)
    out = []
    for _ in range(steps):
        i = torch.randint(len(x), (batch_size,), generator=generator)
        t = t_min + (t_max - t_min) * torch.rand(batch_size, generator=generator, dtype=x.dtype).to(x)
        loss = score_matching_loss(model, x[i], t, torch.randn(batch_size, x.shape[1], generator=generator, dtype=x.dtype).to(x))
        opt.zero_grad()
        loss.backward()
        opt.step()
        out.append(float(loss))
    return {"loss": out}


def denoise(x_t, t, score):
    bad(x_t.shape != score.shape)
    a, s = ou_moments(col(t, x_t))
    return (x_t + s * s * score) / a


def wiener_filter(y, mean, covariance, sigma):
    d = y.shape[1]
    bad(mean.shape != (d,) or covariance.shape != (d, d) or sigma <= 0)
    e, u = torch.linalg.eigh(covariance)
    return mean + (y - mean) @ u * (e / (e + sigma**2)) @ u.T
