# Loops over coordinates and blocks of pixels, one head split in two, a deeper GELU network, samples drawn one by one.
import math

import torch
from torch import nn


class Encoder(nn.Module):
    def __init__(self, latent_dim=2, hidden=64):
        super().__init__()
        self.latent_dim = latent_dim
        self.body = nn.Sequential(
            nn.Linear(784, hidden), nn.GELU(), nn.Linear(hidden, hidden), nn.GELU(),
            nn.Linear(hidden, 2 * latent_dim),
        )  # fmt: skip

    def forward(self, x):
        mu, logvar = self.body(x).chunk(2, dim=1)
        return mu, logvar


class Decoder(nn.Module):
    def __init__(self, latent_dim=2, hidden=64):
        super().__init__()
        self.body = nn.Sequential(
            nn.Linear(latent_dim, hidden), nn.GELU(), nn.Linear(hidden, hidden), nn.GELU(),
            nn.Linear(hidden, 784),
        )  # fmt: skip

    def forward(self, z):
        return self.body(z)


def _same_shape(**tensors):
    shapes = {name: tuple(t.shape) for name, t in tensors.items()}
    if len(set(shapes.values())) > 1:
        raise ValueError(f"shapes differ: {shapes}")


def reparameterize(mu, logvar, eps):
    _same_shape(mu=mu, logvar=logvar, eps=eps)
    columns = []
    for m, v, e in zip(mu.T, logvar.T, eps.T, strict=True):
        columns.append(m + v.exp().sqrt() * e)
    return torch.stack(columns, dim=1)


def kl_divergence(mu, logvar):
    _same_shape(mu=mu, logvar=logvar)
    total = torch.zeros_like(mu[:, 0])
    for j in range(mu.shape[1]):
        sigma = torch.exp(logvar[:, j] / 2)
        total = total + (sigma**2 + mu[:, j] ** 2) / 2 - 0.5 - torch.log(sigma)
    return total


def reconstruction_log_likelihood(logits, x):
    _same_shape(logits=logits, x=x)
    total = torch.zeros_like(x[:, 0])
    for ell, pixels in zip(logits.split(112, dim=1), x.split(112, dim=1), strict=True):
        on = nn.functional.logsigmoid(ell)
        off = nn.functional.logsigmoid(-ell)
        total = total + (pixels * on).sum(1) + ((1 - pixels) * off).sum(1)
    return total


def elbo(x, logits, mu, logvar, beta=1.0):
    _same_shape(x=x, logits=logits)
    _same_shape(mu=mu, logvar=logvar)
    return -(beta * kl_divergence(mu, logvar) - reconstruction_log_likelihood(logits, x))


class VAE(nn.Module):
    def __init__(self, latent_dim=2, hidden=64):
        super().__init__()
        self.encoder = Encoder(latent_dim, hidden)
        self.decoder = Decoder(latent_dim, hidden)
        self.latent_dim = latent_dim

    def forward(self, x, eps):
        mu, logvar = self.encoder(x)
        return self.decoder(reparameterize(mu, logvar, eps)), mu, logvar


def train_vae(model, x, epochs, batch_size=128, lr=1e-3, generator=None, progress=False):
    for name, value in (("epochs", epochs), ("batch_size", batch_size)):
        if value < 1:
            raise ValueError(f"{name} must be at least 1, got {value}")
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=0.0)
    history = {"elbo": [], "kl": []}
    for epoch in range(epochs):
        order = torch.randperm(len(x), generator=generator)
        sums, kls, start = 0.0, 0.0, 0
        while start < len(x):
            batch = x[order[start : start + batch_size]]
            start += batch_size
            eps = torch.randn(len(batch), model.latent_dim, generator=generator, dtype=x.dtype).to(x)
            logits, mu, logvar = model(batch, eps)
            loss = -elbo(batch, logits, mu, logvar).sum() / len(batch)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            sums -= float(loss.detach()) * len(batch)
            kls += float(kl_divergence(mu, logvar).sum().detach())
        history["elbo"].append(sums / len(x))
        history["kl"].append(kls / len(x))
        if progress:
            print(f"epoch {epoch + 1}: {history['elbo'][-1]:.2f}")
    return history


@torch.no_grad()
def sample(model, n, generator=None):
    if n < 1:
        raise ValueError(f"n must be at least 1, got {n}")
    dtype = next(model.decoder.parameters()).dtype
    device = next(model.parameters()).device
    rows = [torch.randn(model.latent_dim, generator=generator, dtype=dtype).to(device) for _ in range(n)]
    logits = model.decoder(torch.stack(rows))
    return 1 / (1 + torch.exp(-logits))


@torch.no_grad()
def interpolate(model, z1, z2, steps):
    if steps < 1:
        raise ValueError(f"steps must be at least 1, got {steps}")
    if steps == 1:
        return torch.sigmoid(model.decoder(z1[None]))
    rows = []
    for i in range(steps):
        z = z1 + (z2 - z1) * i / (steps - 1)
        rows.append(torch.sigmoid(model.decoder(z.unsqueeze(0)))[0])
    return torch.stack(rows)


@torch.no_grad()
def importance_weighted_bound(model, x, k, generator=None):
    if k < 1:
        raise ValueError(f"k must be at least 1, got {k}")
    mu, logvar = model.encoder(x)
    sigma = torch.exp(logvar / 2)
    running = None
    for _ in range(k):
        z = mu + sigma * torch.randn(mu.shape, generator=generator, dtype=mu.dtype).to(mu)
        log_p = reconstruction_log_likelihood(model.decoder(z), x)
        log_prior = (-0.5 * z**2 - 0.5 * math.log(2 * math.pi)).sum(1)
        log_q = (-0.5 * ((z - mu) / sigma) ** 2 - torch.log(sigma) - 0.5 * math.log(2 * math.pi)).sum(1)
        log_w = log_p + log_prior - log_q
        running = log_w if running is None else torch.logaddexp(running, log_w)
    return running - math.log(k)
