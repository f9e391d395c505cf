"""Random valid solutions of score_sde: each function in one of several idioms, orders and dtypes inside.

What the contract leaves free is drawn: how times become columns, closed forms or autograd or NumPy, how Jacobians are
taken, the method of the flow, the network's layers and what it is told, the density of the times, batches with and
without replacement, the optimiser, its schedule and clipping, and how draws come from the generator.
"""

from __future__ import annotations

import random

HEAD = """\
import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn


def need(condition, message="arguments that do not fit each other"):
    if not condition:
        raise ValueError(message)
"""

COLUMN = (
    """
def column(t, x):
    t = torch.as_tensor(t, dtype=x.dtype)
    need(t.ndim == 0 or t.shape == x.shape[:1], f"t {tuple(t.shape)}")
    return t.reshape(-1, 1)
""",
    """
def column(t, x):
    if not isinstance(t, torch.Tensor):
        t = x.new_full((len(x),), float(t))
    need(t.numel() in (1, len(x)) and t.ndim < 2 and (t.ndim == 0 or len(t) == len(x)), "t")
    return t.to(x).expand(len(x))[:, None]
""",
    """
def column(t, x):
    values = np.asarray(t.detach() if isinstance(t, torch.Tensor) else t, dtype=np.float64)
    need(values.ndim == 0 or values.shape == (len(x),), "t")
    return torch.from_numpy(np.broadcast_to(values, (len(x),)).copy()).to(x.dtype).unsqueeze(-1)
""",
)

MOMENTS = (
    """
def ou_moments(t):
    t = torch.as_tensor(t)
    need(not bool((t < 0).any()), "t")
    return torch.exp(-t), torch.sqrt(1 - torch.exp(-2 * t))
""",
    """
def ou_moments(t):
    if isinstance(t, torch.Tensor):
        need(bool((t >= 0).all()), "t")
        decay = t.neg().exp()
        return decay, (1 - decay.square()).clamp(min=0).sqrt()
    need(t >= 0, "t")
    return math.exp(-t), math.sqrt(1.0 - math.exp(-2.0 * t))
""",
    """
def ou_moments(t):
    if torch.is_tensor(t):
        need(int((t < 0).sum()) == 0, "t")
        return torch.exp(-t), torch.expm1(-2 * t).neg().sqrt()
    need(not t < 0, "t")
    return np.exp(-t), np.sqrt(-np.expm1(-2 * t))
""",
)

SAMPLE = (
    """
def ou_sample(x0, t, noise):
    need(x0.shape == noise.shape)
    decay, std = ou_moments(column(t, x0))
    return decay * x0 + std * noise
""",
    """
def ou_sample(x0, t, noise):
    need(tuple(x0.shape) == tuple(noise.shape))
    t = column(t, x0)
    return torch.exp(-t) * (x0 + torch.expm1(2 * t).sqrt() * noise)
""",
    """
def ou_sample(x0, t, noise):
    need(x0.shape == noise.shape)
    times = column(t, x0)[:, 0].expand(len(x0))
    rows = [math.exp(-s) * a + math.sqrt(1 - math.exp(-2 * s)) * z for s, a, z in zip(times.tolist(), x0, noise)]
    return torch.stack(rows)
""",
)

STEP = (
    """
def ou_step(x, dt, noise):
    need(x.shape == noise.shape and dt > 0)
    return x - dt * x + (2 * dt) ** 0.5 * noise
""",
    """
def ou_step(x, dt, noise):
    need(x.shape == noise.shape and dt > 0)
    return torch.add(x * (1 - dt), noise, alpha=math.sqrt(2 * dt))
""",
    """
def ou_step(x, dt, noise):
    need(x.shape == noise.shape and dt > 0)
    h = torch.as_tensor(dt, dtype=x.dtype)
    return torch.stack([x, -h * x, torch.sqrt(2 * h) * noise]).sum(0)
""",
)

SCORE = (
    """
def noised_score(x, t, means, std, weights):
    need(x.shape[1] == means.shape[1] and weights.shape == means.shape[:1])
    t = column(t, x).expand(len(x), 1)
    decay, v = torch.exp(-t), 1 + (std**2 - 1) * torch.exp(-2 * t)
    logs = weights.log() - (x[:, None] - decay[:, None] * means).square().sum(-1) / (2 * v)
    return (decay * (logs.softmax(-1) @ means) - x) / v
""",
    """
def noised_score(x, t, means, std, weights):
    need(x.ndim == means.ndim == 2 and x.shape[1] == means.shape[1] and tuple(weights.shape) == (len(means),))
    t = column(t, x).expand(len(x), 1)
    with torch.enable_grad():
        y = x.detach().double().requires_grad_()
        decay, v = torch.exp(-t.double()), 1 + (std**2 - 1) * torch.exp(-2 * t.double())
        logs = weights.double().log() - (y[:, None] - decay[:, None] * means.double()).pow(2).sum(-1) / (2 * v)
        total = torch.logsumexp(logs, 1).sum()
    return torch.autograd.grad(total, y)[0].to(x.dtype)
""",
    """
def noised_score(x, t, means, std, weights):
    need(x.shape[1] == means.shape[1] and weights.shape == means.shape[:1])
    times, rows = column(t, x).expand(len(x), 1)[:, 0].tolist(), []
    for point, s in zip(x, times):
        v = math.exp(-2 * s) * std**2 + 1 - math.exp(-2 * s)
        gaps = math.exp(-s) * means - point
        rows.append(F.softmax(weights.log() - gaps.square().sum(1) / (2 * v), 0) @ gaps / v)
    return torch.stack(rows)
""",
    """
def noised_score(x, t, means, std, weights):
    need(x.shape[1] == means.shape[1] and weights.shape == means.shape[:1])
    a, m, w = (v.detach().double().numpy() for v in (x, means, weights))
    s = column(t, x).double().numpy()
    v = np.exp(-2 * s) * std**2 + 1 - np.exp(-2 * s)
    gaps = np.exp(-s)[:, :, None] * m[None] - a[:, None]
    logs = np.log(w) - (gaps**2).sum(2) / (2 * v)
    r = np.exp(logs - logs.max(axis=1, keepdims=True))
    return torch.from_numpy((r[..., None] * gaps).sum(1) / r.sum(1, keepdims=True) / v).to(x.dtype)
""",
)

DIVERGENCE = (
    """
def divergence(field, x):
    total = torch.zeros_like(x[:, 0])
    with torch.enable_grad():
        y = x.detach().requires_grad_()
        values = field(y)
        if not values.requires_grad:
            return total
        for i in range(x.shape[1]):
            g = torch.autograd.grad(values[:, i].sum(), y, retain_graph=True, allow_unused=True)[0]
            if g is not None:
                total = total + g[:, i]
    return total
""",
    """
def divergence(field, x):
    with torch.enable_grad():
        J = torch.func.vmap(torch.func.jacrev(lambda p: field(p[None])[0]))(x.detach())
    return J.diagonal(dim1=-2, dim2=-1).sum(-1)
""",
    """
def divergence(field, x):
    x = x.detach()
    parts = []
    for i in range(x.shape[1]):
        e = torch.zeros_like(x)
        e[:, i] = 1
        parts.append(torch.func.jvp(field, (x,), (e,))[1][:, i])
    return torch.stack(parts).sum(0).detach()
""",
    """
def divergence(field, x):
    with torch.enable_grad():
        J = torch.autograd.functional.jacobian(lambda p: field(p).sum(0), x.detach())
    return torch.einsum("ibi->b", J)
""",
)

RESIDUAL = (
    """
def fokker_planck_residual(log_prob, x, t):
    need(t.shape == x.shape[:1], "t")
    with torch.enable_grad():
        y, s = x.detach().requires_grad_(), t.detach().requires_grad_()
        value = log_prob(y, s).sum() + 0 * y.sum() + 0 * s.sum()
        g, c = torch.autograd.grad(value, (y, s), create_graph=True)
        second = 0
        for i in range(x.shape[1]):
            second = second + torch.autograd.grad(g[:, i].sum() + 0 * y.sum(), y, retain_graph=True)[0][:, i]
    return (c - x.shape[1] - (y * g).sum(1) - g.square().sum(1) - second).detach()
""",
    """
def fokker_planck_residual(log_prob, x, t):
    need(t.shape == x.shape[:1], "t")
    one = lambda p, s: log_prob(p[None], s[None])[0]

    def row(p, s):
        g, c = torch.func.grad(one, argnums=(0, 1))(p, s)
        return c - len(p) - p @ g - g @ g - torch.trace(torch.func.hessian(one)(p, s))

    return torch.func.vmap(row)(x.detach(), t.detach()).detach()
""",
    """
def fokker_planck_residual(log_prob, x, t):
    need(t.ndim == 1 and len(t) == len(x), "t")

    def slope(y):
        with torch.enable_grad():
            z = y if y.requires_grad else y.detach().requires_grad_()
            v = log_prob(z, t.detach())
            if not v.requires_grad:
                return torch.zeros_like(z)
            g = torch.autograd.grad(v.sum(), z, create_graph=True, allow_unused=True)[0]
            return torch.zeros_like(z) if g is None else g

    g = slope(x).detach()
    with torch.enable_grad():
        s = t.detach().requires_grad_()
        v = log_prob(x.detach(), s)
        c = torch.autograd.grad(v.sum(), s, allow_unused=True)[0] if v.requires_grad else None
    c = torch.zeros_like(t) if c is None else c
    with torch.enable_grad():
        y = x.detach().requires_grad_()
        h, second = slope(y), torch.zeros_like(t)
        for i in range(x.shape[1]):
            if h.requires_grad:
                r = torch.autograd.grad(h[:, i].sum(), y, retain_graph=True, allow_unused=True)[0]
                second = second if r is None else second + r[:, i]
    return c.detach() - (x.shape[1] + torch.einsum("bi,bi->b", x + g, g) + second.detach())
""",
)

REVERSE_STEP = (
    """
def reverse_step(x, score, dt, noise, eta=1.0):
    need(x.shape == score.shape == noise.shape and dt > 0 and 0 <= eta <= 1)
    return x + dt * (x + (1 + eta * eta) * score) + eta * math.sqrt(2 * dt) * noise
""",
    """
def reverse_step(x, score, dt, noise, eta=1.0):
    need(len({tuple(v.shape) for v in (x, score, noise)}) == 1 and dt > 0 and 0 <= eta <= 1)
    y = x.clone()
    y += dt * (x + score)
    y += eta**2 * dt * score
    y += math.sqrt(2 * dt * eta**2) * noise
    return y
""",
    """
def reverse_step(x, score, dt, noise, eta=1.0):
    need(x.shape == score.shape and noise.shape == x.shape and not dt <= 0 and not (eta < 0 or eta > 1))
    h, e = torch.as_tensor(dt, dtype=x.dtype), torch.as_tensor(eta, dtype=x.dtype)
    return torch.einsum("k,kbd->bd", torch.stack([1 + h, h * (1 + e**2), e * (2 * h).sqrt()]), torch.stack([x, score, noise]))
""",
)

ORDER = """
def ordered(times, sign):
    t = torch.as_tensor(times).double()
    need(t.ndim == 1 and len(t) >= 2 and bool((t >= 0).all()) and bool((sign * t.diff() > 0).all()), "times")
    return t.tolist()
"""

REVERSE_SAMPLE = (
    """
@torch.no_grad()
def reverse_sample(score_fn, x_T, times, eta=1.0, generator=None):
    t = ordered(times, -1)
    need(0 <= eta <= 1, "eta")
    out = x_T.new_empty(len(t), *x_T.shape)
    out[0] = x_T
    for k in range(len(t) - 1):
        noise = torch.randn(x_T.shape, generator=generator, dtype=x_T.dtype)
        out[k + 1] = reverse_step(out[k], score_fn(out[k], x_T.new_full((len(x_T),), t[k])), t[k] - t[k + 1], noise, eta)
    return out
""",
    """
def reverse_sample(score_fn, x_T, times, eta=1.0, generator=None):
    t = ordered(times, -1)
    need(0 <= eta <= 1, "eta")
    noises = torch.randn(len(t) - 1, *x_T.shape, generator=generator, dtype=x_T.dtype)
    x, frames = x_T.detach(), [x_T.detach()]
    for k, noise in enumerate(noises):
        s, h = score_fn(x, torch.full_like(x[:, 0], t[k])).detach(), t[k] - t[k + 1]
        x = x + h * (x + (1 + eta**2) * s) + (2 * h) ** 0.5 * eta * noise
        frames.append(x)
    return torch.stack(frames)
""",
    """
def reverse_sample(score_fn, x_T, times, eta=1.0, generator=None):
    t = ordered(times, -1)
    need(0 <= eta <= 1, "eta")
    rng = np.random.default_rng(torch.randint(2**62, (1,), generator=generator).item()) if eta else None
    frames = [x_T.detach().clone()]
    for now, after in zip(t, t[1:]):
        x = frames[-1]
        noise = torch.from_numpy(rng.standard_normal(tuple(x.shape))).to(x.dtype) if eta else torch.zeros_like(x)
        frames.append(reverse_step(x, score_fn(x, torch.ones_like(x[:, 0]) * now).detach(), now - after, noise, eta))
    return torch.stack(frames)
""",
)

FLOW_STEP = {
    "heun": """
        v, r = slope(y, a)
        w, q = slope(y + h * v, b)
        y, total = y + h / 2 * (v + w), total + h / 2 * (r + q)
""",
    "midpoint": """
        v, r = slope(y, a)
        v, r = slope(y + h / 2 * v, a + h / 2)
        y, total = y + h * v, total + h * r
""",
    "rk4": """
        v, r = slope(y, a)
        w, q = slope(y + h / 2 * v, a + h / 2)
        u, p = slope(y + h / 2 * w, a + h / 2)
        z, o = slope(y + h * u, b)
        y, total = y + h / 6 * (v + 2 * w + 2 * u + z), total + h / 6 * (r + 2 * q + 2 * p + o)
""",
    "rk3": """
        v, r = slope(y, a)
        w, q = slope(y + h / 2 * v, a + h / 2)
        u, p = slope(y + h * (2 * w - v), b)
        y, total = y + h / 6 * (v + 4 * w + u), total + h / 6 * (r + 4 * q + p)
""",
}

FLOW = """
def flow_log_likelihood(score_fn, x, times):
    t = ordered(times, 1)
    B, d = x.shape

    def slope(y, s):
        def score(p):
            return score_fn(p, p.new_full((p.shape[0],), s))

        with torch.no_grad():
            v = -y - score(y)
        return v, {rate}

    y, total = x.detach(), x.new_zeros(B)
    for a, b in zip(t, t[1:]):
        h = b - a
{step}
    prior = {prior}
    return prior + total, y
"""
RATES = (
    "divergence(lambda p: -p - score(p), y).detach()",
    "-d - divergence(score, y).detach()",
)
PRIORS = (
    "-0.5 * (y**2).sum(1) - 0.5 * d * math.log(2 * math.pi)",
    "torch.distributions.Normal(0.0, 1.0).log_prob(y).sum(-1)",
    "torch.distributions.MultivariateNormal(y.new_zeros(d), torch.eye(d, dtype=y.dtype), validate_args=False).log_prob(y)",
)

TOLD = {
    "torch.cat([x, t, t.log()], 1)": "dim + 2",
    "torch.cat([x, torch.exp(-t), std], 1)": "dim + 2",
    "torch.cat([x, x / std, t.sqrt()], 1)": "2 * dim + 1",
    "torch.cat([x, *(f(t.log() * k) for k in (0.5, 1.0, 2.0) for f in (torch.sin, torch.cos))], 1)": "dim + 6",
}
ENDS = ("out / std", "-x + out / std", "(out - x * std) / std", "-x + out * torch.exp(-t) / std")

NETWORK = (
    """
class ScoreNetwork(nn.Module):
    def __init__(self, dim=2, hidden=64):
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear({told_size}, hidden), nn.{act}(), nn.Linear(hidden, hidden), nn.{act}(), nn.Linear(hidden, dim)
        )

    def forward(self, x, t):
        t = t[:, None]
        std = torch.sqrt(-torch.expm1(-2 * t))
        out = self.net({told})
        return {end}
""",
    """
class ScoreNetwork(nn.Module):
    def __init__(self, dim=2, hidden=64):
        super().__init__()
        self.first, self.time = nn.Linear({told_size}, hidden), nn.Linear(1, hidden)
        self.blocks = nn.ModuleList([nn.Linear(hidden, hidden) for _ in range(2)])
        self.norm, self.last = nn.LayerNorm(hidden), nn.Linear(hidden, dim)
        nn.init.zeros_(self.last.weight)

    def forward(self, x, t):
        t = t.unsqueeze(-1)
        std = (1 - torch.exp(-2 * t)).sqrt()
        h = self.first({told})
        for block in self.blocks:
            h = h + block(F.{function}(h + self.time(t.log())))
        out = self.last(F.{function}(self.norm(h)))
        return {end}
""",
)

LOSS = (
    """
def score_matching_loss(model, x0, t, noise):
    need(x0.shape == noise.shape and t.shape == x0.shape[:1])
    std = ou_moments(t)[1].unsqueeze(-1)
    return F.mse_loss(std * model(ou_sample(x0, t, noise), t), -noise)
""",
    """
def score_matching_loss(model, x0, t, noise):
    need(x0.shape == noise.shape and t.shape == x0.shape[:1])
    s = t[:, None]
    decay, std = torch.exp(-s), torch.sqrt(1 - torch.exp(-2 * s))
    gap = std * model(decay * x0 + std * noise, t) + noise
    return torch.einsum("bd,bd->", gap, gap) / gap.numel()
""",
    """
def score_matching_loss(model, x0, t, noise):
    need(noise.shape == x0.shape and tuple(t.shape) == (len(x0),))
    variance = 1 - torch.exp(-2 * t)
    x_t = ou_sample(x0, t, noise)
    target = (torch.exp(-t)[:, None] * x0 - x_t) / variance[:, None]
    return (variance * (model(x_t, t) - target).square().mean(1)).mean()
""",
)

TIMES = (
    "t_min + (t_max - t_min) * u",
    "t_min * (t_max / t_min) ** u",
    "t_min + (t_max - t_min) * u**2",
    "t_min + (t_max - t_min) * u ** (4 / 3)",
)
OPTIMISERS = (
    ("torch.optim.Adam(model.parameters(), lr=lr)", "pass"),
    ("torch.optim.AdamW(model.parameters(), lr=lr)", "pass"),
    ("torch.optim.Adam(model.parameters(), lr=lr)", "nn.utils.clip_grad_norm_(model.parameters(), 10.0)"),
)
ROWS = (
    "torch.randint(len(x), (batch_size,), generator=generator)",
    "torch.randperm(len(x), generator=generator)[:batch_size]",
    "torch.multinomial(torch.ones(len(x)), batch_size, True, generator=generator)",
)

TRAIN = """
def train_score(model, x, steps, batch_size=256, lr=5e-3, t_min=0.01, t_max=3.0, generator=None, progress=False):
    need(steps >= 1 and batch_size >= 1 and 0 < t_min < t_max)
    optimiser = {optimiser}
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda k: {schedule})
    model.train()
    losses = []
    for _ in range(steps):
        rows = {rows}
        u = torch.rand(len(rows), generator=generator, dtype=x.dtype)
        t = {times}
        noise = torch.randn(len(rows), x.shape[1], generator=generator, dtype=x.dtype)
        loss = score_matching_loss(model, x[rows], t, noise)
        optimiser.zero_grad()
        loss.backward()
        {clip}
        optimiser.step()
        schedule.step()
        losses.append({kept})
    return {{"loss": losses}}
"""

DENOISE = (
    """
def denoise(x_t, t, score):
    need(x_t.shape == score.shape)
    decay, std = ou_moments(column(t, x_t))
    return (x_t + std**2 * score) / decay
""",
    """
def denoise(x_t, t, score):
    need(x_t.shape == score.shape)
    growth = torch.exp(column(t, x_t))
    return growth * x_t + (growth - 1 / growth) * score
""",
    """
def denoise(x_t, t, score):
    need(x_t.shape == score.shape)
    t = column(t, x_t)
    y, sigma2 = torch.exp(t) * x_t, torch.expm1(2 * t)
    return y + sigma2 * (torch.exp(-t) * score)
""",
)

WIENER = (
    "    return mean + (covariance @ torch.linalg.solve(noisy, (y - mean).T)).T\n",
    "    return mean + (y - mean) @ torch.linalg.inv(noisy) @ covariance\n",
    "    return y - sigma**2 * torch.linalg.solve(noisy, (y - mean).T).T\n",
    "    L = torch.linalg.cholesky(noisy)\n    return mean + torch.cholesky_solve((y - mean).T, L).T @ covariance\n",
    "    gain = np.linalg.solve(noisy.numpy(), covariance.numpy())\n"
    "    return torch.from_numpy(mean.numpy() + (y - mean).numpy() @ gain).to(y.dtype)\n",
)
WIENER_HEAD = """
def wiener_filter(y, mean, covariance, sigma):
    d = y.shape[1]
    need(mean.shape == (d,) and covariance.shape == (d, d) and sigma > 0)
    noisy = covariance + sigma**2 * torch.eye(d, dtype=y.dtype)
"""


def source(rng: random.Random) -> str:
    """The text of a valid solution."""
    told, size = rng.choice(list(TOLD.items()))
    act, function = rng.choice((("SiLU", "silu"), ("GELU", "gelu"), ("Tanh", "tanh"), ("Softplus", "softplus")))
    network = rng.choice(NETWORK)
    for mark, text in (
        ("{told_size}", size),
        ("{told}", told),
        ("{act}", act),
        ("{function}", function),
        ("{end}", rng.choice(ENDS)),
    ):
        network = network.replace(mark, text)
    optimiser, clip = rng.choice(OPTIMISERS)
    train = TRAIN.format(
        optimiser=optimiser,
        clip=clip,
        rows=rng.choice(ROWS),
        times=rng.choice(TIMES),
        schedule=rng.choice(("1.0", "max(0.05, 1 - k / steps)", "0.5 + 0.5 * math.cos(math.pi * k / (steps + 1))")),
        kept=rng.choice(("loss.item()", "float(loss)", "loss.detach()")),
    )
    flow = FLOW.format(
        rate=rng.choice(RATES), step=rng.choice(list(FLOW_STEP.values())).strip("\n"), prior=rng.choice(PRIORS)
    )
    whole = (COLUMN, MOMENTS, SAMPLE, STEP, SCORE, DIVERGENCE, RESIDUAL, REVERSE_STEP, REVERSE_SAMPLE, LOSS, DENOISE)
    drawn = [rng.choice(choices) for choices in whole]
    return "\n".join([HEAD, ORDER, *drawn, flow, network, train, WIENER_HEAD + rng.choice(WIENER)])
