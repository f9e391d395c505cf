"""Random valid flows: whatever the contract of realnvp_toy leaves free is drawn."""

from __future__ import annotations

import random

HEAD = '''# Drawn: {drawn}
import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn


def network(n_in, n_out, hidden):
    sizes = [n_in, *[hidden] * {depth}]
    layers = []
    for a, b in zip(sizes, sizes[1:]):
        layers += [nn.Linear(a, b){norm}, {activation}]
    layers.append(nn.Linear(sizes[-1], n_out))
    for layer in layers:
        if isinstance(layer, nn.Linear):
            {init}
    {last}
    return nn.Sequential(*layers)
'''

COUPLING = '''

class AffineCoupling(nn.Module):
    def __init__(self, dim, mask, hidden=64):
        super().__init__()
        if tuple(mask.shape) != (dim,):
            raise ValueError(f"mask has the shape {{tuple(mask.shape)}}, dim is {{dim}}")
        self.dim = dim
        self.register_buffer("kept", {kept})
        {make}

    def parts(self, x):
        if x.dim() != 2 or x.shape[1] != self.dim:
            raise ValueError(f"expected (B, {{self.dim}}), got {{tuple(x.shape)}}")
        inside = {inside}
        {networks}
        {sigma}
        one = torch.ones_like(x)
        return torch.where(self.kept, one, sigma), torch.where(self.kept, one, log_sigma.exp()).log(), (~self.kept) * t

    def forward(self, x):
        sigma, log_sigma, t = self.parts(x)
        return {forward}

    def inverse(self, z):
        sigma, log_sigma, t = self.parts(z)
        return {inverse}
'''

NORMAL = '''

class Normalise(nn.Module):
    """Batch normalisation as a layer of the flow: running statistics in evaluation mode."""

    def __init__(self, dim):
        super().__init__()
        self.register_buffer("mean", torch.zeros(dim))
        self.register_buffer("var", torch.ones(dim))
        self.log_gain, self.bias = nn.Parameter(torch.zeros(dim)), nn.Parameter(torch.zeros(dim))

    def forward(self, x):
        mean, var = self.mean, self.var
        if self.training and len(x) > 1:
            mean, var = x.mean(0), x.var(0, unbiased=False)
            with torch.no_grad():
                self.mean.lerp_(mean, 0.1)
                self.var.lerp_(var, 0.1)
        root = (var + 1e-5).sqrt()
        log_det = (self.log_gain - root.log()).sum()
        return (x - mean) / root * self.log_gain.exp() + self.bias, log_det.expand(len(x))

    def inverse(self, z):
        root = (self.var + 1e-5).sqrt()
        x = (z - self.bias) * (-self.log_gain).exp() * root + self.mean
        return x, (root.log() - self.log_gain).sum().expand(len(z))
'''

FLOW = '''

class RealNVP(nn.Module):
    def __init__(self, dim=2, n_layers=6, hidden=64):
        super().__init__()
        self.{dim} = dim
        first = {first}
        layers = []
        for k in range(n_layers):
            layers.append(AffineCoupling(dim, {masks}, hidden))
            {between}
        self.layers = nn.ModuleList(layers)

    def forward(self, x):
        if x.shape[-1] != self.{dim}:
            raise ValueError(f"expected {{self.{dim}}} columns, got {{tuple(x.shape)}}")
        {total}
        for layer in self.layers:
            x, log_det = layer(x)
            {add}
        return x, {result}

    def inverse(self, z):
        if z.shape[-1] != self.{dim}:
            raise ValueError(f"expected {{self.{dim}}} columns, got {{tuple(z.shape)}}")
        {total_z}
        for layer in {backwards}:
            z, log_det = layer.inverse(z)
            {add}
        return z, {result}

    def log_prob(self, x):
        z, log_det = self(x)
        {prior}
        return log_prior + log_det

    {no_grad}
    def sample(self, n, generator=None):
        if n < 1:
            raise ValueError(f"n must be at least 1, got {{n}}")
        p = next(self.parameters())
        {latents}
        return self.inverse(z)[0].detach()


def nll(model, x):
    return {nll}


def train_flow(model, x, steps, batch_size=256, lr=1e-3, generator=None, progress=False):
    if steps < 1 or batch_size < 1:
        raise ValueError(f"steps and batch_size must be at least 1, got {{steps}} and {{batch_size}}")
    if x.dim() != 2 or x.shape[1] != model.{dim}:
        raise ValueError(f"x has the shape {{tuple(x.shape)}}")
    model.train()
    optimizer = {optimizer}
    {schedule}
    history = []
    {batches}
        {step}
        {clip}
        optimizer.step()
        {tick}
        history.append({number})
    model.eval()
    return {{"nll": history}}


def density_grid(model, low, high, n):
    if n < 1:
        raise ValueError(f"n must be at least 1, got {{n}}")
    p = next(model.parameters())
    side = {side}
    points = {points}
    with torch.no_grad():
        return points, {density}
'''

SIGMA = {
    "exp of tanh": "sigma = s.tanh().exp(); log_sigma = s.tanh()",
    "exp of 2 tanh": "sigma = (2 * (s / 2).tanh()).exp(); log_sigma = 2 * (s / 2).tanh()",
    "exp of a clamp": "log_sigma = s.clamp(-3, 3); sigma = log_sigma.exp()",
    "exp": "log_sigma = s / 2; sigma = torch.exp(log_sigma)",
    "softplus": "sigma = F.softplus(s + 0.55) + 1e-3; log_sigma = sigma.log()",
    "sigmoid": "sigma = torch.sigmoid(s + 2) + 0.1; log_sigma = sigma.log()",
    "two sigmoids": "sigma = 0.05 + 2 * s.sigmoid(); log_sigma = sigma.log()",
    "one plus ELU": "sigma = 1.01 + F.elu(s); log_sigma = sigma.log()",
    "one plus s": "sigma = 1 + s; log_sigma = sigma.abs().log()",
    "learned bound": "log_sigma = self.bound.exp() * s.tanh(); sigma = log_sigma.exp()",
    "arctangent": "log_sigma = torch.atan(s); sigma = log_sigma.exp()",
}
ACTIVATIONS = ["nn.ReLU()", "nn.LeakyReLU(0.1)", "nn.SiLU()", "nn.GELU()", "nn.Tanh()", "nn.ELU()", "nn.Softplus()"]
ACTIVATIONS += ["nn.Mish()", "nn.CELU()", "nn.Hardswish()"]


def source(rng: random.Random) -> str:
    """The text of a valid solution."""
    scale = rng.choice(list(SIGMA))
    activation, norm = rng.choice(ACTIVATIONS), rng.choice(["", "", "", ", nn.LayerNorm(b)"])
    init = rng.choice(["pass", "pass", "nn.init.xavier_normal_(layer.weight)", "nn.init.orthogonal_(layer.weight)"])
    last = rng.choice(
        [
            "pass",
            "nn.init.zeros_(layers[-1].weight); nn.init.zeros_(layers[-1].bias)",
            "nn.init.normal_(layers[-1].weight, std=0.01); nn.init.zeros_(layers[-1].bias)",
        ]
    )
    between = rng.choice(["pass", "pass", "pass", "layers.append(Normalise(dim))"])
    drawn = ", ".join([scale, activation, norm or "no norm", init, last, between])
    text = HEAD.format(drawn=drawn, depth=rng.choice([1, 2, 2, 3]), norm=norm, activation=activation, init=init, last=last)
    make, networks = rng.choice(
        [
            ("self.net = network(dim, 2 * dim, hidden)", "s, t = self.net(inside).chunk(2, dim=1)"),
            (
                "self.s, self.t = network(dim, dim, hidden), network(dim, dim, hidden)",
                "s, t = self.s(inside), self.t(inside)",
            ),
            (
                "self.net = network(dim, 2 * dim, hidden)",
                'st = self.net(inside).reshape(-1, 2, self.dim); s, t = torch.einsum("bkd->kbd", st)',
            ),
        ]
    )
    if scale == "learned bound":
        make += "; self.bound = nn.Parameter(torch.zeros(dim))"
    orders = [
        ("x * sigma + t, log_sigma.sum(1)", "(z - t) / sigma, -log_sigma.sum(1)"),
        ("(x + t) * sigma, log_sigma.sum(-1)", "z / sigma - t, -log_sigma.sum(-1)"),
        ("(x - t) / sigma, -log_sigma.sum(dim=-1)", "z * sigma + t, log_sigma.sum(dim=-1)"),
    ]
    # A scale below 1.1 cannot spread the moons by multiplying; one that crosses 0 would be divided by.
    orders = {"sigmoid": orders[2:], "one plus s": orders[:2]}.get(scale, orders)
    forward, inverse = rng.choice(orders)
    text += COUPLING.format(
        kept=rng.choice(["mask == 1", "mask.bool()", "mask == 0", "~mask.bool()"]),
        inside=rng.choice(["x * self.kept", "torch.where(self.kept, x, torch.zeros_like(x))", "x * self.kept.to(x)"]),
        make=make, networks=networks, sigma=SIGMA[scale], forward=forward, inverse=inverse,
    )  # fmt: skip
    if between != "pass":
        text += NORMAL
    first = rng.choice(["(torch.arange(dim) % 2).float()", "(torch.arange(dim) < (dim + 1) // 2).float()"])
    total, add, result = rng.choice(
        [
            ("total = {x}.new_zeros(len({x}))", "total = total + log_det", "total"),
            ("totals = []", "totals.append(log_det)", "torch.stack(totals).sum(0)"),
            ("total = torch.zeros_like({x}[:, 0]).double()", "total = total + log_det", "total.to(log_det)"),
        ]
    )
    text += FLOW.format(
        dim=rng.choice(["dim", "d", "n_dims"]),
        first=first,
        masks=rng.choice(["first if k % 2 == 0 else 1 - first", "(first + k) % 2", "[first, 1 - first][k % 2]"]),
        between=between,
        total=total.format(x="x"), total_z=total.format(x="z"), add=add, result=result,
        backwards=rng.choice(["reversed(self.layers)", "list(self.layers)[::-1]"]),
        prior=rng.choice(
            [
                "log_prior = -0.5 * (z**2).sum(1) - 0.5 * z.shape[1] * math.log(2 * math.pi)",
                "log_prior = torch.distributions.Normal(0.0, 1.0).log_prob(z).sum(-1)",
                'log_prior = -torch.einsum("bi,bi->b", z, z) / 2 - z.shape[1] * np.log(2 * np.pi) / 2',
            ]
        ),
        no_grad=rng.choice(["@torch.no_grad()", "@torch.inference_mode()", "# its gradient is cut at the end"]),
        latents=rng.choice(
            [
                "z = torch.randn(n, self.layers[0].dim, generator=generator, dtype=p.dtype, device=p.device)",
                "z = p.new_empty(n, self.layers[0].dim).normal_(generator=generator)",
            ]
        ),
        nll=rng.choice(["-model.log_prob(x).mean()", "model.log_prob(x).neg().sum() / len(x)", "-torch.mean(model.log_prob(x))"]),
        optimizer=rng.choice(
            [
                "torch.optim.Adam(model.parameters(), lr=lr)",
                "torch.optim.AdamW(model.parameters(), lr=lr)",
                "torch.optim.Adam(model.parameters(), lr, betas=(0.9, 0.98))",
                "torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=lr, foreach=False)",
            ]
        ),
        **training(rng),
        side=rng.choice(
            ["torch.linspace(low, high, n).to(p)", "low + (high - low) * (torch.arange(n).to(p) + 0.5) / n"]
        ),
        points=rng.choice(
            [
                "torch.cartesian_prod(side, side)",
                'torch.stack(torch.meshgrid(side, side, indexing="xy"), -1).reshape(-1, 2)',
                "torch.stack([side.repeat(n), side.repeat_interleave(n)], 1)",
            ]
        ),
        density=rng.choice(["model.log_prob(points).exp()", "torch.exp(model.log_prob(points))"]),
    )  # fmt: skip
    return text


def training(rng: random.Random) -> dict[str, str]:
    """How batches are drawn, and what is done around a step."""
    schedule, tick = rng.choice(
        [
            ("pass", "pass"),
            ("pass", "pass"),
            ("scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps, eta_min=lr / 20)", "scheduler.step()"),
            ("scheduler = torch.optim.lr_scheduler.LinearLR(optimizer, 0.1, total_iters=max(steps // 10, 1))", "scheduler.step()"),
        ]
    )
    batches = rng.choice(
        [
            "for _ in range(steps):\n        batch = x[torch.randint(len(x), (batch_size,), generator=generator)]",
            "for _ in range(steps):\n        batch = x[torch.randperm(len(x), generator=generator)[:batch_size]]",
            "rows = torch.randint(len(x), (steps, batch_size), generator=generator)\n    for k in rows:\n        batch = x[k]",
            "loader = torch.utils.data.DataLoader(x, batch_size, shuffle=True, generator=generator, drop_last=len(x) >= batch_size)\n"
            "    batches = iter(loader)\n    for _ in range(steps):\n        batch = next(batches, None)\n"
            "        if batch is None:\n            batches = iter(loader)\n            batch = next(batches)",
        ]
    )
    step = rng.choice(
        [
            "loss = nll(model, batch)\n        optimizer.zero_grad()\n        loss.backward()",
            "optimizer.zero_grad(set_to_none=True)\n        loss = nll(model, batch)\n        loss.backward()",
            "model.zero_grad()\n        loss = -model.log_prob(batch).mean()\n        loss.backward()",
        ]
    )
    clip = rng.choice(["pass", "pass", "nn.utils.clip_grad_norm_(model.parameters(), 5.0)"])
    number = rng.choice(["loss.item()", "float(loss)", "loss.detach()", "np.float64(loss.item())"])
    return {"schedule": schedule, "tick": tick, "batches": batches, "step": step, "clip": clip, "number": number}
