# Differs: written in y = e^t x_t with sigma^2 = e^2t - 1, the fields differentiated forward (jvp), PyTorch's MLP of other widths, times as u^2.
import math

import torch
from torch import nn
from torch.func import grad, jvp, vmap


def ou_moments(t):
    if torch.is_tensor(t):
        if torch.any(t < 0):
            raise ValueError("t")
        growth = torch.exp(t.to(torch.float64) if not t.is_floating_point() else t)
        return 1 / growth, torch.sqrt(growth**2 - 1) / growth
    if t < 0:
        raise ValueError("t")
    return 1 / math.exp(t), math.sqrt(math.exp(2 * t) - 1) / math.exp(t)


def _growth_and_sigma(t, x):
    t = torch.as_tensor(t).to(x)
    if t.ndim not in (0, 1) or (t.ndim == 1 and t.shape[0] != x.shape[0]):
        raise ValueError(f"t {tuple(t.shape)} for x {tuple(x.shape)}")
    t = t.reshape(-1, 1).expand(x.shape[0], 1)
    return torch.exp(t), torch.sqrt(torch.expm1(2 * t))


def ou_sample(x0, t, noise):
    if x0.shape != noise.shape:
        raise ValueError("noise")
    growth, sigma = _growth_and_sigma(t, x0)
    return (x0 + sigma * noise) / growth


def ou_step(x, dt, noise):
    if x.shape != noise.shape or not dt > 0:
        raise ValueError("noise or dt")
    return torch.add(torch.lerp(x, torch.zeros_like(x), float(dt)), noise, alpha=math.sqrt(2 * dt))


def noised_score(x, t, means, std, weights):
    if means.ndim != 2 or x.shape[1] != means.shape[1] or tuple(weights.shape) != (means.shape[0],):
        raise ValueError("means or weights")
    growth, sigma = _growth_and_sigma(t, x)
    y, v = growth * x, std**2 + sigma**2  # y = x_0 + sigma z
    distance = torch.cdist(y, means.to(y), compute_mode="donot_use_mm_for_euclid_dist")
    r = torch.softmax(torch.log(weights) - distance**2 / (2 * v), -1)
    return growth * (r @ means - y) / v


def divergence(field, x):
    x = x.detach()
    total = torch.zeros_like(x[:, 0])
    for i in range(x.shape[1]):
        direction = torch.zeros_like(x)
        direction[:, i] = 1
        total = total + jvp(field, (x,), (direction,))[1][:, i].detach()
    return total


def fokker_planck_residual(log_prob, x, t):
    if t.ndim != 1 or t.shape[0] != x.shape[0]:
        raise ValueError("t")

    def density(point, time):
        return log_prob(point.unsqueeze(0), time.unsqueeze(0)).squeeze(0)

    def row(point, time):
        slope = grad(density)(point, time)
        change = grad(density, argnums=1)(point, time)
        second = sum(
            jvp(lambda p: grad(density)(p, time), (point,), (basis,))[1][i]
            for i, basis in enumerate(torch.eye(len(point), dtype=point.dtype, device=point.device))
        )
        return change - len(point) - (point * slope).sum() - (slope * slope).sum() - second

    return vmap(row)(x.detach(), t.detach()).detach()


def reverse_step(x, score, dt, noise, eta=1.0):
    if not (x.shape == score.shape == noise.shape):
        raise ValueError("shapes")
    if dt <= 0 or eta < 0 or eta > 1:
        raise ValueError("dt or eta")
    return x * (1 + dt) + score * (dt * (1 + eta * eta)) + noise * (eta * math.sqrt(2 * dt))


def reverse_sample(score_fn, x_T, times, eta=1.0, generator=None):
    t = torch.as_tensor(times, dtype=torch.float64)
    if t.ndim != 1 or len(t) < 2 or bool((t[1:] >= t[:-1]).any()) or bool((t < 0).any()) or not 0 <= eta <= 1:
        raise ValueError("times or eta")
    frames, x = [x_T.detach().clone()], x_T.detach()
    for k in range(len(t) - 1):
        with torch.no_grad():
            score = score_fn(x, t[k].to(x).expand(len(x)))
        noise = torch.stack([torch.randn(len(x), generator=generator, dtype=x.dtype).to(x) for _ in range(x.shape[1])], 1)
        x = reverse_step(x, score, float(t[k] - t[k + 1]), noise, eta)
        frames.append(x)
    return torch.stack(frames, 0)


def flow_log_likelihood(score_fn, x, times):
    t = torch.as_tensor(times, dtype=torch.float64)
    if t.ndim != 1 or len(t) < 2 or bool((t[1:] <= t[:-1]).any()) or bool((t < 0).any()):
        raise ValueError("times")
    z, log_det = x.detach(), torch.zeros_like(x[:, 0])
    for a, b in zip(t[:-1].tolist(), t[1:].tolist()):
        h = b - a
        start, end = (torch.full_like(log_det, v) for v in (a, b))
        v = (-z - score_fn(z, start)).detach()
        ahead = z + h * v
        log_det = log_det + h / 2 * divergence(lambda p: -p - score_fn(p, start), z)
        log_det = log_det + h / 2 * divergence(lambda p: -p - score_fn(p, end), ahead)
        z = z + h / 2 * (v + (-ahead - score_fn(ahead, end)).detach())
    return torch.distributions.Normal(0.0, 1.0).log_prob(z).sum(1) + log_det, z


class ScoreNetwork(nn.Module):
    def __init__(self, dim=2, hidden=64):
        super().__init__()
        self.body = nn.Sequential(
            nn.Linear(2 * dim + 1, 2 * hidden), nn.ELU(), nn.Linear(2 * hidden, hidden), nn.ELU(), nn.Linear(hidden, dim)
        )
        with torch.no_grad():
            self.body[-1].weight.zero_()
            self.body[-1].bias.zero_()

    def forward(self, x, t):
        growth, sigma = torch.exp(t)[:, None], torch.sqrt(torch.expm1(2 * t))[:, None]
        std = sigma / growth
        guess = self.body(torch.cat([x, x / std, torch.log(sigma)], 1))
        return guess / std


def score_matching_loss(model, x0, t, noise):
    if tuple(t.shape) != (x0.shape[0],):
        raise ValueError("t")
    std = ou_moments(t)[1].reshape(-1, 1)
    error = model(ou_sample(x0, t, noise), t).mul(std).add(noise)
    return torch.linalg.vector_norm(error) ** 2 / error.numel()


def train_score(model, x, steps, batch_size=256, lr=5e-3, t_min=0.01, t_max=3.0, generator=None, progress=False):
    if min(steps, batch_size) < 1:
        raise ValueError("steps or batch_size")
    if t_min <= 0 or t_min >= t_max:
        raise ValueError("t_min or t_max")
    optimiser = torch.optim.Adam(model.parameters(), lr=lr)
    history = {"loss": []}
    for _ in range(steps):
        rows = (torch.rand(batch_size, generator=generator) * len(x)).long().clamp(max=len(x) - 1)
        t = t_min + (t_max - t_min) * torch.rand(batch_size, generator=generator, dtype=x.dtype).to(x).square()
        noise = torch.randn(x[rows].shape, generator=generator, dtype=x.dtype).to(x)
        optimiser.zero_grad()
        loss = score_matching_loss(model, x[rows], t, noise)
        loss.backward()
        optimiser.step()
        history["loss"].append(loss.detach())
    return history


def denoise(x_t, t, score):
    if x_t.shape != score.shape:
        raise ValueError("score")
    growth, sigma = _growth_and_sigma(t, x_t)
    return growth * x_t + sigma**2 * (score / growth)  # y + sigma^2 times the score of y


def wiener_filter(y, mean, covariance, sigma):
    if mean.shape != y.shape[1:] or covariance.shape != mean.shape * 2 or sigma <= 0:
        raise ValueError("mean, covariance or sigma")
    gain = torch.linalg.solve(covariance + sigma**2 * torch.eye(len(mean)).to(y), covariance).T
    return mean + torch.einsum("ij,bj->bi", gain, y - mean)
