# Starts as the identity (last layer zero), bounded log-scale with a learned factor, inverse and sample without a
# graph, mask kept as a plain attribute, cosine learning rate and clipped gradients, NumPy for the grid.
import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn


class AffineCoupling(nn.Module):
    def __init__(self, dim, mask, hidden=64):
        super().__init__()
        if mask.shape != torch.Size([dim]):
            raise ValueError("mask must have dim entries")
        self.mask = mask
        self.l1 = nn.Linear(dim, hidden)
        self.l2 = nn.Linear(hidden, hidden)
        self.l3 = nn.Linear(hidden, 2 * dim)
        self.factor = nn.Parameter(torch.ones(dim))
        nn.init.zeros_(self.l3.weight)
        nn.init.zeros_(self.l3.bias)

    def net(self, x):
        if x.shape[-1] != len(self.mask):
            raise ValueError("wrong last dimension")
        h = F.leaky_relu(self.l1(x * self.mask), 0.1)
        h = F.leaky_relu(self.l2(h), 0.1)
        h = self.l3(h)
        d = len(self.mask)
        return self.factor * torch.tanh(h[:, :d]), h[:, d:]

    def forward(self, x):
        s, t = self.net(x)
        b = 1 - self.mask
        return self.mask * x + b * (x * torch.exp(s) + t), torch.einsum("bi,i->b", s, b.to(s))

    @torch.no_grad()
    def inverse(self, z):
        s, t = self.net(z)
        b = 1 - self.mask
        return self.mask * z + b * ((z - t) * torch.exp(-s)), -torch.einsum("bi,i->b", s, b.to(s))


class RealNVP(nn.Module):
    def __init__(self, dim=2, n_layers=6, hidden=64):
        super().__init__()
        m = (torch.arange(dim) >= dim / 2).float()
        self.dim = dim
        self.couplings = nn.ModuleList([AffineCoupling(dim, [m, 1 - m][i % 2], hidden) for i in range(n_layers)])

    def forward(self, x):
        log_det = torch.zeros(x.shape[0], dtype=x.dtype, device=x.device)
        for c in self.couplings:
            x, d = c.forward(x)
            log_det += d
        return x, log_det

    def inverse(self, z):
        log_det = torch.zeros(z.shape[0], dtype=z.dtype, device=z.device)
        for c in list(self.couplings)[::-1]:
            z, d = c.inverse(z)
            log_det += d
        return z, log_det

    def log_prob(self, x):
        z, d = self(x)
        return torch.distributions.Normal(0.0, 1.0).log_prob(z).sum(-1) + d

    @torch.no_grad()
    def sample(self, n, generator=None):
        if n <= 0:
            raise ValueError("n <= 0")
        w = self.couplings[0].l1.weight
        return self.inverse(torch.randn((n, self.dim), generator=generator, device=w.device, dtype=w.dtype))[0]


def nll(model, x):
    z, d = model(x)
    return 0.5 * z.pow(2).sum(1).mean() + 0.5 * x.size(1) * math.log(2 * math.pi) - d.mean()


def train_flow(model, x, steps, batch_size=256, lr=1e-3, generator=None, progress=False):
    if steps < 1:
        raise ValueError("steps")
    if batch_size < 1:
        raise ValueError("batch_size")
    if x.size(-1) != model.dim:
        raise ValueError("x")
    opt = torch.optim.Adam(model.parameters(), lr)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(opt, steps, eta_min=lr / 10)
    out = []
    for _ in range(steps):
        i = torch.randint(0, x.size(0), (batch_size,), generator=generator)
        loss = nll(model, x[i])
        opt.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        opt.step()
        schedule.step()
        out.append(loss.item())
    return dict(nll=out)


def density_grid(model, low, high, n):
    if n < 1:
        raise ValueError("n")
    a, b = np.meshgrid(np.linspace(low, high, n), np.linspace(low, high, n))
    points = torch.from_numpy(np.c_[a.ravel(), b.ravel()]).to(next(model.parameters()))
    return points, torch.tensor(np.exp(model.log_prob(points).detach().cpu().numpy()))
