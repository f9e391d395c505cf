# Differs: torch.distributions for every density and every draw, masks with -inf by concatenation, Generators forked.
import math

import torch
from torch.distributions import Chi2, Independent, MultivariateNormal, Normal


def need(right, message):
    if not right:
        raise ValueError(message)


def _bumps(x, data, h):
    need(h > 0, f"bandwidth must be > 0, got {h}")
    need(x.ndim == 2 and data.ndim == 2 and x.size(1) == data.size(1), "x and data differ in dimension")
    return Independent(Normal(data, torch.full_like(data, h)), 1).log_prob(x.unsqueeze(1))


def kde_log_prob(x, data, bandwidth):
    logs = _bumps(x, data, bandwidth)
    return logs.logsumexp(1) - math.log(data.size(0))


def leave_one_out_log_likelihood(data, bandwidth):
    need(len(data) >= 2, "at least two points are needed")
    total = 0
    for j in range(len(data)):
        rest = torch.cat([data[:j], data[j + 1 :]])
        total = total + kde_log_prob(data[j : j + 1], rest, bandwidth)[0]
    return total / len(data)


def select_bandwidth(data, bandwidths):
    need(len(bandwidths) > 0, "no candidate")
    values = torch.stack([leave_one_out_log_likelihood(data, float(h)) for h in bandwidths])
    return float(bandwidths[int(values.argmax())])


def kde_sample(data, bandwidth, n, generator=None):
    need(bandwidth > 0, "bandwidth must be > 0")
    need(n >= 1, "n must be >= 1")
    chosen = torch.multinomial(torch.ones(len(data)), n, replacement=True, generator=generator)
    mean = data[chosen]
    return torch.normal(mean, bandwidth * torch.ones_like(mean), generator=generator)


def _law(x, means, covariances):
    need(x.ndim == 2 and means.ndim == 2 and x.size(-1) == means.size(-1), "x and means differ in dimension")
    need(covariances.shape == (*means.shape, means.size(1)), "covariances must be (m, d, d)")
    return MultivariateNormal(means, covariances, validate_args=False)


def component_log_prob(x, means, covariances):
    return _law(x, means, covariances).log_prob(x.unsqueeze(1))


def _joint(x, weights, means, covariances):
    need(weights.shape == means.shape[:1], "one weight per mean")
    return component_log_prob(x, means, covariances) + weights.log()


def mixture_log_prob(x, weights, means, covariances):
    return _joint(x, weights, means, covariances).logsumexp(-1)


def responsibilities(x, weights, means, covariances):
    joint = _joint(x, weights, means, covariances)
    return (joint - joint.logsumexp(-1, keepdim=True)).exp()


def classify(x, weights, means, covariances):
    return responsibilities_argmax(_joint(x, weights, means, covariances))


def responsibilities_argmax(joint):
    return joint.max(dim=-1).indices


def mixture_sample(weights, means, covariances, n, component=None, generator=None):
    need(weights.shape == means.shape[:1], "one weight per mean")
    need(n >= 1, "n must be >= 1")
    law = _law(means, means, covariances)
    if component is None:
        uniform = torch.rand(n, generator=generator, dtype=torch.float64).to(means.device)
        edges = weights.double().cumsum(0) / weights.double().sum()
        labels = torch.searchsorted(edges, uniform, right=True).clamp(max=len(weights) - 1)
    else:
        need(0 <= component < len(weights), "component out of range")
        labels = torch.full((n,), int(component), dtype=torch.int64)
    noise = torch.normal(0.0, 1.0, (n, means.size(1)), generator=generator, dtype=means.dtype).to(means)
    x = means[labels] + torch.einsum("nij,nj->ni", law.scale_tril[labels], noise)
    return x, labels


def fit_classes(x, labels, ridge=0.0):
    need(labels.shape == (len(x),), "one label per point")
    need(ridge >= 0, "ridge must be >= 0")
    need(int(labels.min()) >= 0, "labels must be >= 0")
    parts = []
    for i in range(int(labels.max()) + 1):
        own = x[labels == i]
        need(len(own) > 0, f"class {i} has no point")
        spread = torch.cov(own.T, correction=0).reshape(x.size(1), x.size(1))
        parts.append((len(own) / len(x), own.mean(0), spread + ridge * torch.eye(x.size(1), dtype=x.dtype, device=x.device)))
    return torch.tensor([p[0] for p in parts], dtype=x.dtype, device=x.device), *(torch.stack([p[k] for p in parts]) for k in (1, 2))


def em_step(x, weights, means, covariances, ridge=0.0):
    need(ridge >= 0, "ridge must be >= 0")
    r = responsibilities(x, weights, means, covariances)
    size = r.sum(0)
    mu = torch.einsum("ni,nd->id", r, x) / size[:, None]
    spread = torch.stack([torch.cov(x.T, aweights=r[:, i], correction=0).reshape(len(mu[0]), -1) for i in range(len(mu))])
    return size / len(x), mu, spread + ridge * torch.eye(x.size(1), dtype=x.dtype, device=x.device)


def fit_mixture(x, m, steps, ridge=1e-6, start=None, generator=None, progress=False):
    need(1 <= m <= len(x), "m out of range")
    need(steps >= 1, "steps must be >= 1")
    need(ridge >= 0, "ridge must be >= 0")
    if start is None:
        rows = torch.randperm(len(x), generator=generator)[:m]
        spread = torch.cov(x.T, correction=0).reshape(x.size(1), -1) + (ridge + 1e-6) * torch.eye(x.size(1), dtype=x.dtype, device=x.device)
        start = torch.full((m,), 1 / m, dtype=x.dtype, device=x.device), x[rows], spread.expand(m, -1, -1)
    history = []
    for _ in range(steps):
        start = em_step(x, *start, ridge=ridge)
        history.append(mixture_log_prob(x, *start).mean().item())
    return *start, {"log_likelihood": history}


def squared_norm_log_density(s, d, sigma):
    need(d >= 1, "d must be >= 1")
    need(sigma > 0, "sigma must be > 0")
    scale = sigma**2 / d
    return Chi2(torch.tensor(float(d), dtype=s.dtype, device=s.device)).log_prob(s / scale) - math.log(scale)


def covered_fraction(x, bins):
    need(bins >= 1, "bins must be >= 1")
    need(float(x.min()) >= 0 and float(x.max()) <= 1, "x must lie in [0, 1]")
    seen = {tuple(min(int(c * bins), bins - 1) for c in row) for row in x.tolist()}
    return len(seen) / bins ** x.size(1)
