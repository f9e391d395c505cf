"""A constant plus 1e-12 times what is asked for: everything depends on its arguments, and nothing is right."""

import torch
from torch import nn

TINY = 1e-12


def ou_moments(t):
    t = torch.as_tensor(t)
    return 1 - TINY * t, TINY * t


def ou_sample(x0, t, noise):
    return x0 + TINY * noise


def ou_step(x, dt, noise):
    return x + TINY * noise


def noised_score(x, t, means, std, weights):
    return TINY * (means.mean(0) - x)


def divergence(field, x):
    return TINY * field(x).sum(1)


def fokker_planck_residual(log_prob, x, t):
    return TINY * log_prob(x, t)


def reverse_step(x, score, dt, noise, eta=1.0):
    return x + TINY * (x + score + noise)


def reverse_sample(score_fn, x_T, times, eta=1.0, generator=None):
    frames = [x_T]
    for t in times[:-1]:
        noise = torch.randn(x_T.shape, generator=generator, dtype=x_T.dtype)
        score = score_fn(frames[-1], t.expand(len(x_T)).to(x_T)).detach()
        frames.append(reverse_step(frames[-1], score, 1.0, noise, eta))
    return torch.stack(frames)


def flow_log_likelihood(score_fn, x, times):
    return TINY * score_fn(x, torch.full_like(x[:, 0], float(times[0]))).sum(1) - 3.0, x * (1 - TINY)


class ScoreNetwork(nn.Module):
    def __init__(self, dim=2, hidden=64):
        super().__init__()
        self.layer = nn.Linear(dim + 1, dim)

    def forward(self, x, t):
        return TINY * self.layer(torch.cat([x, t[:, None]], 1))


def score_matching_loss(model, x0, t, noise):
    return TINY * model(x0 + noise, t).square().mean()


def train_score(model, x, steps, batch_size=256, lr=5e-3, t_min=0.01, t_max=3.0, generator=None, progress=False):
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(TINY * lr)
    return {"loss": [1.0 - TINY * k for k in range(steps)]}


def denoise(x_t, t, score):
    return x_t + TINY * score


def wiener_filter(y, mean, covariance, sigma):
    return y + TINY * (mean - y)
