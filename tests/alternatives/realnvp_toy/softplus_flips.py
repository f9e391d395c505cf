# One mask for all layers and the coordinates reversed between them; softplus scale, ReLU; RMSprop; the inverse's
# log-determinant from forward; a last coordinate order that differs from the data's.
import math

import torch
from torch import nn


class AffineCoupling(nn.Module):
    def __init__(self, dim, mask, hidden=64):
        super().__init__()
        if mask.numel() != dim:
            raise ValueError("mask")
        self.dim = dim
        self.register_buffer("kept", mask.bool())
        self.body = nn.Sequential(nn.Linear(dim, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU())
        self.to_scale = nn.Linear(hidden, dim)
        self.to_shift = nn.Linear(hidden, dim)

    def parts(self, x):
        if x.shape[-1] != self.dim:
            raise ValueError("last dimension of x")
        h = self.body(x.masked_fill(~self.kept, 0.0))
        sigma = nn.functional.softplus(self.to_scale(h) + 0.5) + 1e-3
        return sigma.masked_fill(self.kept, 1.0), self.to_shift(h).masked_fill(self.kept, 0.0)

    def forward(self, x):
        sigma, t = self.parts(x)
        return torch.addcmul(t, sigma, x), torch.log(sigma).sum(-1)

    def inverse(self, z):
        sigma, t = self.parts(z)
        x = (z - t) / sigma
        return x, -self.forward(x)[1]


class RealNVP(nn.Module):
    def __init__(self, dim=2, n_layers=6, hidden=64):
        super().__init__()
        self.dim = dim
        mask = (torch.arange(dim) < dim // 2).to(torch.float32)
        self.layers = nn.ModuleList()
        for _ in range(n_layers):
            self.layers.append(AffineCoupling(dim, mask, hidden))

    def forward(self, x):
        if x.shape[-1] != self.dim:
            raise ValueError("last dimension of x")
        log_det = 0.0
        for layer in self.layers:
            x, d = layer(x)
            x = x.flip(-1)
            log_det = log_det + d
        return x, log_det

    def inverse(self, z):
        if z.shape[-1] != self.dim:
            raise ValueError("last dimension of z")
        for layer in reversed(self.layers):
            z = layer.inverse(z.flip(-1))[0]
        return z, -self.forward(z)[1]

    def log_prob(self, x):
        z, log_det = self(x)
        return log_det - 0.5 * (z * z + math.log(2 * math.pi)).sum(-1)

    def sample(self, n, generator=None):
        if n < 1:
            raise ValueError("n")
        w = self.layers[0].to_scale.weight
        z = torch.randn(n * self.dim, generator=generator, dtype=w.dtype, device=w.device).view(n, self.dim)
        return self.inverse(z)[0].detach()


def nll(model, x):
    return torch.stack([-v for v in model.log_prob(x)]).mean()


def train_flow(model, x, steps, batch_size=256, lr=1e-3, generator=None, progress=False):
    if min(steps, batch_size) < 1:
        raise ValueError("steps, batch_size")
    if x.shape[-1] != model.dim:
        raise ValueError("x")
    optimizer = torch.optim.RMSprop(model.parameters(), lr=lr / 3, alpha=0.95)
    history = []
    for _ in range(steps):
        batch = x[torch.randint(len(x), (batch_size,), generator=generator)]
        loss = -model.log_prob(batch).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        history.append(loss.item())
    return {"nll": history}


def density_grid(model, low, high, n):
    if n < 1:
        raise ValueError("n")
    w = model.layers[0].to_scale.weight
    i = torch.arange(n * n, device=w.device)
    h = (high - low) / max(n - 1, 1)
    points = torch.stack([low + h * (i % n), low + h * (i // n)], -1).to(w)
    return points, model.log_prob(points).exp().detach()
