"""A coupling whose scale is 1 + 1e-6 f and whose shift is 1e-3 g; the weights are nudged, not trained."""

import math

import torch
from torch import nn


class AffineCoupling(nn.Module):
    def __init__(self, dim, mask, hidden=64):
        super().__init__()
        if tuple(mask.shape) != (dim,):
            raise ValueError("mask")
        self.dim = dim
        self.register_buffer("mask", mask.clone())
        self.network = nn.Sequential(nn.Linear(dim, hidden), nn.Tanh(), nn.Linear(hidden, 2 * dim))

    def scale_and_shift(self, x):
        if x.shape[-1] != self.dim:
            raise ValueError("x")
        kept = (self.mask * x).sum(1, keepdim=True)
        moved = 1 - self.mask
        s, t = self.network(self.mask * x).chunk(2, dim=1)
        return 1e-6 * moved * s, 1e-3 * moved * t

    def forward(self, x):
        s, t = self.scale_and_shift(x)
        return x * s.exp() + t, s.sum(1)

    def inverse(self, z):
        s, t = self.scale_and_shift(z)
        return (z - t) * (-s).exp(), -s.sum(1)


class RealNVP(nn.Module):
    def __init__(self, dim=2, n_layers=6, hidden=64):
        super().__init__()
        self.dim = dim
        even = (torch.arange(dim) % 2 == 0).float()
        self.layers = nn.ModuleList(AffineCoupling(dim, even if k % 2 else 1 - even, hidden) for k in range(n_layers))

    def forward(self, x):
        total = 0
        for layer in self.layers:
            x, log_det = layer(x)
            total = total + log_det
        return x, total

    def inverse(self, z):
        total = 0
        for layer in reversed(self.layers):
            z, log_det = layer.inverse(z)
            total = total + log_det
        return z, total

    def log_prob(self, x):
        z, log_det = self(x)
        return -0.5 * (z**2).sum(1) - self.dim / 2 * math.log(2 * math.pi) + log_det

    def sample(self, n, generator=None):
        if n < 1:
            raise ValueError("n")
        with torch.no_grad():
            return self.inverse(torch.randn(n, self.dim, generator=generator, dtype=self.layers[0].mask.dtype))[0]


def nll(model, x):
    return -model.log_prob(x).mean()


def train_flow(model, x, steps, batch_size=256, lr=1e-3, generator=None, progress=False):
    if steps < 1 or batch_size < 1 or x.shape[-1] != model.dim:
        raise ValueError("steps, batch_size or x")
    with torch.no_grad():
        rows = (torch.randint(len(x), (batch_size,), generator=generator) for _ in range(steps))
        history = {"nll": [nll(model, x[k]).item() for k in rows]}
        for parameter in model.parameters():
            parameter.add_(lr)
        return history


def density_grid(model, low, high, n):
    if n < 1:
        raise ValueError("n")
    side = torch.linspace(low, high, n, dtype=next(model.parameters()).dtype)
    points = torch.cartesian_prod(side, side)
    with torch.no_grad():
        return points, model.log_prob(points).exp()
