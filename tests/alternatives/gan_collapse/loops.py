"""Plain loops and plain numbers where tensors are not needed; weights of its own instead of layers."""

import math

import torch
from torch import nn

LOSSES = {"non_saturating", "saturating", "wasserstein"}


def log_sigmoid(x):
    """min(x, 0) - log(1 + exp(-|x|))."""
    return torch.minimum(x, torch.zeros_like(x)) - torch.log1p(torch.exp(-x.abs()))


def optimal_discriminator(log_p_data, log_p_g, smoothing=0.0):
    if log_p_data.shape != log_p_g.shape:
        raise ValueError(f"log_p_data and log_p_g differ in shape: {log_p_data.shape}, {log_p_g.shape}")
    return (1 - smoothing) / (1 + torch.exp(log_p_g - log_p_data))


def check_laws(*laws):
    for law in laws:
        if law.shape != laws[0].shape:
            raise ValueError("the laws differ in shape")
        for entry in law.tolist():
            if not 0 <= entry <= 1:
                raise ValueError(f"expected probabilities, got {entry}")


def divergence(p, q):
    total = 0.0 * p.sum()
    for a, b in zip(p, q):
        if a > 0:
            total = total + a * (a / b).log()
    return total


def jensen_shannon(p, q):
    check_laws(p, q)
    m = 0.5 * p + 0.5 * q
    return float(0.5 * divergence(p, m) + 0.5 * divergence(q, m))


def game_value(d, p, q):
    check_laws(d, p, q)
    total = 0.0
    for x, a, b in zip(d, p, q):
        if a > 0:
            total += (a * x.log()).item()
        if b > 0:
            total += (b * (1 - x).log()).item()
    return total


def discriminator_loss(real_logits, fake_logits, smoothing=0.0, loss="non_saturating"):
    if loss not in LOSSES or smoothing < 0 or smoothing > 1:
        raise ValueError(f"loss, smoothing: got {loss!r}, {smoothing}")
    if loss == "wasserstein":
        return fake_logits.sum() / len(fake_logits) - real_logits.sum() / len(real_logits)
    total = 0
    for logit in real_logits:
        total = total - ((1 - smoothing) * log_sigmoid(logit) + smoothing * log_sigmoid(-logit)) / len(real_logits)
    for logit in fake_logits:
        total = total - log_sigmoid(-logit) / len(fake_logits)
    return total


def generator_loss(fake_logits, loss="non_saturating"):
    if loss not in LOSSES:
        raise ValueError(f"loss: got {loss!r}")
    terms = {
        "wasserstein": lambda: -fake_logits,
        "saturating": lambda: log_sigmoid(-fake_logits),
        "non_saturating": lambda: -log_sigmoid(fake_logits),
    }[loss]()
    return terms.sum() / len(fake_logits)


class BatchNorm(nn.Module):
    def __init__(self, features, momentum=0.1, eps=1e-5):
        super().__init__()
        self.features, self.momentum, self.eps = features, momentum, eps
        self.weight = nn.Parameter(torch.ones(features))
        self.bias = nn.Parameter(torch.zeros(features))
        self.register_buffer("running_mean", torch.zeros(features))
        self.register_buffer("running_var", torch.ones(features))

    def forward(self, x):
        if x.shape[-1] != self.features or x.dim() != 2:
            raise ValueError(f"x: expected (B, {self.features}), got {tuple(x.shape)}")
        if self.training and x.shape[0] < 2:
            raise ValueError("x: a single row has no variance")
        columns = []
        for k in range(self.features):
            column = x[:, k]
            if self.training:
                mean = column.sum() / len(column)
                variance = ((column - mean) ** 2).sum() / len(column)
                with torch.no_grad():
                    unbiased = ((column - mean) ** 2).sum() / (len(column) - 1)
                    self.running_mean[k] += self.momentum * (mean - self.running_mean[k])
                    self.running_var[k] += self.momentum * (unbiased - self.running_var[k])
            else:
                mean, variance = self.running_mean[k], self.running_var[k]
            columns.append((column - mean) / torch.sqrt(variance + self.eps) * self.weight[k] + self.bias[k])
        return torch.stack(columns, 1)


class Layer(nn.Module):
    def __init__(self, n, m, gain):
        super().__init__()
        self.matrix = nn.Parameter(torch.randn(n, m) * gain / n**0.5)
        self.offset = nn.Parameter(torch.zeros(m))

    def forward(self, x):
        return torch.einsum("bi,ij->bj", x, self.matrix) + self.offset


class Generator(nn.Module):
    def __init__(self, latent_dim=16, dim=196, hidden=128, batch_norm=True):
        super().__init__()
        self.latent_dim = latent_dim
        self.layers = nn.ModuleList([Layer(latent_dim, hidden, 1.0), Layer(hidden, hidden, 1.0)])
        self.norms = nn.ModuleList([nn.BatchNorm1d(hidden), nn.BatchNorm1d(hidden)] if batch_norm else [])
        self.out = Layer(hidden, dim, 0.7)

    def forward(self, z):
        if z.dim() != 2 or z.shape[1] != self.latent_dim:
            raise ValueError(f"z: got {tuple(z.shape)}")
        for k, layer in enumerate(self.layers):
            z = layer(z)
            if len(self.norms):
                z = self.norms[k](z)
            z = z.clamp(min=0)
        z = self.out(z)
        return 2 * torch.sigmoid(2 * z) - 1


class Discriminator(nn.Module):
    def __init__(self, dim=196, hidden=128):
        super().__init__()
        self.dim = dim
        self.layers = nn.ModuleList([Layer(dim, hidden, 0.6), Layer(hidden, hidden, 0.6)])
        self.out = Layer(hidden, 1, 0.6)

    def forward(self, x):
        if x.dim() != 2 or x.shape[1] != self.dim:
            raise ValueError(f"x: got {tuple(x.shape)}")
        for layer in self.layers:
            x = layer(x)
            x = torch.maximum(x, 0.2 * x)
        return self.out(x).sum(1)


def discriminator_step(generator, discriminator, optimizer, real, z, smoothing=0.0, loss="non_saturating", clip=None):
    if clip is not None and not clip > 0:
        raise ValueError(f"clip: got {clip}")
    fake = generator(z)
    fake = fake.clone().detach()
    of_real = discriminator(real)
    of_fake = discriminator(fake)
    value = discriminator_loss(of_real, of_fake, smoothing=smoothing, loss=loss)
    for group in optimizer.param_groups:
        for p in group["params"]:
            p.grad = None
    value.backward()
    optimizer.step()
    if clip is not None:
        with torch.no_grad():
            for p in discriminator.parameters():
                p.copy_(torch.minimum(torch.maximum(p, torch.full_like(p, -clip)), torch.full_like(p, clip)))
    return value.detach()


def generator_step(generator, discriminator, optimizer, z, loss="non_saturating"):
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    value = generator_loss(discriminator(generator(z)), loss=loss)
    for p, slope in zip(parameters, torch.autograd.grad(value, parameters, allow_unused=True)):
        p.grad = slope
    optimizer.step()
    return value.detach()


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
    if steps < 1 or n_discriminator < 1 or batch_size < 1:
        raise ValueError(f"counts below 1: got {steps}, {n_discriminator}, {batch_size}")
    d_optimizer = torch.optim.Adam(discriminator.parameters(), lr, betas)
    g_optimizer = torch.optim.Adam(generator.parameters(), lr, betas)
    dtype = next(iter(generator.parameters())).dtype
    queue = []
    history = {"discriminator_loss": [], "generator_loss": []}
    for _ in range(steps):
        for _ in range(n_discriminator):
            rows = []
            while len(rows) < batch_size:  # epochs one behind the other
                if not queue:
                    queue = torch.randperm(len(data), generator=generator_rng).tolist()
                rows.append(queue.pop())
            z = torch.randn(batch_size, generator.latent_dim, dtype=dtype, generator=generator_rng).to(data.device)
            d_value = discriminator_step(
                generator, discriminator, d_optimizer, data[rows], z, smoothing=smoothing, loss=loss, clip=clip
            )
        z = torch.randn(batch_size, generator.latent_dim, dtype=dtype, generator=generator_rng).to(data.device)
        g_value = generator_step(generator, discriminator, g_optimizer, z, loss=loss)
        history["discriminator_loss"].append(d_value)
        history["generator_loss"].append(g_value)
    return history


def sample(generator, n, generator_rng=None):
    were_training = [m for m in generator.modules() if m.training]
    for m in were_training:
        m.training = False
    with torch.no_grad():
        dtype = next(generator.parameters()).dtype
        x = generator(torch.randn((n, generator.latent_dim), generator=generator_rng, dtype=dtype).to(next(generator.parameters()).device))
    for m in were_training:
        m.training = True
    return x


def diversity(x):
    if len(x) < 2:
        raise ValueError(f"x: got {len(x)} rows")
    total, pairs = 0.0, 0
    for i in range(len(x) - 1):
        rest = ((x[i + 1 :] - x[i]) ** 2).sum(1).sqrt()
        total, pairs = total + float(rest.sum()), pairs + len(rest)
    return total / pairs


def collapse_report(samples, data, classify, n_modes, threshold=0.1):
    if samples.shape[-1] != data.shape[-1] or n_modes < 1 or not 0 <= threshold <= 1:
        raise ValueError(f"got {tuple(samples.shape)}, {tuple(data.shape)}, {n_modes}, {threshold}")
    shares = []
    for x in (samples, data):
        found = classify(x).tolist()
        shares.append([sum(k == mode for k in found) / len(found) for mode in range(n_modes)])
    covered, kl, present = 0, 0.0, 0
    for s, r in zip(*shares):
        present += r > 0
        covered += r > 0 and s > 0 and s >= threshold * r
        if s > 0:
            kl += s * math.log(s / r) if r > 0 else math.inf
    ratio = float(diversity(samples)) / float(diversity(data))
    return {"covered": covered, "kl": kl, "diversity": ratio, "collapsed": bool(covered < present / 2 or ratio < 0.5)}
