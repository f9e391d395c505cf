# Differs: NumPy inside every function (float64 whatever comes in), roots from the eigenvalues of the product, ranks by argsort.
import numpy as np
import torch


def _n(t):
    return t.detach().cpu().numpy().astype(np.float64)


def _t(a, like):
    return torch.as_tensor(np.asarray(a, dtype=np.float64)).to(like)


def _bad(condition, text):
    if condition:
        raise ValueError(text)


def gaussian_log_likelihood(x, mean, cov):
    _bad(x.ndim != 2 or x.shape[1] != len(mean) or tuple(cov.shape) != (len(mean),) * 2, "shapes")
    a = _n(x) - _n(mean)
    sign, logdet = np.linalg.slogdet(_n(cov))
    quadratic = np.einsum("bi,bi->b", a, np.linalg.solve(_n(cov), a.T).T)
    return _t(-0.5 * (quadratic + logdet + a.shape[1] * np.log(2 * np.pi)), x)


def bits_per_dim(log_prob, x, noise, levels=256):
    _bad(levels < 2 or x.shape != noise.shape, "levels or shapes")
    pixels, u = _n(x), _n(noise)
    _bad(pixels.min() < 0 or pixels.max() > levels - 1, "x")
    _bad(u.min() < 0 or u.max() > 1, "noise")
    nats = log_prob(_t((pixels + u) / levels, noise))
    return -nats / x.shape[1] / np.log(2) + np.log2(levels)


def _frechet(m1, c1, m2, c2):
    values, vectors = np.linalg.eigh(c1)
    root = (vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T
    inner = np.linalg.eigvalsh(root @ c2 @ root)
    return max(0.0, ((m1 - m2) ** 2).sum() + np.trace(c1) + np.trace(c2) - 2 * np.sqrt(np.clip(inner, 0, None)).sum())


def frechet_distance(mean1, cov1, mean2, cov2):
    d = len(mean1)
    _bad(len(mean2) != d or tuple(cov1.shape) != (d, d) or tuple(cov2.shape) != (d, d), "shapes")
    return _t(_frechet(_n(mean1), _n(cov1), _n(mean2), _n(cov2)), mean1)


def _fid(a, b):
    _bad(a.shape[1] != b.shape[1] or min(len(a), len(b)) < 2, "sets")
    covariances = (np.atleast_2d(np.cov(s, rowvar=False)) for s in (a, b))
    c1, c2 = covariances
    return _frechet(a.mean(0), c1, b.mean(0), c2)


def fid(real, fake):
    return _t(_fid(_n(real), _n(fake)), real)


def fid_infinity(real, fake, sizes):
    sizes = [int(s) for s in sizes]
    _bad(len(set(sizes)) < 2 or min(sizes) < 2 or max(sizes) > len(fake), "sizes")
    values = [_fid(_n(real), _n(fake)[:s]) for s in sizes]
    line = np.polyfit(1 / np.array(sizes), values, 1)
    return _t(line[-1], real), _t(values, real)


def kernel_inception_distance(real, fake):
    a, b = _n(real), _n(fake)
    _bad(a.shape[1] != b.shape[1] or min(len(a), len(b)) < 2, "sets")

    def k(u, v):
        return (u.dot(v.T) / u.shape[1] + 1) ** 3

    def mean_off(m):
        return m[~np.eye(len(m), dtype=bool)].mean()

    return _t(mean_off(k(a, a)) + mean_off(k(b, b)) - 2 * k(a, b).mean(), real)


def inception_score(probabilities, splits=1):
    p = _n(probabilities)
    _bad(splits < 1 or len(p) % splits, "splits")
    _bad(p.min() < 0 or p.max() > 1, "probabilities")
    scores = []
    for part in np.split(p, splits):
        ratio = np.where(part > 0, part / np.maximum(part.mean(0), 1e-300), 1.0)
        scores.append(np.exp((part * np.log(ratio)).sum(1).mean()))
    return _t(np.mean(scores), probabilities), _t(np.std(scores), probabilities)


def _pairs(a, b):
    return np.sqrt(((a[:, None] - b[None]) ** 2).sum(-1))


def precision_recall(real, fake, k=5):
    a, b = _n(real), _n(fake)
    _bad(a.shape[1] != b.shape[1] or not 1 <= k < min(len(a), len(b)), "k or shapes")
    ra, rb = (np.sort(_pairs(s, s), 1)[:, k] for s in (a, b))  # column 0 is the point itself
    between = _pairs(a, b)
    inside = between <= ra[:, None]
    return {
        "precision": inside.any(0).mean(),
        "recall": (between <= rb[None]).any(1).mean(),
        "density": inside.sum(0).mean() / k,
        "coverage": inside.any(1).mean(),
    }


def memorisation_ratio(samples, train):
    _bad(samples.shape[1] != train.shape[1] or len(train) < 2, "shapes")
    near = np.sort(_pairs(_n(samples), _n(train)), 1)
    with np.errstate(invalid="ignore"):
        return _t(np.where(near[:, 0] == 0, 0, near[:, 0] / near[:, 1]), samples)


def model_agreement(samples_a, samples_b, train_a, train_b):
    _bad(samples_a.shape != samples_b.shape, "pairs")
    a, b, ta, tb = (_n(t) for t in (samples_a, samples_b, train_a, train_b))
    _bad(len({s.shape[1] for s in (a, b, ta, tb)}) > 1, "dimensions")
    centre = np.concatenate([ta, tb]).mean(0)
    a, b, ta, tb = ((s - centre) / np.linalg.norm(s - centre, axis=1, keepdims=True) for s in (a, b, ta, tb))
    return (a * b).sum(1).mean(), np.mean([(a @ ta.T).max(1).mean(), (b @ tb.T).max(1).mean()])


def tsne_affinities(x, perplexity=30.0):
    a = _n(x)
    n = len(a)
    _bad(not 1 < perplexity < n - 1, "perplexity")
    squared, p = _pairs(a, a) ** 2, np.zeros((n, n))
    for i in range(n):
        d = np.delete(squared[i], i)
        d = d - d.min()
        low, high, beta = 0.0, np.inf, 1 / d.mean()
        for _ in range(3000):
            w = np.exp(-beta * d)
            w /= w.sum()
            h = -(w[w > 0] * np.log(w[w > 0])).sum()
            if abs(h - np.log(perplexity)) < 1e-11:
                break
            low, high = (beta, high) if h > np.log(perplexity) else (low, beta)
            beta = 2 * beta if high == np.inf else np.sqrt(low * high) if low > 0 else high / 2
        p[i, np.arange(n) != i] = w
    return _t((p + p.T) / (2 * n), x)


def tsne_loss(affinities, y):
    p, a = _n(affinities), _n(y)
    _bad(p.shape != (len(a), len(a)), "shapes")
    offsets = a[:, None] - a[None]
    w = 1 / (1 + (offsets**2).sum(-1))
    np.fill_diagonal(w, 0)
    q = w / w.sum()
    positive = p > 0
    kl = (p[positive] * np.log(p[positive] / q[positive])).sum()
    return _t(kl, y), _t(4 * np.einsum("ij,ijd->id", (p - q) * w, offsets), y)


def trustworthiness(x, y, k=5):
    a, b = _n(x), _n(y)
    n = len(a)
    _bad(len(b) != n or not 1 <= k < n / 2, "k or points")
    ranks = _pairs(a, a).argsort(1).argsort(1)
    neighbours = _pairs(b, b).argsort(1)[:, 1 : k + 1]
    charged = np.maximum(np.take_along_axis(ranks, neighbours, 1) - k, 0).sum()
    return 1 - charged * 2 / (n * k * (2 * n - 3 * k - 1))


def compare_models(runs, real, train, features, probabilities, k=5):
    _bad(len(runs) == 0 or any(len(r) == 0 for r in runs.values()), "runs")
    out = {}
    for name, all_samples in runs.items():
        table = {}
        for s in all_samples:
            f = features(s)
            row = {"fid": fid(features(real), f), "kid": kernel_inception_distance(features(real), f)}
            row["inception_score"] = inception_score(probabilities(s))[0]
            row |= precision_recall(features(real), f, k)
            row["memorised"] = (_n(memorisation_ratio(s, train)) < 1 / 3).mean()
            for key, value in row.items():
                table.setdefault(key, []).append(float(value))
        out[name] = {key: (np.mean(v), np.std(v)) for key, v in table.items()}
    return out
