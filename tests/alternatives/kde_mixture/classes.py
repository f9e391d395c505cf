# Differs: a class of one Gaussian and a class of a mixture behind the functions; whitening by the inverse root; draws per class scattered into random places.
import math

import torch
import torch.nn.functional as F


class Gaussian:
    def __init__(self, mean, covariance):
        d = mean.shape[0]
        if covariance.shape != (d, d):
            raise ValueError("covariance must be square and fit the mean")
        self.mean, self.d = mean, d
        self.root = torch.linalg.cholesky(covariance)
        self.whiten = torch.linalg.inv(self.root)

    def log_prob(self, x):
        if x.shape[-1] != self.d:
            raise ValueError("x does not fit the mean")
        z = F.linear(x - self.mean, self.whiten)
        return -0.5 * z.norm(dim=-1) ** 2 + self.whiten.diagonal().log().sum() - 0.5 * self.d * math.log(2 * math.pi)

    def sample(self, n, generator):
        z = torch.empty(n, self.d, dtype=self.mean.dtype, device=self.mean.device).normal_(generator=generator)
        return F.linear(z, self.root, self.mean)


class Mixture:
    def __init__(self, weights, means, covariances):
        if weights.shape[0] != means.shape[0] or covariances.shape[0] != means.shape[0]:
            raise ValueError("numbers of weights, means and covariances differ")
        self.weights = weights
        self.parts = [Gaussian(*pair) for pair in zip(means, covariances, strict=True)]

    def components(self, x):
        return torch.stack([part.log_prob(x) for part in self.parts], dim=-1)

    def joint(self, x):
        return self.components(x) + self.weights.log()

    def sample(self, n, component, generator):
        m = len(self.parts)
        if n < 1:
            raise ValueError("n")
        if component is None:
            noise = -torch.log(-torch.log(torch.rand(n, m, generator=generator, dtype=torch.float64).to(self.weights.device).clamp(1e-300, 1 - 1e-16)))
            labels = (self.weights.double().log() + noise).argmax(1)  # Gumbel's trick
        elif not 0 <= component <= m - 1:
            raise ValueError("component")
        else:
            labels = torch.LongTensor([component] * n)
        x = torch.zeros(n, self.parts[0].d, dtype=self.weights.dtype, device=self.weights.device)
        for i, part in enumerate(self.parts):
            mine = labels == i
            x[mine] = part.sample(int(mine.sum()), generator)
        return x, labels


def kde_log_prob(x, data, bandwidth):
    if bandwidth <= 0:
        raise ValueError("bandwidth")
    if x.shape[1] != data.shape[1]:
        raise ValueError("dimensions")
    d = torch.cdist(x, data, compute_mode="donot_use_mm_for_euclid_dist") / bandwidth
    logs = -d.square() / 2
    return logs.logsumexp(-1) - math.log(len(data) * (bandwidth * math.sqrt(2 * math.pi)) ** x.shape[1])


def leave_one_out_log_likelihood(data, bandwidth):
    n = len(data)
    if n < 2:
        raise ValueError("data")
    # (n - 1) f_j = n f(x_j) - bump at 0, in the log domain: only where the others are seen; else one by one.
    return torch.cat(
        [kde_log_prob(data[j].unsqueeze(0), data[torch.arange(n) != j], bandwidth) for j in range(n)]
    ).mean()


def select_bandwidth(data, bandwidths):
    listed = bandwidths.tolist() if isinstance(bandwidths, torch.Tensor) else list(bandwidths)
    if len(listed) == 0:
        raise ValueError("bandwidths")
    scored = [(-leave_one_out_log_likelihood(data, h).item(), position) for position, h in enumerate(listed)]
    return float(listed[min(scored)[1]])


def kde_sample(data, bandwidth, n, generator=None):
    if bandwidth <= 0:
        raise ValueError("bandwidth")
    if n < 1:
        raise ValueError("n")
    out = data[torch.randint(0, len(data), [n], generator=generator)].clone()
    out += bandwidth * torch.empty_like(out).normal_(generator=generator)
    return out


def component_log_prob(x, means, covariances):
    if len(means) != len(covariances):
        raise ValueError("means and covariances")
    return Mixture(means.new_ones(len(means)), means, covariances).components(x)


def mixture_log_prob(x, weights, means, covariances):
    return Mixture(weights, means, covariances).joint(x).logsumexp(-1)


def responsibilities(x, weights, means, covariances):
    return F.softmax(Mixture(weights, means, covariances).joint(x), -1)


def classify(x, weights, means, covariances):
    return Mixture(weights, means, covariances).joint(x).argmax(-1)


def mixture_sample(weights, means, covariances, n, component=None, generator=None):
    return Mixture(weights, means, covariances).sample(n, component, generator)


def _fit(x, shares, ridge):
    if ridge < 0:
        raise ValueError("ridge")
    size = shares.sum(0)
    means = shares.T.matmul(x).div(size.unsqueeze(1))
    covariances = x.new_zeros(len(size), x.shape[1], x.shape[1])
    for i in range(len(size)):
        rooted = (x - means[i]) * shares[:, i].sqrt().unsqueeze(1)
        covariances[i] = rooted.T @ rooted / size[i]
        covariances[i].diagonal().add_(ridge)
    return size / size.sum(), means, covariances


def fit_classes(x, labels, ridge=0.0):
    if len(x) != len(labels):
        raise ValueError("labels")
    present = torch.unique(labels)
    if not torch.equal(present, torch.arange(len(present), device=present.device)):
        raise ValueError("labels must be 0, 1, 2, ... without a gap")
    return _fit(x, F.one_hot(labels.long()).to(x), ridge)


def em_step(x, weights, means, covariances, ridge=0.0):
    return _fit(x, responsibilities(x, weights, means, covariances), ridge)


def fit_mixture(x, m, steps, ridge=1e-6, start=None, generator=None, progress=False):
    if m < 1 or m > len(x):
        raise ValueError("m")
    if steps < 1:
        raise ValueError("steps")
    if ridge < 0:
        raise ValueError("ridge")
    if start is None:  # a few rounds of k-means
        centres = x[torch.randperm(len(x), generator=generator)[:m]]
        for _ in range(10):
            nearest = F.one_hot(torch.cdist(x, centres).argmin(1), m).to(x) + 1e-6
            centres = nearest.T @ x / nearest.sum(0)[:, None]
        start = _fit(x, nearest / nearest.sum(1, keepdim=True), ridge + 1e-6)
    state = start
    curve = torch.zeros(steps, dtype=torch.float64)
    for k in range(steps):
        curve[k] = mixture_log_prob(x, *state).mean()
        state = em_step(x, *state, ridge)
    return state[0], state[1], state[2], {"log_likelihood": list(curve)}


def squared_norm_log_density(s, d, sigma):
    if d < 1 or sigma <= 0:
        raise ValueError("d and sigma")
    half = torch.tensor(d / 2, dtype=s.dtype, device=s.device)
    rate = d / (2 * sigma * sigma)
    return half * math.log(rate) + torch.xlogy(half - 1, s) - rate * s - torch.lgamma(half)


def covered_fraction(x, bins):
    if bins < 1:
        raise ValueError("bins")
    if (x.amin() < 0) or (x.amax() > 1):
        raise ValueError("x")
    box = torch.floor(x * bins).clamp(0, bins - 1).to(torch.int64)
    return len(set(map(tuple, box.tolist()))) * float(bins) ** -x.shape[1]
