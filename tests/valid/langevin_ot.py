"""Random valid solutions of langevin_ot: each function in one of several idioms, orders and dtypes inside.

What the contract leaves free is drawn: broadcasting, einsum, loops, NumPy or autograd, how draws come from the
generator, Sinkhorn's variables (log u and log v, potentials, the plan's own logarithm, epsilon scaling), how often it
looks at its marginals, which way round the plan is found, and whether morph finds its map once or again.
"""

from __future__ import annotations

import random

HEAD = """\
import math
from itertools import product

import numpy as np
import torch
import torch.nn.functional as F


def need(condition, message="arguments that do not fit each other"):
    if not condition:
        raise ValueError(message)


def mixture_shapes(x, means, weights):
    need(x.ndim == means.ndim == 2 and x.shape[1] == means.shape[1], f"x {tuple(x.shape)}, means {tuple(means.shape)}")
    need(tuple(weights.shape) == (means.shape[0],), f"weights {tuple(weights.shape)}")
"""

LOG_PROB = (
    """
def gaussian_mixture_log_prob(x, means, std, weights):
    mixture_shapes(x, means, weights)
    law = torch.distributions.MixtureSameFamily(
        torch.distributions.Categorical(weights, validate_args=False),
        torch.distributions.Independent(torch.distributions.Normal(means, torch.full_like(means, float(std))), 1),
        validate_args=False,
    )
    return law.log_prob(x)
""",
    """
def gaussian_mixture_log_prob(x, means, std, weights):
    mixture_shapes(x, means, weights)
    d = x.shape[1]
    terms = []
    for w, m in zip(weights, means):
        terms.append(torch.log(w) - ((x - m) ** 2).sum(-1) / (2 * std * std))
    return torch.stack(terms, -1).logsumexp(-1) - d * math.log(std) - d / 2 * math.log(2 * math.pi)
""",
    """
def gaussian_mixture_log_prob(x, means, std, weights):
    mixture_shapes(x, means, weights)
    a, m, w = (v.double().numpy() for v in (x.detach(), means, weights))
    q = ((a[:, None, :] - m[None]) ** 2).sum(axis=2) / std**2
    logs = np.log(w) - 0.5 * q - 0.5 * a.shape[1] * np.log(2 * np.pi * std**2)
    return torch.from_numpy(np.logaddexp.reduce(logs, axis=1)).to(x.dtype)
""",
    """
def gaussian_mixture_log_prob(x, means, std, weights):
    mixture_shapes(x, means, weights)
    z = (x.unsqueeze(1) - means) / std
    logs = weights.log() - 0.5 * torch.einsum("bkd,bkd->bk", z, z)
    top = logs.amax(1, keepdim=True)
    return (logs - top).exp().sum(1).log() + top.squeeze(1) - 0.5 * x.size(1) * math.log(2 * math.pi * std * std)
""",
)

SCORE = (
    """
def gaussian_mixture_score(x, means, std, weights):
    mixture_shapes(x, means, weights)
    with torch.enable_grad():
        y = x.detach().double().requires_grad_()
        q = (y[:, None] - means.double()).square().sum(-1) / (2 * std**2)
        total = torch.logsumexp(weights.double().log() - q, 1).sum()
    return torch.autograd.grad(total, y)[0].to(x.dtype)
""",
    """
def gaussian_mixture_score(x, means, std, weights):
    mixture_shapes(x, means, weights)
    distance = torch.cdist(x, means, compute_mode="donot_use_mm_for_euclid_dist")
    r = F.softmax(weights.log() - distance**2 / (2 * std**2), -1)
    return torch.einsum("bk,bkd->bd", r, means[None] - x[:, None]) / std**2
""",
    """
def gaussian_mixture_score(x, means, std, weights):
    mixture_shapes(x, means, weights)
    rows = []
    for point in x:
        logs = torch.stack([w.log() - (point - m).dot(point - m) / (2 * std**2) for w, m in zip(weights, means)])
        r = (logs - logs.max()).exp()
        rows.append(((r / r.sum()) @ means - point) / std**2)
    return torch.stack(rows)
""",
    """
def gaussian_mixture_score(x, means, std, weights):
    mixture_shapes(x, means, weights)
    a, m, w = (v.double().numpy() for v in (x.detach(), means, weights))
    logs = np.log(w) - ((a[:, None] - m) ** 2).sum(2) / (2 * std**2)
    r = np.exp(logs - logs.max(axis=1, keepdims=True))
    r /= r.sum(axis=1, keepdims=True)
    return torch.from_numpy((r @ m - a) / std**2).to(x.dtype)
""",
    """
def gaussian_mixture_score(x, means, std, weights):
    mixture_shapes(x, means, weights)

    def one(point):
        return torch.logsumexp(weights.log() - (point - means).square().sum(-1) / (2 * std**2), 0)

    return torch.func.vmap(torch.func.grad(one))(x)
""",
)

STEP = (
    """
def langevin_step(x, score, step, noise):
    need(x.shape == score.shape == noise.shape)
    return x + step * score + (2 * step) ** 0.5 * noise
""",
    """
def langevin_step(x, score, step, noise):
    need(score.shape == x.shape and noise.shape == x.shape)
    return torch.add(x, score, alpha=step).add(noise, alpha=math.sqrt(2 * step))
""",
    """
def langevin_step(x, score, step, noise):
    need(x.shape == score.shape and x.shape == noise.shape)
    y = x.clone()
    y += step * score
    y += np.sqrt(2.0) * np.sqrt(step) * noise
    return y
""",
    """
def langevin_step(x, score, step, noise):
    need(len({tuple(t.shape) for t in (x, score, noise)}) == 1)
    h = torch.as_tensor(step, dtype=x.dtype, device=x.device)
    return torch.stack([x, h * score, torch.sqrt(2 * h) * noise]).sum(0)
""",
)

SAMPLE = (
    """
@torch.no_grad()
def langevin_sample(score_fn, x0, step, n_steps, generator=None):
    need(n_steps >= 1, "n_steps")
    out = x0.new_empty(n_steps + 1, *x0.shape)
    out[0] = x0
    for k in range(n_steps):
        noise = torch.randn(x0.shape, generator=generator, dtype=x0.dtype)
        out[k + 1] = langevin_step(out[k], score_fn(out[k]), step, noise)
    return out
""",
    """
def langevin_sample(score_fn, x0, step, n_steps, generator=None):
    need(n_steps >= 1, "n_steps")
    noises = torch.randn(n_steps, *x0.shape, generator=generator, dtype=x0.dtype)  # all at once
    x, frames = x0.clone(), [x0.clone()]
    for noise in noises.unbind():
        with torch.no_grad():
            x = x + step * score_fn(x) + math.sqrt(2 * step) * noise
        frames += [x]
    return torch.stack(frames, dim=0)
""",
    """
def langevin_sample(score_fn, x0, step, n_steps, generator=None):
    need(n_steps >= 1, "n_steps")
    rng = np.random.default_rng(torch.randint(2**62, (1,), generator=generator).item())
    x = x0.detach()
    frames = x.numpy()[None].repeat(n_steps + 1, axis=0)
    for k in range(1, n_steps + 1):
        score = score_fn(torch.from_numpy(frames[k - 1].copy())).detach().numpy()
        frames[k] = frames[k - 1] + step * score + np.sqrt(2 * step) * rng.standard_normal(x.shape)
    return torch.from_numpy(frames)
""",
    """
def langevin_sample(score_fn, x0, step, n_steps, generator=None):
    need(n_steps >= 1, "n_steps")
    x = x0.detach().clone()
    trajectory = [x.clone()]
    for _ in range(n_steps):
        drift = score_fn(x.requires_grad_()).detach()
        x = x.detach()
        noise = torch.empty_like(x).normal_(generator=generator)
        x.add_(step * drift + math.sqrt(2 * step) * noise)
        trajectory.append(x.clone())
    return torch.stack(trajectory).detach()
""",
)

MATCHING = (
    """
def denoising_score_matching_loss(model, x, sigma, noise):
    need(x.shape == noise.shape)
    return F.mse_loss(model(x + sigma * noise), -noise / sigma)
""",
    """
def denoising_score_matching_loss(model, x, sigma, noise):
    need(x.shape == noise.shape)
    noisy = x + sigma * noise
    return ((model(noisy) + (noisy - x) / sigma**2) ** 2).mean(dim=1).mean()
""",
    """
def denoising_score_matching_loss(model, x, sigma, noise):
    need(x.shape == noise.shape)
    gap = sigma * model(x + noise * sigma) + noise
    return torch.einsum("bd,bd->", gap, gap) / (gap.numel() * sigma**2)
""",
    """
def denoising_score_matching_loss(model, x, sigma, noise):
    need(x.shape == noise.shape)
    scores = model(x + sigma * noise)
    return sum(((scores[:, j] + noise[:, j] / sigma) ** 2).mean() for j in range(x.shape[1])) / x.shape[1]
""",
)

COST = (
    """
def cost_matrix(x, y, p=2):
    need(x.shape[-1] == y.shape[-1])
    return torch.linalg.vector_norm(x.unsqueeze(1) - y.unsqueeze(0), dim=-1) ** p
""",
    """
def cost_matrix(x, y, p=2):
    need(x.shape[-1] == y.shape[-1])
    return torch.cdist(x, y, p=2.0) ** p
""",
    """
def cost_matrix(x, y, p=2):
    need(x.shape[-1] == y.shape[-1])
    a, b = x.double(), y.double()
    squared = (a * a).sum(1)[:, None] + (b * b).sum(1) - 2 * torch.einsum("id,jd->ij", a, b)
    return squared.clamp(min=0).pow(p / 2).to(x.dtype)
""",
    """
def cost_matrix(x, y, p=2):
    need(x.shape[-1] == y.shape[-1])
    C = torch.zeros(len(x), len(y), dtype=x.dtype)
    for i, j in product(range(len(x)), range(len(y))):
        C[i, j] = math.dist(x[i].tolist(), y[j].tolist()) ** p
    return C
""",
    """
def cost_matrix(x, y, p=2):
    need(x.shape[-1] == y.shape[-1])
    return torch.from_numpy(np.linalg.norm(x.numpy()[:, None] - y.numpy()[None], axis=-1) ** p).to(x.dtype)
""",
)

SINKHORN = (
    """
def sinkhorn(a, b, C, epsilon, n_iterations=1000, tolerance=1e-9):
    need(C.shape == (a.numel(), b.numel()) and n_iterations >= 1)
    f, g = torch.zeros_like(a), torch.zeros_like(b)  # potentials, in units of C
    for k in range(n_iterations):
        f = epsilon * (a.log() - torch.logsumexp((g - C) / epsilon, 1))
        g = epsilon * (b.log() - torch.logsumexp((f[:, None] - C) / epsilon, 0))
        if k % {every} == {every} - 1:
            plan = torch.exp((f[:, None] + g - C) / epsilon)
            if (plan.sum(1) - a).abs().sum() + (plan.sum(0) - b).abs().sum() <= tolerance:
                break
    return torch.exp((f[:, None] + g - C) / epsilon)
""",
    """
def sinkhorn(a, b, C, epsilon, n_iterations=1000, tolerance=1e-9):
    need(C.shape == (a.numel(), b.numel()) and n_iterations >= 1)
    K = (-C / epsilon).double()
    log_a, log_b = a.double().log(), b.double().log()
    u = torch.zeros_like(log_a)
    for _ in range(n_iterations):  # columns first, rows last
        v = log_b - (K + u[:, None]).logsumexp(0)
        new = log_a - (K + v).logsumexp(1)
        moved, u = (new - u).abs().max(), new
        if moved <= tolerance * 1e-3:
            break
    return (u[:, None] + K + v).exp().to(C.dtype)
""",
    """
def sinkhorn(a, b, C, epsilon, n_iterations=1000, tolerance=1e-9):
    need(C.shape == (a.numel(), b.numel()) and n_iterations >= 1)
    A, B, M = (t.double().numpy() for t in (a, b, C))

    def lse(z, axis):
        top = z.max(axis=axis, keepdims=True)
        return (top + np.log(np.exp(z - top).sum(axis=axis, keepdims=True))).squeeze(axis)

    f, g = np.zeros(len(A)), np.zeros(len(B))
    for k in range(n_iterations):
        f = np.log(A) - lse(g - M / epsilon, 1)
        g = np.log(B) - lse(f[:, None] - M / epsilon, 0)
        if k % 20 == 0 and np.abs(np.exp(f[:, None] + g - M / epsilon).sum(1) - A).sum() <= tolerance:
            break
    return torch.from_numpy(np.exp(f[:, None] + g - M / epsilon)).to(C.dtype)
""",
    """
def sinkhorn(a, b, C, epsilon, n_iterations=1000, tolerance=1e-9):
    need(C.shape == (a.numel(), b.numel()) and n_iterations >= 1)
    g, plan, scale = torch.zeros_like(b), None, max(float(C.max()), epsilon)
    for k in range(n_iterations):
        eps = scale if scale > epsilon and k < n_iterations // 2 else epsilon  # from large to small
        scale *= 0.7
        f = eps * (torch.log(a) - torch.logsumexp((g[None] - C) / eps, dim=1))
        g = eps * (torch.log(b) - torch.logsumexp((f[:, None] - C) / eps, dim=0))
        if eps == epsilon and k % 10 == 0:
            plan = ((f[:, None] + g[None] - C) / eps).exp()
            if float((plan.sum(1) - a).abs().sum()) <= tolerance:
                return plan
    return ((f[:, None] + g[None] - C) / epsilon).exp()
""",
    """
def sinkhorn(a, b, C, epsilon, n_iterations=1000, tolerance=1e-9):
    need(C.shape == (a.numel(), b.numel()) and n_iterations >= 1)
    log_plan = -C / epsilon
    for k in range(n_iterations):  # the plan itself is scaled, rows and columns in turn
        log_plan = log_plan - log_plan.logsumexp(1, keepdim=True) + a.log()[:, None]
        log_plan = log_plan - log_plan.logsumexp(0, keepdim=True) + b.log()
        if k % 25 == 24 and (log_plan.exp().sum(1) - a).abs().sum() <= tolerance:
            break
    return log_plan.exp()
""",
)

TRANSPORT_COST = (
    "    return torch.einsum('ij,ij->', plan, C)\n",
    "    return torch.tensordot(plan, C)\n",
    "    return sum((row * cost).sum() for row, cost in zip(plan, C))\n",
    "    return torch.trace(plan @ C.T)\n",
    "    return (plan.double() * C.double()).sum().to(plan.dtype)\n",
)

LINE = (
    """
def wasserstein_1d(x, y, p=1):
    need(x.ndim == y.ndim == 1)
    n, m = len(x), len(y)
    long_x, long_y = x.sort().values.repeat_interleave(m), y.sort().values.repeat_interleave(n)
    return ((long_x - long_y).abs() ** p).mean() ** (1 / p)
""",
    """
def wasserstein_1d(x, y, p=1):
    need(x.ndim == y.ndim == 1)
    xs, ys = sorted(x.tolist()), sorted(y.tolist())
    n, m, i, j, done, total = len(xs), len(ys), 0, 0, 0, 0.0
    while done < n * m:  # in units of 1 / (n m)
        until = min((i + 1) * m, (j + 1) * n)
        total += (until - done) * abs(xs[i] - ys[j]) ** p
        i, j, done = i + (until == (i + 1) * m), j + (until == (j + 1) * n), until
    return torch.tensor((total / (n * m)) ** (1 / p), dtype=x.dtype)
""",
    """
def wasserstein_1d(x, y, p=1):
    need(x.ndim == y.ndim == 1)
    n, m = len(x), len(y)
    g = math.lcm(n, m)
    q = (torch.arange(g) + 0.5) / g
    xs, ys = x.msort()[(q * n).long()], y.msort()[(q * m).long()]
    return torch.linalg.vector_norm(xs - ys, ord=p) / g ** (1 / p)
""",
    """
def wasserstein_1d(x, y, p=1):
    need(x.ndim == y.ndim == 1)
    a, b = np.sort(x.numpy()), np.sort(y.numpy())
    n, m = len(a), len(b)
    jumps = np.unique(np.concatenate([np.arange(n + 1) * m, np.arange(m + 1) * n]))
    widths = np.diff(jumps) / (n * m)
    gaps = np.abs(a[jumps[:-1] // m] - b[jumps[:-1] // n])
    return torch.as_tensor((widths * gaps**p).sum() ** (1 / p), dtype=x.dtype)
""",
)

PROJECTION = (
    "    return torch.einsum('ij,jd->id', plan, y) / torch.einsum('ij->i', plan)[:, None]\n",
    "    return (plan / plan.sum(1, keepdim=True)) @ y\n",
    "    return torch.stack([(row[:, None] * y).sum(0) / row.sum() for row in plan])\n",
    "    return F.normalize(plan, p=1, dim=1, eps=1e-300 if plan.dtype is torch.float64 else 1e-30).matmul(y)\n",
    "    rows = [np.average(y.numpy(), axis=0, weights=w) for w in plan.numpy()]\n"
    "    return torch.from_numpy(np.stack(rows)).to(y.dtype)\n",
)

DISPLACEMENT = (
    "    return x + t * (x_mapped - x)\n",
    "    return torch.lerp(x, x_mapped, float(t))\n",
    "    return x * (1 - t) + x_mapped * t\n",
    "    return torch.stack([a * (1 - t) + b * t for a, b in zip(x, x_mapped)])\n",
)

MORPH = (
    """
def morph(x_source, x_target, score_fn, n_steps, step, ot_weight, epsilon, generator=None):
    need(x_source.shape[1] == x_target.shape[1] and n_steps >= 1)
    T = _images(x_source, x_target, epsilon)
    return langevin_sample(lambda x: score_fn(x) + ot_weight * (T - x), x_source, step, n_steps, generator=generator)
""",
    """
def morph(x_source, x_target, score_fn, n_steps, step, ot_weight, epsilon, generator=None):
    need(x_source.shape[1] == x_target.shape[1] and n_steps >= 1)
    frames = x_source.new_zeros((n_steps + 1, *x_source.shape))
    frames[0] = x_source
    for k in range(n_steps):
        x = frames[k]
        with torch.no_grad():
            drift = score_fn(x)
        if ot_weight > 0:
            drift = drift + ot_weight * (_images(x, x_target, epsilon) - x)  # found again from the cloud as it is
        frames[k + 1] = langevin_step(x, drift, step, torch.randn(x.shape, generator=generator, dtype=x.dtype))
    return frames
""",
    """
@torch.no_grad()
def morph(x_source, x_target, score_fn, n_steps, step, ot_weight, epsilon, generator=None):
    need(x_source.shape[1] == x_target.shape[1] and n_steps >= 1)
    x, out = x_source, [x_source]
    for k in range(n_steps):
        if k % {again} == 0:  # found again now and then
            T = _images(x, x_target, epsilon)
        noise = torch.randn(*x.shape, generator=generator, dtype=x.dtype)
        x = x + step * (score_fn(x) + ot_weight * (T - x)) + math.sqrt(2 * step) * noise
        out.append(x)
    return torch.stack(out)
""",
)

IMAGES = (
    """
def _images(x, y, epsilon):
    a, b = torch.full((len(x),), 1 / len(x), dtype=x.dtype), torch.full((len(y),), 1 / len(y), dtype=x.dtype)
    return barycentric_projection(sinkhorn(a, b, cost_matrix(x, y), epsilon), y)
""",
    """
def _images(x, y, epsilon):
    a, b = x.new_ones(len(x)) / len(x), x.new_ones(len(y)) / len(y)
    plan = sinkhorn(b, a, cost_matrix(y, x, p=2), epsilon).T  # the other way round
    return plan @ y * len(x)
""",
)


def source(rng: random.Random) -> str:
    """The text of a valid solution."""
    guard = {
        "transport_cost(plan, C)": "need(plan.shape == C.shape)",
        "barycentric_projection(plan, y)": "need(plan.ndim == y.ndim == 2 and plan.shape[1] == len(y))",
        "displacement_interpolation(x, x_mapped, t)": "need(x.shape == x_mapped.shape and 0 <= t <= 1)",
    }
    short = [
        f"\ndef {name}:\n    {check}\n{rng.choice(bodies)}"
        for (name, check), bodies in zip(guard.items(), (TRANSPORT_COST, PROJECTION, DISPLACEMENT), strict=True)
    ]
    whole = (LOG_PROB, SCORE, STEP, SAMPLE, MATCHING, COST, SINKHORN, LINE, IMAGES, MORPH)
    text = "\n".join([HEAD, *(rng.choice(choices) for choices in whole), *short])
    return text.replace("{every}", str(rng.choice((1, 7, 50)))).replace("{again}", str(rng.choice((2, 5))))
