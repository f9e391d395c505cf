# Differs: plain Python loops over points and components, lists joined at the end, the posterior by hand.
import math

import torch


def _one_kernel(a, b, h):
    d = len(a)
    return -float(((a - b) ** 2).sum()) / (2 * h**2) - d * (math.log(h) + math.log(math.sqrt(2 * math.pi)))


def _log_sum(values):
    top = max(values)
    if top == -math.inf:
        return top
    return top + math.log(sum(math.exp(v - top) for v in values))


def kde_log_prob(x, data, bandwidth):
    if bandwidth <= 0:
        raise ValueError(f"bandwidth {bandwidth}")
    if x.shape[-1] != data.shape[-1]:
        raise ValueError("x and data have different dimensions")
    out = [_log_sum([_one_kernel(a, b, bandwidth) for b in data]) - math.log(len(data)) for a in x]
    return torch.tensor(out, dtype=x.dtype, device=x.device)


def leave_one_out_log_likelihood(data, bandwidth):
    if bandwidth <= 0:
        raise ValueError(f"bandwidth {bandwidth}")
    n = len(data)
    if n < 2:
        raise ValueError("needs two points")
    total = 0.0
    for j in range(n):
        total += _log_sum([_one_kernel(data[j], data[i], bandwidth) for i in range(n) if i != j]) - math.log(n - 1)
    return total / n  # a plain number


def select_bandwidth(data, bandwidths):
    best, best_value = None, None
    for h in bandwidths:
        value = float(leave_one_out_log_likelihood(data, float(h)))
        if best is None or value > best_value:
            best, best_value = float(h), value
    if best is None:
        raise ValueError("no candidates")
    return best


def kde_sample(data, bandwidth, n, generator=None):
    if bandwidth <= 0 or n < 1:
        raise ValueError("bandwidth and n must be positive")
    rows = []
    for _ in range(n):
        i = int(torch.randint(0, data.shape[0], (), generator=generator))
        rows.append(data[i] + bandwidth * torch.randn(data.shape[1], generator=generator, dtype=data.dtype).to(data))
    return torch.stack(rows)


def component_log_prob(x, means, covariances):
    if x.shape[-1] != means.shape[-1]:
        raise ValueError("x and means have different dimensions")
    m, d = means.shape
    if tuple(covariances.shape) != (m, d, d):
        raise ValueError("covariances have the wrong shape")
    columns = []
    for mean, covariance in zip(means, covariances, strict=True):
        off = x - mean
        solved = torch.linalg.solve(covariance, off.T).T
        columns.append(-0.5 * ((off * solved).sum(1) + torch.logdet(covariance) + d * math.log(2 * math.pi)))
    return torch.stack(columns, dim=1)


def _joint(x, weights, means, covariances):
    if len(weights) != len(means):
        raise ValueError("weights do not fit")
    return component_log_prob(x, means, covariances) + torch.log(weights)[None, :]


def mixture_log_prob(x, weights, means, covariances):
    joint = _joint(x, weights, means, covariances)
    top = joint.max(dim=1, keepdim=True).values
    return (top + torch.log(torch.exp(joint - top).sum(dim=1, keepdim=True)))[:, 0]


def responsibilities(x, weights, means, covariances):
    joint = _joint(x, weights, means, covariances)
    e = torch.exp(joint - joint.max(dim=1, keepdim=True).values)
    return e / e.sum(dim=1, keepdim=True)


def classify(x, weights, means, covariances):
    out = []
    for row in _joint(x, weights, means, covariances).tolist():
        out.append(row.index(max(row)))
    return torch.tensor(out, dtype=torch.long)


def mixture_sample(weights, means, covariances, n, component=None, generator=None):
    m, d = means.shape
    if len(weights) != m or tuple(covariances.shape) != (m, d, d):
        raise ValueError("shapes do not fit")
    if n < 1:
        raise ValueError("n must be positive")
    if component is not None and component not in range(m):
        raise ValueError("no such component")
    points, labels = [], []
    for _ in range(n):
        if component is None:
            u, i = float(torch.rand((), generator=generator, dtype=torch.float64)), 0
            while u >= float(weights[: i + 1].sum()) and i < m - 1:
                i += 1
            while float(weights[i]) == 0:
                i -= 1
        else:
            i = component
        values, vectors = torch.linalg.eigh(covariances[i])
        z = torch.randn(d, generator=generator, dtype=means.dtype).to(means)
        points.append(means[i] + vectors @ (values.clamp_min(0).sqrt() * z))
        labels.append(i)
    return torch.stack(points), torch.tensor(labels)


def fit_classes(x, labels, ridge=0.0):
    if len(labels) != len(x) or ridge < 0:
        raise ValueError("labels or ridge")
    known = [int(v) for v in labels]
    if min(known) < 0 or set(known) != set(range(max(known) + 1)):
        raise ValueError("labels must be 0..m-1 with no gap")
    m = max(known) + 1
    shares = torch.zeros(len(x), m, dtype=x.dtype, device=x.device)
    for j, i in enumerate(known):
        shares[j, i] = 1
    return _fit(x, shares, ridge)


def _fit(x, shares, ridge):
    n, d = x.shape
    weights, means, covariances = [], [], []
    for i in range(shares.shape[1]):
        r = shares[:, i]
        size = r.sum()
        mean = sum(r[j] * x[j] for j in range(n)) / size
        covariance = sum(r[j] * torch.outer(x[j] - mean, x[j] - mean) for j in range(n)) / size
        weights.append(size / n)
        means.append(mean)
        covariances.append(covariance + ridge * torch.eye(d, dtype=x.dtype, device=x.device))
    return torch.stack(weights), torch.stack(means), torch.stack(covariances)


def em_step(x, weights, means, covariances, ridge=0.0):
    if ridge < 0:
        raise ValueError("ridge")
    return _fit(x, responsibilities(x, weights, means, covariances), ridge)


def fit_mixture(x, m, steps, ridge=1e-6, start=None, generator=None, progress=False):
    if m < 1 or m > len(x) or steps < 1 or ridge < 0:
        raise ValueError("bad arguments")
    if start is None:
        rows = torch.randperm(len(x), generator=generator)[:m]
        cov = torch.diag(x.var(0, correction=0) + 1e-6)
        start = (torch.ones(m, dtype=x.dtype, device=x.device) / m, x[rows].clone(), torch.stack([cov] * m))
    w, mu, cov = start
    log = []
    for _ in range(steps):
        log.append(mixture_log_prob(x, w, mu, cov).mean())
        r = responsibilities(x, w, mu, cov)
        size = r.sum(0)
        w, mu = size / len(x), r.T @ x / size[:, None]
        off = x[:, None] - mu
        cov = torch.einsum("ni,nia,nib->iab", r, off, off) / size[:, None, None] + ridge * torch.eye(x.shape[1], dtype=x.dtype, device=x.device)
    return w, mu, cov, {"log_likelihood": log}


def squared_norm_log_density(s, d, sigma):
    if d < 1 or sigma <= 0:
        raise ValueError("bad arguments")
    k = d / 2
    out = []
    for v in s.flatten().tolist():
        out.append(k * math.log(d / (2 * sigma**2)) + (k - 1) * math.log(v) - v * d / (2 * sigma**2) - math.lgamma(k))
    return torch.tensor(out, dtype=s.dtype, device=s.device).reshape(s.shape)


def covered_fraction(x, bins):
    if bins < 1:
        raise ValueError("bins")
    boxes = {}
    for row in x:
        key = []
        for c in row.tolist():
            if not 0 <= c <= 1:
                raise ValueError("outside the cube")
            key.append(bins - 1 if c == 1 else int(c * bins))
        boxes[tuple(key)] = True
    return torch.tensor(len(boxes) / bins ** x.shape[1], dtype=torch.float64)
