"""Random right solutions of ddpm_unet: tables, U-Nets, steps and loops that its contract leaves free."""

from __future__ import annotations

import random

CHECKS = '''

def fits(x, t, noise, T):
    if noise.shape != x.shape:
        raise ValueError(f"noise: expected {tuple(x.shape)}, got {tuple(noise.shape)}")
    if t.shape != x.shape[:1] or bool((t < 0).any()) or bool((t >= T).any()):
        raise ValueError(f"t: expected ({len(x)},) in 0..{T - 1}, got {t}")
'''


def source(rng: random.Random) -> str:
    """The text of one of them."""
    parts = [
        '"""A right solution, drawn at random."""\n\nimport math\n\nimport torch\nimport torch.nn.functional as F\n'
        "from torch import nn\n",
        CHECKS,
        _schedules(rng),
        _tables(rng),
        _forward(rng),
        _embedding(rng),
        _network(rng),
        _formulas(rng),
        _steps(rng),
        _sampling(rng),
        _training(rng),
    ]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def _schedules(rng: random.Random) -> str:
    linear = rng.choice((
        "torch.linspace(beta_1, beta_T, T)",
        "torch.linspace(beta_1, beta_T, T, dtype=torch.float64)",
        "torch.tensor([beta_1 + (beta_T - beta_1) * k / max(T - 1, 1) for k in range(T)], dtype=torch.float64)",
        "beta_1 + (beta_T - beta_1) * torch.arange(T, dtype=torch.float64) / max(T - 1, 1)",
    ))  # fmt: skip
    cosine = rng.choice((
        "betas = (1 - bars[1:] / bars[:-1]).clamp(max=0.999)",
        "betas = torch.minimum(1 - bars[1:] / bars[:-1], torch.tensor(0.999, dtype=torch.float64))",
        "betas = torch.stack([(1 - bars[k + 1] / bars[k]).clamp_max(0.999) for k in range(T)])",
    ))  # fmt: skip
    scale = rng.choice(("bars", "bars / bars[0]"))
    return f"""
def linear_beta_schedule(T, beta_1=1e-4, beta_T=0.02):
    if T < 1:
        raise ValueError(f"T: got {{T}}")
    return {linear}


def cosine_beta_schedule(T, s=0.008):
    if T < 1:
        raise ValueError(f"T: got {{T}}")
    u = torch.linspace(0, T, T + 1, dtype=torch.float64)
    bars = torch.cos((u / T + s) / (1 + s) * math.pi / 2) ** 2
    bars = {scale}
    {cosine}
    return betas{rng.choice(("", ".float()"))}
"""


def _tables(rng: random.Random) -> str:
    bars = rng.choice((
        "torch.cumprod(1 - betas, 0)", "(1 - betas).cumprod(dim=0)",
        "torch.stack([(1 - betas)[: k + 1].prod() for k in range(len(betas))])",
    ))  # fmt: skip
    before = rng.choice((
        "torch.cat([betas.new_ones(1), bars[:-1]])", "F.pad(bars[:-1], (1, 0), value=1.0)",
        "torch.roll(bars, 1).index_fill(0, torch.tensor([0]), 1.0)",
    ))  # fmt: skip
    if rng.random() < 0.4:
        return f"""
class Diffusion(nn.Module):
    def __init__(self, betas):
        super().__init__()
        bars = {bars}
        before = {before}
        self.register_buffer("betas", betas)
        self.register_buffer("alphas", 1 - betas)
        self.register_buffer("alpha_bars", bars)
        self.register_buffer("posterior_variance", betas * (1 - before) / (1 - bars))
"""
    return f"""
class Diffusion:
    def __init__(self, betas):
        bars = {bars}
        before = {before}
        self.betas, self.T = betas, len(betas)
        self.alphas, self.alpha_bars = 1.0 - betas, bars
        self.posterior_variance = (1 - before) / (1 - bars) * betas
"""


def _forward(rng: random.Random) -> str:
    shaped = rng.choice((
        "table.to(x.dtype)[t].view(-1, *([1] * (x.dim() - 1)))",
        "table[t].to(x)[:, None, None, None]",
        "table.gather(0, t).to(x.dtype).reshape(len(t), 1, 1, 1)",
        "torch.index_select(table, 0, t).to(x)[(...,) + (None,) * (x.ndim - 1)]",
    ))  # fmt: skip
    mixed = rng.choice((
        "torch.sqrt({a}) * {x} + torch.sqrt(1 - {a}) * noise", "{a} ** 0.5 * {x} + (1 - {a}) ** 0.5 * noise",
        "{x}.mul({a}.sqrt()).addcmul(noise, (1 - {a}).sqrt())",
    ))  # fmt: skip
    return f"""
def at(table, t, x):
    return {shaped}


def q_sample(diffusion, x0, t, noise):
    fits(x0, t, noise, len(diffusion.alphas))
    a = at(diffusion.alpha_bars, t, x0)
    return {mixed.format(a="a", x="x0")}


def q_step(diffusion, x_prev, t, noise):
    fits(x_prev, t, noise, len(diffusion.alphas))
    a = at(diffusion.alphas, t, x_prev)
    return {mixed.format(a="a", x="x_prev")}
"""


def _embedding(rng: random.Random) -> str:
    order = rng.choice((
        "torch.cat([angles.sin(), angles.cos()], 1)", "torch.cat([angles.cos(), angles.sin()], -1)",
        "torch.stack([angles.sin(), angles.cos()], 2).flatten(1)",
    ))  # fmt: skip
    frequencies = rng.choice((
        "torch.exp(-math.log(10000.0) * torch.arange(half) / half)",
        "10000.0 ** (-torch.arange(half) / half)",
        "1.0 / 10000 ** (torch.arange(half) / max(half - 1, 1))",
        "torch.logspace(0, -3.5, half)",
    ))  # fmt: skip
    return f"""
def time_embedding(t, dim):
    if dim < 2 or dim % 2:
        raise ValueError(f"dim: expected an even number, got {{dim}}")
    half = dim // 2
    angles = t[:, None].float() * {frequencies}
    return {order}
"""


def _network(rng: random.Random) -> str:
    activation = rng.choice(("nn.SiLU()", "nn.ReLU()", "nn.GELU()", "nn.LeakyReLU(0.1)"))
    norm = rng.choice(("nn.GroupNorm(8, n)", "nn.GroupNorm(32, n)", "nn.GroupNorm(1, n)", "nn.GroupNorm(16, n)"))
    down = rng.choice((
        "nn.Conv2d(n, n, 3, stride=2, padding=1)", "nn.AvgPool2d(2)", "nn.MaxPool2d(2)",
        "nn.Conv2d(n, n, 2, stride=2)", "nn.Sequential(nn.PixelUnshuffle(2), nn.Conv2d(4 * n, n, 1))",
    ))  # fmt: skip
    up = rng.choice((
        "nn.Upsample(scale_factor=2)", 'nn.Upsample(scale_factor=2, mode="bilinear")',
        "nn.ConvTranspose2d(n, n, 2, stride=2)", "nn.Sequential(nn.Conv2d(n, 4 * n, 1), nn.PixelShuffle(2))",
    ))  # fmt: skip
    added = rng.random() < 0.35
    film = rng.random() < 0.4
    residual = rng.random() < 0.7
    zero = rng.random() < 0.3
    time = rng.choice(("64", "2 * base", "base"))
    told = "h = h + self.time(e)[..., None, None]"
    if film:
        told = "shift, scale = self.time(e)[:, :, None, None].chunk(2, 1)\n        h = h * (1 + scale) + shift"
    skip = "self.join(up) + kept" if added else "torch.cat([up, kept], 1)"
    return f"""
def norm(n):
    return {norm}


def down(n):
    return {down}


def up(n):
    return {up}


class Block(nn.Module):
    def __init__(self, n, m, e):
        super().__init__()
        self.first, self.second = nn.Conv2d(n, m, 3, padding=1), nn.Conv2d(m, m, 3, padding=1)
        self.norms = nn.ModuleList([norm(m), norm(m)])
        self.time = nn.Linear(e, {2 if film else 1} * m)
        self.short = nn.Conv2d(n, m, 1)
        self.activation = {activation}

    def forward(self, x, e):
        h = self.activation(self.norms[0](self.first(x)))
        {told}
        h = self.activation(self.norms[1](self.second(h)))
        return h{" + self.short(x)" if residual else ""}


class Join(nn.Module):
    def __init__(self, n, m):
        super().__init__()
        self.join = nn.Conv2d(n, m, 1)

    def forward(self, up, kept):
        return {skip}


class UNet(nn.Module):
    def __init__(self, channels=1, base=32):
        super().__init__()
        self.channels, self.size = channels, {time}
        self.time = nn.Sequential(nn.Linear(self.size, self.size), {activation}, nn.Linear(self.size, self.size))
        widths = [base, {rng.choice(("base", "2 * base"))}, {rng.choice(("2 * base", "base"))}]
        self.stem = nn.Conv2d(channels, base, 3, padding=1)
        self.encode = nn.ModuleList([Block(base, widths[0], self.size), Block(widths[0], widths[1], self.size)])
        self.halves = nn.ModuleList([down(widths[0]), down(widths[1])])
        self.middle = Block(widths[1], widths[2], self.size)
        self.doubles = nn.ModuleList([up(widths[2]), up(widths[1])])
        self.joins = nn.ModuleList([Join(widths[2], widths[1]), Join(widths[1], widths[0])])
        both = {"[widths[1], widths[0]]" if added else "[widths[2] + widths[1], widths[1] + widths[0]]"}
        self.decode = nn.ModuleList([Block(both[0], widths[1], self.size), Block(both[1], widths[0], self.size)])
        self.head = nn.Conv2d(widths[0], channels, {rng.choice(("1", "3, padding=1"))})
        {"nn.init.zeros_(self.head.weight)" if zero else "pass"}

    def forward(self, x, t):
        if x.shape[1] != self.channels or x.shape[2] % 4 or x.shape[3] % 4 or t.shape != x.shape[:1] or (t < 0).any():
            raise ValueError(f"x, t: got {{tuple(x.shape)}}, {{t}}")
        e = self.time(time_embedding(t, self.size).to(x))
        h, kept = self.stem(x), []
        for block, halve in zip(self.encode, self.halves):
            h = block(h, e)
            kept.append(h)
            h = halve(h)
        h = self.middle(h, e)
        for block, double, join in zip(self.decode, self.doubles, self.joins):
            h = block(join(double(h), kept.pop()), e)
        return self.head(h)
"""


def _formulas(rng: random.Random) -> str:
    error = rng.choice((
        "F.mse_loss(guess, noise)", "((guess - noise) ** 2).mean()", "(noise - guess).square().sum() / noise.numel()",
        "nn.MSELoss()(guess, noise)", "((guess - noise) ** 2).flatten(1).mean(1).mean()",
    ))  # fmt: skip
    clean = rng.choice((
        "(x_t - (1 - a).sqrt() * noise) / a.sqrt()", "x_t / a.sqrt() - noise * (1 / a - 1).sqrt()",
        "(x_t - torch.sqrt(1 - a) * noise) * torch.rsqrt(a)",
    ))  # fmt: skip
    score = rng.choice(("-noise / torch.sqrt(1 - a)", "-noise * torch.rsqrt(1 - a)", "noise.neg() / (1 - a) ** 0.5"))
    return f"""
def ddpm_loss(model, diffusion, x0, t, noise):
    guess = model(q_sample(diffusion, x0, t, noise), t)
    return {error}


def predict_x0(diffusion, x_t, t, noise):
    fits(x_t, t, noise, len(diffusion.alphas))
    a = at(diffusion.alpha_bars, t, x_t)
    return {clean}


def score_from_noise(diffusion, noise, t):
    fits(noise, t, noise, len(diffusion.alphas))
    a = at(diffusion.alpha_bars, t, noise)
    return {score}
"""


def _steps(rng: random.Random) -> str:
    mean = rng.choice((
        "(x_t - (1 - alpha) / (1 - bar).sqrt() * guess) / alpha.sqrt()",
        "before.sqrt() * (1 - alpha) / (1 - bar) * predict_x0(diffusion, x_t, times, guess)"
        " + alpha.sqrt() * (1 - before) / (1 - bar) * x_t",
        "(x_t + (1 - alpha) * score_from_noise(diffusion, guess, times)) / alpha.sqrt()",
    ))  # fmt: skip
    numbers = rng.choice((
        "alpha, bar = at(diffusion.alphas, times, x_t), at(diffusion.alpha_bars, times, x_t)",
        "alpha, bar = diffusion.alphas[t].to(x_t), diffusion.alpha_bars[t].to(x_t)",
    ))  # fmt: skip
    return f"""
def p_sample_step(model, diffusion, x_t, t, noise):
    if noise.shape != x_t.shape or not 0 <= t < len(diffusion.alphas):
        raise ValueError(f"noise, t: got {{tuple(noise.shape)}}, {{t}}")
    times = torch.full((x_t.shape[0],), t, dtype=torch.long)
    {numbers}
    before = torch.ones_like(bar) if t == 0 else at(diffusion.alpha_bars, times - 1, x_t)
    guess = model(x_t, times)
    mean = {mean}
    {rng.choice((
        "return mean if t == 0 else mean + diffusion.posterior_variance[t].sqrt().to(x_t) * noise",
        "return mean + at(diffusion.posterior_variance, times, x_t) ** 0.5 * noise * (t > 0)",
    ))}


def ddim_step(model, diffusion, x_t, t, t_prev, eta=0.0, noise=None):
    if not -1 <= t_prev < t < len(diffusion.alphas) or (eta > 0 and noise is None):
        raise ValueError(f"t, t_prev, noise: got {{t}}, {{t_prev}}, {{noise}}")
    times = {rng.choice(("torch.full((len(x_t),), t)", "torch.ones(len(x_t), dtype=torch.long) * t"))}
    bar = diffusion.alpha_bars[t].to(x_t)
    last = diffusion.alpha_bars[t_prev].to(x_t) if t_prev >= 0 else torch.ones_like(bar)
    guess = model(x_t, times)
    x0 = {rng.choice(("predict_x0(diffusion, x_t, times, guess)", "(x_t - (1 - bar).sqrt() * guess) / bar.sqrt()"))}
    sigma = eta * ((1 - last) / (1 - bar)).sqrt() * (1 - bar / last).clamp(min=0).sqrt()
    x = last.sqrt() * x0 + (1 - last - sigma**2).clamp(min=0).sqrt() * guess
    return x + sigma * noise if eta > 0 else x
"""  # fmt: skip


def _sampling(rng: random.Random) -> str:
    times = rng.choice((
        "[T * k // steps - 1 for k in range(steps, 0, -1)]",
        "torch.linspace(T - 1, 0, steps + 1).long().tolist()[:-1]",
        "[round(T * (k + 1) / steps) - 1 for k in reversed(range(steps))]",
    ))  # fmt: skip
    grad = rng.choice(("@torch.no_grad()\n", "@torch.inference_mode()\n", ""))
    return f"""
{grad}def sample(model, diffusion, shape, steps=None, generator=None, progress=False):
    T = len(diffusion.alphas)
    if steps is not None and not 1 <= steps <= T:
        raise ValueError(f"steps: got {{steps}}")
    dtype = diffusion.alphas.dtype
    x = torch.randn(*shape, generator=generator, dtype=dtype)
    if steps in (None, T):
        for t in {rng.choice(("reversed(range(T))", "range(T - 1, -1, -1)", "list(range(T))[::-1]"))}:
            noise = torch.randn(tuple(shape), generator=generator, dtype=dtype)
            x = p_sample_step(model, diffusion, x, t, noise).detach()
        return x
    path = {times}
    for t, after in zip(path, [*path[1:], -1]):
        x = ddim_step(model, diffusion, x, t, after).detach()
    return x
"""


def _training(rng: random.Random) -> str:
    optimiser = rng.choice(("torch.optim.Adam(model.parameters(), lr=lr)", "torch.optim.AdamW(model.parameters(), lr)"))
    rows = rng.choice((
        "torch.randint(len(x), (batch_size,), generator=generator)",
        "(torch.rand(batch_size, generator=generator) * len(x)).long()",
        "torch.randint(0, x.shape[0], [batch_size], generator=generator)",
    ))  # fmt: skip
    epochs = rng.random() < 0.3
    batch = "x[torch.randperm(len(x), generator=generator)[:batch_size]]" if epochs else f"x[{rows}]"
    clip = rng.random() < 0.25
    kept = rng.choice(("loss.item()", "float(loss.detach())", "loss.detach()"))
    return f"""
def train_ddpm(model, diffusion, x, steps, batch_size=64, lr=2e-4, generator=None, progress=False):
    if steps < 1 or batch_size < 1:
        raise ValueError(f"steps, batch_size: got {{steps}}, {{batch_size}}")
    model.train()
    optimiser = {optimiser}
    history = {{"loss": []}}
    for step in range(steps):
        x0 = {batch}
        t = torch.randint(0, len(diffusion.alphas), (len(x0),), generator=generator)
        noise = torch.randn(x0.shape, generator=generator, dtype=x0.dtype)
        loss = ddpm_loss(model, diffusion, x0, t, noise)
        {rng.choice(("optimiser.zero_grad()", "model.zero_grad()", "optimiser.zero_grad(set_to_none=False)"))}
        loss.backward()
        {"torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)" if clip else "pass"}
        optimiser.step()
        history["loss"].append({kept})
    return history
"""
