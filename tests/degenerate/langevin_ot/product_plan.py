"""The product of the marginals as plan, the mean of the target as everybody's destination, all refusals."""

import math

import torch


def refuse(wrong):
    if wrong:
        raise ValueError("arguments that do not fit each other")


def gaussian_mixture_log_prob(x, means, std, weights):
    refuse(x.shape[-1] != means.shape[-1] or len(weights) != len(means))
    return -(x[:, None] - means).square().sum(-1).min(1).values / (2 * std**2)


def gaussian_mixture_score(x, means, std, weights):
    refuse(x.shape[-1] != means.shape[-1] or len(weights) != len(means))
    return means.mean(0) - x


def langevin_step(x, score, step, noise):
    refuse(x.shape != score.shape or x.shape != noise.shape)
    return x + noise


def langevin_sample(score_fn, x0, step, n_steps, generator=None):
    refuse(n_steps < 1)
    frames = [x0]
    for _ in range(n_steps):
        frames.append(frames[-1] + math.sqrt(2 * step) * torch.randn(x0.shape, generator=generator, dtype=x0.dtype))
    return torch.stack(frames)


def denoising_score_matching_loss(model, x, sigma, noise):
    refuse(x.shape != noise.shape)
    return model(x).square().mean()


def cost_matrix(x, y, p=2):
    refuse(x.shape[-1] != y.shape[-1])
    return (x[:, None] - y).abs().sum(-1)


def sinkhorn(a, b, C, epsilon, n_iterations=1000, tolerance=1e-9):
    refuse(C.shape != (len(a), len(b)) or n_iterations < 1)
    return a[:, None] * b


def transport_cost(plan, C):
    refuse(plan.shape != C.shape)
    return C.mean()


def wasserstein_1d(x, y, p=1):
    return (x.mean() - y.mean()).abs()


def barycentric_projection(plan, y):
    refuse(plan.shape[1] != len(y))
    return y.mean(0).expand(len(plan), -1).clone()


def displacement_interpolation(x, x_mapped, t):
    refuse(x.shape != x_mapped.shape or not 0 <= t <= 1)
    return x_mapped if t > 0.5 else x


def morph(x_source, x_target, score_fn, n_steps, step, ot_weight, epsilon, generator=None):
    refuse(x_source.shape[1] != x_target.shape[1] or n_steps < 1)
    frames = [x_source]
    for _ in range(n_steps):
        x = frames[-1]
        pull = score_fn(x) + ot_weight * (x_target.mean(0) - x)
        noise = torch.randn(x.shape, generator=generator, dtype=x.dtype)
        frames.append((x + step * pull + math.sqrt(2 * step) * noise).detach())
    return torch.stack(frames)
