# The literal scale s(x) straight from a network's default start (near 0, of either sign), one small network for each,
# ReLU; bare loops over the layers, Adam with betas of its own.
import math

import torch
from torch import nn


class AffineCoupling(nn.Module):
    def __init__(self, dim, mask, hidden=64):
        super().__init__()
        if mask.shape != (dim,):
            raise ValueError("mask")
        self.dim = dim
        self.register_buffer("b", mask)
        self.s = nn.Sequential(nn.Linear(dim, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, dim))
        self.t = nn.Sequential(nn.Linear(dim, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, dim))

    def forward(self, x):
        if x.shape[-1] != self.dim:
            raise ValueError("x")
        s, t = self.s(self.b * x), self.t(self.b * x)
        z = self.b * x + (1 - self.b) * (s * x + t)
        return z, ((1 - self.b) * torch.log(torch.abs(s))).sum(-1)

    def inverse(self, z):
        if z.shape[-1] != self.dim:
            raise ValueError("z")
        s, t = self.s(self.b * z), self.t(self.b * z)
        x = self.b * z + (1 - self.b) * (z - t) / s
        return x, -((1 - self.b) * torch.log(torch.abs(s))).sum(-1)


class RealNVP(nn.Module):
    def __init__(self, dim=2, n_layers=6, hidden=64):
        super().__init__()
        self.dim = dim
        b = torch.zeros(dim)
        b[::2] = 1
        self.layers = nn.ModuleList()
        for i in range(n_layers):
            self.layers.append(AffineCoupling(dim, b if i % 2 == 0 else 1 - b, hidden))

    def forward(self, x):
        if x.shape[-1] != self.dim:
            raise ValueError("x")
        log_det = torch.zeros_like(x[:, 0])
        for i in range(len(self.layers)):
            x, d = self.layers[i](x)
            log_det = log_det + d
        return x, log_det

    def inverse(self, z):
        if z.shape[-1] != self.dim:
            raise ValueError("z")
        log_det = torch.zeros_like(z[:, 0])
        for i in range(len(self.layers))[::-1]:
            z, d = self.layers[i].inverse(z)
            log_det = log_det + d
        return z, log_det

    def log_prob(self, x):
        z, d = self(x)
        return -(z * z).sum(-1) / 2 - self.dim / 2 * math.log(2 * math.pi) + d

    def sample(self, n, generator=None):
        if n < 1:
            raise ValueError("n")
        z = torch.randn(n, self.dim, generator=generator, dtype=self.layers[0].b.dtype, device=self.layers[0].b.device)
        with torch.no_grad():
            return self.inverse(z)[0]


def nll(model, x):
    return -model.log_prob(x).mean()


def train_flow(model, x, steps, batch_size=256, lr=1e-3, generator=None, progress=False):
    if steps < 1 or batch_size < 1:
        raise ValueError("steps or batch_size")
    if x.shape[-1] != model.dim:
        raise ValueError("x")
    opt = torch.optim.Adam(model.parameters(), lr=lr, betas=(0.9, 0.99))
    h = {"nll": []}
    for _ in range(steps):
        loss = nll(model, x[torch.randint(x.shape[0], (batch_size,), generator=generator)])
        opt.zero_grad()
        loss.backward()
        opt.step()
        h["nll"].append(loss.item())
    return h


def density_grid(model, low, high, n):
    if n < 1:
        raise ValueError("n")
    g = torch.linspace(low, high, n, dtype=model.layers[0].b.dtype, device=model.layers[0].b.device)
    points = torch.stack(torch.meshgrid(g, g, indexing="xy"), -1).reshape(-1, 2)
    with torch.no_grad():
        return points, model.log_prob(points).exp()
