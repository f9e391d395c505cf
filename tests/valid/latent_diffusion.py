"""Random valid solutions of latent_diffusion: layouts, formulas, draws and optimisers that its contract leaves free."""

from __future__ import annotations

import random

FORMS = {
    "components": (
        "torch.linalg.svd(x - mean, full_matrices=False).Vh[:d]",
        "torch.linalg.svd(x - mean)[2][:d]",
        "torch.linalg.eigh((x - mean).T @ (x - mean)).eigenvectors.flip(1)[:, :d].T",
        "torch.linalg.qr(torch.linalg.svd(x - mean)[2].T)[0].T[:d]",
    ),
    "scale": (
        "codes.square().mean().rsqrt()",
        "float(codes.pow(2).mean()) ** -0.5",
        "codes.numel() ** 0.5 / codes.norm()",
        "1 / ((codes**2).sum() / (len(x) * d)).sqrt()",
    ),
    "encode": ("(x - m) @ C.T * s", "s * torch.einsum('bi,ji->bj', x - m, C)", "F.linear(x - m, C) * s"),
    "decode": ("m + z @ C / s", "torch.einsum('bj,ji->bi', z / s, C) + m", "(z / s) @ C + m"),
    "words": (
        "''.join(a if a.isalpha() else ' ' for a in prompt.lower()).split()",
        "[''.join(run) for is_word, run in itertools.groupby(prompt.lower(), key=str.isalpha) if is_word]",
        "[w for w in re.sub(r'.', lambda m: m[0] if m[0].isalpha() else '|', prompt.lower(), flags=re.S).split('|') if w]",
    ),
    "start": (
        "torch.randn(V, dim)", "0.3 * torch.randn(V, dim)", "torch.rand(V, dim) - 0.5", "torch.zeros(V, dim)",
        "torch.eye(V, dim)",
    ),
    "mean": (
        "self.table[k].mean(0) if k else torch.zeros_like(self.table[0])",
        "sum((self.table[i] for i in k), torch.zeros_like(self.table[0])) / max(len(k), 1)",
        "self.table[k].sum(0) / (len(k) or 1) if k else 0 * self.table[0]",
    ),
    "bars": ("alpha_bars.to(z)[t][:, None]", "alpha_bars.to(z.dtype).gather(0, t).unsqueeze(-1)", "alpha_bars[t].to(z).view(-1, 1)"),
    "given": (
        "torch.where(drop[:, None], torch.zeros_like(c), c)",
        "c * (~drop).to(c)[:, None]",
        "c.masked_fill(drop[:, None], 0)",
        "torch.stack([torch.zeros_like(row) if gone else row for row, gone in zip(c, drop.tolist())])",
    ),
    "error": ("F.mse_loss(e, noise)", "(e - noise).square().mean()", "((noise - e) ** 2).sum() / noise.numel()"),
    "guided": (
        "e0 + guidance_scale * (e1 - e0)",
        "(1 - guidance_scale) * e0 + guidance_scale * e1",
        "guidance_scale * e1 - (guidance_scale - 1) * e0",
        "torch.lerp(e0, e1, guidance_scale)",
    ),
    "log_p": (
        "torch.log_softmax(classifier(z, t), 1).gather(1, labels[:, None]).sum()",
        "-F.cross_entropy(classifier(z, t), labels, reduction='sum')",
        "(lambda u: (u[torch.arange(len(u)), labels] - u.logsumexp(1)).sum())(classifier(z, t))",
    ),
    "clean": ("(z - b * e) / a", "z / a - b / a * e", "(1 / a) * (z - b * e)"),
    "pasted": (
        "torch.where(mask.bool(), known, x)",
        "mask.to(x) * known + (1 - mask.to(x)) * x",
        "x.masked_scatter(mask.bool().expand_as(x), known[:, mask.bool()])",
    ),
    "times": (
        "torch.full((len(z),), t)", "torch.tensor([t] * len(z))", "t * torch.ones(len(z), dtype=torch.int64)",
        "z.new_full((len(z),), t, dtype=torch.long)",
    ),
    "rows": (
        "torch.randint(len(z), (batch_size,), generator=generator)",
        "torch.randperm(len(z), generator=generator)[:batch_size]",
        "(torch.rand(batch_size, generator=generator) * len(z)).long()",
        "torch.multinomial(torch.ones(len(z)), batch_size, generator=generator)",
    ),
    "drop": (
        "torch.rand(batch_size, generator=generator) < drop_probability",
        "torch.bernoulli(torch.full((batch_size,), float(drop_probability)), generator=generator) > 0",
        "torch.rand(batch_size, generator=generator).ge(1 - drop_probability)",
    ),
    "told": (
        "diffusion_loss(model, alpha_bars, z[i], text_encoder([prompts[j] for j in i]), t, noise, drop)",
        "diffusion_loss(model, alpha_bars, z[i], text_encoder(['' if g else prompts[j] for j, g in zip(i, drop)]), t, "
        "noise, torch.zeros_like(drop))",
    ),
    "optimiser": (
        "torch.optim.Adam(weights, lr=lr)", "torch.optim.AdamW(weights, lr)", "torch.optim.Adam(weights, lr, (0.9, 0.99))",
    ),
    "clip": ("pass", "torch.nn.utils.clip_grad_norm_(weights, 2.0)"),
    "kept": ("loss.item()", "float(loss.detach())", "loss.detach()"),
    "no_grad": ("torch.no_grad()", "torch.inference_mode()"),
    "noise": ("torch.randn(shape, generator=generator, dtype=C.dtype)", "torch.empty(shape, dtype=C.dtype).normal_(generator=generator)"),
    "limits": ("clamp(0, 1)", "clip(0.0, 1.0)", "maximum(m.new_zeros(())).minimum(m.new_ones(()))"),
}  # fmt: skip
NETWORKS = {
    "one long row": '''        sizes = [latent_dim + condition_dim + hidden, {width}, {width}, latent_dim]
        layers = [m for a, b in zip(sizes, sizes[1:]) for m in (nn.Linear(a, b), {activation})][:-1]
        self.net = nn.Sequential(*layers)

    def forward(self, z_t, t, c):
        return self.net(torch.cat([z_t, self.clock(t), c], 1))
''',
    "residual": '''        self.enter, self.leave = nn.Linear(latent_dim, {width}), nn.Linear({width}, latent_dim)
        self.told = nn.Linear(hidden + condition_dim, {width})
        self.layers = nn.ModuleList(nn.Sequential(nn.Linear({width}, {width}), {activation}, nn.Linear({width}, {width}))
                                    for _ in range({depth}))

    def forward(self, z_t, t, c):
        e = self.told(torch.cat([self.clock(t), c], 1))
        h = self.enter(z_t)
        for layer in self.layers:
            h = h + layer({activation}(h + e))
        return self.leave(h)
''',
    "modulated": '''        self.first, self.second = nn.Linear(latent_dim, {width}), nn.Linear({width}, {width})
        self.third = nn.Linear({width}, latent_dim)
        self.told = nn.Linear(hidden + condition_dim, 2 * {width})

    def forward(self, z_t, t, c):
        scale, shift = self.told(torch.cat([self.clock(t), c], 1)).chunk(2, 1)
        h = {activation}(self.first(z_t) * (1 + scale) + shift)
        return self.third({activation}(self.second(h) * (1 + scale)))
''',
}  # fmt: skip
TEXT = '''"""A random valid solution."""
import itertools
import re

import torch
import torch.nn.functional as F
from torch import nn


def need(right):
    if not right:
        raise ValueError("bad argument")


def fit_latent_space(x, d):
    need(1 <= d <= min(x.shape))
    mean = x.mean(0)
    components = {components}
    codes = (x - mean) @ components.T
    return mean, components, {scale}


def encode(x, space):
    m, C, s = space
    need(x.shape[-1] == len(m))
    return {encode}


def decode(z, space):
    m, C, s = space
    need(z.shape[-1] == len(C))
    return {decode}


def tokenize(prompt, vocabulary):
    place = {{w: i for i, w in enumerate(vocabulary)}}
    return [place[w] for w in {words} if w in place]


class TextEncoder(nn.Module):
    def __init__(self, vocabulary, dim=16):
        super().__init__()
        self.vocabulary, V = list(vocabulary), len(vocabulary)
        self.table = nn.Parameter({start})

    def forward(self, prompts):
        known = {{p: tokenize(p, self.vocabulary) for p in dict.fromkeys(prompts)}}
        rows = {{p: {mean} for p, k in known.items()}}
        return torch.stack([rows[p] for p in prompts])


class Clock(nn.Module):
    def __init__(self, T, hidden):
        super().__init__()
        self.T = T
        self.table = nn.Embedding(T, hidden) if {learnt} else None
        self.layer = None if {learnt} else nn.Linear(16, hidden)

    def forward(self, t):
        if self.table is not None:
            return self.table(t)
        angles = t[:, None].to(self.layer.weight) / self.T * 2 ** torch.arange(8).to(self.layer.weight)
        return F.silu(self.layer(torch.cat([angles.sin(), angles.cos()], 1)))


class Denoiser(nn.Module):
    def __init__(self, latent_dim, condition_dim, T, hidden=128):
        super().__init__()
        self.clock = Clock(T, hidden)
{network}

def diffusion_loss(model, alpha_bars, z0, c, t, noise, drop):
    need(noise.shape == z0.shape and len(c) == len(t) == len(drop) == len(z0))
    need(bool(((t >= 0) & (t < len(alpha_bars))).all()))
    z = z0
    bars = {bars}
    given = {given}
    e = model(bars.sqrt() * z0 + (1 - bars).sqrt() * noise, t, given)
    return {error}


def guided_noise(model, z_t, t, c, guidance_scale, negative=None):
    need(len(c) == len(z_t) and (negative is None or negative.shape == c.shape))
    null = torch.zeros_like(c) if negative is None else negative
    {two_calls}
    return {guided}


def classifier_guided_noise(noise, z_t, t, labels, classifier, alpha_bars, weight=1.0):
    need(noise.shape == z_t.shape and len(t) == len(labels) == len(z_t))
    z = z_t.detach().clone().requires_grad_()
    with torch.enable_grad():
        slope = torch.autograd.grad({log_p}, z)[0]
    z = z_t
    return noise - weight * (1 - {bars}).sqrt() * slope


def walk(times, alpha_bars, like):
    times = list(times)
    need(times and 0 <= times[-1] <= times[0] < len(alpha_bars) and all(a > b for a, b in zip(times, times[1:])))
    bars = torch.cat([alpha_bars.to(like)[times], torch.ones(1).to(like)])
    a, b = bars.sqrt(), (1 - bars).sqrt()
    return [(t, a[k], b[k], a[k + 1], b[k + 1]) for k, t in enumerate(times)]


def ddim_sample(noise_fn, alpha_bars, z_T, times):
    z = z_T
    for t, a, b, a_next, b_next in walk(times, alpha_bars, z_T):
        e = noise_fn(z, {times})
        z = a_next * ({clean}) + b_next * e
    return z


def inpaint(noise_fn, alpha_bars, noise, times, known, mask, space):
    steps = walk(times, alpha_bars, noise)
    need(tuple(noise.shape) == (len(steps), len(known), len(space[1])))
    need(known.shape[1] == len(space[0]) and mask.shape == space[0].shape)
    z = noise[0]
    for k, (t, a, b, a_next, b_next) in enumerate(steps):
        e = noise_fn(z, {times})
        x = decode({clean}, space)
        x = {pasted}
        if k + 1 < len(steps):
            z = a_next * encode(x, space) + b_next * noise[k + 1]
    return x


def train_text_to_image(
    model, text_encoder, alpha_bars, z, prompts, steps, batch_size=128, lr=1e-3, drop_probability=0.1, generator=None,
    progress=False,
):
    need(len(prompts) == len(z) and 0 <= drop_probability <= 1)
    weights = [*model.parameters(), *text_encoder.parameters()]
    optimiser, history = {optimiser}, []
    for _ in range(steps):
        i = {rows}
        t = torch.randint(len(alpha_bars), (batch_size,), generator=generator)
        noise = torch.randn(batch_size, z.shape[1], generator=generator, dtype=z.dtype)
        drop = {drop}
        loss = {told}
        optimiser.zero_grad()
        loss.backward()
        {clip}
        optimiser.step()
        history.append({kept})
    return {{"loss": history}}


def text_to_image(
    model, text_encoder, space, alpha_bars, prompts, times, guidance_scale=3.0, z_T=None, generator=None
):
    m, C, _s = space
    shape = (len(prompts), len(C))
    if z_T is None:
        z_T = {noise}
    need(tuple(z_T.shape) == shape)
    with {no_grad}:
        c = text_encoder(prompts)
        z = ddim_sample(lambda z, t: guided_noise(model, z, t, c, guidance_scale), alpha_bars, z_T, times)
        x = decode(z, space).{limits}
    return x.clone()
'''
CALLS = (
    "e0, e1 = model(z_t, t, null), model(z_t, t, c)",
    "e0, e1 = model(torch.cat([z_t, z_t]), torch.cat([t, t]), torch.cat([null, c])).chunk(2)",
    "e1, e0 = model(z_t.repeat(2, 1), t.repeat(2), torch.cat([c, null])).reshape(2, *z_t.shape)",
)


def source(rng: random.Random) -> str:
    """The text of a solution: every form drawn by itself."""
    drawn = {name: rng.choice(forms) for name, forms in FORMS.items()}
    network = rng.choice(list(NETWORKS.values())).format(
        width=rng.choice(("hidden", "2 * hidden")),
        depth=rng.choice((2, 3)),
        activation=rng.choice(("nn.SiLU()", "nn.GELU()")),
    )
    learnt = rng.choice(("True", "False"))
    return TEXT.format(**drawn, network=network, learnt=learnt, two_calls=rng.choice(CALLS))
