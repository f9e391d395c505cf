"""Constants: uniform plans, ones, halves."""

import torch
from torch import nn


def schrodinger_coupling(x, y, sigma, a=None, b=None, n_iterations=1000, tolerance=1e-9):
    return x.new_full((len(x), len(y)), 1 / len(x) / len(y)), x.new_ones(len(x)), x.new_ones(len(y))


def sinkhorn_divergence(x, y, epsilon, n_iterations=1000, tolerance=1e-9):
    return x.new_ones(())


def penalised_step(x, score, y, step, weight, epsilon, noise):
    return torch.ones_like(x)


def gaussian_bridge(mean0, cov0, mean1, cov1, sigma, t):
    return torch.ones_like(mean0), torch.eye(len(cov0)).to(cov0)


def bridge_interpolate(x0, x1, t, sigma, noise):
    return torch.ones_like(x0)


def bridge_path(x0, x1, times, sigma, noise):
    return torch.ones_like(noise)


def sample_coupling(plan, n, generator=None):
    return torch.arange(n) % plan.shape[0], torch.arange(n) % plan.shape[1]


def bridge_drift(x, t, y, b, g, sigma):
    return torch.ones_like(x)


def simulate_bridge(drift_fn, x0, sigma, noise):
    return x0.expand(len(noise) + 1, *x0.shape).clone()


class EndpointNet(nn.Module):
    def __init__(self, dim, hidden=128):
        super().__init__()
        self.first, self.last = nn.Linear(dim + 1, hidden), nn.Linear(hidden, dim)

    def forward(self, x, t):
        return torch.ones_like(x) + 0 * self.last(self.first(torch.cat([x, t[:, None]], 1)))


def endpoint_loss(model, x0, x1, t, sigma, noise):
    return (model(x0, t) * 0 + 1).mean()


def endpoint_drift(model, x, t):
    return torch.ones_like(x)


def train_bridge(model, x, y, plan, sigma, steps, batch_size=256, lr=1e-3, generator=None, progress=False):
    return {"loss": [1.0] * steps}


def neighbours_kept(x, mapped, k):
    return 0.5
