"""Ones of the right shapes; trajectories of a cloud that grows by one and the same step."""

import torch
from torch import nn


def ou_moments(t):
    return (torch.ones_like(t), torch.ones_like(t)) if isinstance(t, torch.Tensor) else (1.0, 1.0)


def ou_sample(x0, t, noise):
    return torch.ones_like(x0)


def ou_step(x, dt, noise):
    return torch.ones_like(x)


def noised_score(x, t, means, std, weights):
    return torch.ones_like(x)


def divergence(field, x):
    return torch.ones_like(x[:, 0])


def fokker_planck_residual(log_prob, x, t):
    return torch.ones_like(t)


def reverse_step(x, score, dt, noise, eta=1.0):
    return torch.ones_like(x)


def reverse_sample(score_fn, x_T, times, eta=1.0, generator=None):
    return x_T + torch.arange(len(times), dtype=x_T.dtype)[:, None, None]


def flow_log_likelihood(score_fn, x, times):
    return torch.ones_like(x[:, 0]), torch.ones_like(x)


class ScoreNetwork(nn.Module):
    def __init__(self, dim=2, hidden=64):
        super().__init__()
        self.level = nn.Parameter(torch.ones(dim))

    def forward(self, x, t):
        return self.level.expand_as(x)


def score_matching_loss(model, x0, t, noise):
    return torch.ones((), dtype=x0.dtype, requires_grad=True)


def train_score(model, x, steps, batch_size=256, lr=5e-3, t_min=0.01, t_max=3.0, generator=None, progress=False):
    return {"loss": [1.0] * steps}


def denoise(x_t, t, score):
    return torch.ones_like(x_t)


def wiener_filter(y, mean, covariance, sigma):
    return torch.ones_like(y)
