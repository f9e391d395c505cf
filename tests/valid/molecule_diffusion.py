"""Random right solutions of molecule_diffusion: rotations, networks, steps, loops and plans that its contract leaves free."""

from __future__ import annotations

import random

HEAD = '''"""A right solution, drawn at random."""

import math

import torch
import torch.nn.functional as F
from torch import nn
'''


def source(rng: random.Random) -> str:
    """The text of one of them."""
    parts = [HEAD, _positions(rng), _alignment(rng), _update(rng), _network(rng), _forward(rng), _steps(rng)]
    parts += [_sampling(rng), _training(rng), _transport(rng)]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def _positions(rng: random.Random) -> str:
    centred = rng.choice((
        "x - x.mean(-2, keepdim=True)", "x - x.mean(dim=-2).unsqueeze(-2)",
        "x - x.sum(-2, keepdim=True) / x.shape[-2]",
        'torch.einsum("ij,...jk->...ik", torch.eye(x.shape[-2]).to(x) - 1 / x.shape[-2], x)',
    ))  # fmt: skip
    density = rng.choice((
        "-x.square().sum((1, 2)) / (2 * std**2) - d / 2 * math.log(2 * math.pi * std**2)",
        "-(x / std).pow(2).flatten(1).sum(1) / 2 - d * (math.log(std) + 0.5 * math.log(2 * math.pi))",
        "torch.distributions.Normal(0.0, std).log_prob(x.double()).sum((1, 2)).to(x) + "
        "1.5 * math.log(2 * math.pi * std**2)",
    ))  # fmt: skip
    return f"""
def centre(x):
    return {centred}


def zero_mean_log_prob(x, std=1.0):
    if not std > 0 or bool((x.mean(1).abs() > {rng.choice(("1e-3", "1e-2", "5e-3"))}).any()):
        raise ValueError("std or x")
    d = 3 * (x.shape[1] - 1)
    return {density}
"""


def _alignment(rng: random.Random) -> str:
    rotation = rng.choice((
        "u, _s, vh = torch.linalg.svd(b.mT @ a)\n"
        "        d = torch.ones_like(u[..., 0])\n"
        "        d[..., 2] = torch.sign(torch.det(u) * torch.det(vh))\n"
        "        moved = b @ (u * d[..., None, :]) @ vh",
        "u, _s, vh = torch.linalg.svd(a.mT @ b)\n"
        "        flip = torch.eye(3).to(x).repeat(*u.shape[:-2], 1, 1)\n"
        "        flip[..., 2, 2] = torch.det(u @ vh)\n"
        "        moved = (u @ flip @ vh @ b.mT).mT",
    ))  # fmt: skip
    rmsd = rng.choice((
        "(a - moved).square().sum(-1).mean(-1).sqrt()", "((a - moved) ** 2).mean((-1, -2)).mul(3).sqrt()",
        "torch.linalg.vector_norm(a - moved, dim=(-2, -1)) / math.sqrt(x.shape[-2])",
    ))  # fmt: skip
    return f"""
def align(x, y, permutations=None):
    if x.shape[-2] != y.shape[-2]:
        raise ValueError("other numbers of atoms")
    orders = torch.arange(x.shape[-2])[None] if permutations is None else permutations
    found = None
    for order in orders:
        a, b = torch.broadcast_tensors(centre(x), centre(y)[..., order, :])
        {rotation}
        rmsd = {rmsd}
        if found is None:
            found = moved, rmsd
        else:
            less = rmsd < found[1]
            found = torch.where(less[..., None, None], moved, found[0]), torch.where(less, rmsd, found[1])
    return found[0] + x.mean(-2, keepdim=True), found[1]
"""


def _update(rng: random.Random) -> str:
    moved = rng.choice((
        "x + ((x[:, :, None] - x[:, None]) * weights[..., None]).sum(2) / (x.shape[1] - 1)",
        "x + (weights.sum(2, keepdim=True) * x - weights @ x) / (x.shape[1] - 1)",
        'x + torch.einsum("bij,bijk->bik", weights, x[:, :, None] - x[:, None]) / (x.shape[1] - 1)',
        "x + torch.bmm(torch.diag_embed(weights.sum(-1)) - weights, x) / (x.size(1) - 1)",
    ))  # fmt: skip
    return f"""
def coordinate_update(x, weights):
    return {moved}
"""


def _network(rng: random.Random) -> str:
    activation = rng.choice(("nn.SiLU()", "nn.GELU()", "nn.Softplus()", "nn.SiLU()"))
    radial = rng.choice((
        "[d2, 1 / (1 + d2)]", "[d2, (d2 + 1e-4).sqrt()]", "[torch.log1p(d2), torch.exp(-d2)]", "[d2, torch.exp(-d2)]",
    ))  # fmt: skip
    once = rng.random() < 0.3
    gated = rng.random() < 0.4
    normed = rng.random() < 0.3
    damped = rng.random() < 0.3
    clock = rng.choice(("embedding", "sines"))
    times = "self.time(t)"
    made = "nn.Embedding(n_times, hidden)"
    if clock == "sines":
        times = "self.time(torch.cat([angles.sin(), angles.cos()], 1).to(x))"
        made = f"nn.Sequential(nn.Linear(8, hidden), {activation}, nn.Linear(hidden, hidden))"
    move = "self.moves[k](m)[..., 0]"
    move = f"{move} / (1 + (d2[..., 0] + 1e-6).sqrt())" if damped else move  # the slope of a root at 0 is none
    return f"""
class EGNN(nn.Module):
    def __init__(self, n_types, n_times, hidden=32, n_layers=3):
        super().__init__()
        self.n_times = n_times
        self.kind, self.time = nn.Embedding(n_types, hidden), {made}
        self.edges = nn.ModuleList([
            nn.Sequential(nn.Linear(2 * hidden + 2, hidden), {activation}, nn.Linear(hidden, hidden), {activation})
            for _k in range(n_layers)
        ])
        self.moves = nn.ModuleList([nn.Linear(hidden, 1) for _k in range(n_layers)])
        self.gates = nn.ModuleList([nn.Linear(hidden, 1) for _k in range(n_layers)])
        self.nodes = nn.ModuleList([
            nn.Sequential(nn.Linear(2 * hidden, hidden), {activation}, nn.Linear(hidden, hidden))
            for _k in range(n_layers)
        ])
        self.norms = nn.ModuleList([{"nn.LayerNorm(hidden)" if normed else "nn.Identity()"} for _k in range(n_layers)])

    def forward(self, x, types, t):
        B, N = x.shape[:2]
        angles = t[:, None] * (math.pi / self.n_times * torch.tensor([0.25, 0.5, 1.0, 2.0])) + 0.3
        h = self.kind(types).expand(B, N, -1) + {times}[:, None]
        off = (1 - torch.eye(N)).to(x)
        y = x
        for k in range(len(self.edges)):
            d2 = (y[:, :, None] - y[:, None]).square().sum(-1, keepdim=True)
            pair = torch.cat([h[:, :, None].expand(B, N, N, -1), h[:, None].expand(B, N, N, -1), *{radial}], -1)
            m = self.edges[k](pair) * off[..., None]
            {"m = m * torch.sigmoid(self.gates[k](m))" if gated else "pass"}
            {"if k == len(self.edges) - 1:" if once else "if True:"}
                y = coordinate_update(y, {move} * off)
            h = self.norms[k](h + self.nodes[k](torch.cat([h, m.sum(2)], -1)))
        return centre(y - x)
"""


def _forward(rng: random.Random) -> str:
    shaped = rng.choice((
        "alpha_bars.to(x)[t].view(-1, 1, 1)", "alpha_bars[t].to(x.dtype)[:, None, None]",
        "alpha_bars.to(x).gather(0, t).reshape(len(t), 1, 1)",
    ))  # fmt: skip
    mixed = rng.choice((
        "a.sqrt() * centre(x0) + (1 - a).sqrt() * centre(noise)", "centre(a**0.5 * x0 + (1 - a) ** 0.5 * noise)",
        "torch.addcmul(a.sqrt() * centre(x0), (1 - a).sqrt(), centre(noise))",
    ))  # fmt: skip
    error = rng.choice((
        "F.mse_loss(guess, centre(noise))", "((guess - centre(noise)) ** 2).mean()",
        "(centre(noise) - guess).square().sum() / noise.numel()",
        "((guess - centre(noise)) ** 2).flatten(1).mean(1).mean()",
    ))  # fmt: skip
    return f"""
def bars_at(alpha_bars, t, x, noise):
    if noise.shape != x.shape or t.shape != x.shape[:1] or bool((t < 0).any()) or bool((t >= len(alpha_bars)).any()):
        raise ValueError(f"t, noise: got {{t}}, {{tuple(noise.shape)}}")
    return {shaped}


def q_sample(x0, alpha_bars, t, noise):
    a = bars_at(alpha_bars, t, x0, noise)
    return {mixed}


def denoising_loss(model, x0, types, alpha_bars, t, noise):
    guess = model(q_sample(x0, alpha_bars, t, noise), types, t)
    return {error}
"""


def _steps(rng: random.Random) -> str:
    times = rng.choice(
        ("torch.full((len(x),), t)", "torch.ones(len(x), dtype=torch.long) * t", "torch.tensor([t] * len(x))")
    )
    before = rng.choice((
        "alpha_bars[t - 1].to(x) if t > 0 else torch.ones((), dtype=x.dtype)",
        "torch.cat([alpha_bars.new_ones(1), alpha_bars])[t].to(x)",
        "F.pad(alpha_bars, (1, 0), value=1.0)[t].to(x)",
    ))  # fmt: skip
    mean = rng.choice((
        "(x - (1 - alpha) / (1 - bar).sqrt() * guess) / alpha.sqrt()",
        "(x - (1 - alpha) * guess * torch.rsqrt(1 - bar)) * torch.rsqrt(alpha)",
        "before.sqrt() * (1 - alpha) / (1 - bar) * (x - (1 - bar).sqrt() * guess) / bar.sqrt()"
        " + alpha.sqrt() * (1 - before) / (1 - bar) * x",
    ))  # fmt: skip
    last = rng.choice((
        "return mean if t == 0 else mean + variance.sqrt() * centre(noise)",
        "return mean + variance**0.5 * centre(noise) * (t > 0)",
        "return mean + centre(variance.sqrt() * noise)",
    ))  # fmt: skip
    return f"""
def reverse_step(model, x_t, types, alpha_bars, t, noise):
    x = x_t
    times = {times}
    bar = bars_at(alpha_bars, times, x, noise)
    before = {before}
    alpha = bar / before
    guess = model(x, types, times)
    mean = {mean}
    variance = (1 - alpha) * (1 - before) / (1 - bar)
    {last}


def langevin_step(model, x, types, alpha_bars, t, step, noise):
    if not step > 0:
        raise ValueError(f"step: got {{step}}")
    times = {times}
    bar = bars_at(alpha_bars, times, x, noise)
    score = {rng.choice(("-model(x, types, times) / (1 - bar).sqrt()", "model(x, types, times).neg() * torch.rsqrt(1 - bar)"))}
    return x + step * score + {rng.choice(("math.sqrt(2 * step)", "(2 * step) ** 0.5"))} * centre(noise)
"""  # fmt: skip


def _sampling(rng: random.Random) -> str:
    grad = rng.choice(("@torch.no_grad()\n", "@torch.inference_mode()\n", ""))
    return f"""
{grad}def sample(model, types, alpha_bars, n, generator=None):
    shape, dtype = (n, len(types), 3), alpha_bars.dtype
    x = centre(torch.randn(shape, generator=generator, dtype=dtype))
    for t in {rng.choice(("reversed(range(len(alpha_bars)))", "range(len(alpha_bars) - 1, -1, -1)"))}:
        noise = torch.randn({rng.choice(("shape", "*shape"))}, generator=generator, dtype=dtype)
        x = reverse_step(model, x, types, alpha_bars, t, noise).detach()
    return x
"""


def _training(rng: random.Random) -> str:
    optimiser = rng.choice(("torch.optim.Adam(model.parameters(), lr=lr)", "torch.optim.AdamW(model.parameters(), lr)"))
    rows = rng.choice((
        "torch.randint(len(x), (batch_size,), generator=generator)",
        "(torch.rand(batch_size, generator=generator) * len(x)).long()",
        "torch.randperm(len(x), generator=generator)[:batch_size]",
    ))  # fmt: skip
    rate = rng.choice(
        ("lr", "lr * (1 - k / steps) ** 0.5", "lr * (0.03 + 0.97 * (1 - k / steps))", "lr * min(1, (k + 1) / 10)")
    )
    return f"""
def train_diffusion(model, x, types, alpha_bars, steps, batch_size=64, lr=5e-3, generator=None, progress=False):
    model.train()
    optimiser = {optimiser}
    history = {{"loss": []}}
    for k in range(steps):
        optimiser.param_groups[0]["lr"] = {rate}
        x0 = x[{rows}]
        t = torch.randint(len(alpha_bars), (batch_size,), generator=generator)
        noise = torch.randn(x0.shape, generator=generator, dtype=x0.dtype)
        loss = denoising_loss(model, x0, types, alpha_bars, t, noise)
        {rng.choice(("optimiser.zero_grad()", "model.zero_grad()", "optimiser.zero_grad(set_to_none=False)"))}
        loss.backward()
        {"torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)" if rng.random() < 0.3 else "pass"}
        optimiser.step()
        history["loss"].append({rng.choice(("loss.item()", "float(loss.detach())", "loss.detach()"))})
    return history
"""


def _transport(rng: random.Random) -> str:
    last = rng.random() < 0.5
    rows = "f = -math.log(n) - torch.logsumexp(g - c, 1, keepdim=True)"
    columns = "g = -math.log(m) - torch.logsumexp(f - c, 0, keepdim=True)"
    first, second = (rows, columns) if last else (columns, rows)
    target = rng.choice((
        "(plan[..., None, None] * aligned).sum(1) / plan.sum(1)[:, None, None]",
        'torch.einsum("ij,ijkl->ikl", plan / plan.sum(1, keepdim=True), aligned)',
        "torch.stack([torch.tensordot(p / p.sum(), a, dims=([0], [0])) for p, a in zip(plan, aligned)])",
    ))  # fmt: skip
    moved = rng.choice(
        ("x + strength * (target - x)", "(1 - strength) * x + strength * target", "torch.lerp(x, target, strength)")
    )
    return f"""
def transport_pull(x, y, epsilon, strength=1.0, permutations=None, n_iterations=500):
    if not epsilon > 0 or not 0 <= strength <= 1:
        raise ValueError(f"epsilon, strength: got {{epsilon}}, {{strength}}")
    n, m = len(x), len(y)
    aligned, rmsd = align(x[:, None], y[None], permutations)
    c = rmsd ** 2 / epsilon
    f, g = c.new_zeros(n, 1), c.new_zeros(1, m)
    for _k in range(n_iterations):
        {first}
        {second}
    plan = torch.exp(f + g - c)
    target = {target}
    return {moved}, plan
"""
