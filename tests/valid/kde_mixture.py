"""Random valid solutions of kde_mixture: each function in one of several right forms, one start of EM of several."""

from __future__ import annotations

import random

FORMS = {
    "squared": (
        "(x[:, None, :] - data[None, :, :]).pow(2).sum(-1)",
        "sum((x[:, k, None] - data[None, :, k]) ** 2 for k in range(x.shape[1]))",
        "torch.cdist(x, data, compute_mode='donot_use_mm_for_euclid_dist') ** 2",
        "torch.stack([(row - data).norm(dim=1) ** 2 for row in x])",
    ),
    "lse": (
        "torch.logsumexp({a}, dim=1)",
        "({a}).double().logsumexp(1).to(({a}).dtype)",
        "torch.stack([row.logsumexp(0) for row in ({a})])",
        "(({a}).max(1).values + (({a}) - ({a}).max(1, keepdim=True).values).exp().sum(1).log())",
    ),
    "exponent": (
        "torch.linalg.solve_triangular(torch.linalg.cholesky(c), (x - u).T, upper=False).square().sum(0)",
        "((x - u) @ torch.linalg.inv(c) * (x - u)).sum(1)",
        "torch.einsum('bi,ij,bj->b', x - u, torch.linalg.inv(c), x - u)",
        "((x - u) * torch.linalg.solve(c, (x - u).T).T).sum(1)",
        "((x - u) @ torch.linalg.eigh(c).eigenvectors).square().div(torch.linalg.eigvalsh(c)).sum(1)",
    ),
    "log_det": (
        "torch.logdet(c)",
        "torch.linalg.slogdet(c)[1]",
        "2 * torch.linalg.cholesky(c).diagonal().log().sum()",
        "torch.linalg.eigvalsh(c).log().sum()",
    ),
    "posterior": (
        "torch.softmax(j, dim=1)",
        "(j - torch.logsumexp(j, 1, keepdim=True)).exp()",
        "torch.nn.functional.softmax(j.double(), -1).to(j.dtype)",
        "torch.nn.functional.normalize((j - j.max(1, keepdim=True).values).exp(), p=1, dim=1)",
    ),
    "labels": (
        "torch.multinomial(weights, n, replacement=True, generator=generator)",
        "torch.searchsorted(weights.double().cumsum(0) / weights.double().sum(),"
        " torch.rand(n, generator=generator, dtype=torch.float64), right=True).clamp(max=len(weights) - 1)",
        "(weights.log()[None] - (-torch.rand(n, len(weights), generator=generator, dtype=torch.float64)"
        ".clamp_min(1e-300).log()).log()).argmax(1)",
    ),
    "root": (
        "torch.linalg.cholesky(covariances)",
        "torch.linalg.eigh(covariances)[1] @ torch.diag_embed(torch.linalg.eigh(covariances)[0].clamp_min(0).sqrt())",
        "torch.linalg.svd(covariances)[0] @ torch.diag_embed(torch.linalg.svd(covariances)[1].sqrt())",
    ),
    "noise": (
        "torch.randn({shape}, generator=generator, dtype=t)",
        "torch.empty({shape}, dtype=t).normal_(generator=generator)",
        "torch.normal(0.0, 1.0, size=({shape}), generator=generator).to(t)",
    ),
    "rows": (
        "torch.randint(len(data), (n,), generator=generator)",
        "torch.multinomial(torch.ones(len(data)), n, replacement=True, generator=generator)",
        "(torch.rand(n, generator=generator, dtype=torch.float64) * len(data)).long()",
    ),
    "covariance": (
        "torch.einsum('n,ni,nj->ij', s, x - u, x - u) / s.sum()",
        "((x - u) * s[:, None]).T @ (x - u) / s.sum()",
        "sum(w * torch.outer(p, p) for w, p in zip(s, x - u)) / s.sum()",
        "torch.cov(x.T, aweights=s, correction=0).reshape(x.shape[1], x.shape[1])",
    ),
    "start": (
        "x[torch.randperm(len(x), generator=generator)[:m]]",
        "x[torch.randint(len(x), (m,), generator=generator)] + 0.3 * x.std(0) * "
        "torch.randn(m, x.shape[1], generator=generator, dtype=x.dtype)",
        "x.mean(0) + x.std(0) * torch.randn(m, x.shape[1], generator=generator, dtype=x.dtype)",
        "x[x[:, 0].argsort()][torch.linspace(0, len(x) - 1, m + 2).long()[1:-1]]",
    ),
    "width": (
        "torch.diag(x.var(0, correction=0) + 1e-3)",
        "(torch.cov(x.T, correction=0).reshape(x.shape[1], x.shape[1]) + 1e-3 * torch.eye(x.shape[1], dtype=x.dtype))",
        "(x.var() + 1e-3) * torch.eye(x.shape[1], dtype=x.dtype)",
    ),
    "when": ("before", "after"),
    "number": ("float({v})", "{v}.item()", "{v}.detach()", "{v}.detach().numpy()"),
    "shell": (
        "torch.distributions.Gamma(torch.tensor(d / 2, dtype=s.dtype),"
        " torch.tensor(d / (2 * sigma**2), dtype=s.dtype)).log_prob(s)",
        "(d / 2 - 1) * s.log() - s * d / (2 * sigma**2) + d / 2 * math.log(d / (2 * sigma**2)) - math.lgamma(d / 2)",
    ),
    "boxes": (
        "len({tuple(row) for row in (x * bins).long().clamp(max=bins - 1).tolist()})",
        "len(torch.unique((x * bins).floor().clamp(max=bins - 1), dim=0))",
        "int(torch.unique(torch.where(x == 1, bins - 1, (x * bins).int()), dim=0).shape[0])",
    ),
    "refuse": ("raise ValueError(text)", "raise ValueError(f'bad argument: {text}')"),
}
TEXT = '''"""A random valid solution."""
import math

import torch


def need(right, text):
    if not right:
        {refuse}


def _same(x, y):
    need(x.dim() == 2 and y.dim() == 2 and x.shape[1] == y.shape[1], "dimensions differ")


def _bumps(x, data, h):
    need(h > 0, "bandwidth")
    _same(x, data)
    return -({squared}) / (2 * h**2) - x.shape[1] * math.log(h * math.sqrt(2 * math.pi))


def kde_log_prob(x, data, bandwidth):
    a = _bumps(x, data, bandwidth)
    return {lse} - math.log(len(data))


def leave_one_out_log_likelihood(data, bandwidth):
    need(len(data) > 1, "two points")
    a = _bumps(data, data, bandwidth) + torch.diag(torch.full((len(data),), -torch.inf, dtype=data.dtype))
    return ({lse}).mean() - math.log(len(data) - 1)


def select_bandwidth(data, bandwidths):
    need(len(bandwidths) > 0, "no candidate")
    return max((float(h) for h in bandwidths), key=lambda h: float(leave_one_out_log_likelihood(data, h)))


def kde_sample(data, bandwidth, n, generator=None):
    need(bandwidth > 0 and n >= 1, "bandwidth or n")
    t = data.dtype
    return data[{rows}] + bandwidth * {data_noise}


def component_log_prob(x, means, covariances):
    _same(x, means)
    need(covariances.shape == (*means.shape, means.shape[1]), "covariances")
    columns = [-0.5 * ({exponent}) - 0.5 * ({log_det}) for u, c in zip(means, covariances)]
    return torch.stack(columns, 1) - x.shape[1] / 2 * math.log(2 * math.pi)


def _joint(x, weights, means, covariances):
    need(weights.shape == means.shape[:1], "weights")
    return component_log_prob(x, means, covariances) + weights.log()


def mixture_log_prob(x, weights, means, covariances):
    a = _joint(x, weights, means, covariances)
    return {lse}


def responsibilities(x, weights, means, covariances):
    j = _joint(x, weights, means, covariances)
    return {posterior}


def classify(x, weights, means, covariances):
    return _joint(x, weights, means, covariances).argmax(1)


def mixture_sample(weights, means, covariances, n, component=None, generator=None):
    _same(means, means)
    need(weights.shape == means.shape[:1] and covariances.shape == (*means.shape, means.shape[1]), "shapes")
    need(n >= 1, "n")
    need(component is None or 0 <= component < len(means), "component")
    t = means.dtype
    labels = {labels} if component is None else torch.full((n,), component)
    z = {mean_noise}
    return means[labels] + torch.einsum("nij,nj->ni", ({root})[labels], z), labels


def _fit(x, r, ridge):
    need(ridge >= 0, "ridge")
    means = r.T @ x / r.sum(0)[:, None]
    covariances = torch.stack([{covariance} for s, u in zip(r.T, means)])
    return r.mean(0), means, covariances + ridge * torch.eye(x.shape[1], dtype=x.dtype)


def fit_classes(x, labels, ridge=0.0):
    need(labels.shape == x.shape[:1] and int(labels.min()) >= 0, "labels")
    r = (labels[:, None] == torch.arange(int(labels.max()) + 1)).to(x.dtype)
    need(bool((r.sum(0) > 0).all()), "an empty class")
    return _fit(x, r, ridge)


def em_step(x, weights, means, covariances, ridge=0.0):
    return _fit(x, responsibilities(x, weights, means, covariances), ridge)


def fit_mixture(x, m, steps, ridge=1e-6, start=None, generator=None, progress=False):
    need(1 <= m <= len(x) and steps >= 1 and ridge >= 0, "m, steps or ridge")
    if start is None:
        start = torch.full((m,), 1 / m, dtype=x.dtype), {start}, torch.stack([{width}] * m)
    history = []
    for _ in range(steps):
        if "{when}" == "before":
            v = mixture_log_prob(x, *start).mean()
        start = em_step(x, *start, ridge)
        if "{when}" == "after":
            v = mixture_log_prob(x, *start).mean()
        history.append({number})
    return (*start, {{"log_likelihood": history}})


def squared_norm_log_density(s, d, sigma):
    need(d >= 1 and sigma > 0, "d or sigma")
    return {shell}


def covered_fraction(x, bins):
    need(bins >= 1, "bins")
    need(bool(((x >= 0) & (x <= 1)).all()), "outside")
    return {boxes} / bins ** x.shape[1]
'''


def source(rng: random.Random) -> str:
    """The text of a solution: every form drawn by itself."""
    drawn = {name: rng.choice(forms) for name, forms in FORMS.items()}
    drawn["lse"] = drawn["lse"].replace("{a}", "a")
    drawn["number"] = drawn["number"].replace("{v}", "v")
    noise = drawn.pop("noise")
    drawn["data_noise"] = noise.replace("{shape}", "n, data.shape[1]")
    drawn["mean_noise"] = noise.replace("{shape}", "n, means.shape[1]")
    return TEXT.format(**drawn)
