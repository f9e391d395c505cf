# The slides' literal scale, z = s(x) x + t with s = 1 + network (it may be negative), log|s|; one hidden layer of
# SiLU; masks where ones are moved; random permutation of the rows for each epoch; Python floats and lists.
import math

import torch
from torch import nn


class AffineCoupling(nn.Module):
    def __init__(self, dim, mask, hidden=64):
        super().__init__()
        if len(mask) != dim:
            raise ValueError(f"mask has {len(mask)} values, dim is {dim}")
        self.dim = dim
        self.mask = nn.Parameter(mask.clone().float(), requires_grad=False)
        self.s = nn.Sequential(nn.Linear(dim, hidden), nn.SiLU(), nn.Linear(hidden, dim))
        self.t = nn.Sequential(nn.Linear(dim, hidden), nn.SiLU(), nn.Linear(hidden, dim))

    def st(self, x):
        if x.shape[1] != self.dim:
            raise ValueError(f"x has {x.shape[1]} columns, dim is {self.dim}")
        kept = x * (1 - self.mask)
        return torch.where(self.mask == 1, 1 + self.s(kept), torch.ones_like(x)), self.t(kept) * self.mask

    def forward(self, x):
        s, t = self.st(x)
        return s * x + t, s.abs().log().sum(1)

    def inverse(self, z):
        s, t = self.st(z)
        return (z - t) / s, -s.abs().log().sum(1)


class RealNVP(nn.Module):
    def __init__(self, dim=2, n_layers=6, hidden=64):
        super().__init__()
        self.dim = dim
        self.n_layers = n_layers
        for k in range(n_layers):
            mask = torch.tensor([float((i + k) % 2) for i in range(dim)])
            setattr(self, f"layer{k}", AffineCoupling(dim, mask, hidden))

    def forward(self, x):
        log_dets = []
        for k in range(self.n_layers):
            x, log_det = getattr(self, f"layer{k}")(x)
            log_dets.append(log_det)
        return x, torch.stack(log_dets).sum(0)

    def inverse(self, z):
        log_dets = []
        for k in range(self.n_layers - 1, -1, -1):
            z, log_det = getattr(self, f"layer{k}").inverse(z)
            log_dets.append(log_det)
        return z, torch.stack(log_dets).sum(0)

    def log_prob(self, x):
        z, log_det = self.forward(x)
        total = log_det
        for i in range(self.dim):
            total = total - z[:, i] ** 2 / 2 - math.log(2 * math.pi) / 2
        return total

    @torch.no_grad()
    def sample(self, n, generator=None):
        if n < 1:
            raise ValueError(f"n = {n}")
        p = self.layer0.s[0].weight
        columns = [torch.randn(n, generator=generator, dtype=p.dtype, device=p.device) for _ in range(self.dim)]
        return self.inverse(torch.stack(columns, 1))[0]


def nll(model, x):
    return model.log_prob(x).sum() / -len(x)


def train_flow(model, x, steps, batch_size=256, lr=1e-3, generator=None, progress=False):
    if steps < 1:
        raise ValueError(f"steps = {steps}")
    if batch_size < 1:
        raise ValueError(f"batch_size = {batch_size}")
    if x.shape[-1] != model.dim:
        raise ValueError(f"x has {x.shape[-1]} columns, the model {model.dim}")
    optimiser = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=lr)
    history = {"nll": [], "lr": []}
    order = torch.empty(0, dtype=torch.long)
    for _ in range(steps):
        if len(order) < batch_size:
            order = torch.randperm(len(x), generator=generator)
        batch, order = x[order[:batch_size]], order[batch_size:]
        loss = nll(model, batch)
        for p in model.parameters():
            p.grad = None
        loss.backward()
        optimiser.step()
        history["nll"].append(loss.detach().item())
        history["lr"].append(lr)
    return history


def density_grid(model, low, high, n):
    if n < 1:
        raise ValueError(f"n = {n}")
    side = [low + (high - low) * i / max(n - 1, 1) for i in range(n)]
    p = model.layer0.s[0].weight
    points = torch.tensor([[a, b] for a in side for b in side], dtype=p.dtype, device=p.device)
    with torch.no_grad():
        return points, torch.exp(model.log_prob(points))
