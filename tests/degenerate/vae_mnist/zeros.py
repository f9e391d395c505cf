"""Zeros of the right shapes and dtypes, and every refusal."""

import torch
from torch import nn


def _same(*tensors):
    if len({t.shape for t in tensors}) > 1:
        raise ValueError("shapes")


def _count(*counts):
    if min(counts) < 1:
        raise ValueError("count")


class Encoder(nn.Module):
    def __init__(self, latent_dim=2, hidden=64):
        super().__init__()
        self.latent_dim, self.weight = latent_dim, nn.Parameter(torch.zeros(1))

    def forward(self, x):
        zeros = x.new_zeros(len(x), self.latent_dim)
        return zeros, zeros


class Decoder(nn.Module):
    def __init__(self, latent_dim=2, hidden=64):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))

    def forward(self, z):
        return z.new_zeros(len(z), 784)


class VAE(nn.Module):
    def __init__(self, latent_dim=2, hidden=64):
        super().__init__()
        self.latent_dim = latent_dim
        self.encoder, self.decoder = Encoder(latent_dim, hidden), Decoder(latent_dim, hidden)

    def forward(self, x, eps):
        mu, logvar = self.encoder(x)
        return self.decoder(reparameterize(mu, logvar, eps)), mu, logvar


def reparameterize(mu, logvar, eps):
    _same(mu, logvar, eps)
    return 0 * (mu + logvar + eps)


def kl_divergence(mu, logvar):
    _same(mu, logvar)
    return 0 * (mu + logvar).sum(-1)


def reconstruction_log_likelihood(logits, x):
    _same(logits, x)
    return 0 * logits.sum(-1)


def elbo(x, logits, mu, logvar, beta=1.0):
    return reconstruction_log_likelihood(logits, x) - beta * kl_divergence(mu, logvar)


def train_vae(model, x, epochs, batch_size=128, lr=1e-3, generator=None, progress=False):
    _count(epochs, batch_size)
    return {"elbo": [0.0] * epochs}


def sample(model, n, generator=None):
    _count(n)
    return torch.zeros(n, 784, dtype=next(model.parameters()).dtype)


def interpolate(model, z1, z2, steps):
    _count(steps)
    return z1.new_zeros(steps, 784)


def importance_weighted_bound(model, x, k, generator=None):
    _count(k)
    return x.new_zeros(len(x))
