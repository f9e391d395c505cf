"""Random valid Glows: whatever the contract of glow_digits leaves free is drawn."""

from __future__ import annotations

import random

HEAD = """# Drawn: {drawn}
import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

{given}

def per_image(v):
    return {per_image}


def logit_transform(y, alpha=0.05):
    if not 0 <= alpha < 0.5:
        raise ValueError(f"alpha = {{alpha}}")
    if (y < 0).any() or (y > 1).any():
        raise ValueError("y outside [0, 1]")
    p = {p}
    return {logit}, per_image({slope})


def inverse_logit_transform(x, alpha=0.05):
    if not 0 <= alpha < 0.5:
        raise ValueError(f"alpha = {{alpha}}")
    p = {sigmoid}
    return (p - alpha) / (1 - 2 * alpha), per_image({back_slope})


def to_channels(x):
    {squeeze}


def to_pixels(x):
    {unsqueeze}


def refuse(x, channels):
    if x.dim() != 4 or x.shape[1] != channels:
        raise ValueError(f"expected {{channels}} channels, got {{tuple(x.shape)}}")


class ActNorm(nn.Module):
    def __init__(self, channels):
        super().__init__()
        if channels < 1:
            raise ValueError("channels")
        self.c = channels
        self.a = nn.Parameter(torch.full(({shape}), {a}))
        self.b = nn.Parameter(torch.zeros({shape}))
        self.register_buffer("done", {flag})

    def numbers(self):
        return {scale}, self.b.view(1, -1, 1, 1)

    def forward(self, x):
        refuse(x, self.c)
        if self.training and not bool(self.done):
            with torch.no_grad():
                mean, std = x.mean((0, 2, 3)), {std}
                self.a.copy_({set_a}.view_as(self.a))
                self.b.copy_({set_b}.view_as(self.b))
                self.done.fill_(1)
        s, b = self.numbers()
        return {act}, x[0, 0].numel() * s.abs().log().sum() * torch.ones_like(x[:, 0, 0, 0])

    def inverse(self, z):
        refuse(z, self.c)
        s, b = self.numbers()
        return {unact}, -z[0, 0].numel() * s.abs().log().sum() * torch.ones_like(z[:, 0, 0, 0])
"""

CONVS = {
    "matrix": """

class InvertibleConv1x1(nn.Module):
    def __init__(self, channels):
        super().__init__()
        if channels < 1:
            raise ValueError("channels")
        self.c = channels
        self.w = nn.Parameter({start})

    def forward(self, x):
        refuse(x, self.c)
        return {apply}, {log_abs}.mul(x[0, 0].numel()).expand(len(x))

    def inverse(self, x):
        refuse(x, self.c)
        {back}
        return {unapply}, -{log_abs}.mul(x[0, 0].numel()).expand(len(x))
""",
    "factors": """

class InvertibleConv1x1(nn.Module):
    def __init__(self, channels):
        super().__init__()
        if channels < 1:
            raise ValueError("channels")
        self.c = channels
        p, l, u = torch.linalg.lu({start})
        {keep_p}
        self.l, self.u, self.d = nn.Parameter(l.tril(-1)), nn.Parameter(u.triu(1)), nn.Parameter({keep_d})
        self.register_buffer("signs", u.diagonal().sign())

    @property
    def w(self):
        one = torch.eye(self.c, dtype=self.d.dtype)
        return self.p @ (self.l.tril(-1) + one) @ (self.u.triu(1) + torch.diag({diagonal}))

    def forward(self, x):
        refuse(x, self.c)
        return {apply}, {log_d}.mul(x[0, 0].numel()).expand(len(x))

    def inverse(self, x):
        refuse(x, self.c)
        {back}
        return {unapply}, -{log_d}.mul(x[0, 0].numel()).expand(len(x))
""",
}

COUPLING = """

class AffineCoupling(nn.Module):
    def __init__(self, channels, hidden=32):
        super().__init__()
        if channels < 2 or channels % 2:
            raise ValueError("channels")
        self.c, half = channels, channels // 2
        {make}
        {init}

    def split(self, x):
        refuse(x, self.c)
        {split}
        {networks}
        {sigma}
        return kept, moved, sigma, t

    def join(self, kept, moved):
        {join}

    def forward(self, x):
        kept, moved, sigma, t = self.split(x)
        return self.join(kept, {forward}), {sign}per_image(sigma.abs().log())

    def inverse(self, z):
        kept, moved, sigma, t = self.split(z)
        return self.join(kept, {inverse}), -{sign}per_image(sigma.abs().log())
"""

FLOW = """

class Glow(nn.Module):
    def __init__(self, channels=1, size=8, n_scales=2, n_steps=4, hidden=32):
        super().__init__()
        if min(channels, size, n_scales, n_steps) < 1 or size % 2**n_scales:
            raise ValueError("channels, size, n_scales or n_steps")
        self.{c}, self.{s}, self.n_scales = channels, size, n_scales
        self.scales = nn.ModuleList()
        for k in range(n_scales):
            n = channels * 2 ** (k + 2)
            layers = []
            for _ in range(n_steps):
                layers += [ActNorm(n), InvertibleConv1x1(n), AffineCoupling(n, hidden)]
            self.scales.append(nn.ModuleList(layers))

    def forward(self, x):
        if x.dim() != 4 or tuple(x.shape[1:]) != (self.{c}, self.{s}, self.{s}):
            raise ValueError(f"got {{tuple(x.shape)}}")
        zs, log_dets = [], []
        for k, layers in enumerate(self.scales):
            x = to_channels(x)
            for layer in layers:
                x, log_det = layer(x)
                log_dets.append(log_det)
            if k < self.n_scales - 1:
                {leave}
                zs.append(z)
        zs.append(x)
        return {answer}, {total}

    def inverse(self, zs):
        x, log_dets = zs[-1], []
        for k in range(self.n_scales - 1, -1, -1):
            if k < self.n_scales - 1:
                z = zs[k]
                {come_back}
            for layer in {backwards}:
                x, log_det = layer.inverse(x)
                log_dets.append(log_det)
            x = to_pixels(x)
        return x, {total}

    def log_prob(self, x):
        zs, log_det = self(x)
        {prior}

    {no_grad}
    def sample(self, n, temperature=1.0, generator=None):
        if n < 1 or temperature < 0:
            raise ValueError("n or temperature")
        p = next(self.parameters())
        zs = []
        for k in range(1, self.n_scales + 1):
            c = self.{c} * 2**k * (2 if k == self.n_scales else 1)
            shape = (n, c, self.{s} // 2**k, self.{s} // 2**k)
            zs.append({latents})
        return self.inverse(zs)[0].detach()


def bits_per_dimension(model, pixels, noise, levels, alpha=0.05):
    if levels < 2 or pixels.shape != noise.shape:
        raise ValueError("levels, pixels or noise")
    x, log_det = logit_transform((pixels + noise) / levels, alpha)
    d = pixels[0].numel()
    return {bits}


def train_glow(model, pixels, steps, levels, batch_size=64, lr=1e-3, alpha=0.05, generator=None, progress=False):
    if steps < 1 or batch_size < 1:
        raise ValueError("steps or batch_size")
    {train_mode}
    optimizer = {optimizer}
    {schedule}
    history = []
    {batches}
        noise = {noise}
        {step}
        {clip}
        optimizer.step()
        {tick}
        history.append({number})
    {leave_mode}
    return {{"bpd": history}}


def sample_images(model, n, levels, temperature=1.0, alpha=0.05, generator=None):
    if n < 1 or temperature < 0:
        raise ValueError("n or temperature")
    y = inverse_logit_transform(model.sample(n, temperature=temperature, generator=generator), alpha)[0]
    return {quantized}
"""

GIVEN = """
def dequantize(pixels, noise, levels):
    return (pixels + noise) / levels


def quantize(y, levels):
    return (levels * y).floor().clamp(0, levels - 1).long()

"""
SIGMA = {
    "exp of 2 tanh": "sigma = (2 * (s / 2).tanh()).exp()",
    "exp of tanh": "sigma = s.tanh().exp()",
    "exp of a clamp": "sigma = s.clamp(-3, 3).exp()",
    "sigmoid + 2": "sigma = torch.sigmoid(s + 2)",
    "sigmoid": "sigma = torch.sigmoid(s)",
    "two sigmoids": "sigma = 0.1 + 1.8 * s.sigmoid()",
    "softplus": "sigma = F.softplus(s + 0.55) + 1e-2",
    "arctangent": "sigma = torch.atan(s).exp()",
    "negative": "sigma = -s.tanh().exp()",
    "ELU": "sigma = 1.05 + F.elu(s)",
}
SPLITS = {
    "first passes": ("kept, moved = x.chunk(2, 1)", "return torch.cat([kept, moved], 1)"),
    "second passes": ("moved, kept = x.split(self.c // 2, 1)", "return torch.cat([moved, kept], 1)"),
    "even pass": ("kept, moved = x[:, ::2], x[:, 1::2]", "return torch.stack([kept, moved], 2).flatten(1, 2)"),
    "odd pass": ("kept, moved = x[:, 1::2], x[:, ::2]", "return torch.stack([moved, kept], 2).flatten(1, 2)"),
}
ACTIVATIONS = ["nn.ReLU()", "nn.LeakyReLU(0.1)", "nn.SiLU()", "nn.GELU()", "nn.Tanh()", "nn.ELU()", "nn.Mish()"]


def source(rng: random.Random) -> str:
    """The text of a valid solution."""
    scale, halves = rng.choice(list(SIGMA)), rng.choice(list(SPLITS))
    act, middle, norm = (
        rng.choice(ACTIVATIONS),
        rng.choice([1, 1, 3]),
        rng.choice(["", "", "nn.GroupNorm(4, hidden), "]),
    )
    conv, law = rng.choice(list(CONVS)), rng.choice(["log", "log", "raw", "inverse"])
    squeeze = rng.choice(["unshuffle", "slices", "view"])
    drawn = ", ".join([scale, halves, act, f"{middle}×{middle}", norm or "no norm", conv, law, squeeze])
    text = HEAD.format(
        drawn=drawn, given=rng.choice(["", GIVEN]), **logit(rng), **SQUEEZES[squeeze], **actnorm(rng, law)
    )
    text += convolution(rng, conv) + coupling(rng, scale, halves, act, middle, norm)
    text += FLOW.format(
        c=rng.choice(["channels", "c", "n_in"]),
        s=rng.choice(["size", "side", "s"]),
        answer=rng.choice(["zs", "tuple(zs)", "[*zs]"]),
        total=rng.choice(["sum(log_dets)", "torch.stack(log_dets).sum(0)", "torch.stack(log_dets, 1).sum(1)"]),
        **dict(zip(("leave", "come_back"), rng.choice(
            [
                ("z, x = x.chunk(2, 1)", "x = torch.cat([z, x], 1)"),
                ("x, z = x.chunk(2, 1)", "x = torch.cat([x, z], 1)"),
                ("z, x = x[:, 1::2], x[:, ::2]", "x = torch.stack([x, z], 2).flatten(1, 2)"),
            ]
        ), strict=True)),
        backwards=rng.choice(["reversed(self.scales[k])", "list(self.scales[k])[::-1]"]),
        prior=rng.choice(
            [
                "return log_det + sum(per_image(-0.5 * z**2 - 0.5 * math.log(2 * math.pi)) for z in zs)",
                "return log_det + sum(per_image(torch.distributions.Normal(0.0, 1.0).log_prob(z)) for z in zs)",
                "z = torch.cat([z.flatten(1) for z in zs], 1)\n"
                '        return log_det - torch.einsum("bi,bi->b", z, z) / 2 - z.shape[1] * np.log(2 * np.pi) / 2',
            ]
        ),
        no_grad=rng.choice(["@torch.no_grad()", "@torch.inference_mode()", "# its gradient is cut at the end"]),
        latents=rng.choice(
            [
                "temperature * torch.randn(shape, generator=generator, dtype=p.dtype, device=p.device)",
                "p.new_empty(shape).normal_(generator=generator) * temperature",
                "torch.randn(shape, generator=generator).to(p).mul(temperature)",
            ]
        ),
        bits=rng.choice(
            [
                "-(model.log_prob(x) + log_det - d * math.log(levels)) / (d * math.log(2))",
                "math.log2(levels) - (model.log_prob(x) + log_det) / (d * math.log(2))",
                "(np.log(levels) - (model.log_prob(x) + log_det) / d) / np.log(2)",
            ]
        ),
        quantized=rng.choice(
            [
                "(levels * y).floor().clamp(0, levels - 1).long()",
                "torch.clamp(torch.floor(y * levels).to(torch.int64), 0, levels - 1)",
            ]
        ),
        **training(rng),
    )  # fmt: skip
    return text


def logit(rng: random.Random) -> dict[str, str]:
    """The forms of the way there and back."""
    return {
        "per_image": rng.choice(["v.flatten(1).sum(1)", "v.sum(dim=tuple(range(1, v.dim())))", "v.reshape(len(v), -1).sum(-1)"]),
        "p": rng.choice(["alpha + (1 - 2 * alpha) * y", "alpha * (1 - y) + (1 - alpha) * y"]),
        "logit": rng.choice(["torch.logit(p)", "p.log() - (1 - p).log()", "torch.log(p / (1 - p))"]),
        "slope": rng.choice(["math.log(1 - 2 * alpha) - p.log() - torch.log1p(-p)", "((1 - 2 * alpha) / (p * (1 - p))).log()"]),
        "sigmoid": rng.choice(["torch.sigmoid(x)", "1 / (1 + (-x).exp())"]),
        "back_slope": rng.choice(
            ["F.logsigmoid(x) + F.logsigmoid(-x) - math.log(1 - 2 * alpha)", "(p * (1 - p) / (1 - 2 * alpha)).log()"]
        ),
    }  # fmt: skip


SQUEEZES = {
    "unshuffle": {"squeeze": "return F.pixel_unshuffle(x, 2)", "unsqueeze": "return F.pixel_shuffle(x, 2)"},
    "slices": {
        "squeeze": "return torch.cat([x[:, :, i::2, j::2] for i in (0, 1) for j in (0, 1)], 1)",
        "unsqueeze": "a, b, c, d = x.chunk(4, 1)\n"
        "    rows = [torch.stack(p, -1).flatten(-2) for p in ((a, b), (c, d))]\n    return torch.stack(rows, 3).flatten(2, 3)",
    },
    "view": {
        "squeeze": "b, c, h, w = x.shape\n"
        "    return x.view(b, c, h // 2, 2, w // 2, 2).permute(0, 3, 5, 1, 2, 4).reshape(b, 4 * c, h // 2, w // 2)",
        "unsqueeze": "b, c, h, w = x.shape\n"
        "    return x.reshape(b, 2, 2, c // 4, h, w).permute(0, 3, 4, 1, 5, 2).reshape(b, c // 4, 2 * h, 2 * w)",
    },
}


def actnorm(rng: random.Random, law: str) -> dict[str, str]:
    """The forms of ActNorm: what the parameter `a` means, and where the shift stands."""
    before = rng.choice([True, False])
    a, scale, set_a = {
        "log": ("0.0", "self.a.exp().view(1, -1, 1, 1)", "-std.log()"),
        "raw": ("1.0", "self.a.view(1, -1, 1, 1)", "(1 / std)"),
        "inverse": ("1.0", "(1 / self.a).view(1, -1, 1, 1)", "std"),
    }[law]
    return {
        "shape": rng.choice(["channels,", "1, channels, 1, 1", "channels, 1, 1"]),
        "a": a,
        "scale": scale,
        "set_a": set_a,
        "set_b": "(-mean)" if before else "(-mean / std)",
        "act": "s * (x + b)" if before else "s * x + b",
        "unact": "z / s - b" if before else "(z - b) / s",
        "std": rng.choice(
            ["x.std((0, 2, 3)) + 1e-6", "(x.var((0, 2, 3), unbiased=False) + 1e-9).sqrt()", "x.std((0, 2, 3), correction=0) + 1e-7"]
        ),
        "flag": rng.choice(["torch.tensor(False)", "torch.zeros(1)", "torch.tensor(0, dtype=torch.uint8)"]),
    }  # fmt: skip


def convolution(rng: random.Random, form: str) -> str:
    """The 1×1 convolution."""
    back, unapply = rng.choice(
        [
            ("w = torch.linalg.inv(self.w)", "F.conv2d(x, w[:, :, None, None])"),
            ("b, c, h, w = x.shape", "torch.linalg.solve(self.w, x.reshape(b, c, h * w)).reshape(b, c, h, w)"),
            ("w = torch.inverse(self.w)", '(torch.einsum("ij,bjhw->bihw", w, x))'),
        ]
    )
    kept = rng.choice([("u.diagonal().abs().log()", "self.signs * self.d.exp()", "self.d.sum()"),
                       ("u.diagonal().clone()", "self.d", "self.d.abs().log().sum()")])  # fmt: skip
    return CONVS[form].format(
        start=rng.choice(
            [
                "torch.linalg.qr(torch.randn(channels, channels)).Q",
                "nn.init.orthogonal_(torch.empty(channels, channels))",
                "torch.linalg.svd(torch.randn(channels, channels))[0]",
            ]
        ),
        apply=rng.choice(["F.conv2d(x, self.w[:, :, None, None])", 'torch.einsum("ij,bjhw->bihw", self.w, x)']),
        back=back,
        unapply=unapply,
        log_abs=rng.choice(["torch.linalg.slogdet(self.w)[1]", "torch.linalg.det(self.w).abs().log()"]),
        keep_p=rng.choice(['self.register_buffer("p", p)', "self.p = nn.Parameter(p, requires_grad=False)"]),
        keep_d=kept[0],
        diagonal=kept[1],
        log_d=kept[2],
    )


def coupling(rng: random.Random, scale: str, halves: str, act: str, middle: int, norm: str) -> str:
    """The coupling."""
    body = f"nn.Conv2d({{n}}, hidden, 3, padding=1), {norm}{act}, nn.Conv2d(hidden, hidden, {middle}, padding={middle // 2}), {act}"
    net = f"nn.Sequential({body}, nn.Conv2d(hidden, {{m}}, 3, padding=1))"
    one = net.format(n="half", m="half")
    make, networks, lasts = rng.choice(
        [
            (f"self.net = {net.format(n='half', m='channels')}", "s, t = self.net(kept).chunk(2, 1)", ["self.net[-1]"]),
            (f"self.net = {net.format(n='half', m='channels')}", "h = self.net(kept); s, t = h[:, ::2], h[:, 1::2]", ["self.net[-1]"]),
            (f"self.f, self.g = {one}, {one}", "s, t = self.f(kept), self.g(kept)", ["self.f[-1]", "self.g[-1]"]),
        ]
    )  # fmt: skip
    init = rng.choice(
        ["pass", "nn.init.zeros_({0}.weight); nn.init.zeros_({0}.bias)", "nn.init.normal_({0}.weight, std=0.02)"]
    )
    forward, inverse, sign = rng.choice(
        [
            ("moved * sigma + t", "(moved - t) / sigma", ""),
            ("(moved + t) * sigma", "moved / sigma - t", ""),
            ("(moved - t) / sigma", "moved * sigma + t", "-"),
        ]
    )
    return COUPLING.format(
        make=make, networks=networks, init="; ".join(init.format(name) for name in lasts), sigma=SIGMA[scale],
        split=SPLITS[halves][0], join=SPLITS[halves][1], forward=forward, inverse=inverse, sign=sign,
    )  # fmt: skip


def training(rng: random.Random) -> dict[str, str]:
    """How batches and noise are drawn, and what is done around a step."""
    schedule, tick = rng.choice(
        [
            ("pass", "pass"),
            ("pass", "pass"),
            (
                "scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps, eta_min=lr / 20)",
                "scheduler.step()",
            ),
            (
                "scheduler = torch.optim.lr_scheduler.LinearLR(optimizer, 0.2, total_iters=max(steps // 10, 1))",
                "scheduler.step()",
            ),
        ]
    )
    batches = rng.choice(
        [
            "for _ in range(steps):\n        batch = pixels[torch.randint(len(pixels), (batch_size,), generator=generator)]",
            "for _ in range(steps):\n        batch = pixels[torch.randperm(len(pixels), generator=generator)[:batch_size]]",
            "rows = torch.randint(len(pixels), (steps, batch_size), generator=generator)\n    for k in rows:\n        batch = pixels[k]",
            "loader = torch.utils.data.DataLoader(pixels, batch_size, shuffle=True, generator=generator)\n"
            "    batches = iter(loader)\n    for _ in range(steps):\n        batch = next(batches, None)\n"
            "        if batch is None:\n            batches = iter(loader)\n            batch = next(batches)",
        ]
    )
    step = rng.choice(
        [
            "loss = bits_per_dimension(model, batch, noise, levels, alpha).mean()\n        optimizer.zero_grad()\n        loss.backward()",
            "optimizer.zero_grad(set_to_none=True)\n        loss = bits_per_dimension(model, batch, noise, levels, alpha=alpha).mean()\n"
            "        loss.backward()",
            "model.zero_grad()\n        x, log_det = logit_transform((batch + noise) / levels, alpha)\n"
            "        nats = (model.log_prob(x) + log_det).mean() / batch[0].numel() - math.log(levels)\n"
            "        loss = -nats / math.log(2)\n        loss.backward()",
        ]
    )
    train_mode, leave_mode = rng.choice(
        [("model.train()", "model.eval()"), ("model.train()", "pass"), ("pass", "pass")]
    )
    return {
        "schedule": schedule,
        "tick": tick,
        "batches": batches,
        "step": step,
        "noise": rng.choice(
            ["torch.rand(batch.shape, generator=generator)", "torch.empty(batch.shape).uniform_(generator=generator)"]
        ),
        "clip": rng.choice(["pass", "pass", "nn.utils.clip_grad_norm_(model.parameters(), 20.0)"]),
        "number": rng.choice(["loss.item()", "float(loss)", "loss.detach()", "np.float64(loss.item())"]),
        "optimizer": rng.choice(
            [
                "torch.optim.Adam(model.parameters(), lr=lr)",
                "torch.optim.AdamW(model.parameters(), lr=lr)",
                "torch.optim.Adam(model.parameters(), lr, betas=(0.9, 0.98))",
            ]
        ),
        "train_mode": train_mode,
        "leave_mode": leave_mode,
    }
