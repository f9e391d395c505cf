# Differs: plain loops over points and pairs, math instead of torch wherever a number is enough, floats returned.
import math

import torch


def _check(right, text):
    if not right:
        raise ValueError(text)


def gaussian_log_likelihood(x, mean, cov):
    _check(x.shape[1:] == mean.shape and cov.shape == mean.shape * 2, "x, mean and cov do not fit")
    values, vectors = torch.linalg.eigh(cov)
    out = []
    for point in x:
        z = vectors.T @ (point - mean)
        out.append(-0.5 * sum(float(a) ** 2 / float(v) + math.log(2 * math.pi * float(v)) for a, v in zip(z, values)))
    return torch.tensor(out, dtype=x.dtype, device=x.device)


def bits_per_dim(log_prob, x, noise, levels=256):
    _check(levels >= 2, "levels")
    _check(x.shape == noise.shape, "shapes")
    for image, drawn in zip(x.tolist(), noise.tolist()):
        for pixel, u in zip(image, drawn):
            _check(0 <= pixel <= levels - 1, "x")
            _check(0 <= u <= 1, "noise")
    nats = log_prob((x.to(noise) + noise) / levels)
    return torch.stack([-v / math.log(2) / x.shape[1] + math.log2(levels) for v in nats])


def _root(cov):
    values, vectors = torch.linalg.eigh(cov)
    return sum(math.sqrt(max(float(v), 0)) * torch.outer(u, u) for v, u in zip(values, vectors.T))


def frechet_distance(mean1, cov1, mean2, cov2):
    _check(mean1.shape == mean2.shape and cov1.shape == cov2.shape == mean1.shape * 2, "shapes")
    root = _root(cov1)
    inner = _root(root @ cov2 @ root)
    total = ((mean1 - mean2) ** 2).sum() + torch.trace(cov1 + cov2 - 2 * inner)
    return torch.maximum(total, torch.zeros_like(total))


def _moments(rows):
    mean = sum(rows) / len(rows)
    cov = sum(torch.outer(r - mean, r - mean) for r in rows) / (len(rows) - 1)
    return mean, cov


def fid(real, fake):
    _check(real.shape[1] == fake.shape[1], "features")
    _check(len(real) >= 2 and len(fake) >= 2, "rows")
    return frechet_distance(*_moments(real), *_moments(fake))


def fid_infinity(real, fake, sizes):
    _check(len({int(s) for s in sizes}) >= 2, "two sizes at least")
    values = []
    for s in sizes:
        _check(2 <= s <= len(fake), "size")
        values.append(fid(real, fake[:s]))
    n = len(values)
    sx = sum(1 / s for s in sizes)
    sxx = sum(1 / s**2 for s in sizes)
    sy = sum(values)
    sxy = sum(v / s for v, s in zip(values, sizes))
    slope = (n * sxy - sx * sy) / (n * sxx - sx * sx)
    return (sy - slope * sx) / n, torch.stack(values)


def _k(a, b):
    return float(a @ b / len(a) + 1) ** 3


def kernel_inception_distance(real, fake):
    _check(real.shape[1] == fake.shape[1], "features")
    n, m = len(real), len(fake)
    _check(n >= 2 and m >= 2, "rows")
    a = sum(_k(real[i], real[j]) for i in range(n) for j in range(n) if i != j) / n / (n - 1)
    b = sum(_k(fake[i], fake[j]) for i in range(m) for j in range(m) if i != j) / m / (m - 1)
    c = sum(_k(x, y) for x in real for y in fake) / n / m
    return a + b - 2 * c


def inception_score(probabilities, splits=1):
    n = len(probabilities)
    _check(splits >= 1 and n % splits == 0, "splits")
    rows = probabilities.tolist()
    _check(all(0 <= v <= 1 for row in rows for v in row), "probabilities")
    size, scores = n // splits, []
    for s in range(splits):
        part = rows[s * size : (s + 1) * size]
        marginal = [sum(column) / size for column in zip(*part)]
        total = 0.0
        for row in part:
            total += sum(v * math.log(v / q) for v, q in zip(row, marginal) if v > 0)
        scores.append(math.exp(total / size))
    mean = sum(scores) / splits
    std = math.sqrt(sum((v - mean) ** 2 for v in scores) / splits)
    return mean, std


def _d(a, b):
    return float(((a - b) ** 2).sum().sqrt())


def precision_recall(real, fake, k=5):
    n, m = len(real), len(fake)
    _check(real.shape[1] == fake.shape[1] and 1 <= k < min(n, m), "k or features")
    real_radius = [sorted(_d(real[i], real[j]) for j in range(n) if j != i)[k - 1] for i in range(n)]
    fake_radius = [sorted(_d(fake[i], fake[j]) for j in range(m) if j != i)[k - 1] for i in range(m)]
    between = [[_d(r, f) for f in fake] for r in real]
    balls = [sum(between[i][j] <= real_radius[i] for i in range(n)) for j in range(m)]
    return {
        "precision": sum(b > 0 for b in balls) / m,
        "recall": sum(any(between[i][j] <= fake_radius[j] for j in range(m)) for i in range(n)) / n,
        "density": sum(balls) / m / k,
        "coverage": sum(any(between[i][j] <= real_radius[i] for j in range(m)) for i in range(n)) / n,
        "k": k,
    }


def memorisation_ratio(samples, train):
    _check(samples.shape[1] == train.shape[1], "dimensions")
    _check(len(train) >= 2, "two training images")
    out = []
    for s in samples:
        first, second = sorted(_d(s, t) for t in train)[:2]
        out.append(first / second if first > 0 else 0.0)
    return torch.tensor(out, dtype=samples.dtype, device=samples.device)


def _cos(a, b):
    return float(a @ b / (a.norm() * b.norm()))


def model_agreement(samples_a, samples_b, train_a, train_b):
    _check(samples_a.shape == samples_b.shape, "pairs")
    _check(train_a.shape[1] == train_b.shape[1] == samples_a.shape[1], "dimensions")
    rows = list(train_a) + list(train_b)
    centre = sum(rows) / len(rows)
    pairs = [_cos(a - centre, b - centre) for a, b in zip(samples_a, samples_b)]
    memory = []
    for samples, train in ((samples_a, train_a), (samples_b, train_b)):
        memory.append(sum(max(_cos(s - centre, t - centre) for t in train) for s in samples) / len(samples))
    return sum(pairs) / len(pairs), sum(memory) / 2


def tsne_affinities(x, perplexity=30.0):
    n = len(x)
    _check(1 < perplexity < n - 1, "perplexity")
    conditional = [[0.0] * n for _ in range(n)]
    for i in range(n):
        d = [_d(x[i], x[j]) ** 2 for j in range(n)]
        others = [j for j in range(n) if j != i]
        least = min(d[j] for j in others)
        unit = sorted(d[j] - least for j in others)[1]
        gaps = [(d[j] - least) / unit for j in others]
        low, high = -60.0, 60.0
        for _ in range(120):
            middle = (low + high) / 2
            w = [math.exp(-math.exp(middle) * g) if math.exp(middle) * g < 700 else 0.0 for g in gaps]
            total = sum(w)
            w = [v / total for v in w]
            if -sum(v * math.log(v) for v in w if v > 0) > math.log(perplexity):
                low = middle
            else:
                high = middle
        for j, v in zip(others, w):
            conditional[i][j] = v
    p = torch.tensor(conditional, dtype=torch.float64)
    return ((p + p.T) / (2 * n)).to(x)


def tsne_loss(affinities, y):
    n = len(y)
    _check(tuple(affinities.shape) == (n, n), "affinities")
    w = [[0.0 if i == j else 1 / (1 + float(((y[i] - y[j]) ** 2).sum())) for j in range(n)] for i in range(n)]
    z = sum(map(sum, w))
    loss, gradient = 0.0, torch.zeros_like(y)
    for i in range(n):
        for j in range(n):
            if i == j:
                continue
            p, q = float(affinities[i, j]), w[i][j] / z
            if p > 0:
                loss += p * math.log(p / q)
            gradient[i] += 4 * (p - q) * w[i][j] * (y[i] - y[j])
    return loss, gradient


def trustworthiness(x, y, k=5):
    n = len(x)
    _check(len(y) == n and 1 <= k < n / 2, "k")
    charged = 0
    for i in range(n):
        others = [j for j in range(n) if j != i]
        by_data = sorted(others, key=lambda j: _d(x[i], x[j]))
        by_map = sorted(others, key=lambda j: _d(y[i], y[j]))[:k]
        charged += sum(max(0, by_data.index(j) + 1 - k) for j in by_map)
    return 1 - 2 / (n * k * (2 * n - 3 * k - 1)) * charged


def compare_models(runs, real, train, features, probabilities, k=5):
    _check(runs, "no model")
    result = {}
    for model in runs:
        _check(len(runs[model]) > 0, "no run")
        found = []
        for samples in runs[model]:
            one = dict(precision_recall(features(real), features(samples), k))
            one["fid"] = float(fid(features(real), features(samples)))
            one["kid"] = float(kernel_inception_distance(features(real), features(samples)))
            one["inception_score"] = float(inception_score(probabilities(samples))[0])
            ratios = memorisation_ratio(samples, train).tolist()
            one["memorised"] = sum(r < 1 / 3 for r in ratios) / len(ratios)
            found.append(one)
        result[model] = {}
        for metric in found[0]:
            values = [one[metric] for one in found]
            mean = sum(values) / len(values)
            result[model][metric] = (mean, math.sqrt(sum((v - mean) ** 2 for v in values) / len(values)))
    return result
