"""Binary cross-entropy on logits, a frozen discriminator, rows without replacement, AdamW."""

import math

import torch
from torch import nn
from torch.nn import functional as F


def refuse(condition, message):
    if condition:
        raise ValueError(message)


def optimal_discriminator(log_p_data, log_p_g, smoothing=0.0):
    refuse(log_p_data.shape != log_p_g.shape, f"log_p_g: got {tuple(log_p_g.shape)}, not {tuple(log_p_data.shape)}")
    return (1 - smoothing) * torch.exp(log_p_data - torch.logaddexp(log_p_data, log_p_g))


def laws(*given):
    for law in given:
        refuse(law.shape != given[0].shape, f"laws: got shapes {[tuple(x.shape) for x in given]}")
        refuse(bool(((law < 0) | (law > 1)).any()), f"laws: expected entries in [0, 1], got {law}")


def jensen_shannon(p, q):
    laws(p, q)
    return torch.special.entr((p + q) / 2).sum() - (torch.special.entr(p) + torch.special.entr(q)).sum() / 2


def game_value(d, p, q):
    laws(d, p, q)
    return (torch.special.xlogy(p, d) + torch.special.xlog1py(q, -d)).sum()


def named(loss):
    refuse(loss not in ("non_saturating", "saturating", "wasserstein"), f"loss: got {loss!r}")


def discriminator_loss(real_logits, fake_logits, smoothing=0.0, loss="non_saturating"):
    named(loss)
    refuse(not 0 <= smoothing <= 1, f"smoothing: expected a number in [0, 1], got {smoothing}")
    if loss == "wasserstein":
        return fake_logits.mean() - real_logits.mean()
    real = F.binary_cross_entropy_with_logits(real_logits, torch.full_like(real_logits, 1 - smoothing))
    return real + F.binary_cross_entropy_with_logits(fake_logits, torch.zeros_like(fake_logits))


def generator_loss(fake_logits, loss="non_saturating"):
    named(loss)
    if loss == "wasserstein":
        return fake_logits.mean().neg()
    if loss == "saturating":
        return -F.binary_cross_entropy_with_logits(fake_logits, torch.zeros_like(fake_logits))
    return F.binary_cross_entropy_with_logits(fake_logits, torch.ones_like(fake_logits))


class BatchNorm(nn.Module):
    def __init__(self, features, momentum=0.1, eps=1e-5):
        super().__init__()
        self.momentum, self.eps = momentum, eps
        self.weight, self.bias = nn.Parameter(torch.ones(features)), nn.Parameter(torch.zeros(features))
        self.register_buffer("running_mean", torch.zeros(features))
        self.register_buffer("running_var", torch.ones(features))

    def forward(self, x):
        refuse(x.ndim != 2 or x.shape[1] != len(self.weight), f"x: got {tuple(x.shape)}")
        if not self.training:
            return torch.addcmul(self.bias, x - self.running_mean, self.weight * (self.running_var + self.eps).rsqrt())
        refuse(len(x) == 1, "x: expected at least two rows in training mode")
        variance, mean = torch.var_mean(x, 0, correction=0)
        keep = 1 - self.momentum
        self.running_mean.copy_(keep * self.running_mean + self.momentum * mean.detach())
        unbiased = variance.detach() * len(x) / (len(x) - 1)
        self.running_var.copy_(keep * self.running_var + self.momentum * unbiased)
        return torch.addcmul(self.bias, (x - mean) * torch.rsqrt(variance + self.eps), self.weight)


class Generator(nn.Module):
    def __init__(self, latent_dim=16, dim=196, hidden=128, batch_norm=True):
        super().__init__()
        self.latent_dim = latent_dim
        self.first, self.second = nn.Linear(latent_dim, hidden), nn.Linear(hidden, hidden)
        self.last = nn.Linear(hidden, dim)
        self.norms, self.batch_norm = nn.ModuleList(nn.BatchNorm1d(hidden) for _ in range(2)), batch_norm

    def forward(self, z):
        refuse(z.shape[1:] != (self.latent_dim,), f"z: expected (B, {self.latent_dim}), got {tuple(z.shape)}")
        h = z
        for layer, norm in zip((self.first, self.second), self.norms, strict=True):
            h = F.leaky_relu(norm(layer(h)) if self.batch_norm else layer(h), 0.1)
        return torch.tanh(self.last(h))


class Discriminator(nn.Module):
    def __init__(self, dim=196, hidden=128):
        super().__init__()
        self.first, self.second, self.last = nn.Linear(dim, hidden), nn.Linear(hidden, hidden), nn.Linear(hidden, 1)

    def forward(self, x):
        refuse(x.shape[1:] != (self.first.in_features,), f"x: got {tuple(x.shape)}")
        return self.last(F.leaky_relu(self.second(F.leaky_relu(self.first(x), 0.2)), 0.2))[:, 0]


def discriminator_step(generator, discriminator, optimizer, real, z, smoothing=0.0, loss="non_saturating", clip=None):
    refuse(clip is not None and clip <= 0, f"clip: expected a positive number, got {clip}")
    optimizer.zero_grad()
    fake = generator(z).detach()
    of_fake = discriminator(fake)
    value = discriminator_loss(discriminator(real), of_fake, smoothing, loss)
    value.backward()
    optimizer.step()
    if clip is not None:
        for p in discriminator.parameters():
            p.data.clamp_(-clip, clip)
    return float(value)


def generator_step(generator, discriminator, optimizer, z, loss="non_saturating"):
    needed = [p.requires_grad for p in discriminator.parameters()]
    discriminator.requires_grad_(False)
    optimizer.zero_grad()
    value = generator_loss(discriminator(generator(z)), loss)
    value.backward()
    optimizer.step()
    for p, flag in zip(discriminator.parameters(), needed):
        p.requires_grad_(flag)
    return float(value)


def train_gan(
    generator,
    discriminator,
    data,
    steps,
    n_discriminator=1,
    lr=1e-3,
    betas=(0.5, 0.999),
    batch_size=64,
    smoothing=0.0,
    loss="non_saturating",
    clip=None,
    generator_rng=None,
    progress=False,
):
    for name, n in (("steps", steps), ("n_discriminator", n_discriminator), ("batch_size", batch_size)):
        refuse(n < 1, f"{name}: expected at least 1, got {n}")
    optimizers = [torch.optim.AdamW(m.parameters(), lr=lr, betas=betas) for m in (generator, discriminator)]
    dtype = next(generator.parameters()).dtype
    history = {"discriminator_loss": [], "generator_loss": [], "step": []}
    for step in range(steps):
        values = []
        for _ in range(n_discriminator):
            real = data[torch.randperm(len(data), generator=generator_rng)[:batch_size]]
            z = torch.randn(batch_size, generator.latent_dim, generator=generator_rng, dtype=dtype).to(data.device)
            values.append(discriminator_step(generator, discriminator, optimizers[1], real, z, smoothing, loss, clip))
        z = torch.randn(batch_size, generator.latent_dim, generator=generator_rng, dtype=dtype).to(data.device)
        history["generator_loss"].append(generator_step(generator, discriminator, optimizers[0], z, loss))
        history["discriminator_loss"].append(math.fsum(values) / len(values))
        history["step"].append(step)
    return history


def sample(generator, n, generator_rng=None):
    like = next(generator.parameters())
    flags = {m: m.training for m in generator.modules()}
    generator.eval()
    z = torch.randn(n, generator.latent_dim, generator=generator_rng, dtype=like.dtype, device=like.device)
    x = generator(z).detach()
    for m, flag in flags.items():
        m.training = flag
    return x


def diversity(x):
    refuse(len(x) < 2, f"x: expected two rows or more, got {len(x)}")
    i, j = torch.triu_indices(len(x), len(x), 1)
    return torch.linalg.vector_norm(x[i] - x[j], dim=1).mean()


def collapse_report(samples, data, classify, n_modes, threshold=0.1):
    refuse(samples.shape[1] != data.shape[1], f"samples: got width {samples.shape[1]}, not {data.shape[1]}")
    refuse(n_modes < 1, f"n_modes: expected at least 1, got {n_modes}")
    refuse(not 0 <= threshold <= 1, f"threshold: expected a number in [0, 1], got {threshold}")
    s, r = (F.one_hot(classify(x).long(), n_modes).double().mean(0) for x in (samples, data))
    covered = ((r > 0) & (s > 0) & (s >= threshold * r)).sum()
    kl = torch.where(s > 0, s * (s / r).log(), torch.zeros_like(s)).sum()
    ratio = diversity(samples).double() / diversity(data).double()
    return {
        "covered": covered,
        "kl": kl,
        "diversity": ratio,
        "shares": s,
        "collapsed": (2 * covered < (r > 0).sum()) | (ratio < 0.5),
    }
