# torch.func.vmap over images, k draws per image stacked as (B, k, d), logistic units, zero-initialised heads,
# history measured after each epoch.
import torch
from torch import nn
from torch.func import vmap


class Encoder(nn.Module):
    def __init__(self, latent_dim=2, hidden=64):
        super().__init__()
        self.a = nn.Linear(784, hidden)
        self.b = nn.Linear(hidden, latent_dim)
        self.c = nn.Linear(hidden, latent_dim)
        nn.init.zeros_(self.c.weight)
        nn.init.zeros_(self.c.bias)

    def forward(self, x):
        if x.shape[-1] != 784:
            raise ValueError(f"x: expected 784 columns, got {x.shape[-1]}")
        h = torch.sigmoid(self.a(x))
        return self.b(h), self.c(h)


class Decoder(nn.Module):
    def __init__(self, latent_dim=2, hidden=64):
        super().__init__()
        self.a = nn.Linear(latent_dim, hidden)
        self.b = nn.Linear(hidden, 784)
        nn.init.zeros_(self.b.bias)

    def forward(self, z):
        return self.b(torch.sigmoid(self.a(z)))


def reparameterize(mu, logvar, eps):
    try:
        if not mu.shape == logvar.shape == eps.shape:
            raise RuntimeError("shapes differ")
        return vmap(lambda m, v, e: m + (0.5 * v).exp() * e)(mu, logvar, eps)
    except RuntimeError as error:
        raise ValueError(f"mu, logvar, eps: {error}") from error


def kl_divergence(mu, logvar):
    if mu.shape != logvar.shape:
        raise ValueError(f"mu {mu.shape}, logvar {logvar.shape}")

    def one(m, v):
        return 0.5 * (torch.dot(m, m) + v.exp().sum() - v.sum() - len(m))

    return vmap(one)(mu, logvar)


def reconstruction_log_likelihood(logits, x):
    if logits.shape != x.shape:
        raise ValueError(f"logits {logits.shape}, x {x.shape}")
    # x l - log(1 + exp(l)) with the larger exponent taken out
    return (x * logits - logits.clamp(min=0) - torch.log1p(torch.exp(-logits.abs()))).sum(-1)


def elbo(x, logits, mu, logvar, beta=1.0):
    reconstruction = reconstruction_log_likelihood(logits, x)
    divergence = kl_divergence(mu, logvar)
    if reconstruction.shape != divergence.shape:
        raise ValueError("x and mu have different numbers of rows")
    return torch.stack([reconstruction, -beta * divergence]).sum(0)


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
    if min(epochs, batch_size) < 1:
        raise ValueError(f"epochs {epochs}, batch_size {batch_size}: at least 1")
    optimizer = torch.optim.Adam(model.parameters(), lr=lr, betas=(0.9, 0.99))
    history = {"elbo": []}

    def bound(rows):
        eps = torch.randn(len(rows), model.latent_dim, dtype=x.dtype, generator=generator).to(x)
        return elbo(x[rows], *model(x[rows], eps))

    for _ in range(epochs):
        order = torch.randperm(len(x), generator=generator)
        for i in range(0, len(x), batch_size):
            optimizer.zero_grad()
            (-bound(order[i : i + batch_size])).mean().backward()
            optimizer.step()
        with torch.no_grad():
            history["elbo"].append(float(bound(torch.arange(len(x))).mean()))
    return history


def sample(model, n, generator=None):
    if n < 1:
        raise ValueError(f"n = {n}")
    weights = [p for p in model.decoder.parameters()]
    with torch.inference_mode():
        z = torch.randn(n, model.latent_dim, generator=generator, dtype=weights[0].dtype).to(weights[0])
        images = torch.exp(nn.functional.logsigmoid(model.decoder(z)))
    return images.clone()


def interpolate(model, z1, z2, steps):
    if steps < 1:
        raise ValueError(f"steps = {steps}")
    if z1.shape != z2.shape:
        raise ValueError(f"z1 {z1.shape}, z2 {z2.shape}")
    line = [torch.lerp(z1, z2, i / max(steps - 1, 1)) for i in range(steps)]
    return torch.cat([torch.sigmoid(model.decoder(z.reshape(1, -1))) for z in line])


def importance_weighted_bound(model, x, k, generator=None):
    if k < 1:
        raise ValueError(f"k = {k}")
    mu, logvar = model.encoder(x)
    mu, logvar = mu.repeat_interleave(k, 0), logvar.repeat_interleave(k, 0)
    eps = torch.randn(mu.shape, generator=generator, dtype=mu.dtype).to(mu)
    z = reparameterize(mu, logvar, eps)  # (B k, d)
    log_w = reconstruction_log_likelihood(model.decoder(z), x.repeat_interleave(k, 0))
    log_w = log_w - 0.5 * (z * z).sum(1) + 0.5 * (eps * eps).sum(1) + 0.5 * logvar.sum(1)
    return _log_mean_exp(log_w.reshape(-1, k))


def _log_mean_exp(a):
    top = a.amax(1, keepdim=True)
    return top.squeeze(1) + (a - top).exp().mean(1).log()
