# Differs: loops over rows and coordinates, Runge-Kutta 4, a plain ReLU network that returns the score itself.
import math

import torch
import torch.nn as nn


def times_of(t, n):
    """One Python number per row."""
    if isinstance(t, torch.Tensor) and t.dim() == 1:
        if t.shape[0] != n:
            raise ValueError(f"{t.shape[0]} times for {n} rows")
        return [float(v) for v in t]
    if isinstance(t, torch.Tensor) and t.dim() > 1:
        raise ValueError("t has too many dimensions")
    return [float(t)] * n


def same(a, b):
    if tuple(a.shape) != tuple(b.shape):
        raise ValueError(f"{tuple(a.shape)} and {tuple(b.shape)}")


def ou_moments(t):
    if isinstance(t, torch.Tensor):
        if bool((t < 0).any()):
            raise ValueError("negative time")
        decay = torch.exp(-t)
        return decay, torch.sqrt(1 - decay * decay)
    if t < 0:
        raise ValueError("negative time")
    decay = math.exp(-t)
    return decay, math.sqrt(1 - decay * decay)


def ou_sample(x0, t, noise):
    same(x0, noise)
    rows = []
    for x, z, time in zip(x0, noise, times_of(t, len(x0))):
        decay, std = ou_moments(time)
        rows.append(decay * x + std * z)
    return torch.stack(rows)


def ou_step(x, dt, noise):
    same(x, noise)
    if not dt > 0:
        raise ValueError("dt")
    new = x.clone()
    new -= dt * x
    new += math.sqrt(2 * dt) * noise
    return new


def noised_score(x, t, means, std, weights):
    if x.shape[-1] != means.shape[-1]:
        raise ValueError("dimensions differ")
    if weights.dim() != 1 or weights.shape[0] != means.shape[0]:
        raise ValueError("weights")
    rows = []
    for point, time in zip(x, times_of(t, len(x))):
        decay, spread = ou_moments(time)
        variance = decay**2 * std**2 + spread**2
        logs = [math.log(w) - float((point - decay * m).dot(point - decay * m)) / (2 * variance) for w, m in zip(weights, means)]
        top = max(logs)
        shares = [math.exp(v - top) for v in logs]
        score = torch.zeros_like(point)
        for share, m in zip(shares, means):
            score = score + share / sum(shares) * (decay * m - point) / variance
        rows.append(score)
    return torch.stack(rows)


def divergence(field, x):
    total = torch.zeros(len(x), dtype=x.dtype, device=x.device)
    with torch.enable_grad():
        for i in range(x.shape[1]):
            y = x.detach().clone().requires_grad_(True)
            out = field(y)[:, i].sum()
            if out.requires_grad:
                g = torch.autograd.grad(out, y, allow_unused=True)[0]
                if g is not None:
                    total = total + g[:, i].detach()
    return total


def fokker_planck_residual(log_prob, x, t):
    if t.shape != (x.shape[0],):
        raise ValueError("t")
    d = x.shape[1]
    with torch.enable_grad():
        y, s = x.detach().clone().requires_grad_(True), t.detach().clone().requires_grad_(True)
        value = log_prob(y, s)
        zero = (y * 0).sum(1) + s * 0  # so that everything depends on everything
        total = (value + zero).sum()
        gy, gs = torch.autograd.grad(total, (y, s), create_graph=True)
        laplacian = torch.zeros_like(s)
        for i in range(d):
            column = (gy[:, i] + (y * 0).sum(1)).sum()
            laplacian = laplacian + torch.autograd.grad(column, y, retain_graph=True)[0][:, i]
    right = d + (x * gy.detach()).sum(1) + (gy.detach() ** 2).sum(1) + laplacian.detach()
    return gs.detach() - right


def reverse_step(x, score, dt, noise, eta=1.0):
    same(x, score)
    same(x, noise)
    if dt <= 0:
        raise ValueError("dt")
    if eta < 0 or eta > 1:
        raise ValueError("eta")
    drift = x + score + eta**2 * score
    return x + drift * dt + noise * math.sqrt(2 * dt * eta**2)


def ordered(times, down):
    values = [float(v) for v in times]
    if len(values) < 2 or min(values) < 0:
        raise ValueError("times")
    for a, b in zip(values, values[1:]):
        if (b >= a) if down else (b <= a):
            raise ValueError("times are not monotone")
    return values


def reverse_sample(score_fn, x_T, times, eta=1.0, generator=None):
    values = ordered(times, down=True)
    if eta < 0 or eta > 1:
        raise ValueError("eta")
    path = torch.zeros((len(values),) + tuple(x_T.shape), dtype=x_T.dtype, device=x_T.device)
    path[0] = x_T.detach()
    for k in range(len(values) - 1):
        x = path[k].clone()
        with torch.no_grad():
            score = score_fn(x, torch.ones(len(x), dtype=x.dtype, device=x.device) * values[k])
        if eta == 0:
            noise = torch.zeros_like(x)
        else:
            noise = torch.empty_like(x).normal_(generator=generator)
        path[k + 1] = reverse_step(x, score, values[k] - values[k + 1], noise, eta)
    return path


def flow_log_likelihood(score_fn, x, times):
    values = ordered(times, down=False)
    d = x.shape[1]

    def slope(y, t):
        now = torch.ones(len(y), dtype=y.dtype, device=y.device) * t
        with torch.no_grad():
            v = -y - score_fn(y, now)
        return v, divergence(lambda p: -p - score_fn(p, now), y)

    y, integral = x.detach().clone(), torch.zeros(len(x), dtype=x.dtype, device=x.device)
    for a, b in zip(values, values[1:]):
        h = b - a
        v1, r1 = slope(y, a)
        v2, r2 = slope(y + h / 2 * v1, a + h / 2)
        v3, r3 = slope(y + h / 2 * v2, a + h / 2)
        v4, r4 = slope(y + h * v3, b)
        y = y + h / 6 * (v1 + 2 * v2 + 2 * v3 + v4)
        integral = integral + h / 6 * (r1 + 2 * r2 + 2 * r3 + r4)
    prior = -(y**2).sum(1) / 2 - d * math.log(2 * math.pi) / 2
    return prior + integral, y


class ScoreNetwork(nn.Module):
    def __init__(self, dim=2, hidden=64):
        super().__init__()
        self.first = nn.Linear(dim + 1, hidden)
        self.second = nn.Linear(hidden, hidden)
        self.last = nn.Linear(hidden, dim)

    def forward(self, x, t):
        h = torch.cat([x, t.unsqueeze(1)], dim=1)
        h = torch.relu(self.first(h))
        h = torch.relu(self.second(h))
        return self.last(h)


def score_matching_loss(model, x0, t, noise):
    if t.shape != (x0.shape[0],):
        raise ValueError("t")
    x_t = ou_sample(x0, t, noise) if len(x0) < 16 else _fast(x0, t, noise)
    std = torch.sqrt(1 - torch.exp(-2 * t))
    residual = std.unsqueeze(1) * model(x_t, t) + noise
    return (residual * residual).sum() / residual.numel()


def _fast(x0, t, noise):
    same(x0, noise)
    decay, std = ou_moments(t)
    return decay.unsqueeze(1) * x0 + std.unsqueeze(1) * noise


def train_score(model, x, steps, batch_size=256, lr=5e-3, t_min=0.01, t_max=3.0, generator=None, progress=False):
    if steps < 1:
        raise ValueError("steps")
    if batch_size < 1:
        raise ValueError("batch_size")
    if t_min <= 0 or t_max <= t_min:
        raise ValueError("t_min, t_max")
    optimiser = torch.optim.Adam(model.parameters(), lr=lr)
    history = {"loss": [], "step": []}
    order = torch.randperm(len(x), generator=generator)
    position = 0
    for step in range(steps):
        chosen = []
        while len(chosen) < batch_size:  # without replacement, epoch after epoch
            if position == len(order):
                order, position = torch.randperm(len(x), generator=generator), 0
            take = min(batch_size - len(chosen), len(order) - position)
            chosen += order[position : position + take].tolist()
            position += take
        u = torch.rand(batch_size, generator=generator, dtype=x.dtype).to(x)
        t = t_min + (t_max - t_min) * u * u
        noise = torch.randn(batch_size, x.shape[1], generator=generator, dtype=x.dtype).to(x)
        loss = score_matching_loss(model, x[chosen], t, noise)
        model.zero_grad()
        loss.backward()
        optimiser.step()
        history["loss"].append(loss.detach().item())
        history["step"].append(float(step))
    return history


def denoise(x_t, t, score):
    same(x_t, score)
    rows = []
    for x, s, time in zip(x_t, score, times_of(t, len(x_t))):
        decay, std = ou_moments(time)
        rows.append(x / decay + std**2 / decay * s)
    return torch.stack(rows)


def wiener_filter(y, mean, covariance, sigma):
    d = y.shape[1]
    if tuple(mean.shape) != (d,) or tuple(covariance.shape) != (d, d):
        raise ValueError("mean or covariance")
    if sigma <= 0:
        raise ValueError("sigma")
    noisy = covariance.clone()
    for i in range(d):
        noisy[i, i] += sigma**2
    rows = []
    for row in y:
        rows.append(mean + covariance @ torch.linalg.solve(noisy, row - mean))
    return torch.stack(rows)
