"""Constants and random numbers, with every bad argument refused and every dtype kept: form without substance."""

import torch


def _refuse(bad):
    if bad:
        raise ValueError("bad argument")


def kde_log_prob(x, data, bandwidth):
    _refuse(bandwidth <= 0 or x.shape[1] != data.shape[1])
    return x.new_full((len(x),), -1.5)


def leave_one_out_log_likelihood(data, bandwidth):
    _refuse(bandwidth <= 0 or len(data) < 2)
    return data.new_tensor(-1.5)


def select_bandwidth(data, bandwidths):
    _refuse(len(bandwidths) == 0 or len(data) < 2)
    return float(bandwidths[len(bandwidths) // 2])


def kde_sample(data, bandwidth, n, generator=None):
    _refuse(bandwidth <= 0 or n < 1)
    return torch.randn(n, data.shape[1], generator=generator, dtype=data.dtype)


def _shapes(x, means, covariances, weights=None):
    _refuse(x.shape[1] != means.shape[1] or covariances.shape != (*means.shape, means.shape[1]))
    _refuse(weights is not None and weights.shape != means.shape[:1])


def component_log_prob(x, means, covariances):
    _shapes(x, means, covariances)
    return x.new_full((len(x), len(means)), -1.5)


def mixture_log_prob(x, weights, means, covariances):
    _shapes(x, means, covariances, weights)
    return x.new_full((len(x),), -1.5)


def responsibilities(x, weights, means, covariances):
    _shapes(x, means, covariances, weights)
    return x.new_full((len(x), len(means)), 1 / len(means))


def classify(x, weights, means, covariances):
    _shapes(x, means, covariances, weights)
    return torch.full((len(x),), int(weights.argmax()))


def mixture_sample(weights, means, covariances, n, component=None, generator=None):
    _shapes(means, means, covariances, weights)
    _refuse(n < 1 or (component is not None and not 0 <= component < len(means)))
    labels = torch.randint(len(means), (n,), generator=generator)
    if component is not None:
        labels = torch.full((n,), component)
    return torch.randn(n, means.shape[1], generator=generator, dtype=means.dtype), labels


def fit_classes(x, labels, ridge=0.0):
    _refuse(len(labels) != len(x) or ridge < 0 or int(labels.min()) < 0)
    m, d = int(labels.max()) + 1, x.shape[1]
    _refuse(len(labels.unique()) != m)
    return x.new_full((m,), 1 / m), x.new_zeros(m, d), torch.eye(d).to(x).repeat(m, 1, 1)


def em_step(x, weights, means, covariances, ridge=0.0):
    _shapes(x, means, covariances, weights)
    _refuse(ridge < 0)
    return torch.full_like(weights, 1 / len(weights)), torch.zeros_like(means), covariances.clone()


def fit_mixture(x, m, steps, ridge=1e-6, start=None, generator=None, progress=False):
    _refuse(not 1 <= m <= len(x) or steps < 1 or ridge < 0)
    return *fit_classes(x, torch.arange(len(x)) % m), {"log_likelihood": [-1.5] * steps}


def squared_norm_log_density(s, d, sigma):
    _refuse(d < 1 or sigma <= 0)
    return torch.full_like(s, -1.5)


def covered_fraction(x, bins):
    _refuse(bins < 1 or float(x.min()) < 0 or float(x.max()) > 1)
    return 0.5
