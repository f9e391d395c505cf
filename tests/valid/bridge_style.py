"""Random valid solutions of bridge_style: each function in one of several right forms, one network of several."""

from __future__ import annotations

import random

FORMS = {
    "cost": (
        "(x[:, None] - y[None]).pow(2).sum(-1)",
        "torch.cdist(x, y, compute_mode='donot_use_mm_for_euclid_dist') ** 2",
        "sum((x[:, k, None] - y[None, :, k]) ** 2 for k in range(x.shape[1]))",
        "torch.stack([(row - y).norm(dim=1) ** 2 for row in x])",
    ),
    "first": (
        "f = -torch.logsumexp(M + lb + g, 1)\n        g = -torch.logsumexp(M + (la + f)[:, None], 0)",
        "g = -torch.logsumexp(M + (la + f)[:, None], 0)\n        f = -torch.logsumexp(M + lb + g, 1)",
        "f = f - (M + lb + g + f[:, None]).logsumexp(1)\n        g = g - (M + (la + f)[:, None] + g).logsumexp(0)",
    ),
    "shift": ("0.0", "float(f[0])", "float(f.mean() - g.mean()) / 2"),
    "value": (
        "f.mean() + g.mean()",
        "f.sum() / len(f) + g.sum() / len(g)",
        "(P * {cost}).sum() + epsilon * (P * (P * len(x) * len(y)).clamp_min(1e-300).log()).sum()",
    ),
    "image": ("P @ y / P.sum(1, keepdim=True)", "len(x) * P @ y", "torch.nn.functional.normalize(P, p=1, dim=1) @ y"),
    "cross": (
        "R = _root(A)\n    K = (R @ _root(4 * R @ B @ R + s**2 * I) @ torch.linalg.inv(R) - s * I) / 2",
        "R = _root(B)\n    K = (torch.linalg.inv(R) @ _root(4 * R @ A @ R + s**2 * I) @ R - s * I) / 2",
        "w, V = torch.linalg.eig(4 * A @ B + s**2 * I)\n"
        "    K = ((V * w.sqrt() @ torch.linalg.inv(V)).real.to(A) - s * I) / 2",
        "L = torch.linalg.cholesky(A)\n"
        "    K = (L @ _root(4 * L.T @ B @ L + s**2 * I) @ torch.linalg.inv(L) - s * I) / 2",
    ),
    "between": (
        "(1 - t) * x0 + t * x1 + sigma * (t * (1 - t)).sqrt() * noise",
        "torch.lerp(x0, x1, t.expand_as(x0)) + sigma * torch.sqrt(t - t**2) * noise",
        "x0 + t * (x1 - x0) + noise * sigma * t.sqrt() * (1 - t).sqrt()",
    ),
    "column": (
        "torch.as_tensor(t, dtype=x.dtype).reshape(-1, 1)",
        "torch.as_tensor(t).to(x).expand(len(x))[:, None]",
        "(t if isinstance(t, torch.Tensor) else torch.full((len(x),), float(t))).to(x.dtype).reshape(-1, 1)",
    ),
    "onward": (
        "x + (t - s) / (1 - s) * (x1 - x) + sigma * math.sqrt((t - s) * (1 - t) / (1 - s)) * z",
        "((1 - t) * x + (t - s) * x1) / (1 - s) + sigma * ((t - s) * (1 - t) / (1 - s)) ** 0.5 * z",
        "bridge_interpolate(x, x1, min(1.0, (t - s) / (1 - s)), sigma * math.sqrt(1 - s), z)",
    ),
    "pairs": (
        "k = torch.multinomial(plan.reshape(-1), n, replacement=True, generator=generator)\n"
        "    return k // plan.shape[1], k % plan.shape[1]",
        "c = plan.double().reshape(-1).cumsum(0)\n"
        "    u = torch.rand(n, generator=generator, dtype=torch.float64) * c[-1]\n"
        "    k = torch.searchsorted(c, u, right=True).clamp(max=len(c) - 1)\n"
        "    return torch.div(k, plan.shape[1], rounding_mode='floor'), k % plan.shape[1]",
        "i = torch.multinomial(plan.sum(1), n, replacement=True, generator=generator)\n"
        "    return i, torch.multinomial(plan[i], 1, generator=generator).squeeze(1)",
        "j = torch.multinomial(plan.sum(0), n, replacement=True, generator=generator)\n"
        "    return torch.multinomial(plan.T[j], 1, generator=generator).flatten(), j",
    ),
    "weights": (
        "torch.softmax(e, 1)",
        "(e - e.logsumexp(1, keepdim=True)).exp()",
        "torch.nn.functional.normalize((e - e.max(1, keepdim=True).values).exp(), p=1, dim=1)",
    ),
    "lead": (
        "(w @ y - x) / left",
        "((w[:, :, None] * (y - x[:, None])).sum(1)) / left",
        "torch.einsum('bm,md->bd', w, y) / left - x / left",
    ),
    "walk": (
        "way = [x0]\n    with torch.no_grad():\n        for k in range(n):\n"
        "            way.append(way[-1] + drift_fn(way[-1], k / n) / n + sigma / math.sqrt(n) * noise[k])\n"
        "    return torch.stack(way)",
        "way = torch.empty(n + 1, *x0.shape, dtype=x0.dtype)\n    way[0] = x0\n    for k in range(n):\n"
        "        with torch.no_grad():\n            u = drift_fn(way[k].clone(), k / n)\n"
        "            way[k + 1] = way[k] + u / n + sigma * (1 / n) ** 0.5 * noise[k]\n    return way",
        "x, way = x0.clone(), [x0.clone()]\n    for k, z in enumerate(noise):\n"
        "        x = (x + drift_fn(x, k / n) / n + sigma * n**-0.5 * z).detach()\n        way += [x]\n"
        "    return torch.stack(way)",
    ),
    "act": ("nn.SiLU()", "nn.Tanh()", "nn.GELU()", "nn.ELU()", "nn.ReLU()"),
    "clock": (
        "t[:, None]",
        "torch.stack([t, (math.pi * t).cos(), (math.pi * t).sin()], 1)",
        "torch.stack([2 * t - 1, t**2], 1)",
        "torch.cat([(k * math.pi * t)[:, None].sin() for k in (0.5, 1, 2)] + [t[:, None]], 1)",
    ),
    "skip": ("h", "x + h", "t[:, None] * x + h", "(1 - t[:, None]) * h + t[:, None] * x"),
    "mean": (
        "(model(p, t) - x1).pow(2).mean()",
        "torch.nn.functional.mse_loss(model(p, t), x1)",
        "((model(p, t) - x1) ** 2).sum() / x1.numel()",
        "((model(p, t) - x1) ** 2).mean(1).mean()",
    ),
    "optimiser": (
        "Adam(model.parameters(), lr=lr)",
        "AdamW(model.parameters(), lr=lr)",
        "Adam(model.parameters(), lr)",
    ),
    "times": (
        "torch.rand(batch_size, generator=generator, dtype=x.dtype)",
        "torch.empty(batch_size, dtype=x.dtype).uniform_(generator=generator)",
        "(torch.randperm(batch_size, generator=generator) + torch.rand(batch_size, generator=generator)).to(x.dtype)"
        " / batch_size",
    ),
    "noise": (
        "torch.randn(batch_size, x.shape[1], generator=generator, dtype=x.dtype)",
        "torch.empty(batch_size, x.shape[1], dtype=x.dtype).normal_(generator=generator)",
        "torch.normal(0.0, 1.0, (batch_size, x.shape[1]), generator=generator).to(x.dtype)",
    ),
    "clear": ("optimiser.zero_grad()", "model.zero_grad()", "optimiser.zero_grad(set_to_none=False)"),
    "number": ("float(loss)", "loss.item()", "loss.detach()", "loss.detach().numpy()"),
    "near": (
        "(D + torch.diag(torch.full((len(c),), torch.inf, dtype=D.dtype))).topk(k, largest=False).indices",
        "D.fill_diagonal_(float('inf')).argsort(1)[:, :k]",
        "D.fill_diagonal_(-1.0).argsort(1)[:, 1 : k + 1]",
    ),
    "share": (
        "sum(len(set(p) & set(q)) for p, q in zip(*(v.tolist() for v in near))) / (k * len(x))",
        "(near[0][:, :, None] == near[1][:, None]).sum((1, 2)).double().mean().item() / k",
        "(near[0][:, :, None] == near[1][:, None]).any(1).double().mean()",
    ),
    "refuse": ("raise ValueError(text)", "raise ValueError(f'bad argument: {text}')"),
}
WIDTHS = {
    "t[:, None]": 1,
    "torch.stack([t, (math.pi * t).cos(), (math.pi * t).sin()], 1)": 3,
    "torch.stack([2 * t - 1, t**2], 1)": 2,
}
TEXT = '''"""A random valid solution."""
import math

import torch
from torch import nn


def need(right, text):
    if not right:
        {refuse}


def schrodinger_coupling(x, y, sigma, a=None, b=None, n_iterations=1000, tolerance=1e-9):
    need(sigma > 0, "sigma")
    need(x.shape[1] == y.shape[1], "dimensions")
    a = torch.full((len(x),), 1 / len(x), dtype=x.dtype) if a is None else a
    b = torch.full((len(y),), 1 / len(y), dtype=x.dtype) if b is None else b
    need(len(a) == len(x) and len(b) == len(y), "lengths")
    epsilon = 2 * sigma**2
    M, la, lb, f, g = -({cost}) / epsilon, a.log(), b.log(), torch.zeros_like(a), torch.zeros_like(b)
    for k in range(n_iterations):
        {first}
        if k % {often} == 0 or k == n_iterations - 1:
            P = ((la + f)[:, None] + lb + g + M).exp()
            if (P.sum(1) - a).abs().sum() + (P.sum(0) - b).abs().sum() <= tolerance:
                break
    P = ((la + f)[:, None] + lb + g + M).exp()
    s = {shift}
    return P, epsilon * (f - s), epsilon * (g + s)


def _value(x, y, epsilon, n_iterations, tolerance):
    P, f, g = schrodinger_coupling(x, y, math.sqrt(epsilon / 2), n_iterations=n_iterations, tolerance=tolerance)
    return {value}


def sinkhorn_divergence(x, y, epsilon, n_iterations=1000, tolerance=1e-9):
    need(epsilon > 0, "epsilon")
    v = [_value(*pair, epsilon, n_iterations, tolerance) for pair in ((x, y), (x, x), (y, y))]
    return v[0] - v[1] / 2 - v[2] / 2


def _image(x, y, epsilon):
    P = schrodinger_coupling(x, y, (epsilon / 2) ** 0.5, n_iterations={many})[0]
    return {image}


def penalised_step(x, score, y, step, weight, epsilon, noise):
    need(epsilon > 0, "epsilon")
    drift = score + weight * (_image(x, y, epsilon) - _image(x, x, epsilon))
    return x + step * drift + math.sqrt(2 * step) * noise


def _root(S):
    w, V = torch.linalg.eigh((S + S.T) / 2)
    return V * w.clamp_min(0).sqrt() @ V.T


def gaussian_bridge(mean0, cov0, mean1, cov1, sigma, t):
    need(sigma > 0, "sigma")
    A, B, s, I = cov0, cov1, sigma**2, torch.eye(len(cov0), dtype=cov0.dtype)
    {cross}
    return (1 - t) * mean0 + t * mean1, (1 - t) ** 2 * A + t**2 * B + t * (1 - t) * (K + K.T + s * I)


def _column(t, x, last):
    t = {column}
    need(bool((t >= 0).all()) and bool((t <= 1).all()), "t")
    need(last or bool((t < 1).all()), "t = 1")
    return t


def bridge_interpolate(x0, x1, t, sigma, noise):
    t = _column(t, x0, True)
    return {between}


def bridge_path(x0, x1, times, sigma, noise):
    need(noise.shape == (len(times), *x0.shape), "noise")
    need(bool((times.diff() > 0).all()) and bool(((times >= 0) & (times <= 1)).all()), "times")
    x, s, path = x0, 0.0, []
    for t, z in zip(times.tolist(), noise):
        x = {onward}
        x = x1 if t == 1 else x
        path.append(x)
        s = t
    return torch.stack(path)


def sample_coupling(plan, n, generator=None):
    {pairs}


def bridge_drift(x, t, y, b, g, sigma):
    left = 1 - _column(t, x, False)
    e = b.log() + g / (2 * sigma**2) - ({cost}) / (2 * sigma**2 * left)
    w = {weights}
    return {lead}


def simulate_bridge(drift_fn, x0, sigma, noise):
    n = len(noise)
    {walk}


class EndpointNet(nn.Module):
    def __init__(self, dim, hidden=128):
        super().__init__()
        layers, width = [], dim + {features}
        for _ in range({depth}):
            layers += [nn.Linear(width, hidden), {act}]
            width = hidden
        self.net = nn.Sequential(*layers, nn.Linear(width, dim))

    def forward(self, x, t):
        t = t.to(x.dtype)
        h = self.net(torch.cat([x, {clock}], 1))
        return {skip}


def endpoint_loss(model, x0, x1, t, sigma, noise):
    p = bridge_interpolate(x0, x1, t, sigma, noise)
    return {mean}


def endpoint_drift(model, x, t):
    t = _column(t, x, False).expand(len(x), 1)
    return (model(x, t[:, 0]) - x) / (1 - t)


def train_bridge(model, x, y, plan, sigma, steps, batch_size=256, lr=1e-3, generator=None, progress=False):
    need(plan.shape == (len(x), len(y)), "plan")
    optimiser, history = torch.optim.{optimiser}, []
    for _ in range(steps):
        i, j = sample_coupling(plan, batch_size, generator)
        t = {times}
        z = {noise}
        loss = endpoint_loss(model, x[i], y[j], t, sigma, z)
        {clear}
        loss.backward()
        optimiser.step()
        history.append({number})
    return {{"loss": history}}


def _near(c, k):
    D = torch.cdist(c, c, compute_mode="donot_use_mm_for_euclid_dist")
    return {near}


def neighbours_kept(x, mapped, k):
    need(len(x) == len(mapped) and 1 <= k <= len(x) - 1, "k or lengths")
    near = [_near(c, k) for c in (x, mapped)]
    return {share}
'''


def source(rng: random.Random) -> str:
    """The text of a solution: every form drawn by itself."""
    drawn = {name: rng.choice(forms) for name, forms in FORMS.items()}
    drawn["value"] = drawn["value"].replace("{cost}", drawn["cost"])
    drawn["features"] = WIDTHS.get(drawn["clock"], 4)
    drawn["depth"] = rng.choice((2, 2, 3))
    drawn["often"] = rng.choice((1, 7, 20))
    drawn["many"] = rng.choice((1000, 2500))
    return TEXT.format(**drawn)
