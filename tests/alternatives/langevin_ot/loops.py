# Differs: plain Python loops over points and components, math instead of torch wherever a number is enough.
import math

import torch


def _need(ok, message):
    if not ok:
        raise ValueError(message)


def gaussian_mixture_log_prob(x, means, std, weights):
    _need(x.shape[1] == means.shape[1], "x and means: dimensions differ")
    _need(len(weights) == len(means), "weights: one per mean")
    d = x.shape[1]
    result = []
    for point in x.tolist():
        terms = []
        for w, mean in zip(weights.tolist(), means.tolist()):
            squared = sum((p - q) ** 2 for p, q in zip(point, mean))
            terms.append(math.log(w) - squared / (2 * std**2) - d * math.log(std) - d / 2 * math.log(2 * math.pi))
        top = max(terms)
        result.append(top + math.log(sum(math.exp(t - top) for t in terms)))
    return torch.tensor(result, dtype=x.dtype, device=x.device)


def gaussian_mixture_score(x, means, std, weights):
    _need(x.shape[1] == means.shape[1], "x and means: dimensions differ")
    _need(len(weights) == len(means), "weights: one per mean")
    result = torch.zeros_like(x)
    for i, point in enumerate(x):
        exponents = [float(w.log() - ((point - m) ** 2).sum() / 2 / std**2) for w, m in zip(weights, means)]
        shares = [math.exp(e - max(exponents)) for e in exponents]
        for share, mean in zip(shares, means):
            result[i] += share / sum(shares) * (mean - point) / std**2
    return result


def langevin_step(x, score, step, noise):
    _need(x.shape == score.shape == noise.shape, "x, score, noise: shapes differ")
    return x + step * score + (2 * step) ** 0.5 * noise


def langevin_sample(score_fn, x0, step, n_steps, generator=None):
    _need(n_steps >= 1, "n_steps must be positive")
    trajectory = torch.zeros((n_steps + 1,) + tuple(x0.shape), dtype=x0.dtype, device=x0.device)
    trajectory[0] = x0
    for k in range(n_steps):
        s = score_fn(trajectory[k].clone()).detach()
        noise = torch.empty_like(x0).normal_(generator=generator)
        trajectory[k + 1] = langevin_step(trajectory[k], s, step, noise)
    return trajectory


def denoising_score_matching_loss(model, x, sigma, noise):
    _need(x.shape == noise.shape, "x, noise: shapes differ")
    prediction = model(x + sigma * noise)
    total = 0.0
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            total = total + (prediction[i, j] + noise[i, j] / sigma) ** 2
    return total / x.numel()


def cost_matrix(x, y, p=2):
    _need(x.shape[1] == y.shape[1], "x, y: dimensions differ")
    C = torch.zeros(len(x), len(y), dtype=x.dtype, device=x.device)
    for i in range(len(x)):
        for j in range(len(y)):
            C[i, j] = math.sqrt(((x[i] - y[j]) ** 2).sum()) ** p
    return C


def sinkhorn(a, b, C, epsilon, n_iterations=1000, tolerance=1e-9):
    _need(tuple(C.shape) == (len(a), len(b)), "C: expected (n, m)")
    _need(n_iterations >= 1, "n_iterations must be positive")
    f, g = torch.zeros_like(a), torch.zeros_like(b)
    for _ in range(n_iterations):
        g = epsilon * (b.log() - torch.logsumexp((f[:, None] - C) / epsilon, 0))
        f = epsilon * (a.log() - torch.logsumexp((g[None, :] - C) / epsilon, 1))
    return torch.exp((f[:, None] + g[None, :] - C) / epsilon)


def transport_cost(plan, C):
    _need(plan.shape == C.shape, "plan, C: shapes differ")
    total = 0.0  # a plain number
    for row, costs in zip(plan.tolist(), C.tolist()):
        for mass, cost in zip(row, costs):
            total += mass * cost
    return total


def wasserstein_1d(x, y, p=1):
    xs, ys = sorted(x.tolist()), sorted(y.tolist())
    left_x, left_y = len(ys), len(xs)  # mass left of the current points, in units of 1 / (n m)
    i = j = 0
    total = 0.0
    while i < len(xs) and j < len(ys):
        mass = min(left_x, left_y)
        total += mass * abs(xs[i] - ys[j]) ** p
        left_x, left_y = left_x - mass, left_y - mass
        if left_x == 0:
            i, left_x = i + 1, len(ys)
        if left_y == 0:
            j, left_y = j + 1, len(xs)
    return (total / (len(xs) * len(ys))) ** (1 / p)


def barycentric_projection(plan, y):
    _need(plan.shape[1] == y.shape[0], "plan, y: sizes differ")
    rows = []
    for row in plan:
        rows.append(sum(mass * point for mass, point in zip(row, y)) / row.sum())
    return torch.stack(rows)


def displacement_interpolation(x, x_mapped, t):
    _need(x.shape == x_mapped.shape, "shapes differ")
    _need(t >= 0 and t <= 1, "t outside [0, 1]")
    return x + t * (x_mapped - x)


def morph(x_source, x_target, score_fn, n_steps, step, ot_weight, epsilon, generator=None):
    _need(x_source.shape[1] == x_target.shape[1], "dimensions differ")
    _need(n_steps >= 1, "n_steps must be positive")
    n, m = len(x_source), len(x_target)
    a = torch.full((n,), 1.0 / n, dtype=x_source.dtype, device=x_source.device)
    b = torch.full((m,), 1.0 / m, dtype=x_source.dtype, device=x_source.device)
    squared = (x_source[:, None, :] - x_target[None, :, :]).pow(2).sum(2)
    T = barycentric_projection(sinkhorn(a, b, squared, epsilon), x_target)
    xs = [x_source]
    for _ in range(n_steps):
        x = xs[-1]
        noise = torch.randn(n, x.shape[1], generator=generator, dtype=x.dtype).to(x)
        drift = score_fn(x).detach() + ot_weight * (T - x)
        xs.append(x + step * drift + math.sqrt(2 * step) * noise)
    return torch.stack(xs)
