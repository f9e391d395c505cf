# Bare parameters and functional layers, layer norm, SiLU, the KL through std and variance, a hand-written Adam.
import torch
import torch.nn.functional as F
from torch import nn


def _weights(*shape):
    return nn.Parameter(torch.empty(*shape).uniform_(-1, 1) * (6 / sum(shape)) ** 0.5)


class Encoder(nn.Module):
    def __init__(self, latent_dim=2, hidden=64):
        super().__init__()
        self.W1, self.b1 = _weights(hidden, 784), nn.Parameter(torch.zeros(hidden))
        self.norm = nn.LayerNorm(hidden)
        self.W2, self.b2 = _weights(2 * latent_dim, hidden), nn.Parameter(torch.zeros(2 * latent_dim))

    def forward(self, x):
        h = F.silu(self.norm(F.linear(x, self.W1, self.b1)))
        out = F.linear(h, self.W2, self.b2)
        return out[:, 0::2], out[:, 1::2].clamp(-15.0, 15.0)


class Decoder(nn.Module):
    def __init__(self, latent_dim=2, hidden=64):
        super().__init__()
        self.W1, self.b1 = _weights(hidden, latent_dim), nn.Parameter(torch.zeros(hidden))
        self.W2, self.b2 = _weights(784, hidden), nn.Parameter(torch.full((784,), -1.0))

    def forward(self, z):
        return F.linear(F.silu(F.linear(z, self.W1, self.b1)), self.W2, self.b2)


class VAE(nn.Module):
    def __init__(self, latent_dim=2, hidden=64):
        super().__init__()
        self.encoder, self.decoder = Encoder(latent_dim, hidden), Decoder(latent_dim, hidden)
        self.register_buffer("origin", torch.zeros(latent_dim))

    @property
    def latent_dim(self):
        return len(self.origin)

    def forward(self, x, eps):
        mu, logvar = self.encoder(x)
        return self.decoder(reparameterize(mu, logvar, eps)), mu, logvar


def reparameterize(mu, logvar, eps):
    if (mu.shape, eps.shape) != (logvar.shape, logvar.shape):
        raise ValueError(
            f"mu {list(mu.shape)}, logvar {list(logvar.shape)}, eps {list(eps.shape)}: one shape, please"
        )
    return torch.baddbmm(
        mu.unsqueeze(-1), torch.diag_embed(torch.exp(logvar * 0.5)), eps.unsqueeze(-1)
    ).squeeze(-1)


def kl_divergence(mu, logvar):
    if mu.shape != logvar.shape:
        raise ValueError(f"mu {list(mu.shape)}, logvar {list(logvar.shape)}: one shape, please")
    std = torch.exp(0.5 * logvar)
    variance = std.square()
    per_coordinate = torch.log(1 / std) + (variance + mu.square()) / 2 - 1 / 2
    return torch.einsum("bd->b", per_coordinate)


def reconstruction_log_likelihood(logits, x):
    if logits.shape != x.shape:
        raise ValueError(f"logits {list(logits.shape)}, x {list(x.shape)}: one shape, please")
    zeros = torch.zeros_like(logits)
    log_normaliser = torch.logsumexp(torch.stack([zeros, logits]), dim=0)
    return torch.einsum("bi,bi->b", x, logits) - log_normaliser.sum(1)


def elbo(x, logits, mu, logvar, beta=1.0):
    return reconstruction_log_likelihood(logits, x) + kl_divergence(mu, logvar) * (-beta)


def train_vae(model, x, epochs, batch_size=128, lr=1e-3, generator=None, progress=False):
    if epochs < 1:
        raise ValueError(f"epochs: {epochs}")
    if batch_size < 1:
        raise ValueError(f"batch_size: {batch_size}")
    parameters = [p for p in model.parameters() if p.requires_grad]
    first = [torch.zeros_like(p) for p in parameters]
    second = [torch.zeros_like(p) for p in parameters]
    history, t = {"elbo": []}, 0
    for _ in range(epochs):
        values = []
        for rows in torch.randperm(x.shape[0], generator=generator).split(batch_size):
            batch = x.index_select(0, rows.to(x.device))
            eps = torch.randn(len(rows), model.latent_dim, generator=generator, dtype=x.dtype).to(x)
            mu, logvar = model.encoder(batch)
            logits = model.decoder(reparameterize(mu, logvar, eps))
            value = elbo(batch, logits, mu, logvar)
            gradients = torch.autograd.grad(value.mean(), parameters)
            t += 1
            with torch.no_grad():
                for p, g, m, v in zip(parameters, gradients, first, second, strict=True):
                    m.mul_(0.9).add_(g, alpha=0.1)
                    v.mul_(0.999).addcmul_(g, g, value=0.001)
                    p.add_(lr * (m / (1 - 0.9**t)) / ((v / (1 - 0.999**t)).sqrt() + 1e-8))
            values += value.tolist()
        history["elbo"].append(sum(values) / len(values))
    return history


def sample(model, n, generator=None):
    if n < 1:
        raise ValueError(f"n: {n}")
    weight = next(model.parameters())
    z = torch.randn(model.latent_dim, n, generator=generator, dtype=weight.dtype).to(weight).T
    return torch.sigmoid(model.decoder(z)).detach()


def interpolate(model, z1, z2, steps):
    if steps < 1:
        raise ValueError(f"steps: {steps}")
    t = torch.linspace(0, 1, steps).to(z1).unsqueeze(1)
    return torch.sigmoid(model.decoder(torch.lerp(z1.expand(steps, -1), z2.expand(steps, -1), t)))


def importance_weighted_bound(model, x, k, generator=None):
    if k < 1:
        raise ValueError(f"k: {k}")
    mu, logvar = model.encoder(x)
    answers = []
    for i in range(len(x)):
        eps = torch.randn(k, model.latent_dim, generator=generator, dtype=mu.dtype).to(mu)
        m, s = mu[i].expand_as(eps), logvar[i].expand_as(eps)
        z = reparameterize(m, s, eps)
        log_p = reconstruction_log_likelihood(model.decoder(z), x[i].expand(k, -1))
        log_w = log_p + 0.5 * (eps**2 + s - z**2).sum(1)
        answers.append(torch.logsumexp(log_w, 0) - torch.tensor(k, dtype=mu.dtype, device=mu.device).log())
    return torch.stack(answers)
