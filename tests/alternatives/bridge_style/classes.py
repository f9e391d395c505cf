# Differs: a solver object with a shrinking epsilon to start, times as classes, a U-shaped network, cosine schedule.
import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass
class Sinkhorn:
    cost: Tensor
    a: Tensor
    b: Tensor
    epsilon: float

    def softmin(self, values: Tensor, logs: Tensor, epsilon: float, dim: int) -> Tensor:
        return -epsilon * torch.logsumexp(logs + (values - self.cost) / epsilon, dim)

    def solve(self, n_iterations: int, tolerance: float) -> "Sinkhorn":
        log_a, log_b = torch.log(self.a)[:, None], torch.log(self.b)[None, :]
        self.f, self.g = torch.zeros_like(self.a), torch.zeros_like(self.b)
        # Large epsilons first: they converge at once, and leave good potentials to the next one.
        scale = float(self.cost.max())
        while scale > 2 * self.epsilon:
            for _ in range(5):
                self.f = self.softmin(self.g[None, :], log_b, scale, 1)
                self.g = self.softmin(self.f[:, None], log_a, scale, 0)
            scale /= 2
        for _ in range(n_iterations):
            self.f = self.softmin(self.g[None, :], log_b, self.epsilon, 1)
            self.g = self.softmin(self.f[:, None], log_a, self.epsilon, 0)
            if self.error() <= tolerance:
                break
        return self

    def plan(self) -> Tensor:
        inner = (self.f[:, None] + self.g[None, :] - self.cost) / self.epsilon
        return self.a[:, None] * self.b[None, :] * inner.exp()

    def error(self) -> Tensor:
        plan = self.plan()
        return (plan.sum(1) - self.a).abs().sum() + (plan.sum(0) - self.b).abs().sum()

    def value(self) -> Tensor:
        return self.a @ self.f + self.b @ self.g

    def image(self, y: Tensor) -> Tensor:
        return self.plan() @ y / self.a[:, None]


def _between(x, y, epsilon, a=None, b=None, n_iterations=1000, tolerance=1e-9):
    if epsilon <= 0:
        raise ValueError("the noise must be positive")
    if x.dim() != 2 or y.dim() != 2 or x.shape[1] != y.shape[1]:
        raise ValueError("x and y do not fit")
    a = torch.full_like(x[:, 0], 1 / len(x)) if a is None else a
    b = torch.full_like(y[:, 0], 1 / len(y)) if b is None else b
    if a.numel() != len(x) or b.numel() != len(y):
        raise ValueError("masses do not fit")
    squares = x.pow(2).sum(1)[:, None] + y.pow(2).sum(1)[None, :] - 2 * x @ y.T
    return Sinkhorn(squares.clamp_min(0), a, b, epsilon).solve(n_iterations, tolerance)


def schrodinger_coupling(x, y, sigma, a=None, b=None, n_iterations=1000, tolerance=1e-9):
    if sigma <= 0:
        raise ValueError("sigma must be positive")
    solved = _between(x, y, 2 * sigma**2, a, b, n_iterations, tolerance)
    return solved.plan(), solved.f, solved.g


def sinkhorn_divergence(x, y, epsilon, n_iterations=1000, tolerance=1e-9):
    def ot(u, v):
        return _between(u, v, epsilon, None, None, n_iterations, tolerance).value()

    return ot(x, y) - ot(x, x) / 2 - ot(y, y) / 2


def penalised_step(x, score, y, step, weight, epsilon, noise):
    pull = _between(x, y, epsilon, n_iterations=4000).image(y) - _between(x, x, epsilon, n_iterations=4000).image(x)
    return x + step * score + step * weight * pull + noise * (2 * step) ** 0.5


def _root(matrix):
    values, vectors = torch.linalg.eigh(matrix)
    return vectors @ torch.diag(values.clamp_min(0).sqrt()) @ vectors.T


def gaussian_bridge(mean0, cov0, mean1, cov1, sigma, t):
    if sigma <= 0:
        raise ValueError("sigma must be positive")
    eye = torch.eye(cov0.shape[0], dtype=cov0.dtype, device=cov0.device)
    half = _root(cov1)
    # K Σ1^-1 ... from the other end: Kᵀ = ½ (Σ1^½ (4 Σ1^½ Σ0 Σ1^½ + σ⁴)^½ Σ1^-½ - σ²).
    middle = _root(4 * half @ cov0 @ half + sigma**4 * eye)
    KT = (half @ torch.linalg.solve(half, middle.T).T - sigma**2 * eye) / 2
    noise = sigma**2 * t * (1 - t) * eye
    mixed = t * (1 - t) * (KT + KT.T)
    return mean0 * (1 - t) + mean1 * t, cov0 * (1 - t) ** 2 + cov1 * t**2 + mixed + noise


class Times:
    """Times of a batch as a column, checked."""

    def __init__(self, t, x, closed=True):
        values = t if isinstance(t, Tensor) and t.ndim == 1 else torch.tensor([float(t)] * len(x), device=x.device)
        self.row = values.to(dtype=x.dtype)
        beyond = self.row > 1 if closed else self.row >= 1
        if torch.any(self.row < 0) or torch.any(beyond):
            raise ValueError("times out of range")
        self.column = self.row.unsqueeze(-1)
        self.left = 1 - self.column


def bridge_interpolate(x0, x1, t, sigma, noise):
    time = Times(t, x0)
    return time.left * x0 + time.column * x1 + sigma * (time.left * time.column).sqrt() * noise


def bridge_path(x0, x1, times, sigma, noise):
    if list(noise.shape) != [len(times), *x0.shape]:
        raise ValueError("noise does not fit")
    steps = torch.diff(times, prepend=times[:1] - 1)
    if not bool((steps > 0).all()) or float(times.min()) < 0 or float(times.max()) > 1:
        raise ValueError("times do not increase within [0, 1]")
    frames = torch.zeros_like(noise)
    s, x = 0.0, x0
    for k, t in enumerate(times.double().tolist()):
        x = x + (t - s) / (1 - s) * (x1 - x) + sigma * math.sqrt((t - s) * (1 - t) / (1 - s)) * noise[k]
        frames[k] = x1 if t == 1.0 else x
        s = t
    return frames


def sample_coupling(plan, n, generator=None):
    # Gumbel: the largest of log P + G is a draw of P.
    logs = plan.double().reshape(-1).log()
    uniform = torch.rand(n, len(logs), generator=generator, dtype=torch.float64).to(plan.device) if n * len(logs) < 4e6 else None
    if uniform is None:
        flat = torch.searchsorted(
            plan.double().reshape(-1).cumsum(0), torch.rand(n, generator=generator).to(plan.device).double() * plan.sum()
        )
        flat = flat.clamp(max=len(logs) - 1)
    else:
        flat = (logs - torch.log(-torch.log(uniform.clamp_min(1e-300)))).argmax(1)
    return flat // plan.shape[1], flat % plan.shape[1]


def bridge_drift(x, t, y, b, g, sigma):
    time = Times(t, x, closed=False)
    log_weights = b.log() + g / (2 * sigma**2) - torch.cdist(x, y).square() / (2 * sigma**2 * time.left)
    weights = (log_weights - log_weights.logsumexp(1, keepdim=True)).exp()
    return (weights[:, :, None] * (y[None] - x[:, None])).sum(1) / time.left


def simulate_bridge(drift_fn, x0, sigma, noise):
    h = 1 / len(noise)
    way = torch.cat([x0[None], torch.zeros_like(noise)])
    with torch.inference_mode():
        for k, xi in enumerate(noise):
            way[k + 1] = way[k] + h * drift_fn(way[k], k * h) + sigma * h**0.5 * xi
    return way.clone()


class EndpointNet(nn.Module):
    def __init__(self, dim, hidden=128):
        super().__init__()
        self.down = nn.Sequential(nn.Linear(dim + 2, hidden), nn.SiLU())
        self.deep = nn.Sequential(nn.Linear(hidden, hidden // 2), nn.SiLU(), nn.Linear(hidden // 2, hidden), nn.SiLU())
        self.up = nn.Linear(2 * hidden, dim)

    def forward(self, x, t):
        t = t.reshape(-1, 1).to(x)
        h = self.down(torch.cat([x, t, torch.sqrt(1 - t.clamp(0, 1))], dim=-1))
        return (1 - t) * self.up(torch.cat([h, self.deep(h)], dim=-1)) + t * x


def endpoint_loss(model, x0, x1, t, sigma, noise):
    place = bridge_interpolate(x0, x1, t, sigma, noise)
    return torch.mean((x1 - model(place, t)) ** 2)


def endpoint_drift(model, x, t):
    time = Times(t, x, closed=False)
    return (model(x, time.row) - x) / time.left


def train_bridge(model, x, y, plan, sigma, steps, batch_size=256, lr=1e-3, generator=None, progress=False):
    if tuple(plan.shape) != (x.shape[0], y.shape[0]):
        raise ValueError("plan does not fit")
    model.train()
    optimiser = torch.optim.Adam(model.parameters(), lr=lr)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps, eta_min=0.05 * lr)
    history = {"loss": [], "lr": []}
    for _ in range(steps):
        i, j = sample_coupling(plan, batch_size, generator)
        t = torch.rand(batch_size, generator=generator, dtype=x.dtype).to(x)
        noise = torch.randn(batch_size, x.shape[1], generator=generator, dtype=x.dtype).to(x)
        loss = endpoint_loss(model, x[i], y[j], t, sigma, noise)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        history["loss"].append(loss.item())
        history["lr"].append(schedule.get_last_lr()[0])
    return history


def neighbours_kept(x, mapped, k):
    if len(x) != len(mapped):
        raise ValueError("lengths differ")
    if k < 1 or k >= len(x):
        raise ValueError("k out of range")

    def table(cloud):
        order = torch.cdist(cloud, cloud, compute_mode="donot_use_mm_for_euclid_dist")
        order = order.masked_fill(torch.eye(len(cloud), dtype=torch.bool, device=cloud.device), torch.inf).argsort(1)
        return torch.zeros(len(cloud), len(cloud), device=cloud.device).scatter(1, order[:, :k], 1.0)

    return (table(x) * table(mapped)).sum(1).div(k).mean()
