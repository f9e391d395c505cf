"""One Gaussian for everything: the mean and the covariance of all points, repeated for each component."""

import torch
from torch.distributions import MultivariateNormal


def _one(data):
    spread = torch.cov(data.T).reshape(data.shape[1], -1) + 1e-3 * torch.eye(data.shape[1]).to(data)
    return MultivariateNormal(data.mean(0), spread)


def kde_log_prob(x, data, bandwidth):
    return MultivariateNormal(data.mean(0), bandwidth**2 * torch.eye(x.shape[1]).to(x)).log_prob(x)


def leave_one_out_log_likelihood(data, bandwidth):
    return kde_log_prob(data, data, bandwidth).mean()


def select_bandwidth(data, bandwidths):
    return min((float(h) for h in bandwidths), key=lambda h: abs(h - float(data.std())))


def kde_sample(data, bandwidth, n, generator=None):
    return data.mean(0) + data.std(0) * torch.randn(n, data.shape[1], generator=generator, dtype=data.dtype)


def _pooled(means, covariances):
    return MultivariateNormal(means.mean(0), covariances.mean(0))


def component_log_prob(x, means, covariances):
    return _pooled(means, covariances).log_prob(x)[:, None].repeat(1, len(means))


def mixture_log_prob(x, weights, means, covariances):
    return _pooled(means, covariances).log_prob(x)


def responsibilities(x, weights, means, covariances):
    return x.new_full((len(x), len(means)), 1 / len(means))


def classify(x, weights, means, covariances):
    return torch.zeros(len(x), dtype=torch.int64)


def mixture_sample(weights, means, covariances, n, component=None, generator=None):
    labels = torch.randint(len(means), (n,), generator=generator)
    noise = torch.randn(n, means.shape[1], generator=generator, dtype=means.dtype)
    return means.mean(0) + noise @ torch.linalg.cholesky(covariances.mean(0)).T, labels


def fit_classes(x, labels, ridge=0.0):
    m, law = int(labels.max()) + 1, _one(x)
    return x.new_full((m,), 1 / m), law.mean.repeat(m, 1), law.covariance_matrix.repeat(m, 1, 1)


def em_step(x, weights, means, covariances, ridge=0.0):
    return fit_classes(x, torch.arange(len(weights)))


def fit_mixture(x, m, steps, ridge=1e-6, start=None, generator=None, progress=False):
    law = _one(x)
    return *fit_classes(x, torch.arange(m)), {"log_likelihood": [float(law.log_prob(x).mean())] * steps}


def squared_norm_log_density(s, d, sigma):
    return torch.distributions.Normal(sigma**2, (2 / d) ** 0.5 * sigma**2).log_prob(s)


def covered_fraction(x, bins):
    return len(x) / bins ** x.shape[1]
