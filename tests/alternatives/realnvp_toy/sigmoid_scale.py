# A sigmoid scale between 0.2 and 2.2 with z = (x - t) / sigma, GELU, layers as an nn.Sequential of its own kind, functional style,
# one network per layer that returns a view (B, 2, d); the history from the values of log_prob.
import torch
from torch import nn

LOG_2PI = 1.8378770664093453


class AffineCoupling(nn.Module):
    def __init__(self, dim, mask, hidden=64):
        super().__init__()
        if list(mask.shape) != [dim]:
            raise ValueError(f"mask: expected shape ({dim},), got {list(mask.shape)}")
        self.register_buffer("mask", mask.clone().detach())
        self.net = nn.Sequential(nn.Linear(dim, hidden), nn.GELU(), nn.Linear(hidden, hidden), nn.GELU())
        self.out = nn.Linear(hidden, 2 * dim)

    def _params(self, v):
        if v.shape[-1] != self.mask.shape[0]:
            raise ValueError(f"expected {self.mask.shape[0]} columns, got {v.shape[-1]}")
        a, t = self.out(self.net(v * self.mask)).view(len(v), 2, -1).unbind(1)
        free = 1.0 - self.mask
        return torch.log(0.2 + 2.0 * torch.sigmoid(a)) * free, t * free

    def forward(self, x):
        log_sigma, t = self._params(x)
        return (x - t) / log_sigma.exp(), -log_sigma.sum(-1)

    def inverse(self, z):
        log_sigma, t = self._params(z)
        return z * log_sigma.exp() + t, log_sigma.sum(-1)


class RealNVP(nn.Module):
    def __init__(self, dim=2, n_layers=6, hidden=64):
        super().__init__()
        self.dim = dim
        masks = [torch.tensor([1.0 if (i % 2) == (k % 2) else 0.0 for i in range(dim)]) for k in range(n_layers)]
        self.blocks = nn.Sequential(*[AffineCoupling(dim, m, hidden) for m in masks])

    def _run(self, v, names):
        if v.shape[-1] != self.dim:
            raise ValueError(f"expected {self.dim} columns, got {v.shape[-1]}")
        total = v.new_zeros(v.shape[0])
        for block, method in names:
            v, d = getattr(block, method)(v)
            total = total + d
        return v, total

    def forward(self, x):
        return self._run(x, [(b, "forward") for b in self.blocks])

    def inverse(self, z):
        return self._run(z, [(b, "inverse") for b in reversed(list(self.blocks))])

    def log_prob(self, x):
        z, d = self.forward(x)
        return d - 0.5 * torch.linalg.vector_norm(z, dim=1) ** 2 - 0.5 * self.dim * LOG_2PI

    def sample(self, n, generator=None):
        if n < 1:
            raise ValueError(f"n must be >= 1, got {n}")
        w = self.blocks[0].out.weight
        with torch.no_grad():
            return self.inverse(torch.randn(n, self.dim, generator=generator).to(w))[0]


def nll(model, x):
    return torch.cat([-model.log_prob(row[None]) for row in x]).mean()


def train_flow(model, x, steps, batch_size=256, lr=1e-3, generator=None, progress=False):
    for name, value in {"steps": steps, "batch_size": batch_size}.items():
        if not value >= 1:
            raise ValueError(f"{name} must be >= 1, got {value}")
    if x.ndim != 2 or x.shape[1] != model.dim:
        raise ValueError(f"x: shape {tuple(x.shape)}")
    model.train()
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    values = torch.zeros(steps)
    for i in range(steps):
        log_p = model.log_prob(x[torch.randint(len(x), (batch_size,), generator=generator)])
        optimizer.zero_grad()
        (-log_p.mean()).backward()
        optimizer.step()
        values[i] = -log_p.mean().detach()
    model.eval()
    return {"nll": values.tolist()}


def density_grid(model, low, high, n):
    if n < 1:
        raise ValueError(f"n must be >= 1, got {n}")
    side = torch.linspace(low, high, n).to(next(model.parameters()).device)
    points = torch.cartesian_prod(side, side).reshape(-1, 2)
    with torch.no_grad():
        return points, torch.stack([model.log_prob(p[None].to(model.blocks[0].out.weight)).exp()[0] for p in points])
