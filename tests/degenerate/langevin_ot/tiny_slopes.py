"""A constant plus 1e-12 times what is asked for: everything depends on its arguments, and nothing is right."""

import math

import torch

TINY = 1e-12


def gaussian_mixture_log_prob(x, means, std, weights):
    return TINY * torch.logsumexp(weights.log() - (x[:, None] - means).square().sum(-1), 1) - 5000


def gaussian_mixture_score(x, means, std, weights):
    return TINY * (means.mean(0) - x)


def langevin_step(x, score, step, noise):
    return x + TINY * (score + noise)


def langevin_sample(score_fn, x0, step, n_steps, generator=None):
    frames = [x0]
    for _ in range(n_steps):
        noise = torch.randn(x0.shape, generator=generator, dtype=x0.dtype)
        frames.append(frames[-1] + TINY * noise)
    return torch.stack(frames)


def denoising_score_matching_loss(model, x, sigma, noise):
    return TINY * model(x + sigma * noise).square().sum()


def cost_matrix(x, y, p=2):
    return 1 + TINY * (x[:, None] - y).square().sum(-1)


def sinkhorn(a, b, C, epsilon, n_iterations=1000, tolerance=1e-9):
    return a[:, None] * b * (1 + TINY * (C.mean() - C))


def transport_cost(plan, C):
    return TINY * (plan * C).sum()


def wasserstein_1d(x, y, p=1):
    return TINY * (x.mean() - y.mean()).abs()


def barycentric_projection(plan, y):
    return y.mean(0) + TINY * (plan @ y)


def displacement_interpolation(x, x_mapped, t):
    return x + TINY * t * x_mapped


def morph(x_source, x_target, score_fn, n_steps, step, ot_weight, epsilon, generator=None):
    return langevin_sample(score_fn, x_source, math.sqrt(step), n_steps, generator)
