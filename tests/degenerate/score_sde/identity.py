"""Everything comes back as it was given: no noise, no shrinking, no way back."""

import torch
from torch import nn


def ou_moments(t):
    return t, t


def ou_sample(x0, t, noise):
    return x0


def ou_step(x, dt, noise):
    return x


def noised_score(x, t, means, std, weights):
    return x


def divergence(field, x):
    return field(x).sum(1)


def fokker_planck_residual(log_prob, x, t):
    return log_prob(x, t)


def reverse_step(x, score, dt, noise, eta=1.0):
    return x


def reverse_sample(score_fn, x_T, times, eta=1.0, generator=None):
    return x_T.expand(len(times), *x_T.shape).clone()


def flow_log_likelihood(score_fn, x, times):
    return -0.5 * x.square().sum(1), x


class ScoreNetwork(nn.Module):
    def __init__(self, dim=2, hidden=64):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, x, t):
        return self.scale * x


def score_matching_loss(model, x0, t, noise):
    return model(x0, t).square().mean()


def train_score(model, x, steps, batch_size=256, lr=5e-3, t_min=0.01, t_max=3.0, generator=None, progress=False):
    return {"loss": [float(x.square().mean())] * steps}


def denoise(x_t, t, score):
    return x_t


def wiener_filter(y, mean, covariance, sigma):
    return y
