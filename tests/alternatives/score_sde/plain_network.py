"""Forward mode and vmap, and the plainest network: tanh layers that answer the score itself, told t, at uniform times."""

import math

import torch
from torch import nn
from torch.func import grad, hessian, jacrev, vmap


def refuse(wrong, what):
    if wrong:
        raise ValueError(what)


def ou_moments(t):
    if not torch.is_tensor(t):
        refuse(t < 0, f"t: {t}")
        return math.exp(-t), math.sqrt(-math.expm1(-2 * t))
    refuse(bool((t < 0).any()), "t is negative somewhere")
    a = torch.exp(-t)
    return a, torch.sqrt((1 - a) * (1 + a))


def by_row(t, x):
    t = torch.as_tensor(t).to(x)
    if t.dim() == 0:
        return t.expand(len(x))
    refuse(t.shape != (len(x),), f"t: {tuple(t.shape)}")
    return t


def ou_sample(x0, t, noise):
    refuse(x0.shape != noise.shape, f"noise: {tuple(noise.shape)}")
    return vmap(lambda x, s, z: torch.exp(-s) * x + torch.sqrt(-torch.expm1(-2 * s)) * z)(x0, by_row(t, x0), noise)


def ou_step(x, dt, noise):
    refuse(x.shape != noise.shape, f"noise: {tuple(noise.shape)}")
    refuse(not dt > 0, f"dt: {dt}")
    return torch.sub(x, x, alpha=dt) + noise * (2 * dt) ** 0.5


def log_p(x, t, means, std, weights):
    a = torch.exp(-t)
    v = a**2 * std**2 + 1 - a**2
    return torch.logsumexp(torch.log(weights) - (x - a * means).square().sum(-1) / (2 * v), 0)


def noised_score(x, t, means, std, weights):
    refuse(x.dim() != 2 or means.dim() != 2 or x.shape[1] != means.shape[1], f"means: {tuple(means.shape)}")
    refuse(weights.shape != means.shape[:1], f"weights: {tuple(weights.shape)}")
    return vmap(grad(log_p), in_dims=(0, 0, None, None, None))(x, by_row(t, x), means, std, weights)


def divergence(field, x):
    return vmap(lambda z: jacrev(lambda y: field(y[None])[0])(z).diagonal().sum())(x.detach())


def fokker_planck_residual(log_prob, x, t):
    refuse(t.shape != x.shape[:1], f"t: {tuple(t.shape)}")

    def one(z, s):
        def law(z, s):
            return log_prob(z[None], s[None])[0]

        slope, change = grad(law, argnums=(0, 1))(z, s)
        return change - (len(z) + z @ slope + slope @ slope + hessian(law)(z, s).diagonal().sum())

    return vmap(one)(x.detach(), t.detach())


def reverse_step(x, score, dt, noise, eta=1.0):
    refuse(not x.shape == score.shape == noise.shape, "shapes differ")
    refuse(not dt > 0, f"dt: {dt}")
    refuse(not 0 <= eta <= 1, f"eta: {eta}")
    return torch.lerp(x, 2 * x, dt).add(score, alpha=dt * (1 + eta**2)).add(noise, alpha=eta * math.sqrt(2 * dt))


def reverse_sample(score_fn, x_T, times, eta=1.0, generator=None):
    ts = [float(v) for v in times]
    refuse(len(ts) < 2 or any(a <= b for a, b in zip(ts, ts[1:])) or ts[-1] < 0, f"times: {ts}")
    refuse(not 0 <= eta <= 1, f"eta: {eta}")
    frames = x_T.detach().repeat(len(ts), 1, 1)
    with torch.no_grad():
        for k in range(len(ts) - 1):
            z = torch.randn(*x_T.shape, generator=generator).to(x_T) if eta else torch.zeros_like(x_T)
            score = score_fn(frames[k], torch.full_like(frames[k][:, 0], ts[k]))
            frames[k + 1] = reverse_step(frames[k], score, ts[k] - ts[k + 1], z, eta)
    return frames


def flow_log_likelihood(score_fn, x, times):
    ts = [float(v) for v in times]
    refuse(len(ts) < 2 or any(a >= b for a, b in zip(ts, ts[1:])) or ts[0] < 0, f"times: {ts}")

    def slopes(y, t):
        def velocity(z):
            return -z - score_fn(z, torch.full_like(z[:, 0], t))

        with torch.no_grad():
            return velocity(y), divergence(velocity, y)

    y, total = x.detach(), torch.zeros_like(x[:, 0])
    for a, b in zip(ts, ts[1:]):
        h = b - a
        k1, l1 = slopes(y, a)
        k2, l2 = slopes(y + 2 / 3 * h * k1, a + 2 / 3 * h)  # Ralston
        y, total = y + h * (k1 + 3 * k2) / 4, total + h * (l1 + 3 * l2) / 4
    return torch.distributions.Normal(0.0, 1.0).log_prob(y).sum(1).to(x.dtype) + total, y


class ScoreNetwork(nn.Module):
    def __init__(self, dim=2, hidden=64):
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(dim + 1, hidden), nn.Tanh(), nn.Linear(hidden, hidden), nn.Tanh(), nn.Linear(hidden, dim)
        )

    def forward(self, x, t):
        return self.net(torch.cat((x, t[:, None]), dim=-1))


def score_matching_loss(model, x0, t, noise):
    refuse(x0.shape != noise.shape, f"noise: {tuple(noise.shape)}")
    refuse(t.shape != x0.shape[:1], f"t: {tuple(t.shape)}")
    std = torch.sqrt(1 - torch.exp(-2 * t))
    residual = torch.einsum("b,bd->bd", std, model(ou_sample(x0, t, noise), t)) + noise
    return torch.einsum("bd,bd->", residual, residual) / residual.numel()


def train_score(model, x, steps, batch_size=256, lr=5e-3, t_min=0.01, t_max=3.0, generator=None, progress=False):
    refuse(steps < 1 or batch_size < 1, f"steps, batch_size: {steps}, {batch_size}")
    refuse(not 0 < t_min < t_max, f"t_min, t_max: {t_min}, {t_max}")
    optimiser = torch.optim.Adam(model.parameters(), lr=lr)
    losses, order = [], []
    for _step in range(steps):
        if not order:  # every row once before any comes again; what is left over waits for no one
            order = [rows for rows in torch.randperm(len(x), generator=generator).split(batch_size)]
            order = [rows for rows in order if len(rows) == min(batch_size, len(x))]
        batch = x[order.pop()]
        t = torch.empty(len(batch)).uniform_(t_min, t_max, generator=generator).to(x)
        noise = torch.randn(batch.shape, generator=generator).to(x)
        loss = score_matching_loss(model, batch, t, noise)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    return {"loss": losses}


def denoise(x_t, t, score):
    refuse(x_t.shape != score.shape, f"score: {tuple(score.shape)}")
    a, s = ou_moments(by_row(t, x_t))
    return torch.einsum("bd,b->bd", x_t, 1 / a) + torch.einsum("bd,b->bd", score, s**2 / a)


def wiener_filter(y, mean, covariance, sigma):
    refuse(mean.shape != y.shape[1:] or covariance.shape != (y.shape[1], y.shape[1]), "mean or covariance do not fit y")
    refuse(not sigma > 0, f"sigma: {sigma}")
    axes, spread, _axes = torch.linalg.svd(covariance)
    return torch.addmm(mean, y - mean, axes @ torch.diag(spread / (spread + sigma**2)) @ axes.T)
