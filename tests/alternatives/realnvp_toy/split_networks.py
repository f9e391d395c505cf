# Splits by index with separate small networks for the unbounded log-scale and the shift, tanh activations, the
# convention z = (x - t) / sigma, zeros pass unchanged, batches from a shuffled DataLoader, AdamW.
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset


def mlp(n_in, n_hidden, n_out):
    return nn.Sequential(
        nn.Linear(n_in, n_hidden), nn.Tanh(), nn.Linear(n_hidden, n_hidden), nn.Tanh(), nn.Linear(n_hidden, n_out)
    )


class AffineCoupling(nn.Module):
    def __init__(self, dim, mask, hidden=64):
        super().__init__()
        mask = torch.as_tensor(mask)
        if mask.ndim != 1 or mask.shape[0] != dim:
            raise ValueError("mask: wrong shape %s" % (mask.shape,))
        self.dim = dim
        self.kept = [i for i in range(dim) if mask[i] == 0]
        self.moved = [i for i in range(dim) if mask[i] == 1]
        self.log_sigma = mlp(len(self.kept), hidden, len(self.moved))
        self.shift = mlp(len(self.kept), hidden, len(self.moved))

    def _check(self, x):
        if x.shape[-1] != self.dim:
            raise ValueError("x: last dimension %d, expected %d" % (x.shape[-1], self.dim))

    def forward(self, x):
        self._check(x)
        a, b = x[:, self.kept], x[:, self.moved]
        log_sigma = self.log_sigma(a)
        z = torch.empty_like(x)
        z[:, self.kept] = a
        z[:, self.moved] = (b - self.shift(a)) / torch.exp(log_sigma)
        return z, -torch.sum(log_sigma, 1)

    def inverse(self, z):
        self._check(z)
        a, b = z[:, self.kept], z[:, self.moved]
        log_sigma = self.log_sigma(a)
        x = torch.empty_like(z)
        x[:, self.kept] = a
        x[:, self.moved] = b * torch.exp(log_sigma) + self.shift(a)
        return x, torch.sum(log_sigma, 1)


class RealNVP(nn.Module):
    def __init__(self, dim=2, n_layers=6, hidden=64):
        super().__init__()
        self.dim = dim
        mask = torch.zeros(dim)
        mask[: dim // 2] = 1.0
        layers = []
        for _ in range(n_layers):
            layers.append(AffineCoupling(dim, mask, hidden))
            mask = 1.0 - mask
        self.flows = nn.ModuleList(layers)
        self.register_buffer("loc", torch.zeros(dim))
        self.register_buffer("cov", torch.eye(dim))

    def _check(self, x):
        if x.shape[-1] != self.dim:
            raise ValueError("x: last dimension %d, expected %d" % (x.shape[-1], self.dim))

    def forward(self, x):
        self._check(x)
        total = 0
        for f in self.flows:
            x, ld = f(x)
            total = total + ld
        return x, total

    def inverse(self, z):
        self._check(z)
        total = 0
        for f in self.flows[::-1]:
            z, ld = f.inverse(z)
            total = total + ld
        return z, total

    def log_prob(self, x):
        z, ld = self.forward(x)
        return torch.distributions.MultivariateNormal(self.loc, self.cov).log_prob(z) + ld

    def sample(self, n, generator=None):
        if n < 1:
            raise ValueError("n must be positive")
        z = torch.empty(n, self.dim, dtype=self.loc.dtype, device=self.loc.device).normal_(generator=generator)
        return self.inverse(z)[0]


def nll(model, x):
    return -torch.mean(model.log_prob(x))


def train_flow(model, x, steps, batch_size=256, lr=1e-3, generator=None, progress=False):
    if steps < 1 or batch_size < 1:
        raise ValueError("steps and batch_size must be positive")
    if x.shape[-1] != model.dim:
        raise ValueError("x: wrong last dimension")
    loader = DataLoader(TensorDataset(x), batch_size=batch_size, shuffle=True, generator=generator)
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr)
    losses = []
    while len(losses) < steps:
        for (batch,) in loader:
            if len(losses) == steps:
                break
            optimizer.zero_grad()
            loss = nll(model, batch)
            loss.backward()
            optimizer.step()
            losses.append(float(loss))
    return {"nll": losses}


def density_grid(model, low, high, n):
    if n < 1:
        raise ValueError("n")
    width = (high - low) / n
    side = low + width * (torch.arange(n) + 0.5)
    yy, xx = torch.meshgrid(side, side, indexing="ij")
    points = torch.stack([xx.flatten(), yy.flatten()], 1).to(model.loc)
    return points, torch.exp(model.log_prob(points))
