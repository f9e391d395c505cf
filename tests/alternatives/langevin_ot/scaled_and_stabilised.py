# Differs: Sinkhorn with epsilon scaling and absorption of the scalings into potentials, one flat Langevin loop, float64 inside and cast back, no helper shared.
from math import log, pi, sqrt

import torch
from torch import Tensor


def _check(condition: bool, text: str) -> None:
    if not condition:
        raise ValueError(text)


def gaussian_mixture_log_prob(x: Tensor, means: Tensor, std: float, weights: Tensor) -> Tensor:
    _check(x.size(-1) == means.size(-1), "dimension of x and means")
    _check(weights.size(0) == means.size(0), "number of weights")
    # |x - m|^2 = |x|^2 - 2 x.m + |m|^2
    d2 = (x * x).sum(1, keepdim=True) - 2 * x @ means.T + (means * means).sum(1)
    logits = torch.log(weights) - 0.5 * d2 / std**2
    top = logits.amax(1, keepdim=True)
    return (top.squeeze(1) + (logits - top).exp().sum(1).log()) - 0.5 * x.size(1) * (log(2 * pi) + 2 * log(std))


def gaussian_mixture_score(x: Tensor, means: Tensor, std: float, weights: Tensor) -> Tensor:
    _check(x.size(-1) == means.size(-1), "dimension of x and means")
    _check(weights.size(0) == means.size(0), "number of weights")
    d2 = (x * x).sum(1, keepdim=True) - 2 * x @ means.T + (means * means).sum(1)
    logits = torch.log(weights) - 0.5 * d2 / std**2
    r = (logits - logits.amax(1, keepdim=True)).exp()
    r = r / r.sum(1, keepdim=True)
    differences = means.unsqueeze(0) - x.unsqueeze(1)  # (B, K, d)
    return torch.bmm(r.unsqueeze(1), differences).squeeze(1) / (std * std)


def langevin_step(x: Tensor, score: Tensor, step: float, noise: Tensor) -> Tensor:
    _check(tuple(x.shape) == tuple(score.shape), "shape of score")
    _check(tuple(x.shape) == tuple(noise.shape), "shape of noise")
    eta = 2 * step  # the course's other convention, with twice the step
    return x + eta / 2 * score + sqrt(eta) * noise


def langevin_sample(score_fn, x0, step, n_steps, generator=None):
    _check(n_steps > 0, "n_steps")
    x = x0.detach().clone()
    frames = x.new_empty(n_steps + 1, *x.shape)
    frames[0].copy_(x)
    for k in range(1, n_steps + 1):
        s = score_fn(x).detach()
        x = x.add(s, alpha=step).add_(torch.randn(x.shape, generator=generator, dtype=x.dtype).to(x), alpha=sqrt(2 * step))
        frames[k].copy_(x)
    return frames


def denoising_score_matching_loss(model, x, sigma, noise):
    _check(x.shape == noise.shape, "shape of noise")
    noisy = x + sigma * noise
    return torch.mean(torch.square(model(noisy) - (x - noisy) / sigma**2))


def cost_matrix(x, y, p=2):
    _check(x.size(1) == y.size(1), "dimension of x and y")
    return torch.linalg.vector_norm(x.unsqueeze(1) - y.unsqueeze(0), dim=-1).pow(p)


def sinkhorn(a, b, C, epsilon, n_iterations=1000, tolerance=1e-9):
    _check(C.shape == (a.numel(), b.numel()), "shape of C")
    _check(n_iterations >= 1, "n_iterations")
    dtype = C.dtype
    a, b, C = a.double(), b.double(), C.double()
    f, g = torch.zeros_like(a), torch.zeros_like(b)
    scale = max(float(C.max()), epsilon)
    while scale > epsilon:  # rough solutions at larger epsilons, to start from
        for _ in range(20):
            f = scale * (a.log() - torch.logsumexp((g - C) / scale, 1))
            g = scale * (b.log() - torch.logsumexp((f[:, None] - C) / scale, 0))
        scale /= 2
    f = epsilon * (a.log() - torch.logsumexp((g - C) / epsilon, 1))
    u, v = torch.ones_like(a), torch.ones_like(b)
    kernel = torch.exp((f[:, None] + g - C) / epsilon)  # rows are right: nothing underflows that matters
    for k in range(n_iterations):
        v = b / (kernel.T @ u)
        u = a / (kernel @ v)
        if max(u.max(), v.max(), 1 / u.min(), 1 / v.min()) > 1e3:
            f, g = f + epsilon * u.log(), g + epsilon * v.log()
            kernel = torch.exp((f[:, None] + g - C) / epsilon)
            u, v = torch.ones_like(a), torch.ones_like(b)
        if k % 20 == 0 and (v * (kernel.T @ u) - b).abs().sum() <= tolerance:
            break
    return (u[:, None] * kernel * v).to(dtype)


def transport_cost(plan, C):
    _check(plan.shape == C.shape, "shapes")
    return torch.tensordot(plan, C, dims=2)


def wasserstein_1d(x, y, p=1):
    xs, ys = torch.sort(x)[0], torch.sort(y)[0]
    if p == 1:  # area between the distribution functions
        points = torch.sort(torch.cat([xs, ys]))[0]
        Fx = torch.searchsorted(xs, points[:-1].contiguous(), right=True).to(x) / len(x)
        Fy = torch.searchsorted(ys, points[:-1].contiguous(), right=True).to(x) / len(y)
        return torch.sum((Fx - Fy).abs() * torch.diff(points))
    # every point repeated: n m atoms on both sides
    return torch.mean((xs.repeat_interleave(len(ys)) - ys.repeat_interleave(len(xs))).abs() ** p) ** (1 / p)


def barycentric_projection(plan, y):
    _check(plan.size(1) == y.size(0), "shape of plan")
    return torch.nn.functional.normalize(plan, p=1, dim=1).matmul(y)


def displacement_interpolation(x, x_mapped, t):
    _check(x.shape == x_mapped.shape, "shapes")
    _check(0 <= t <= 1, "t")
    return x * (1 - t) + x_mapped * t


def morph(x_source, x_target, score_fn, n_steps, step, ot_weight, epsilon, generator=None):
    _check(x_source.size(1) == x_target.size(1), "dimensions")
    _check(n_steps >= 1, "n_steps")
    x, frames = x_source.clone(), [x_source.clone()]
    a = torch.full((x.size(0),), 1 / x.size(0), dtype=x.dtype, device=x.device)
    b = torch.full((x_target.size(0),), 1 / x_target.size(0), dtype=x.dtype, device=x.device)
    target = None
    for k in range(n_steps):
        if k % 5 == 0:  # found again from the current cloud now and then
            plan = sinkhorn(a, b, cost_matrix(x, x_target), epsilon, 500, 1e-6)
            target = barycentric_projection(plan, x_target)
        pull = target - x
        x = x + step * (score_fn(x).detach() + ot_weight * pull)
        x = x + sqrt(2 * step) * torch.randn(x.shape, generator=generator, dtype=x.dtype).to(x)
        frames.append(x)
    return torch.stack(frames)
