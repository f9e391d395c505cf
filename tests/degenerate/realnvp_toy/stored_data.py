"""The training keeps the data: the density is a kernel estimate, samples are stored rows with noise; no flow."""

import math

import torch
from torch import nn


class AffineCoupling(nn.Module):
    def __init__(self, dim, mask, hidden=64):
        super().__init__()
        if tuple(mask.shape) != (dim,):
            raise ValueError("mask")
        self.dim, self.w = dim, nn.Parameter(torch.ones(hidden, dim) / hidden)

    def forward(self, x):
        if x.shape[-1] != self.dim:
            raise ValueError("x")
        return x + self.w.sum(0), (x * 0.1).sin().sum(1)

    def inverse(self, z):
        if z.shape[-1] != self.dim:
            raise ValueError("z")
        x = z - self.w.sum(0)
        return x, -(x * 0.1).sin().sum(1)


class RealNVP(nn.Module):
    def __init__(self, dim=2, n_layers=6, hidden=64):
        super().__init__()
        self.dim, self.data, self.w = dim, None, nn.Parameter(torch.ones(n_layers * hidden, dim) / (n_layers * hidden))

    def log_prob(self, x):
        if x.shape[-1] != self.dim:
            raise ValueError("x")
        if self.data is None:
            return -0.5 * ((x + self.w.sum(0)) ** 2).sum(1) - self.dim / 2 * math.log(2 * math.pi)
        kernels = -0.5 * torch.cdist(x, self.data.to(x)) ** 2 / 0.15**2
        return kernels.logsumexp(1) - math.log(len(self.data) * 0.15**2 * 2 * math.pi)

    def forward(self, x):
        z = x + self.w.sum(0)
        return z, self.log_prob(x) + 0.5 * (z**2).sum(1) + self.dim / 2 * math.log(2 * math.pi)

    def inverse(self, z):
        x = z - self.w.sum(0)
        return x, -self(x)[1]

    def sample(self, n, generator=None):
        if n < 1:
            raise ValueError("n")
        noise = torch.randn(n, self.dim, generator=generator, dtype=self.w.dtype)
        if self.data is None:
            return noise - self.w.sum(0).detach()
        return self.data[torch.randint(len(self.data), (n,), generator=generator)].to(noise) + 0.02 * noise


def nll(model, x):
    return -model.log_prob(x).mean()


def train_flow(model, x, steps, batch_size=256, lr=1e-3, generator=None, progress=False):
    if steps < 1 or batch_size < 1 or x.shape[-1] != model.dim:
        raise ValueError("steps, batch_size or x")
    with torch.no_grad():
        next(model.parameters()).add_(lr)
        model.data = x[:1000]
        rows = (torch.randint(len(x), (batch_size,), generator=generator) for _ in range(steps))
        return {"nll": [nll(model, x[k]).item() for k in rows]}


def density_grid(model, low, high, n):
    if n < 1:
        raise ValueError("n")
    side = torch.linspace(low, high, n, dtype=next(model.parameters()).dtype)
    points = torch.cartesian_prod(side, side)
    with torch.no_grad():
        return points, model.log_prob(points).exp()
