# A deep decoder whose weights start near zero, so that the bound rises late; PyTorch's own loader, one layer for both heads.
import math

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader


def _refuse_other_shapes(**given):
    shapes = {name: tuple(value.shape) for name, value in given.items()}
    if len(set(shapes.values())) > 1:
        raise ValueError(f"one shape, please, got {shapes}")


class Encoder(nn.Module):
    def __init__(self, latent_dim=2, hidden=64):
        super().__init__()
        self.body = nn.Sequential(
            nn.Linear(784, hidden), nn.LayerNorm(hidden), nn.ReLU(),
            nn.Linear(hidden, hidden), nn.LayerNorm(hidden), nn.ReLU(),
        )  # fmt: skip
        self.heads = nn.Linear(hidden, 2 * latent_dim)

    def forward(self, x):
        return tuple(self.heads(self.body(x)).chunk(2, dim=-1))


class Decoder(nn.Module):
    def __init__(self, latent_dim=2, hidden=64):
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(latent_dim, hidden), nn.ELU(), nn.Linear(hidden, hidden), nn.ELU(), nn.Linear(hidden, 784)
        )
        for layer in self.net[::2]:
            nn.init.normal_(layer.weight, std=0.05)
            nn.init.zeros_(layer.bias)

    def forward(self, z):
        return self.net(z)


class VAE(nn.Module):
    def __init__(self, latent_dim=2, hidden=64):
        super().__init__()
        self.latent_dim = latent_dim
        self.encoder = Encoder(latent_dim, hidden)
        self.decoder = Decoder(latent_dim, hidden)

    def forward(self, x, eps):
        mu, logvar = self.encoder(x)
        return self.decoder(reparameterize(mu, logvar, eps)), mu, logvar


def reparameterize(mu, logvar, eps):
    _refuse_other_shapes(mu=mu, logvar=logvar, eps=eps)
    return mu + torch.sqrt(torch.exp(logvar)) * eps


def kl_divergence(mu, logvar):
    _refuse_other_shapes(mu=mu, logvar=logvar)
    m, v = mu.double(), logvar.double()
    return (0.5 * (m * m + torch.expm1(v) - v).sum(-1)).to(mu.dtype)


def reconstruction_log_likelihood(logits, x):
    _refuse_other_shapes(logits=logits, x=x)
    return (x * F.logsigmoid(logits) + (1 - x) * F.logsigmoid(-logits)).sum(-1)


def elbo(x, logits, mu, logvar, beta=1.0):
    return torch.sub(reconstruction_log_likelihood(logits, x), kl_divergence(mu, logvar), alpha=beta)


def train_vae(model, x, epochs, batch_size=128, lr=1e-3, generator=None, progress=False):
    if min(epochs, batch_size) < 1:
        raise ValueError(f"epochs and batch_size must be at least 1, got {epochs} and {batch_size}")
    halves = [{"params": model.encoder.parameters()}, {"params": model.decoder.parameters()}]
    optimizer = torch.optim.Adam(halves, lr=lr)
    history = {"elbo": []}
    for _ in range(epochs):
        total = 0.0
        for rows in DataLoader(torch.arange(len(x)), batch_size=batch_size, shuffle=True, generator=generator):
            batch = x[rows.to(x.device)]
            eps = torch.randn(len(batch), model.latent_dim, generator=generator, dtype=x.dtype).to(x)
            bounds = elbo(batch, *model(batch, eps))
            optimizer.zero_grad()
            (-bounds.mean()).backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1e4)
            optimizer.step()
            total += bounds.sum().item()
        history["elbo"].append(total / len(x))
    return history


@torch.no_grad()
def sample(model, n, generator=None):
    if n < 1:
        raise ValueError(f"n must be at least 1, got {n}")
    weight = next(model.decoder.parameters())
    rows = [torch.randn(model.latent_dim, generator=generator, dtype=weight.dtype) for _ in range(n)]
    return torch.sigmoid(model.decoder(torch.stack(rows).to(weight)))


def interpolate(model, z1, z2, steps):
    if steps < 1:
        raise ValueError(f"steps must be at least 1, got {steps}")
    z = torch.stack([torch.lerp(z1, z2, i / max(steps - 1, 1)) for i in range(steps)])
    return torch.sigmoid(model.decoder(z))


def importance_weighted_bound(model, x, k, generator=None):
    if k < 1:
        raise ValueError(f"k must be at least 1, got {k}")
    mu, logvar = model.encoder(x)
    eps = torch.randn(k, *mu.shape, generator=generator, dtype=mu.dtype).to(mu)
    z = mu + torch.exp(logvar / 2) * eps
    log_p = torch.stack([reconstruction_log_likelihood(model.decoder(draw), x) for draw in z])
    log_w = log_p + torch.distributions.Normal(0.0, 1.0).log_prob(z).sum(-1)
    log_w = log_w - torch.distributions.Normal(mu, torch.exp(logvar / 2)).log_prob(z).sum(-1)
    return torch.logsumexp(log_w, dim=0) - math.log(k)
