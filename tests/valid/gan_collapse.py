"""Random right solutions of gan_collapse: formulas, layers, batches and loops that its contract leaves free."""

from __future__ import annotations

import random

HEAD = '''"""A right solution, drawn at random."""

import copy
import math

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

LOSSES = ("non_saturating", "saturating", "wasserstein")


def need(condition, what):
    if not condition:
        raise ValueError(what)


def one_of(loss, smoothing=0.0):
    need(loss in LOSSES, f"loss: got {loss!r}")
    need(0 <= smoothing <= 1, f"smoothing: got {smoothing}")


def same(*laws):
    for law in laws:
        need(law.shape == laws[0].shape, f"shapes: got {[tuple(x.shape) for x in laws]}")
        need(bool(((law >= 0) & (law <= 1)).all()), f"entries: got {law}")
'''


def source(rng: random.Random) -> str:
    """The text of one of them."""
    parts = [
        HEAD, _game(rng), _losses(rng), _batch_norm(rng), _generator(rng), _discriminator(rng), _steps(rng),
        _training(rng), _sample(rng), _report(rng),
    ]  # fmt: skip
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def _game(rng: random.Random) -> str:
    best = rng.choice((
        "torch.sigmoid(log_p_data - log_p_g)",
        "1 / (1 + torch.exp(log_p_g - log_p_data))",
        "torch.softmax(torch.stack([log_p_data, log_p_g], -1), -1)[..., 0]",
        "torch.exp(log_p_data - torch.logaddexp(log_p_data, log_p_g))",
        "torch.exp(F.logsigmoid(log_p_data - log_p_g))",
        "0.5 * (1 + torch.tanh((log_p_data - log_p_g) / 2))",
    ))  # fmt: skip
    divergence = rng.choice((
        "torch.special.entr(m).sum() - (torch.special.entr(p).sum() + torch.special.entr(q).sum()) / 2",
        "(torch.xlogy(p, p) - torch.xlogy(p, m) + torch.xlogy(q, q) - torch.xlogy(q, m)).sum() / 2",
        "sum((law[law > 0] * (law[law > 0] / m[law > 0]).log()).sum() for law in (p, q)) * 0.5",
        "sum(torch.nan_to_num(law * (law / m).log()).sum() for law in (p, q)) / 2",
    ))  # fmt: skip
    value = rng.choice((
        "(torch.xlogy(p, d) + torch.xlogy(q, 1 - d)).sum()",
        "torch.special.xlogy(p, d).sum() + torch.special.xlog1py(q, -d).sum()",
        "torch.where(p > 0, p * d.log(), 0 * p).sum() + torch.where(q > 0, q * (1 - d).log(), 0 * q).sum()",
    ))  # fmt: skip
    smooth = rng.choice(("(1 - smoothing) * ({0})", "({0}) - smoothing * ({0})"))
    return f"""
def optimal_discriminator(log_p_data, log_p_g, smoothing=0.0):
    need(log_p_data.shape == log_p_g.shape, f"log_p_g: got {{tuple(log_p_g.shape)}}")
    return {smooth.format(best)}


def jensen_shannon(p, q):
    same(p, q)
    m = {rng.choice(("(p + q) / 2", "0.5 * p + 0.5 * q", "torch.stack([p, q]).mean(0)"))}
    return {divergence}


def game_value(d, p, q):
    same(d, p, q)
    return {value}
"""


def _losses(rng: random.Random) -> str:
    log_d = rng.choice((
        "F.logsigmoid(x)", "-F.softplus(-x)", "-torch.logaddexp(torch.zeros_like(x), -x)",
        "x.clamp(max=0) - torch.log1p(torch.exp(-x.abs()))",
        "-F.binary_cross_entropy_with_logits(x, torch.ones_like(x), reduction='none')",
    ))  # fmt: skip
    real = rng.choice((
        "(1 - smoothing) * log_d(real_logits) + smoothing * log_d(-real_logits)",
        "log_d(real_logits) - smoothing * real_logits",
        "torch.lerp(log_d(real_logits), log_d(-real_logits), smoothing)",
    ))  # fmt: skip
    fake = rng.choice(("log_d(-fake_logits)", "log_d(fake_logits) - fake_logits"))
    both = rng.choice((
        "-({0}).mean() - ({1}).mean()",
        "-(({0}).sum() / len(real_logits) + ({1}).sum() / len(fake_logits))",
        "-torch.stack([({0}).mean(), ({1}).mean()]).sum()",
    ))  # fmt: skip
    chosen = rng.choice((
        "-log_d(fake_logits).mean() if loss == 'non_saturating' else log_d(-fake_logits).mean()",
        "{'non_saturating': lambda x: -log_d(x), 'saturating': lambda x: log_d(-x)}[loss](fake_logits).mean()",
    ))  # fmt: skip
    return f"""
def log_d(x):
    return {log_d}


def discriminator_loss(real_logits, fake_logits, smoothing=0.0, loss="non_saturating"):
    one_of(loss, smoothing)
    if loss == "wasserstein":
        return {rng.choice(("fake_logits.mean() - real_logits.mean()", "-(real_logits.mean() - fake_logits.mean())"))}
    return {both.format(real, fake)}


def generator_loss(fake_logits, loss="non_saturating"):
    one_of(loss)
    if loss == "wasserstein":
        return {rng.choice(("-fake_logits.mean()", "(-fake_logits).mean()", "fake_logits.neg().mean()"))}
    return {chosen}
"""


def _batch_norm(rng: random.Random) -> str:
    statistics = rng.choice((
        "mean, variance = x.mean(0), x.var(0, unbiased=False)",
        "variance, mean = torch.var_mean(x, dim=0, correction=0)",
        "mean = x.sum(0) / len(x)\n            variance = ((x - mean) ** 2).sum(0) / len(x)",
    ))  # fmt: skip
    unbiased = rng.choice(
        ("x.detach().var(0)", "variance.detach() * len(x) / (len(x) - 1)", "torch.var(x.detach(), 0)")
    )
    update = rng.choice((
        "self.{0}.mul_(1 - self.momentum).add_(self.momentum * {1})",
        "self.{0} = (1 - self.momentum) * self.{0} + self.momentum * {1}",
        "self.{0} += self.momentum * ({1} - self.{0})",
        "self.{0}.copy_(torch.lerp(self.{0}, {1}, self.momentum))",
    ))  # fmt: skip
    answer = rng.choice((
        "self.weight * (x - mean) / (variance + self.eps).sqrt() + self.bias",
        "torch.addcmul(self.bias, (x - mean) * torch.rsqrt(variance + self.eps), self.weight)",
        "((x - mean) / torch.sqrt(variance + self.eps)).mul(self.weight).add(self.bias)",
    ))  # fmt: skip
    counted = rng.choice(("", '\n        self.register_buffer("num_batches_tracked", torch.tensor(0))'))
    return f"""
class BatchNorm(nn.Module):
    def __init__(self, features, momentum=0.1, eps=1e-5):
        super().__init__()
        self.momentum, self.eps = momentum, eps
        self.weight, self.bias = nn.Parameter(torch.ones(features)), nn.Parameter(torch.zeros(features))
        self.register_buffer("running_mean", torch.zeros(features))
        self.register_buffer("running_var", torch.ones(features)){counted}

    def forward(self, x):
        need(x.ndim == 2 and x.shape[1] == len(self.bias), f"x: got {{tuple(x.shape)}}")
        if self.training:
            need(len(x) > 1, "x: got one row")
            {statistics}
            {update.format("running_mean", "mean.detach()")}
            {update.format("running_var", unbiased)}
        else:
            mean, variance = self.running_mean, self.running_var
        return {answer}
"""


ACTIVATIONS = ("nn.ReLU()", "nn.LeakyReLU(0.2)", "nn.ELU()", "nn.SiLU()", "nn.GELU()", "nn.LeakyReLU(0.1)")


def _start(rng: random.Random) -> str:
    init = rng.choice((
        "", "nn.init.orthogonal_(m.weight)", "nn.init.xavier_uniform_(m.weight)", "nn.init.kaiming_uniform_(m.weight)",
    ))  # fmt: skip
    return f"""
        for m in self.modules():
            if isinstance(m, nn.Linear):
                {init}""" if init else ""  # fmt: skip


def _generator(rng: random.Random) -> str:
    activation, norm = rng.choice(ACTIVATIONS), rng.choice(("BatchNorm", "nn.BatchNorm1d"))
    bias = rng.choice(("", ", bias=not batch_norm"))
    last = rng.choice(("torch.tanh(self.last(h))", "self.last(h).tanh()", "2 * torch.sigmoid(2 * self.last(h)) - 1"))
    if rng.random() < 0.5:
        return f"""
class Generator(nn.Module):
    def __init__(self, latent_dim=16, dim=196, hidden=128, batch_norm=True):
        super().__init__()
        self.latent_dim = latent_dim
        layers = []
        for n in (latent_dim, hidden):
            layers.append(nn.Linear(n, hidden{bias}))
            if batch_norm:
                layers.append({norm}(hidden))
            layers.append({activation})
        self.body, self.last = nn.Sequential(*layers), nn.Linear(hidden, dim){_start(rng)}

    def forward(self, z):
        need(z.ndim == 2 and z.shape[1] == self.latent_dim, f"z: got {{tuple(z.shape)}}")
        h = self.body(z)
        return {last}
"""
    return f"""
class Generator(nn.Module):
    def __init__(self, latent_dim=16, dim=196, hidden=128, batch_norm=True):
        super().__init__()
        self.latent_dim = latent_dim
        self.first, self.second = nn.Linear(latent_dim, hidden{bias}), nn.Linear(hidden, hidden{bias})
        self.last = nn.Linear(hidden, dim)
        self.norms = nn.ModuleList([{norm}(hidden), {norm}(hidden)]) if batch_norm else [nn.Identity()] * 2
        self.activation = {activation}{_start(rng)}

    def forward(self, z):
        need(z.ndim == 2 and z.shape[1] == self.latent_dim, f"z: got {{tuple(z.shape)}}")
        h = self.activation(self.norms[0](self.first(z)))
        h = self.activation(self.norms[1](self.second(h)))
        return {last}
"""


def _discriminator(rng: random.Random) -> str:
    activation = rng.choice(ACTIVATIONS)
    last = rng.choice((
        "self.net(x).squeeze(-1)", "self.net(x)[:, 0]", "self.net(x).view(len(x))", "self.net(x).flatten()",
    ))  # fmt: skip
    return f"""
class Discriminator(nn.Module):
    def __init__(self, dim=196, hidden=128):
        super().__init__()
        self.dim = dim
        self.net = nn.Sequential(
            nn.Linear(dim, hidden), {activation}, nn.Linear(hidden, hidden), {activation}, nn.Linear(hidden, 1)
        ){_start(rng)}

    def forward(self, x):
        need(x.ndim == 2 and x.shape[1] == self.dim, f"x: got {{tuple(x.shape)}}")
        return {last}
"""


def _steps(rng: random.Random) -> str:
    fake = rng.choice((
        "fake = generator(z).detach()",
        "with torch.no_grad():\n        fake = generator(z)",
        "fake = generator(z).detach().clone()",
    ))  # fmt: skip
    logits = rng.choice((
        "real_logits, fake_logits = discriminator(real), discriminator(fake)",
        "fake_logits = discriminator(fake)\n    real_logits = discriminator(real)",
    ))  # fmt: skip
    clear = rng.choice(("optimizer.zero_grad()", "optimizer.zero_grad(set_to_none=False)"))
    clamp = rng.choice(("p.clamp_(-clip, clip)", "p.copy_(p.clamp(-clip, clip))", "p.data = p.data.clip(-clip, clip)"))
    freeze = rng.random() < 0.3
    off = "\n    discriminator.requires_grad_(False)" if freeze else ""
    on = "\n    discriminator.requires_grad_(True)" if freeze else ""
    answer = rng.choice(("value.item()", "float(value)", "value.detach()", "np.float64(value.item())"))
    return f"""
def discriminator_step(generator, discriminator, optimizer, real, z, smoothing=0.0, loss="non_saturating", clip=None):
    need(clip is None or clip > 0, f"clip: got {{clip}}")
    {fake}
    {logits}
    value = discriminator_loss(real_logits, fake_logits, smoothing=smoothing, loss=loss)
    {clear}
    value.backward()
    optimizer.step()
    if clip is not None:
        with torch.no_grad():
            for p in discriminator.parameters():
                {clamp}
    return {answer}


def generator_step(generator, discriminator, optimizer, z, loss="non_saturating"):{off}
    {clear}
    value = generator_loss(discriminator(generator(z)), loss=loss)
    value.backward()
    optimizer.step(){on}
    return {answer}
"""


def _training(rng: random.Random) -> str:
    optimiser = rng.choice(("Adam", "Adam", "AdamW"))
    batch = rng.choice((
        "data[torch.randint(0, len(data), (batch_size,), generator=generator_rng)]",
        "data[torch.randperm(len(data), generator=generator_rng)[:batch_size]]",
        "data[(torch.rand(batch_size, generator=generator_rng) * len(data)).long()]",
        "data[torch.multinomial(torch.ones(len(data)), batch_size, generator=generator_rng)]",
        "data.index_select(0, torch.randint(len(data), [batch_size], generator=generator_rng))",
    ))  # fmt: skip
    kept = rng.choice(("float(values[-1])", "sum(float(v) for v in values) / len(values)", "values[-1]"))
    noise = rng.choice((
        "torch.randn(batch_size, generator.latent_dim, generator=generator_rng, dtype=like.dtype)",
        "torch.randn(batch_size, generator.latent_dim, generator=generator_rng).to(like)",
        "torch.empty(batch_size, generator.latent_dim).to(like).normal_(generator=generator_rng)",
    ))  # fmt: skip
    return f"""
def train_gan(generator, discriminator, data, steps, n_discriminator=1, lr=1e-3, betas=(0.5, 0.999), batch_size=64,
              smoothing=0.0, loss="non_saturating", clip=None, generator_rng=None, progress=False):
    for name, n in (("steps", steps), ("n_discriminator", n_discriminator), ("batch_size", batch_size)):
        need(n >= 1, f"{{name}}: got {{n}}")
    of_d = torch.optim.{optimiser}(discriminator.parameters(), lr=lr, betas=betas)
    of_g = torch.optim.{optimiser}(generator.parameters(), lr=lr, betas=betas)
    like = next(generator.parameters())

    def noise():
        return {noise}

    history = {{"discriminator_loss": [], "generator_loss": []}}
    for _ in range(steps):
        values = []
        for _ in range(n_discriminator):
            real = {batch}
            values.append(
                discriminator_step(generator, discriminator, of_d, real, noise(), smoothing, loss=loss, clip=clip)
            )
        history["discriminator_loss"].append({kept})
        history["generator_loss"].append(generator_step(generator, discriminator, of_g, noise(), loss))
    return history
"""


def _sample(rng: random.Random) -> str:
    answer = rng.choice((
        "with torch.no_grad():\n        x = generator(z)",
        "x = generator(z).detach()",
        "with torch.no_grad():\n        x = torch.cat([generator(part) for part in z.split(400)])",
    ))  # fmt: skip
    keep, restore = rng.choice((
        ("modes = [(m, m.training) for m in generator.modules()]",
         "for m, mode in modes:\n        m.training = mode"),
        ("modes = {m: m.training for m in generator.modules()}",
         "for m in modes:\n        m.training = modes[m]"),
        ("awake = [m for m in generator.modules() if m.training]",
         "for m in awake:\n        m.training = True"),
        ("generator = copy.deepcopy(generator)", "pass"),
    ))  # fmt: skip
    return f"""
def sample(generator, n, generator_rng=None):
    like = next(generator.parameters())
    z = torch.randn(n, generator.latent_dim, generator=generator_rng, dtype=like.dtype, device=like.device)
    {keep}
    generator.eval()
    {answer}
    {restore}
    return x
"""


def _report(rng: random.Random) -> str:
    diversity = rng.choice((
        "F.pdist(x).mean()",
        "torch.cdist(x, x, compute_mode='donot_use_mm_for_euclid_dist').sum() / (len(x) * (len(x) - 1))",
        "torch.stack([(x[i + 1 :] - x[i]).norm(dim=1).sum() for i in range(len(x))]).sum() * 2 / len(x) / (len(x) - 1)",
        "(lambda i, j: (x[i] - x[j]).square().sum(1).sqrt().mean())(*torch.triu_indices(len(x), len(x), 1))",
    ))  # fmt: skip
    shares = rng.choice((
        "torch.bincount(classify(x), minlength=n_modes).double() / len(x)",
        "F.one_hot(classify(x), n_modes).double().mean(0)",
        "torch.stack([(classify(x) == k).double().mean() for k in range(n_modes)])",
    ))  # fmt: skip
    kl = rng.choice((
        "(torch.xlogy(s, s) - torch.xlogy(s, r)).sum()",
        "(s[s > 0] * (s[s > 0] / r[s > 0]).log()).sum()",
        "float(sum(a * math.log(a / b) if b else math.inf for a, b in zip(s.tolist(), r.tolist()) if a))",
    ))  # fmt: skip
    covered = rng.choice((
        "int(((r > 0) & (s > 0) & (s >= threshold * r)).sum())",
        "sum(b > 0 and a > 0 and a >= threshold * b for a, b in zip(s.tolist(), r.tolist()))",
        "((r > 0) * (s > 0) * (s >= threshold * r)).sum()",
    ))  # fmt: skip
    verdict = rng.choice(("bool(covered < m / 2 or ratio < 0.5)", "not (2 * covered >= m and ratio >= 0.5)"))
    return f"""
def diversity(x):
    need(len(x) >= 2, f"x: got {{len(x)}} rows")
    return {diversity}


def collapse_report(samples, data, classify, n_modes, threshold=0.1):
    need(samples.shape[-1] == data.shape[-1], f"samples: got {{tuple(samples.shape)}}")
    need(n_modes >= 1, f"n_modes: got {{n_modes}}")
    need(0 <= threshold <= 1, f"threshold: got {{threshold}}")
    s, r = ({shares} for x in (samples, data))
    covered = {covered}
    m = int((r > 0).sum())
    ratio = float(diversity(samples) / diversity(data))
    return {{"covered": covered, "kl": {kl}, "diversity": ratio, "collapsed": {verdict}, "modes": m}}
"""
