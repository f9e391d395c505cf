# Differs: plain loops, no broadcasting; the plan row by row, paths as lists, one time feature, Adam by closure.
import math

import torch
from torch import nn


def _cost(x, y):
    C = torch.zeros(len(x), len(y), dtype=x.dtype, device=x.device)
    for i in range(len(x)):
        for j in range(len(y)):
            C[i, j] = ((x[i] - y[j]) ** 2).sum()
    return C


def schrodinger_coupling(x, y, sigma, a=None, b=None, n_iterations=1000, tolerance=1e-9):
    if sigma <= 0:
        raise ValueError("sigma must be positive")
    if x.shape[-1] != y.shape[-1]:
        raise ValueError("x and y have different dimensions")
    n, m = x.shape[0], y.shape[0]
    if a is None:
        a = torch.ones(n, dtype=x.dtype, device=x.device) / n
    if b is None:
        b = torch.ones(m, dtype=x.dtype, device=x.device) / m
    if a.shape[0] != n or b.shape[0] != m:
        raise ValueError("a or b has the wrong length")
    epsilon = 2.0 * sigma * sigma
    C = _cost(x, y) if n * m < 500 else torch.cdist(x, y) ** 2
    f, g = torch.zeros(n, dtype=x.dtype, device=x.device), torch.zeros(m, dtype=x.dtype, device=x.device)
    plan = None
    for k in range(n_iterations):
        f = -epsilon * torch.logsumexp(b.log() + (g - C) / epsilon, dim=1)
        g = -epsilon * torch.logsumexp(a.log() + (f - C.T) / epsilon, dim=1)
        if k % 10 == 9 or k == n_iterations - 1:
            plan = a[:, None] * b * torch.exp((f[:, None] + g - C) / epsilon)
            if (plan.sum(1) - a).abs().sum() + (plan.sum(0) - b).abs().sum() < tolerance:
                break
    return plan, f, g


def sinkhorn_divergence(x, y, epsilon, n_iterations=1000, tolerance=1e-9):
    if epsilon <= 0:
        raise ValueError("epsilon must be positive")
    sigma = (epsilon / 2) ** 0.5
    values = []
    for u, v in ((x, y), (x, x), (y, y)):
        plan, _, _ = schrodinger_coupling(u, v, sigma, n_iterations=n_iterations, tolerance=tolerance)
        cost = (plan * torch.cdist(u, v) ** 2).sum()
        information = (plan * (plan * len(u) * len(v)).log()).sum()
        values.append((cost + epsilon * information).item())
    return values[0] - (values[1] + values[2]) / 2


def penalised_step(x, score, y, step, weight, epsilon, noise):
    if epsilon <= 0:
        raise ValueError("epsilon must be positive")
    if x.shape != score.shape or x.shape != noise.shape:
        raise ValueError("x, score and noise differ")
    sigma = (epsilon / 2) ** 0.5
    first, _, _ = schrodinger_coupling(x, y, sigma, n_iterations=2000)
    second, _, _ = schrodinger_coupling(x, x, sigma, n_iterations=2000)
    rows = []
    for i in range(len(x)):
        pull = (first[i] / first[i].sum()) @ y - (second[i] / second[i].sum()) @ x
        rows.append(x[i] + step * (score[i] + weight * pull) + (2 * step) ** 0.5 * noise[i])
    return torch.stack(rows)


def gaussian_bridge(mean0, cov0, mean1, cov1, sigma, t):
    if sigma <= 0:
        raise ValueError("sigma must be positive")
    d = len(mean0)
    eye = torch.eye(d, dtype=cov0.dtype, device=cov0.device)
    # Newton's iteration for the root of a matrix that need not be symmetric (Denman and Beavers).
    root, inverse = 4 * cov0 @ cov1 + sigma**4 * eye, eye
    for _ in range(60):
        root, inverse = (root + torch.linalg.inv(inverse)) / 2, (inverse + torch.linalg.inv(root)) / 2
    K = (root - sigma**2 * eye) / 2
    cov = (1 - t) ** 2 * cov0 + t**2 * cov1 + t * (1 - t) * (K + K.T + sigma**2 * eye)
    return (1 - t) * mean0 + t * mean1, cov


def _times(t, like, below=False):
    times = t.tolist() if torch.is_tensor(t) and t.dim() else [float(t)] * len(like)
    for value in times:
        if value < 0 or value > 1 or (below and value == 1):
            raise ValueError(f"time {value} is out of range")
    return times


def bridge_interpolate(x0, x1, t, sigma, noise):
    rows = []
    for u, v, z, s in zip(x0, x1, noise, _times(t, x0)):
        rows.append((1 - s) * u + s * v + sigma * math.sqrt(s * (1 - s)) * z)
    return torch.stack(rows)


def bridge_path(x0, x1, times, sigma, noise):
    if noise.shape[0] != len(times) or noise.shape[1:] != x0.shape:
        raise ValueError("noise has the wrong shape")
    values = [float(v) for v in times]
    if sorted(set(values)) != values or values[0] < 0 or values[-1] > 1:
        raise ValueError("times must increase within [0, 1]")
    x, before, path = x0.clone(), 0.0, []
    for k, now in enumerate(values):
        left = 1 - before
        step = x + (now - before) / left * (x1 - x) + sigma * math.sqrt((now - before) * (1 - now) / left) * noise[k]
        x = x1.clone() if now == 1 else step
        path.append(x)
        before = now
    return torch.stack(path)


def sample_coupling(plan, n, generator=None):
    i = torch.multinomial(plan.sum(1), n, replacement=True, generator=generator)
    j = torch.stack([torch.multinomial(plan[row], 1, generator=generator)[0] for row in i])
    return i, j


def bridge_drift(x, t, y, b, g, sigma):
    rows = []
    for point, s in zip(x, _times(t, x, below=True)):
        exponent = b.log() + g / (2 * sigma**2) - ((point - y) ** 2).sum(1) / (2 * sigma**2 * (1 - s))
        weight = torch.exp(exponent - exponent.max())
        rows.append(((weight / weight.sum()) @ y - point) / (1 - s))
    return torch.stack(rows)


def simulate_bridge(drift_fn, x0, sigma, noise):
    N = noise.shape[0]
    trajectory = torch.empty(N + 1, *x0.shape, dtype=x0.dtype, device=x0.device)
    trajectory[0] = x0
    with torch.no_grad():
        for k in range(N):
            drift = drift_fn(trajectory[k].clone(), k / N)
            trajectory[k + 1] = trajectory[k] + drift / N + sigma * noise[k] / N**0.5
    return trajectory


class EndpointNet(nn.Module):
    def __init__(self, dim, hidden=128):
        super().__init__()
        self.first = nn.Linear(dim + 1, hidden)
        self.second = nn.Linear(hidden + 1, hidden)
        self.last = nn.Linear(hidden, dim)

    def forward(self, x, t):
        t = t[:, None].to(x)
        h = torch.relu(self.first(torch.cat([x, t], 1)))
        h = torch.relu(self.second(torch.cat([h, t], 1)))
        return self.last(h)


def endpoint_loss(model, x0, x1, t, sigma, noise):
    guess = model(bridge_interpolate(x0, x1, t, sigma, noise), t)
    return sum(((g - v) ** 2).mean() for g, v in zip(guess, x1)) / len(x1)


def endpoint_drift(model, x, t):
    times = torch.tensor(_times(t, x, below=True), dtype=x.dtype, device=x.device)
    return (model(x, times) - x) / (1 - times).unsqueeze(1)


def train_bridge(model, x, y, plan, sigma, steps, batch_size=256, lr=1e-3, generator=None, progress=False):
    if plan.shape[0] != len(x) or plan.shape[1] != len(y):
        raise ValueError("the plan does not fit x and y")
    optimiser = torch.optim.Adam(model.parameters(), lr=lr)
    losses = []
    for _ in range(steps):
        flat = torch.multinomial(plan.reshape(-1), batch_size, replacement=True, generator=generator)
        x0, x1 = x[flat // len(y)], y[flat % len(y)]
        t = torch.rand(batch_size, 1, generator=generator, dtype=x.dtype).to(x)
        z = torch.randn(batch_size, x.shape[1], generator=generator, dtype=x.dtype).to(x)
        place = (1 - t) * x0 + t * x1 + sigma * (t - t * t).sqrt() * z
        loss = ((model(place, t[:, 0]) - x1) ** 2).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return {"loss": losses}


def neighbours_kept(x, mapped, k):
    n = len(x)
    if len(mapped) != n or k < 1 or k > n - 1:
        raise ValueError("k or the lengths do not fit")
    shared = 0
    for i in range(n):
        near = []
        for cloud in (x, mapped):
            distance = ((cloud - cloud[i]) ** 2).sum(1)
            order = [j for j in distance.argsort().tolist() if j != i]
            near.append(set(order[:k]))
        shared += len(near[0] & near[1])
    return shared / (n * k)
