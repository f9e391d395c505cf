# Differs: NumPy inside every function (float64 whatever comes in), its own random numbers seeded from the generator.
import math

import numpy as np
import torch


def _n(t):
    return t.detach().cpu().numpy().astype(np.float64)


def _t(a, like):
    return torch.as_tensor(np.asarray(a)).to(like)


def _rng(generator):
    return np.random.default_rng(int(torch.randint(2**62, (1,), generator=generator)))


def _lse(a, axis):
    top = a.max(axis=axis, keepdims=True)
    return np.log(np.exp(a - top).sum(axis=axis)) + top.squeeze(axis)


def _kernels(x, data, h):
    if h <= 0:
        raise ValueError("bandwidth")
    if x.ndim != 2 or data.ndim != 2 or x.shape[1] != data.shape[1]:
        raise ValueError("dimension")
    d = x.shape[1]
    return -((x[:, None] - data[None]) ** 2).sum(-1) / (2 * h * h) - d * math.log(h) - d / 2 * math.log(2 * math.pi)


def kde_log_prob(x, data, bandwidth):
    return _t(_lse(_kernels(_n(x), _n(data), bandwidth), 1) - np.log(len(data)), x)


def leave_one_out_log_likelihood(data, bandwidth):
    if len(data) < 2:
        raise ValueError("two points at least")
    a = _kernels(_n(data), _n(data), bandwidth)
    n = len(a)
    off = a[~np.eye(n, dtype=bool)].reshape(n, n - 1)
    return _t((_lse(off, 1) - np.log(n - 1)).mean(), data)


def select_bandwidth(data, bandwidths):
    options = [float(b) for b in bandwidths]
    if not options:
        raise ValueError("no bandwidth")
    return max(options, key=lambda h: float(leave_one_out_log_likelihood(data, h)))


def kde_sample(data, bandwidth, n, generator=None):
    if n < 1 or bandwidth <= 0:
        raise ValueError("n or bandwidth")
    rng = _rng(generator)
    a = _n(data)
    return _t(a[rng.choice(len(a), n)] + rng.normal(0, bandwidth, (n, a.shape[1])), data)


def _logs(x, means, covariances):
    if x.ndim != 2 or means.ndim != 2 or x.shape[1] != means.shape[1]:
        raise ValueError("dimension")
    m, d = means.shape
    if covariances.shape != (m, d, d):
        raise ValueError("covariances")
    out = np.empty((len(x), m))
    for i in range(m):
        inverse = np.linalg.inv(covariances[i])
        _sign, logdet = np.linalg.slogdet(covariances[i])
        off = x - means[i]
        out[:, i] = -0.5 * (np.einsum("bi,ij,bj->b", off, inverse, off) + logdet + d * np.log(2 * np.pi))
    return out


def component_log_prob(x, means, covariances):
    return _t(_logs(_n(x), _n(means), _n(covariances)), x)


def _joint(x, w, mu, cov):
    if w.shape != (len(mu),):
        raise ValueError("weights")
    with np.errstate(divide="ignore"):
        return _logs(_n(x), _n(mu), _n(cov)) + np.log(_n(w))


def mixture_log_prob(x, weights, means, covariances):
    return _t(_lse(_joint(x, weights, means, covariances), 1), x)


def responsibilities(x, weights, means, covariances):
    j = _joint(x, weights, means, covariances)
    r = np.exp(j - j.max(1, keepdims=True))
    return _t(r / r.sum(1, keepdims=True), x)


def classify(x, weights, means, covariances):
    return torch.from_numpy(_joint(x, weights, means, covariances).argmax(1).astype(np.int64))


def mixture_sample(weights, means, covariances, n, component=None, generator=None):
    w, mu, cov = _n(weights), _n(means), _n(covariances)
    if w.shape != (len(mu),) or mu.ndim != 2 or cov.shape != (*mu.shape, mu.shape[1]):
        raise ValueError("shapes")
    if n < 1:
        raise ValueError("n")
    rng = _rng(generator)
    if component is None:
        labels = rng.choice(len(w), n, p=w / w.sum())
    elif 0 <= component < len(w):
        labels = np.full(n, component)
    else:
        raise ValueError("component")
    x = np.array([rng.multivariate_normal(mu[k], cov[k], method="eigh") for k in labels])
    return _t(x, means), torch.from_numpy(labels.astype(np.int64))


def _fit(x, r, ridge):
    if ridge < 0:
        raise ValueError("ridge")
    size = r.sum(0)
    mu = (r.T @ x) / size[:, None]
    cov = [np.cov(x.T, aweights=r[:, i], ddof=0).reshape(x.shape[1], -1) + ridge * np.eye(x.shape[1]) for i in range(len(mu))]
    return size / len(x), mu, np.array(cov)


def fit_classes(x, labels, ridge=0.0):
    y = labels.cpu().numpy()
    if y.shape != (len(x),) or y.min() < 0:
        raise ValueError("labels")
    if len(set(y.tolist())) != y.max() + 1:
        raise ValueError("a class is empty")
    return tuple(_t(a, x) for a in _fit(_n(x), np.eye(y.max() + 1)[y], ridge))


def em_step(x, weights, means, covariances, ridge=0.0):
    r = _n(responsibilities(x.double(), weights.double(), means.double(), covariances.double()))
    return tuple(_t(a, x) for a in _fit(_n(x), r, ridge))


def fit_mixture(x, m, steps, ridge=1e-6, start=None, generator=None, progress=False):
    if not 1 <= m <= len(x) or steps < 1 or ridge < 0:
        raise ValueError("m, steps or ridge")
    if start is None:  # cut the cloud along its longest axis
        a = _n(x)
        _values, axes = np.linalg.eigh(np.cov(a.T, ddof=0).reshape(a.shape[1], -1))
        rank = (a @ axes[:, -1]).argsort().argsort()
        part = (rank * m) // len(a)
        noisy = np.eye(m)[part] + 0.05 + 0.2 * _rng(generator).random((len(a), m))
        start = tuple(_t(p, x) for p in _fit(a, noisy / noisy.sum(1, keepdims=True), ridge + 1e-9))
    w, mu, cov = start
    curve = []
    for _ in range(steps):
        curve.append(np.float64(mixture_log_prob(x, w, mu, cov).double().mean()))
        w, mu, cov = em_step(x, w, mu, cov, ridge)
    return w, mu, cov, {"log_likelihood": curve, "steps": [steps]}


def squared_norm_log_density(s, d, sigma):
    if d < 1 or sigma <= 0:
        raise ValueError("d or sigma")
    shape, scale = d / 2, 2 * sigma**2 / d
    v = _n(s)
    return _t((shape - 1) * np.log(v) - v / scale - shape * math.log(scale) - math.lgamma(shape), s)


def covered_fraction(x, bins):
    a = _n(x)
    if bins < 1 or a.min() < 0 or a.max() > 1:
        raise ValueError("bins or x")
    return len(np.unique(np.minimum(np.floor(a * bins), bins - 1), axis=0)) / float(bins) ** a.shape[1]
