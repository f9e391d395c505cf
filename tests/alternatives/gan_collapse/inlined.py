"""The training written out without the steps, torch's batch normalisation, SiLU and orthogonal weights."""

import torch
from torch import nn


def need(condition, what):
    if not condition:
        raise ValueError(what)


def optimal_discriminator(log_p_data, log_p_g, smoothing=0.0):
    need(log_p_data.shape == log_p_g.shape, f"log_p_g: {tuple(log_p_g.shape)} instead of {tuple(log_p_data.shape)}")
    return (1 - smoothing) * torch.softmax(torch.stack([log_p_data, log_p_g]), dim=0)[0]


def law(name, p, like):
    need(p.shape == like.shape, f"{name}: {tuple(p.shape)} instead of {tuple(like.shape)}")
    need(bool((p >= 0).all()) and bool((p <= 1).all()), f"{name}: entries outside [0, 1]")
    return p


def kl(p, q):
    some = p > 0
    return (p[some] * (p[some].log() - q[some].log())).sum()


def jensen_shannon(p, q):
    law("p", p, p), law("q", q, p)
    return (kl(p, (p + q) / 2) + kl(q, (p + q) / 2)) / 2


def game_value(d, p, q):
    law("d", d, d), law("p", p, d), law("q", q, d)
    return (p[p > 0] * d[p > 0].log()).sum() + (q[q > 0] * torch.log1p(-d[q > 0])).sum()


def of_discriminator(real, fake, s, loss):
    if loss == "wasserstein":
        return fake.mean() - real.mean()
    zero = torch.zeros(())
    real_terms = (1 - s) * torch.logaddexp(zero.to(real), -real) + s * torch.logaddexp(zero.to(real), real)
    return real_terms.mean() + torch.logaddexp(zero.to(fake), fake).mean()


def of_generator(fake, loss):
    if loss == "wasserstein":
        return -fake.mean()
    zero = torch.zeros_like(fake)
    return torch.logaddexp(zero, -fake).mean() if loss == "non_saturating" else -torch.logaddexp(zero, fake).mean()


def discriminator_loss(real_logits, fake_logits, smoothing=0.0, loss="non_saturating"):
    need(loss in ("non_saturating", "saturating", "wasserstein"), f"loss: {loss!r}")
    need(0 <= smoothing <= 1, f"smoothing: {smoothing}")
    return of_discriminator(real_logits, fake_logits, smoothing, loss)


def generator_loss(fake_logits, loss="non_saturating"):
    need(loss in ("non_saturating", "saturating", "wasserstein"), f"loss: {loss!r}")
    return of_generator(fake_logits, loss)


class BatchNorm(nn.Module):
    def __init__(self, features, momentum=0.1, eps=1e-5):
        super().__init__()
        self.momentum, self.eps = momentum, eps
        self.weight = nn.Parameter(torch.ones(features))
        self.bias = nn.Parameter(torch.zeros(features))
        self.register_buffer("running_mean", torch.zeros(features))
        self.register_buffer("running_var", torch.ones(features))
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def statistics(self, x):
        if not self.training:
            return self.running_mean, self.running_var
        need(len(x) > 1, "x: one row in training mode")
        self.num_batches_tracked += 1
        with torch.no_grad():
            self.running_mean.mul_(1 - self.momentum).add_(self.momentum * x.mean(0))
            self.running_var.mul_(1 - self.momentum).add_(self.momentum * x.var(0))
        return x.mean(0), (x * x).mean(0) - x.mean(0) ** 2

    def forward(self, x):
        need(x.shape[1:] == self.weight.shape, f"x: {tuple(x.shape)}")
        mean, variance = self.statistics(x)
        return self.weight * ((x - mean) / torch.sqrt(variance + self.eps)) + self.bias


def starting(module):
    for part in module.modules():
        if isinstance(part, nn.Linear):
            nn.init.orthogonal_(part.weight)
            nn.init.zeros_(part.bias)


class Generator(nn.Module):
    def __init__(self, latent_dim=16, dim=196, hidden=128, batch_norm=True):
        super().__init__()
        self.latent_dim, norm = latent_dim, nn.BatchNorm1d if batch_norm else nn.Identity
        self.body = nn.Sequential(
            nn.Linear(latent_dim, hidden), norm(hidden), nn.SiLU(), nn.Linear(hidden, hidden), norm(hidden), nn.SiLU()
        )
        self.head = nn.Linear(hidden, dim)
        starting(self)

    def forward(self, z):
        need(z.shape[1:] == (self.latent_dim,), f"z: {tuple(z.shape)}")
        return torch.tanh(self.head(self.body(z)))


class Discriminator(nn.Module):
    def __init__(self, dim=196, hidden=128):
        super().__init__()
        self.dim = dim
        self.body = nn.Sequential(nn.Linear(dim, hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU())
        self.head = nn.Linear(hidden, 1)
        starting(self)

    def forward(self, x):
        need(x.shape[1:] == (self.dim,), f"x: {tuple(x.shape)}")
        return self.head(self.body(x)).reshape(len(x))


def discriminator_step(generator, discriminator, optimizer, real, z, smoothing=0.0, loss="non_saturating", clip=None):
    need(clip is None or clip > 0, f"clip: {clip}")

    def closure():
        optimizer.zero_grad()
        value = discriminator_loss(discriminator(real), discriminator(fake), smoothing, loss)
        value.backward()
        return value

    fake = generator(z).detach()
    value = optimizer.step(closure)
    if clip is not None:
        torch.nn.utils.vector_to_parameters(
            torch.nn.utils.parameters_to_vector(discriminator.parameters()).detach().clamp(-clip, clip),
            discriminator.parameters(),
        )
    return value.item()


def generator_step(generator, discriminator, optimizer, z, loss="non_saturating"):
    def closure():
        optimizer.zero_grad(set_to_none=False)
        value = generator_loss(discriminator(generator(z)), loss)
        value.backward()
        return value

    return optimizer.step(closure).item()


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
    need(steps >= 1, f"steps: {steps}")
    need(n_discriminator >= 1, f"n_discriminator: {n_discriminator}")
    need(batch_size >= 1, f"batch_size: {batch_size}")
    adam = [torch.optim.Adam(list(m.parameters()), lr=lr, betas=tuple(betas)) for m in (discriminator, generator)]
    history = {"discriminator_loss": [], "generator_loss": []}
    z_like = next(generator.parameters()).detach()
    for _ in range(steps):
        total = 0.0
        for _ in range(n_discriminator):
            chosen = (torch.rand(batch_size, generator=generator_rng) * len(data)).long()
            z = torch.randn(batch_size, generator.latent_dim, generator=generator_rng, dtype=z_like.dtype).to(z_like)
            with torch.no_grad():
                fake = generator(z)
            adam[0].zero_grad()
            value = of_discriminator(discriminator(data[chosen]), discriminator(fake), smoothing, loss)
            value.backward()
            adam[0].step()
            if clip is not None:
                with torch.no_grad():
                    for p in discriminator.parameters():
                        p.clamp_(min=-clip, max=clip)
            total += value.item()
        z = torch.randn(batch_size, generator.latent_dim, generator=generator_rng, dtype=z_like.dtype).to(z_like)
        adam[1].zero_grad()
        value = of_generator(discriminator(generator(z)), loss)
        value.backward()
        adam[1].step()
        history["discriminator_loss"].append(total / n_discriminator)
        history["generator_loss"].append(value.item())
    return history


def sample(generator, n, generator_rng=None):
    kept = [(m, m.training) for m in generator.modules()]
    for m, _mode in kept:
        m.training = False
    z = torch.randn(n, generator.latent_dim, generator=generator_rng).to(next(generator.parameters()))
    with torch.no_grad():
        x = torch.cat([generator(part) for part in z.split(256)])
    for m, mode in kept:
        m.training = mode
    return x


def diversity(x):
    need(len(x) >= 2, f"x: {len(x)} rows")
    n = len(x)
    return torch.cdist(x, x, compute_mode="donot_use_mm_for_euclid_dist").sum() / (n * (n - 1))


def collapse_report(samples, data, classify, n_modes, threshold=0.1):
    need(samples.shape[1] == data.shape[1], f"samples: {tuple(samples.shape)}; data: {tuple(data.shape)}")
    need(n_modes >= 1, f"n_modes: {n_modes}")
    need(0 <= threshold <= 1, f"threshold: {threshold}")
    found, real = classify(samples), classify(data)
    s = torch.stack([(found == k).double().mean() for k in range(n_modes)])
    r = torch.stack([(real == k).double().mean() for k in range(n_modes)])
    covered = [k for k in range(n_modes) if r[k] > 0 and s[k] > 0 and s[k] >= threshold * r[k]]
    ratio = diversity(samples) / diversity(data)
    few = len(covered) < 0.5 * int((r > 0).sum())
    return {"covered": len(covered), "kl": kl(s, r), "diversity": ratio, "collapsed": few or bool(ratio < 0.5)}
