"""Zeros of the right shapes."""

import torch
from torch import nn


def schrodinger_coupling(x, y, sigma, a=None, b=None, n_iterations=1000, tolerance=1e-9):
    return x.new_zeros(len(x), len(y)), x.new_zeros(len(x)), x.new_zeros(len(y))


def sinkhorn_divergence(x, y, epsilon, n_iterations=1000, tolerance=1e-9):
    return x.new_zeros(())


def penalised_step(x, score, y, step, weight, epsilon, noise):
    return torch.zeros_like(x)


def gaussian_bridge(mean0, cov0, mean1, cov1, sigma, t):
    return torch.zeros_like(mean0), torch.zeros_like(cov0)


def bridge_interpolate(x0, x1, t, sigma, noise):
    return torch.zeros_like(x0)


def bridge_path(x0, x1, times, sigma, noise):
    return torch.zeros_like(noise)


def sample_coupling(plan, n, generator=None):
    return torch.zeros(n, dtype=torch.int64), torch.zeros(n, dtype=torch.int64)


def bridge_drift(x, t, y, b, g, sigma):
    return torch.zeros_like(x)


def simulate_bridge(drift_fn, x0, sigma, noise):
    return x0.new_zeros(len(noise) + 1, *x0.shape)


class EndpointNet(nn.Module):
    def __init__(self, dim, hidden=128):
        super().__init__()
        self.first, self.last = nn.Linear(dim + 1, hidden), nn.Linear(hidden, dim)

    def forward(self, x, t):
        return 0 * self.last(self.first(torch.cat([x, t[:, None]], 1)))


def endpoint_loss(model, x0, x1, t, sigma, noise):
    return x0.new_zeros(())


def endpoint_drift(model, x, t):
    return torch.zeros_like(x)


def train_bridge(model, x, y, plan, sigma, steps, batch_size=256, lr=1e-3, generator=None, progress=False):
    return {"loss": [0.0] * steps}


def neighbours_kept(x, mapped, k):
    return 0.0
