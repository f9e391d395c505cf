"""NumPy for the game and the report, a DataLoader for the batches, softplus for the losses."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset


def optimal_discriminator(log_p_data, log_p_g, smoothing=0.0):
    if log_p_data.shape != log_p_g.shape:
        raise ValueError(f"log_p_g: got {tuple(log_p_g.shape)}")
    with np.errstate(over="ignore"):
        answer = (1 - smoothing) / (1 + np.exp((log_p_g - log_p_data).cpu().numpy()))
    return torch.from_numpy(np.asarray(answer)).to(log_p_data)


def probabilities(*laws):
    arrays = [law.detach().cpu().numpy() for law in laws]
    if len({a.shape for a in arrays}) > 1 or any((a < 0).any() or (a > 1).any() for a in arrays):
        raise ValueError(f"expected probabilities of one shape, got {arrays}")
    return arrays


def times_log(a, b):
    """a log b, 0 where a is."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(a > 0, a * np.log(np.where(a > 0, b, 1)), 0.0)


def jensen_shannon(p, q):
    a, b = probabilities(p, q)
    m = (a + b) / 2
    value = times_log(a, a) - times_log(a, m) + times_log(b, b) - times_log(b, m)
    return torch.tensor(value.sum() / 2, dtype=p.dtype, device=p.device)


def game_value(d, p, q):
    x, a, b = probabilities(d, p, q)
    return torch.tensor((times_log(a, x) + times_log(b, 1 - x)).sum(), dtype=p.dtype, device=p.device)


def known(loss):
    if loss not in ("non_saturating", "saturating", "wasserstein"):
        raise ValueError(f"loss: got {loss!r}")
    return loss


def discriminator_loss(real_logits, fake_logits, smoothing=0.0, loss="non_saturating"):
    if not 0 <= smoothing <= 1:
        raise ValueError(f"smoothing: got {smoothing}")
    if known(loss) == "wasserstein":
        return torch.mean(fake_logits) - torch.mean(real_logits)
    # log(1 + e^-l) + s l is the cross-entropy of the label 1 - s.
    return (F.softplus(-real_logits) + smoothing * real_logits).mean() + F.softplus(fake_logits).mean()


def generator_loss(fake_logits, loss="non_saturating"):
    known(loss)
    if loss == "saturating":
        return -F.softplus(fake_logits).mean()
    return (F.softplus(-fake_logits) if loss == "non_saturating" else -fake_logits).mean()


class BatchNorm(nn.Module):
    def __init__(self, features, momentum=0.1, eps=1e-5):
        super().__init__()
        self.momentum, self.eps = momentum, eps
        self.weight = nn.Parameter(torch.ones(features))
        self.bias = nn.Parameter(torch.zeros(features))
        for name, fill in (("running_mean", 0.0), ("running_var", 1.0)):
            self.register_buffer(name, torch.full((features,), fill))

    def forward(self, x):
        n = len(x)
        if x.ndim != 2 or x.shape[1] != self.bias.numel() or (self.training and n == 1):
            raise ValueError(f"x: got {tuple(x.shape)}")
        if self.training:
            centred = x - x.mean(0, keepdim=True)
            variance = centred.square().mean(0, keepdim=True)
            self.running_mean += self.momentum * (x.detach().mean(0) - self.running_mean)
            self.running_var += self.momentum * (variance.detach()[0] * n / (n - 1) - self.running_var)
        else:
            centred, variance = x - self.running_mean, self.running_var
        return centred * (variance + self.eps) ** -0.5 * self.weight + self.bias


def block(n, m, norm, activation):
    return [nn.Linear(n, m, bias=not norm), *([BatchNorm(m)] if norm else []), activation]


class Generator(nn.Sequential):
    def __init__(self, latent_dim=16, dim=196, hidden=128, batch_norm=True):
        super().__init__(
            *block(latent_dim, hidden, batch_norm, nn.ELU()),
            *block(hidden, hidden, batch_norm, nn.ELU()),
            nn.Linear(hidden, dim),
            nn.Tanh(),
        )
        self.latent_dim = latent_dim

    def forward(self, z):
        if z.ndim != 2 or z.shape[1] != self.latent_dim:
            raise ValueError(f"z: got {tuple(z.shape)}")
        return super().forward(z)


class Discriminator(nn.Sequential):
    def __init__(self, dim=196, hidden=128):
        super().__init__(
            *block(dim, hidden, False, nn.LeakyReLU(0.3)),
            *block(hidden, hidden, False, nn.LeakyReLU(0.3)),
            nn.Linear(hidden, 1),
            nn.Flatten(0),
        )

    def forward(self, x):
        if x.ndim != 2 or x.shape[1] != self[0].in_features:
            raise ValueError(f"x: got {tuple(x.shape)}")
        return super().forward(x)


def discriminator_step(generator, discriminator, optimizer, real, z, smoothing=0.0, loss="non_saturating", clip=None):
    if clip is not None and clip <= 0:
        raise ValueError(f"clip: got {clip}")
    with torch.no_grad():
        fake = generator(z)
    discriminator.zero_grad()
    value = discriminator_loss(discriminator(real), discriminator(fake), smoothing=smoothing, loss=loss)
    value.backward()
    optimizer.step()
    if clip is not None:
        for p in discriminator.parameters():
            p.detach().clamp_(-clip, clip)
    return np.float64(value.item())


def generator_step(generator, discriminator, optimizer, z, loss="non_saturating"):
    generator.zero_grad()
    value = generator_loss(discriminator(generator(z)), loss=loss)
    value.backward()
    optimizer.step()
    return np.float64(value.item())


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
    if min(steps, n_discriminator, batch_size) < 1:
        raise ValueError(f"steps, n_discriminator, batch_size: got {steps}, {n_discriminator}, {batch_size}")
    optimizers = {m: torch.optim.Adam(m.parameters(), lr=lr, betas=betas) for m in (generator, discriminator)}
    parameter = next(generator.parameters())

    def batches():
        loader = DataLoader(
            TensorDataset(data), batch_size, shuffle=True, drop_last=len(data) >= batch_size, generator=generator_rng
        )
        while True:
            yield from (rows for (rows,) in loader)

    def noise():
        return torch.randn(batch_size, generator.latent_dim, generator=generator_rng).to(parameter)

    found = {"discriminator_loss": np.zeros(steps), "generator_loss": np.zeros(steps)}
    source = batches()
    for step in range(steps):
        for _ in range(n_discriminator):
            found["discriminator_loss"][step] += (
                discriminator_step(
                    generator, discriminator, optimizers[discriminator], next(source), noise(), smoothing, loss, clip
                )
                / n_discriminator
            )
        found["generator_loss"][step] = generator_step(generator, discriminator, optimizers[generator], noise(), loss)
    return {key: values.tolist() for key, values in found.items()}


def sample(generator, n, generator_rng=None):
    modes = [m.training for m in generator.modules()]
    try:
        with torch.inference_mode():
            like = next(generator.parameters())
            z = torch.randn(n, generator.latent_dim, generator=generator_rng, dtype=like.dtype).to(like)
            x = generator.eval()(z)
    finally:
        for m, mode in zip(generator.modules(), modes):
            m.training = mode
    return x.clone()


def diversity(x):
    if len(x) < 2:
        raise ValueError(f"x: got {len(x)} rows")
    rows = x.detach().cpu().numpy()
    distances = np.sqrt(((rows[:, None] - rows[None]) ** 2).sum(-1))
    return torch.tensor(distances[np.triu_indices(len(rows), 1)].mean(), dtype=x.dtype, device=x.device)


def collapse_report(samples, data, classify, n_modes, threshold=0.1):
    if samples.shape[1] != data.shape[1]:
        raise ValueError(f"samples: got {tuple(samples.shape)}")
    if n_modes < 1 or threshold < 0 or threshold > 1:
        raise ValueError(f"n_modes, threshold: got {n_modes}, {threshold}")
    s, r = (np.bincount(np.asarray(classify(x).cpu()), minlength=n_modes) / len(x) for x in (samples, data))
    covered = np.sum((r > 0) & (s > 0) & (s >= threshold * r))
    with np.errstate(divide="ignore"):
        kl = np.sum(s[s > 0] * np.log(s[s > 0] / r[s > 0]))
    ratio = float(diversity(samples.double())) / float(diversity(data.double()))
    return {"covered": covered, "kl": kl, "diversity": ratio, "collapsed": covered < np.sum(r > 0) / 2 or ratio < 0.5}
