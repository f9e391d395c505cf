# torch.distributions for every law, einsum layers, tanh units, all k draws in one batch, RMSprop.
import torch
from torch import nn
from torch.distributions import Bernoulli, Independent, Normal, kl_divergence as kl_of


def _law(mu, logvar):
    return Independent(Normal(mu, torch.exp(0.5 * logvar), validate_args=False), 1, validate_args=False)


def _prior(like):
    return Independent(Normal(torch.zeros_like(like), torch.ones_like(like)), 1)


class Affine(nn.Module):
    def __init__(self, d_in, d_out):
        super().__init__()
        self.w = nn.Parameter((2 * torch.rand(d_in, d_out) - 1) / d_in**0.5)
        self.b = nn.Parameter(torch.zeros(d_out))

    def forward(self, x):
        return torch.einsum("...i,io->...o", x, self.w) + self.b


class Encoder(nn.Module):
    def __init__(self, latent_dim=2, hidden=64):
        super().__init__()
        self.input = Affine(784, hidden)
        self.heads = nn.ModuleDict({"logvar": Affine(hidden, latent_dim), "mu": Affine(hidden, latent_dim)})

    def forward(self, x):
        h = torch.tanh(self.input(x))
        return self.heads["mu"](h), self.heads["logvar"](h)


class Decoder(nn.Module):
    def __init__(self, latent_dim=2, hidden=64):
        super().__init__()
        self.layers = nn.Sequential(Affine(latent_dim, hidden), nn.Tanh(), Affine(hidden, 784))

    def forward(self, z):
        return self.layers(z)


def reparameterize(mu, logvar, eps):
    if mu.size() != logvar.size() or mu.size() != eps.size():
        raise ValueError(f"mu {mu.size()}, logvar {logvar.size()} and eps {eps.size()} must have one shape")
    return torch.addcmul(mu, logvar.div(2).exp(), eps)


def kl_divergence(mu, logvar):
    if mu.size() != logvar.size():
        raise ValueError(f"mu {mu.size()} and logvar {logvar.size()} must have one shape")
    return kl_of(_law(mu, logvar), _prior(mu))


def reconstruction_log_likelihood(logits, x):
    if logits.size() != x.size():
        raise ValueError(f"logits {logits.size()} and x {x.size()} must have one shape")
    return Independent(Bernoulli(logits=logits, validate_args=False), 1, validate_args=False).log_prob(x)


def elbo(x, logits, mu, logvar, beta=1.0):
    if len(x) != len(mu):
        raise ValueError(f"x has {len(x)} rows, mu {len(mu)}")
    return reconstruction_log_likelihood(logits, x).sub(kl_divergence(mu, logvar), alpha=beta)


class VAE(nn.Module):
    def __init__(self, latent_dim=2, hidden=64):
        super().__init__()
        self.latent_dim = latent_dim
        self.encoder, self.decoder = Encoder(latent_dim, hidden), Decoder(latent_dim, hidden)

    def forward(self, x, eps):
        mu, logvar = self.encoder(x)
        z = reparameterize(mu, logvar, eps)
        return self.decoder(z), mu, logvar


def train_vae(model, x, epochs, batch_size=128, lr=1e-3, generator=None, progress=False):
    if epochs < 1 or batch_size < 1:
        raise ValueError(f"epochs and batch_size must be at least 1, got {epochs} and {batch_size}")
    data = torch.utils.data.TensorDataset(x)
    loader = torch.utils.data.DataLoader(data, batch_size=batch_size, shuffle=True, generator=generator)
    optimizer = torch.optim.RMSprop(model.parameters(), lr=lr)
    history = {"elbo": []}
    for _ in range(epochs):
        values = []
        for (batch,) in loader:
            eps = torch.randn(batch.shape[0], model.latent_dim, generator=generator).to(batch)
            value = elbo(batch, *model(batch, eps))
            optimizer.zero_grad()
            value.mean().neg().backward()
            optimizer.step()
            values.append(value.detach())
        history["elbo"].append(torch.cat(values).mean().item())
    return history


def sample(model, n, generator=None):
    if n <= 0:
        raise ValueError(f"n must be positive, got {n}")
    dtype = next(iter(model.parameters())).dtype
    z = torch.empty(n, model.latent_dim, dtype=dtype).normal_(generator=generator).to(next(model.parameters()).device)
    return Bernoulli(logits=model.decoder(z)).mean.detach()


def interpolate(model, z1, z2, steps):
    if steps <= 0:
        raise ValueError(f"steps must be positive, got {steps}")
    weights = torch.linspace(1, 0, steps, dtype=z1.dtype, device=z1.device)
    z = torch.einsum("s,d->sd", weights, z1) + torch.einsum("s,d->sd", 1 - weights, z2)
    return model.decoder(z).sigmoid()


def importance_weighted_bound(model, x, k, generator=None):
    if k <= 0:
        raise ValueError(f"k must be positive, got {k}")
    mu, logvar = model.encoder(x)
    eps = torch.randn(k, *mu.shape, generator=generator, dtype=mu.dtype).to(mu)
    z = mu + torch.exp(logvar / 2) * eps  # (k, B, d)
    logits = model.decoder(z.flatten(0, 1)).unflatten(0, (k, -1))  # (k, B, 784)
    log_p = Bernoulli(logits=logits, validate_args=False).log_prob(x).sum(-1)
    log_w = log_p + _prior(z).log_prob(z) - _law(mu, logvar).log_prob(z)
    return log_w.logsumexp(0) - torch.tensor(float(k), dtype=x.dtype, device=x.device).log()
