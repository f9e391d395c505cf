"""Final clouds without a way to them: the target's own points, or normal numbers, and jumps in between."""

import torch


def gaussian_mixture_log_prob(x, means, std, weights):
    return torch.randn(len(x), dtype=x.dtype)


def gaussian_mixture_score(x, means, std, weights):
    return torch.randn_like(x)


def langevin_step(x, score, step, noise):
    return x + step * torch.randn_like(x)


def langevin_sample(score_fn, x0, step, n_steps, generator=None):
    frames = torch.randn(n_steps + 1, *x0.shape, generator=generator, dtype=x0.dtype)
    frames[0] = x0
    return frames


def denoising_score_matching_loss(model, x, sigma, noise):
    return noise.square().mean()


def cost_matrix(x, y, p=2):
    return torch.rand(len(x), len(y), dtype=x.dtype)


def sinkhorn(a, b, C, epsilon, n_iterations=1000, tolerance=1e-9):
    plan = torch.rand(C.shape, dtype=C.dtype)
    return plan / plan.sum()


def transport_cost(plan, C):
    return torch.rand((), dtype=C.dtype)


def wasserstein_1d(x, y, p=1):
    return torch.rand((), dtype=x.dtype)


def barycentric_projection(plan, y):
    return y[torch.randint(len(y), (len(plan),))]


def displacement_interpolation(x, x_mapped, t):
    return x + t * torch.randn_like(x)


def morph(x_source, x_target, score_fn, n_steps, step, ot_weight, epsilon, generator=None):
    n = len(x_source)
    there = x_target[torch.randint(len(x_target), (n_steps, n), generator=generator)]  # (n_steps, n, d)
    return torch.cat([x_source[None], there])
