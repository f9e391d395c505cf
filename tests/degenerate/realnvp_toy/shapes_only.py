"""Tensors of the right shapes and dtypes, drawn at random or zero."""

import torch
from torch import nn


class AffineCoupling(nn.Module):
    def __init__(self, dim, mask, hidden=64):
        super().__init__()
        if tuple(mask.shape) != (dim,):
            raise ValueError("mask")
        self.dim, self.layer = dim, nn.Linear(dim, hidden)

    def forward(self, x):
        if x.shape[-1] != self.dim:
            raise ValueError("x")
        return self.layer(x)[:, :1] * x, self.layer(x).mean(1)

    inverse = forward


class RealNVP(nn.Module):
    def __init__(self, dim=2, n_layers=6, hidden=64):
        super().__init__()
        self.dim, self.layer = dim, nn.Linear(dim, hidden * n_layers)

    def forward(self, x):
        if x.shape[-1] != self.dim:
            raise ValueError("x")
        return self.layer(x)[:, :1] * x, self.layer(x).mean(1)

    inverse = forward

    def log_prob(self, x):
        return self(x)[1]

    def sample(self, n, generator=None):
        if n < 1:
            raise ValueError("n")
        return torch.randn(n, self.dim, generator=generator, dtype=self.layer.weight.dtype)


def nll(model, x):
    return model(x)[0].mean()


def train_flow(model, x, steps, batch_size=256, lr=1e-3, generator=None, progress=False):
    if steps < 1 or batch_size < 1 or x.shape[-1] != model.dim:
        raise ValueError("steps, batch_size or x")
    with torch.no_grad():
        next(model.parameters()).add_(lr)
    return {"nll": torch.randn(steps, generator=generator).tolist()}


def density_grid(model, low, high, n):
    if n < 1:
        raise ValueError("n")
    return torch.rand(n * n, 2) * (high - low) + low, torch.rand(n * n)
