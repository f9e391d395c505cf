"""One function for both steps, a context for the modes, functions of the logits by autograd's own formulas."""

import contextlib

import torch
from torch import nn


class LogSigmoid(torch.autograd.Function):
    """log σ(x), with the derivative σ(-x)."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.where(x > 0, -torch.log1p(torch.exp(-x.abs())), x - torch.log1p(torch.exp(-x.abs())))

    @staticmethod
    def backward(ctx, slope):
        (x,) = ctx.saved_tensors
        return slope * torch.sigmoid(-x)


log_d = LogSigmoid.apply


def optimal_discriminator(log_p_data, log_p_g, smoothing=0.0):
    if log_p_data.shape != log_p_g.shape:
        raise ValueError(f"log_p_g: expected {tuple(log_p_data.shape)}, got {tuple(log_p_g.shape)}")
    top = torch.maximum(log_p_data, log_p_g)
    p, q = torch.exp(log_p_data - top), torch.exp(log_p_g - top)
    return (1 - smoothing) * p / (p + q)


def plogp(p, q):
    return torch.where(p == 0, torch.zeros_like(p), p * torch.log(torch.where(p == 0, torch.ones_like(q), q)))


def checked(**laws):
    first = next(iter(laws.values()))
    for name, p in laws.items():
        if p.shape != first.shape or p.amin() < 0 or p.amax() > 1:
            raise ValueError(f"{name}: expected {tuple(first.shape)} numbers in [0, 1], got {p}")


def jensen_shannon(p, q):
    checked(p=p, q=q)
    m = (p + q) / 2
    return (plogp(p, p) + plogp(q, q)).sum() / 2 - plogp(m, m).sum()


def game_value(d, p, q):
    checked(d=d, p=p, q=q)
    return (plogp(p, d) + plogp(q, 1 - d)).sum()


KINDS = {
    "non_saturating": lambda fake: -log_d(fake),
    "saturating": lambda fake: log_d(-fake),
    "wasserstein": lambda fake: -fake,
}


def discriminator_loss(real_logits, fake_logits, smoothing=0.0, loss="non_saturating"):
    if loss not in KINDS:
        raise ValueError(f"loss: expected one of {sorted(KINDS)}, got {loss!r}")
    if smoothing < 0.0 or smoothing > 1.0:
        raise ValueError(f"smoothing: expected a number in [0, 1], got {smoothing}")
    if loss == "wasserstein":
        return fake_logits.mean() - real_logits.mean()
    real = torch.lerp(log_d(real_logits), log_d(-real_logits), smoothing)
    return -(real.mean() + log_d(-fake_logits).mean())


def generator_loss(fake_logits, loss="non_saturating"):
    if loss not in KINDS:
        raise ValueError(f"loss: expected one of {sorted(KINDS)}, got {loss!r}")
    return KINDS[loss](fake_logits).mean()


class BatchNorm(nn.Module):
    def __init__(self, features, momentum=0.1, eps=1e-5):
        super().__init__()
        self.momentum, self.eps = momentum, eps
        self.weight, self.bias = nn.Parameter(torch.ones(features)), nn.Parameter(torch.zeros(features))
        self.register_buffer("running_mean", torch.zeros(features))
        self.register_buffer("running_var", torch.ones(features))

    def forward(self, x):
        if x.ndim != 2 or x.shape[1] != self.weight.shape[0]:
            raise ValueError(f"x: expected (B, {self.weight.shape[0]}), got {tuple(x.shape)}")
        if not self.training:
            mean, std = self.running_mean, torch.sqrt(self.running_var + self.eps)
            return (x - mean) / std * self.weight + self.bias
        if x.shape[0] < 2:
            raise ValueError("x: expected at least two rows")
        mean = torch.mean(x, 0)
        variance = torch.mean((x - mean) ** 2, 0)
        self.running_mean = torch.lerp(self.running_mean, mean.detach(), self.momentum)
        self.running_var = torch.lerp(self.running_var, x.detach().var(0), self.momentum)
        return (x - mean) / torch.sqrt(variance + self.eps) * self.weight + self.bias


def hidden_layers(n, hidden, norm):
    layers = []
    for size in (n, hidden):
        layers += [nn.Linear(size, hidden), *([norm(hidden)] if norm else []), nn.GELU()]
    return layers


class Generator(nn.Module):
    def __init__(self, latent_dim=16, dim=196, hidden=128, batch_norm=True):
        super().__init__()
        self.latent_dim = latent_dim
        self.layers = nn.ModuleList(hidden_layers(latent_dim, hidden, BatchNorm if batch_norm else None))
        self.layers.append(nn.Linear(hidden, dim))

    def forward(self, z):
        if z.ndim != 2 or z.shape[-1] != self.latent_dim:
            raise ValueError(f"z: expected (B, {self.latent_dim}), got {tuple(z.shape)}")
        for layer in self.layers:
            z = layer(z)
        return z.tanh()


class Discriminator(nn.Module):
    def __init__(self, dim=196, hidden=128):
        super().__init__()
        self.dim = dim
        self.net = nn.Sequential(*hidden_layers(dim, hidden, None), nn.Linear(hidden, 1))

    def forward(self, x):
        if x.ndim != 2 or x.shape[-1] != self.dim:
            raise ValueError(f"x: expected (B, {self.dim}), got {tuple(x.shape)}")
        return self.net(x).view(-1)


def descend(value, optimizer):
    optimizer.zero_grad()
    value.backward()
    optimizer.step()
    return value.item()


def discriminator_step(generator, discriminator, optimizer, real, z, smoothing=0.0, loss="non_saturating", clip=None):
    if clip is not None and clip <= 0:
        raise ValueError(f"clip: expected a positive number, got {clip}")
    fake = generator(z).detach()
    logits = [discriminator(x) for x in (fake, real)]
    answer = descend(discriminator_loss(logits[1], logits[0], smoothing, loss), optimizer)
    if clip is not None:
        with torch.no_grad():
            for p in discriminator.parameters():
                p[...] = p.clip(-clip, clip)
    return answer


def generator_step(generator, discriminator, optimizer, z, loss="non_saturating"):
    return descend(generator_loss(discriminator(generator(z)), loss), optimizer)


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
    for name, count in {"steps": steps, "n_discriminator": n_discriminator, "batch_size": batch_size}.items():
        if count < 1:
            raise ValueError(f"{name}: expected at least 1, got {count}")
    of_d = torch.optim.Adam(discriminator.parameters(), lr=lr, betas=betas)
    of_g = torch.optim.Adam(generator.parameters(), lr=lr, betas=betas)
    weight = next(generator.parameters())
    rows = torch.ones(len(data))
    losses = []
    for _ in range(steps):
        # All noise of a step at once.
        z = torch.randn(
            n_discriminator + 1, batch_size, generator.latent_dim, generator=generator_rng, dtype=weight.dtype
        ).to(weight.device)
        for k in range(n_discriminator):
            real = data[torch.multinomial(rows, batch_size, generator=generator_rng)]
            first = discriminator_step(
                generator, discriminator, of_d, real, z[k], smoothing=smoothing, loss=loss, clip=clip
            )
        losses.append((first, generator_step(generator, discriminator, of_g, z[-1], loss=loss)))
    return dict(zip(("discriminator_loss", "generator_loss"), map(list, zip(*losses))))


@contextlib.contextmanager
def evaluation(module):
    modes = {part: part.training for part in module.modules()}
    module.eval()
    try:
        yield
    finally:
        for part, mode in modes.items():
            part.training = mode


def sample(generator, n, generator_rng=None):
    like = next(generator.parameters())
    with evaluation(generator), torch.no_grad():
        return generator(torch.randn(n, generator.latent_dim, dtype=like.dtype, generator=generator_rng).to(like))


def diversity(x):
    if x.shape[0] < 2:
        raise ValueError(f"x: expected at least two rows, got {x.shape[0]}")
    gaps = x.unsqueeze(0) - x.unsqueeze(1)
    distances = gaps.pow(2).sum(-1).sqrt()
    return distances[~torch.eye(len(x), dtype=torch.bool, device=x.device)].mean()


def collapse_report(samples, data, classify, n_modes, threshold=0.1):
    if samples.shape[-1] != data.shape[-1]:
        raise ValueError(f"samples: got width {samples.shape[-1]}, and data {data.shape[-1]}")
    if n_modes < 1:
        raise ValueError(f"n_modes: got {n_modes}")
    if not 0 <= threshold <= 1:
        raise ValueError(f"threshold: got {threshold}")
    s, r = torch.zeros(2, n_modes, dtype=torch.float64, device=samples.device)
    for shares, x in ((s, samples), (r, data)):
        modes = classify(x)
        shares.index_add_(0, modes, torch.ones(len(x), dtype=torch.float64, device=x.device) / len(x))
    covered = torch.logical_and(torch.logical_and(r > 0, s > 0), s >= threshold * r).sum().item()
    kl = sum(a * (torch.log(a) - torch.log(b)) for a, b in zip(s, r) if a > 0)
    ratio = (diversity(samples) / diversity(data)).item()
    collapsed = covered < torch.count_nonzero(r).item() / 2 or ratio < 0.5
    return {"covered": covered, "kl": float(kl), "diversity": ratio, "collapsed": collapsed}
