# Differs: as short as can be: vmap, broadcasting, inverse matrices, secant-free bisection in beta itself with growing bounds.
import math

import torch
from torch import vmap


def no(bad):
    if bad:
        raise ValueError("bad arguments")


def gaussian_log_likelihood(x, mean, cov):
    no(x.shape[-1] != mean.shape[0] or cov.shape != (x.shape[-1],) * 2)
    o, p = x - mean, torch.linalg.inv(cov)
    return -(vmap(lambda v: v @ p @ v)(o) + torch.logdet(cov) + len(mean) * math.log(math.tau)) / 2


def bits_per_dim(log_prob, x, noise, levels=256):
    no(levels < 2 or x.shape != noise.shape or x.lt(0).any() or x.gt(levels - 1).any() or ((noise - 0.5).abs() > 0.5).any())
    return math.log2(levels) - log_prob((x + noise) / levels) * (math.log2(math.e) / x.shape[1])


def frechet_distance(mean1, cov1, mean2, cov2):
    no(mean1.shape != mean2.shape or cov1.shape != cov2.shape or len(cov1) != len(mean1))
    (w, v), (s, u) = torch.linalg.eigh(cov1), torch.linalg.eigh(cov2)
    a, b = v * w.clamp(min=0).sqrt(), u * s.clamp(min=0).sqrt()
    return ((mean1 - mean2).pow(2).sum() + cov1.trace() + cov2.trace() - 2 * torch.linalg.matrix_norm(a.T @ b, "nuc")).clamp(min=0)


def fid(real, fake):
    no(real.shape[1] != fake.shape[1] or len(real) < 2 or len(fake) < 2)
    c = [(s - s.mean(0)).T @ (s - s.mean(0)) / (len(s) - 1) for s in (real, fake)]
    return frechet_distance(real.mean(0), c[0], fake.mean(0), c[1])


def fid_infinity(real, fake, sizes):
    no(len({*sizes}) < 2 or min(sizes) < 2 or max(sizes) > len(fake))
    v = torch.stack([fid(real, fake[:s]) for s in sizes])
    a = torch.tensor([[1.0, 1 / s] for s in sizes], dtype=v.dtype, device=v.device)
    return (torch.linalg.pinv(a) @ v)[0], v


def kernel_inception_distance(real, fake):
    no(real.shape[1] != fake.shape[1] or len(real) < 2 or len(fake) < 2)
    k = lambda a, b: (a @ b.T / a.shape[1] + 1) ** 3  # noqa: E731
    u = lambda a: (k(a, a).sum() - k(a, a).diagonal().sum()) / len(a) / (len(a) - 1)  # noqa: E731
    return u(real) + u(fake) - k(real, fake).mean() * 2


def inception_score(probabilities, splits=1):
    no(splits < 1 or len(probabilities) % max(splits, 1) or probabilities.min() < 0 or probabilities.max() > 1)
    p = probabilities.unflatten(0, (splits, -1))
    s = (torch.special.entr(p.mean(1)).sum(-1) - torch.special.entr(p).sum(-1).mean(1)).exp()
    return s.mean(), (s - s.mean()).pow(2).mean().sqrt()


def dist(a, b):
    return (a[:, None] - b).norm(dim=-1)


def precision_recall(real, fake, k=5):
    no(real.shape[1] != fake.shape[1] or not 0 < k < min(len(real), len(fake)))
    r, f = (dist(s, s).sort().values[:, k] for s in (real, fake))
    d = dist(real, fake)
    a, b = d <= r[:, None], d <= f
    m = lambda t: t.double().mean()  # noqa: E731
    return {"precision": m(a.any(0)), "recall": m(b.any(1)), "density": m(a) * len(real) / k, "coverage": m(a.any(1))}


def memorisation_ratio(samples, train):
    no(samples.shape[1] != train.shape[1] or len(train) < 2)
    a, b = dist(samples, train).sort().values.T[:2]
    return torch.where(b > 0, a / b.where(b > 0, 1), 0 * a)


def model_agreement(samples_a, samples_b, train_a, train_b):
    no(samples_a.shape != samples_b.shape or samples_a.shape[1] != train_a.shape[1] or samples_b.shape[1] != train_b.shape[1])
    c = (train_a.sum(0) + train_b.sum(0)) / (len(train_a) + len(train_b))
    a, b, s, t = ((v - c) / (v - c).norm(dim=1, keepdim=True) for v in (samples_a, samples_b, train_a, train_b))
    return (a * b).sum(1).mean(), torch.stack([(a @ s.T).amax(1).mean(), (b @ t.T).amax(1).mean()]).mean()


def tsne_affinities(x, perplexity=30.0):
    no(not 1 < perplexity < len(x) - 1)
    d = dist(x.double(), x.double()) ** 2
    d.fill_diagonal_(torch.inf)
    d = d - d.amin(1, keepdim=True)
    d = d / d.sort().values[:, 1:2]
    f = lambda beta: torch.softmax(-(beta * d).nan_to_num(nan=0.0, posinf=torch.inf), 1)  # noqa: E731
    entropy = lambda beta: torch.special.entr(f(beta)).sum(1, keepdim=True)  # noqa: E731
    low = high = torch.ones(len(x), 1, dtype=torch.float64, device=x.device)
    for _ in range(200):
        low = torch.where(entropy(low) < math.log(perplexity), low / 2, low)
        high = torch.where(entropy(high) > math.log(perplexity), high * 2, high)
    for _ in range(100):
        mid = (low * high).sqrt()
        up = entropy(mid) > math.log(perplexity)
        low, high = mid.where(up, low), high.where(up, mid)
    return ((f(mid) + f(mid).T) / (2 * len(x))).to(x)


def tsne_loss(affinities, y):
    no(affinities.shape != (len(y), len(y)))
    w = (1 + dist(y, y) ** 2) ** -1 - torch.eye(len(y)).to(y)
    q = w / w.sum()
    m = affinities > 0
    l = ((affinities - q) * w).to(y)  # noqa: E741
    return (affinities[m] * (affinities[m].log() - q[m].log())).sum(), 4 * (torch.diag(l.sum(1)) - l) @ y


def trustworthiness(x, y, k=5):
    n = len(x)
    no(len(y) != n or not 1 <= k < n / 2)
    r = dist(x, x).argsort().argsort()
    i = dist(y, y).argsort()[:, 1 : k + 1]
    return 1 - float((r.gather(1, i) - k).clamp(min=0).sum()) * 2 / n / k / (2 * n - 3 * k - 1)


def compare_models(runs, real, train, features, probabilities, k=5):
    no(not runs or not all(len(v) for v in runs.values()))

    def one(s):
        a, b = features(real), features(s)
        r = (memorisation_ratio(s, train) < 1 / 3).double().mean()
        i = inception_score(probabilities(s))[0]
        return {"fid": fid(a, b), "kid": kernel_inception_distance(a, b), "inception_score": i, "memorised": r, **precision_recall(a, b, k)}

    rows = {name: [one(s) for s in sets] for name, sets in runs.items()}
    stack = {n: {m: torch.stack([r[m].double() for r in v]) for m in v[0]} for n, v in rows.items()}
    return {n: {m: (float(v.mean()), float(v.std(correction=0))) for m, v in t.items()} for n, t in stack.items()}
