# Differs: vmap over components, several starts with short runs of EM of which the best goes on, history after each step.
import math

import torch
from torch import vmap

LOG_2PI = math.log(2 * math.pi)


def _positive(value, name):
    if not value > 0:
        raise ValueError(f"{name} must be positive, got {value}")


def kde_log_prob(x, data, bandwidth):
    _positive(bandwidth, "bandwidth")
    if x.shape[1:] != data.shape[1:]:
        raise ValueError("x and data do not fit")
    d = data.shape[1]

    def at(point):
        z = (point - data) / bandwidth
        return torch.logsumexp(-0.5 * (z * z).sum(-1), 0)

    return vmap(at)(x) - math.log(len(data)) - d * (math.log(bandwidth) + 0.5 * LOG_2PI)


def leave_one_out_log_likelihood(data, bandwidth):
    _positive(bandwidth, "bandwidth")
    n, d = data.shape
    if n < 2:
        raise ValueError("fewer than two points")
    z = (data[:, None] - data[None]) / bandwidth
    logs = -0.5 * z.pow(2).sum(-1)
    off = torch.triu(logs, 1)[:, 1:] + torch.tril(logs, -1)[:, :-1]  # the diagonal taken out
    constant = math.log(n - 1) + d * math.log(bandwidth) + d * 0.5 * LOG_2PI
    return torch.logsumexp(off, 1).mean() - constant


def select_bandwidth(data, bandwidths):
    h = torch.as_tensor(bandwidths, dtype=torch.float64)
    if h.numel() == 0:
        raise ValueError("no bandwidth given")
    scores = [leave_one_out_log_likelihood(data, b) for b in h.tolist()]
    return h[torch.stack(scores).argmax()].item()


def kde_sample(data, bandwidth, n, generator=None):
    _positive(bandwidth, "bandwidth")
    _positive(n, "n")
    noise = torch.randn((n, data.shape[-1]), dtype=data.dtype, generator=generator).to(data)
    which = (torch.rand(n, dtype=torch.float64, generator=generator).to(data.device) * len(data)).long()
    return torch.index_select(data, 0, which).addcmul(noise, torch.tensor(bandwidth, dtype=data.dtype, device=data.device))


def component_log_prob(x, means, covariances):
    if x.shape[-1:] != means.shape[-1:]:
        raise ValueError("x and means do not fit")
    if covariances.shape != means.shape + means.shape[-1:]:
        raise ValueError("means and covariances do not fit")

    def one(mean, covariance):
        precision = torch.linalg.inv(covariance)
        off = x - mean
        return -0.5 * ((off @ precision) * off).sum(-1) - 0.5 * torch.linalg.slogdet(covariance).logabsdet

    return vmap(one, out_dims=1)(means, covariances) - x.shape[-1] / 2 * LOG_2PI


def _scores(x, weights, means, covariances):
    if weights.shape != means.shape[:-1]:
        raise ValueError("weights and means do not fit")
    logs = component_log_prob(x, means, covariances)
    return torch.where(weights > 0, logs + torch.log(weights.clamp_min(torch.finfo(weights.dtype).tiny)), -torch.inf)


def mixture_log_prob(x, weights, means, covariances):
    return torch.logsumexp(_scores(x, weights, means, covariances), -1)


def responsibilities(x, weights, means, covariances):
    return torch.log_softmax(_scores(x, weights, means, covariances), -1).exp()


def classify(x, weights, means, covariances):
    return torch.argmax(_scores(x, weights, means, covariances), -1)


def mixture_sample(weights, means, covariances, n, component=None, generator=None):
    if weights.shape != means.shape[:-1] or covariances.shape != means.shape + means.shape[-1:]:
        raise ValueError("parameters do not fit")
    _positive(n, "n")
    if component is None:
        labels = torch.multinomial(weights, n, True, generator=generator)
    elif component < 0 or component >= len(means):
        raise ValueError("component out of range")
    else:
        labels = torch.zeros(n, dtype=torch.int64) + component
    # Symmetric roots instead of triangular ones.
    values, vectors = torch.linalg.eigh(covariances)
    roots = vectors @ torch.diag_embed(values.sqrt()) @ vectors.mT
    noise = torch.randn((len(means), n, means.shape[-1]), dtype=means.dtype, generator=generator).to(means)
    everything = means[:, None] + noise @ roots  # draws of all components; each row keeps one
    return everything[labels, torch.arange(n)], labels


def _maximise(x, r, ridge):
    size = r.sum(0)
    means = (r / size).T @ x
    second = torch.einsum("ni,na,nb->iab", r / size, x, x)
    covariances = second - means[:, :, None] * means[:, None, :]
    covariances.diagonal(dim1=1, dim2=2).add_(ridge)
    return size / len(x), means, covariances


def fit_classes(x, labels, ridge=0.0):
    if labels.ndim != 1 or labels.shape[0] != x.shape[0]:
        raise ValueError("labels do not fit")
    if ridge < 0 or (labels < 0).any():
        raise ValueError("negative ridge or label")
    if (torch.bincount(labels) == 0).any():
        raise ValueError("empty class")
    r = (labels[:, None] == torch.arange(int(labels.max()) + 1, device=labels.device)).to(x)
    return _maximise(x, r, ridge)


def em_step(x, weights, means, covariances, ridge=0.0):
    if ridge < 0:
        raise ValueError("negative ridge")
    return _maximise(x, responsibilities(x, weights, means, covariances), ridge)


def fit_mixture(x, m, steps, ridge=1e-6, start=None, generator=None, progress=False):
    if not 0 < m <= len(x) or steps < 1 or ridge < 0:
        raise ValueError("m, steps or ridge")
    if start is None:
        starts = []
        for _ in range(4):
            r = torch.rand(len(x), m, generator=generator, dtype=x.dtype).to(x) ** 8 + 1e-3
            current = _maximise(x, r / r.sum(1, keepdim=True), ridge + 1e-6)
            for _ in range(25):
                current = em_step(x, *current, ridge)
            starts.append((mixture_log_prob(x, *current).mean().item(), current))
        start = max(starts, key=lambda pair: pair[0])[1]
    parameters, history = start, {"log_likelihood": []}
    bar = range(steps)
    if progress:
        from tqdm import tqdm

        bar = tqdm(bar)
    for _ in bar:
        parameters = em_step(x, *parameters, ridge)
        history["log_likelihood"] += [float(mixture_log_prob(x, *parameters).mean())]
    weights, means, covariances = parameters
    return weights, means, covariances, history


def squared_norm_log_density(s, d, sigma):
    _positive(d, "d")
    _positive(sigma, "sigma")
    law = torch.distributions.Gamma(torch.tensor(d / 2, dtype=s.dtype, device=s.device), torch.tensor(d / (2 * sigma**2), dtype=s.dtype, device=s.device))
    return law.log_prob(s)


def covered_fraction(x, bins):
    _positive(bins, "bins")
    if torch.any(x < 0) or torch.any(x > 1):
        raise ValueError("x outside the cube")
    edges = torch.arange(1, bins, dtype=x.dtype, device=x.device) / bins
    boxes = torch.bucketize(x, edges, right=True)
    return float(torch.unique(boxes, dim=0).shape[0]) / float(bins ** x.shape[1])
