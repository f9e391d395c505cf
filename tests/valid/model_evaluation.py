"""Random valid solutions of model_evaluation: each measure in one of several right forms."""

from __future__ import annotations

import random

FORMS = {
    "quadratic": (
        "torch.linalg.solve_triangular(torch.linalg.cholesky(cov), (x - mean).T, upper=False).square().sum(0)",
        "((x - mean) @ torch.linalg.inv(cov) * (x - mean)).sum(1)",
        "torch.einsum('bi,bi->b', x - mean, torch.linalg.solve(cov, (x - mean).T).T)",
        "((x - mean) @ torch.linalg.eigh(cov)[1]).square().div(torch.linalg.eigh(cov)[0]).sum(1)",
    ),
    "log_det": (
        "torch.linalg.slogdet(cov).logabsdet",
        "torch.logdet(cov)",
        "2 * torch.linalg.cholesky(cov).diagonal().log().sum()",
        "torch.linalg.eigvalsh(cov).log().sum()",
    ),
    "bits": (
        "-nats / math.log(2) / x.shape[1] + math.log2(levels)",
        "(x.shape[1] * math.log(levels) - nats) / (x.shape[1] * math.log(2))",
        "math.log2(levels) - nats * (math.log2(math.e) / x.shape[1])",
    ),
    "between": (
        "torch.linalg.svdvals(_root(cov1) @ _root(cov2)).sum()",
        "torch.linalg.eigvalsh(_root(cov1) @ cov2 @ _root(cov1)).clamp_min(0).sqrt().sum()",
        "torch.linalg.matrix_norm(_root(cov2) @ _root(cov1), ord='nuc')",
        "_root(_root(cov2) @ cov1 @ _root(cov2)).trace()",
    ),
    "root": (
        "v * w.clamp_min(0).sqrt() @ v.T",
        "v @ torch.diag(w.relu().sqrt()) @ v.T",
        "sum(a.clamp_min(0).sqrt() * torch.outer(u, u) for a, u in zip(w, v.T))",
    ),
    "moments": (
        "s.mean(0), torch.cov(s.T).reshape(s.shape[1], s.shape[1])",
        "s.mean(0), (s - s.mean(0)).T @ (s - s.mean(0)) / (len(s) - 1)",
        "s.sum(0) / len(s), sum(torch.outer(r, r) for r in s - s.mean(0)) / (len(s) - 1)",
    ),
    "line": (
        "torch.linalg.lstsq(torch.stack([torch.ones_like(u), u], 1), v[:, None]).solution[0, 0]",
        "v.mean() - ((u - u.mean()) * (v - v.mean())).sum() / (u - u.mean()).square().sum() * u.mean()",
        "(torch.linalg.pinv(torch.stack([torch.ones_like(u), u], 1)) @ v)[0]",
    ),
    "within": (
        "(g.sum() - g.trace()) / (len(g) * (len(g) - 1))",
        "g[~torch.eye(len(g), dtype=torch.bool)].mean()",
        "sum(g[i, j] for i in range(len(g)) for j in range(len(g)) if i != j) / (len(g) ** 2 - len(g))",
    ),
    "divergence": (
        "(torch.xlogy(part, part) - torch.xlogy(part, part.mean(0))).sum(1).mean()",
        "torch.special.entr(part.mean(0)).sum() - torch.special.entr(part).sum(1).mean()",
        "(part * (part.clamp_min(1e-30).log() - part.mean(0).clamp_min(1e-30).log())).sum(1).mean()",
    ),
    "distances": (
        "torch.stack([(r - b).square().sum(1).sqrt() for r in a])",
        "(a[:, None] - b).norm(dim=-1)",
        "torch.cdist(a, b, compute_mode='donot_use_mm_for_euclid_dist')",
        "sum((a[:, None, k] - b[:, k]) ** 2 for k in range(a.shape[1])).sqrt()",
    ),
    "radius": (
        "_d(s, s).sort(1).values[:, k]",
        "_d(s, s).topk(k + 1, largest=False).values.amax(1)",
        "(_d(s, s) + torch.diag(torch.full((len(s),), torch.inf, dtype=s.dtype))).kthvalue(k, dim=1).values",
    ),
    "number": ("float({v})", "({v}).item()", "({v})"),
    "ratio": (
        "torch.where(near[:, 0] == 0, 0.0, near[:, 0] / near[:, 1])",
        "(near[:, 0] / near[:, 1]).nan_to_num(nan=0.0)",
        "torch.stack([a / b if a > 0 else a for a, b in near])",
    ),
    "cosines": (
        "torch.nn.functional.normalize(a, dim=1) @ torch.nn.functional.normalize(b, dim=1).T",
        "torch.nn.functional.cosine_similarity(a[:, None], b, dim=2)",
        "(a @ b.T) / (a.norm(dim=1)[:, None] * b.norm(dim=1))",
    ),
    "kernel": (
        "1 / (1 + _d(y, y) ** 2)",
        "(1 + (y[:, None] - y).square().sum(2)).reciprocal()",
        "torch.exp(-torch.log1p(_d(y, y).square()))",
    ),
    "gradient": (
        "4 * ((((p - q) * w)[:, :, None]) * (y[:, None] - y)).sum(1)",
        "4 * (((p - q) * w).sum(1, keepdim=True) * y - ((p - q) * w) @ y)",
        "4 * torch.einsum('ij,ijd->id', (p - q) * w, y[:, None] - y)",
    ),
    "ranks": (
        "_d(x, x).fill_diagonal_(-1).argsort(1).argsort(1)",
        "(_d(x, x)[:, None, :] < _d(x, x)[:, :, None]).sum(2)",
    ),
    "middle": ("(low + high) / 2", "low + 0.5 * (high - low)"),
    "spread": ("v.std(correction=0)", "v.var(unbiased=False).sqrt()", "(v - v.mean()).square().mean().sqrt()"),
}
TEXT = '''"""A random valid solution."""
import math

import torch


def need(right):
    if not right:
        raise ValueError("bad argument")


def gaussian_log_likelihood(x, mean, cov):
    need(x.shape[1:] == mean.shape and cov.shape == (*mean.shape, *mean.shape))
    return -0.5 * ({quadratic} + {log_det} + x.shape[1] * math.log(2 * math.pi))


def bits_per_dim(log_prob, x, noise, levels=256):
    need(levels >= 2 and x.shape == noise.shape)
    need(bool((x >= 0).all() and (x <= levels - 1).all() and (noise >= 0).all() and (noise <= 1).all()))
    nats = log_prob((x.to(noise.dtype) + noise) / levels)
    return {bits}


def _root(cov):
    w, v = torch.linalg.eigh((cov + cov.T) / 2)
    return {root}


def frechet_distance(mean1, cov1, mean2, cov2):
    need(mean1.shape == mean2.shape and cov1.shape == cov2.shape == (*mean1.shape, *mean1.shape))
    return ((mean1 - mean2).square().sum() + cov1.trace() + cov2.trace() - 2 * {between}).clamp_min(0)


def _moments(s):
    return {moments}


def fid(real, fake):
    need(real.shape[1] == fake.shape[1] and len(real) > 1 and len(fake) > 1)
    return frechet_distance(*_moments(real), *_moments(fake))


def fid_infinity(real, fake, sizes):
    need(len(set(sizes)) > 1 and min(sizes) > 1 and max(sizes) <= len(fake))
    v = torch.stack([fid(real, fake[:n]) for n in sizes])
    u = torch.tensor([1 / n for n in sizes], dtype=v.dtype)
    return {line}, v


def _k(a, b):
    return (a @ b.T / a.shape[1] + 1) ** 3


def _within(g):
    return {within}


def kernel_inception_distance(real, fake):
    need(real.shape[1] == fake.shape[1] and len(real) > 1 and len(fake) > 1)
    return _within(_k(real, real)) + _within(_k(fake, fake)) - 2 * _k(real, fake).mean()


def inception_score(probabilities, splits=1):
    need(splits >= 1 and len(probabilities) % splits == 0)
    need(bool((probabilities >= 0).all() and (probabilities <= 1).all()))
    v = torch.stack([({divergence}).exp() for part in probabilities.chunk(splits)])
    return v.mean(), {spread}


def _d(a, b):
    return {distances}


def _radius(s, k):
    return {radius}


def precision_recall(real, fake, k=5):
    need(real.shape[1] == fake.shape[1] and 1 <= k < min(len(real), len(fake)))
    between = _d(real, fake)
    a, b = between <= _radius(real, k)[:, None], between <= _radius(fake, k)
    values = {{
        "precision": a.any(0).double().mean(), "recall": b.any(1).double().mean(),
        "density": a.double().sum() / (k * len(fake)), "coverage": a.any(1).double().mean(),
    }}
    return {{key: {number_v} for key, v in values.items()}}


def memorisation_ratio(samples, train):
    need(samples.shape[1] == train.shape[1] and len(train) > 1)
    near = _d(samples, train).sort(1).values[:, :2]
    return {ratio}


def _cosines(a, b):
    return {cosines}


def model_agreement(samples_a, samples_b, train_a, train_b):
    need(samples_a.shape == samples_b.shape and train_a.shape[1] == train_b.shape[1] == samples_a.shape[1])
    m = torch.cat([train_a, train_b]).mean(0)
    agreement = _cosines(samples_a - m, samples_b - m).diagonal().mean()
    pairs = ((samples_a, train_a), (samples_b, train_b))
    memory = sum(_cosines(s - m, t - m).max(1).values.mean() for s, t in pairs) / 2
    return {number_agreement}, {number_memory}


def tsne_affinities(x, perplexity=30.0):
    n = len(x)
    need(1 < perplexity < n - 1)
    squared, p = _d(x.double(), x.double()) ** 2, torch.zeros(n, n, dtype=torch.float64)
    for i in range(n):
        others = torch.arange(n) != i
        gap = squared[i, others] - squared[i, others].min()
        gap = gap / gap.sort().values[1]
        low, high = -70.0, 70.0
        for _ in range(110):
            middle = {middle}
            row = torch.softmax(-math.exp(middle) * gap, 0)
            if float(torch.special.entr(row).sum()) > math.log(perplexity):
                low = middle
            else:
                high = middle
        p[i, others] = row
    return ((p + p.T) / (2 * n)).to(x)


def tsne_loss(affinities, y):
    need(affinities.shape == (len(y), len(y)))
    w = ({kernel}) * (1 - torch.eye(len(y), dtype=y.dtype))
    p, q = affinities, w / w.sum()
    seen = p > 0
    return (p[seen] * (p[seen] / q[seen]).log()).sum(), {gradient}


def trustworthiness(x, y, k=5):
    n = len(x)
    need(len(y) == n and 1 <= k < n / 2)
    near = (_d(y, y) + torch.diag(torch.full((n,), torch.inf, dtype=y.dtype))).argsort(1)[:, :k]
    v = 1 - 2 * ({ranks}.gather(1, near) - k).clamp_min(0).sum().double() / (n * k * (2 * n - 3 * k - 1))
    return {number_v}


def compare_models(runs, real, train, features, probabilities, k=5):
    need(len(runs) > 0 and all(len(sets) > 0 for sets in runs.values()))
    out = {{}}
    for name, sets in runs.items():
        columns = {{}}
        for s in sets:
            a, b = features(real), features(s)
            row = {{"fid": fid(a, b), "kid": kernel_inception_distance(a, b)}}
            row["inception_score"] = inception_score(probabilities(s))[0]
            row["memorised"] = (memorisation_ratio(s, train) < 1 / 3).double().mean()
            for key, value in {{**row, **precision_recall(a, b, k)}}.items():
                columns.setdefault(key, []).append(float(value))
        out[name] = {{}}
        for key, values in columns.items():
            v = torch.tensor(values, dtype=torch.float64)
            out[name][key] = (float(v.mean()), float({spread}))
    return out
'''


def source(rng: random.Random) -> str:
    """The text of a solution: every form drawn by itself."""
    drawn = {name: rng.choice(forms) for name, forms in FORMS.items()}
    number = drawn.pop("number")
    for name in ("v", "agreement", "memory"):
        drawn[f"number_{name}"] = number.replace("{v}", name)
    return TEXT.format(**drawn)
