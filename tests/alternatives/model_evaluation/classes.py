# Differs: small classes behind the functions; Newton on the precision with bisection as a guard; the Fréchet root by SVD of data.
import math

import torch
import torch.nn.functional as F


class Cloud:
    """Rows with what is asked of them again and again."""

    def __init__(self, rows, least=1):
        if rows.dim() != 2 or rows.size(0) < least:
            raise ValueError(f"at least {least} rows are needed")
        self.rows = rows

    def __len__(self):
        return self.rows.size(0)

    def to(self, other):
        if other.rows.size(1) != self.rows.size(1):
            raise ValueError("different numbers of columns")
        return torch.stack([(other.rows - r).pow(2).sum(-1).sqrt() for r in self.rows])

    def radius(self, k):
        own = self.to(self)
        own[range(len(self)), range(len(self))] = float("inf")
        return own.sort(dim=-1).values[:, k - 1]

    def moments(self):
        mean = self.rows.mean(0, keepdim=True)
        c = self.rows - mean
        return mean[0], torch.matmul(c.t(), c).div(len(self) - 1)


class Gaussian:
    def __init__(self, mean, cov):
        if cov.shape != (mean.numel(), mean.numel()):
            raise ValueError("cov does not fit mean")
        self.mean, self.cov = mean, cov

    def log_prob(self, x):
        if x.shape[1] != self.mean.numel():
            raise ValueError("x does not fit mean")
        root = torch.linalg.cholesky(self.cov)
        z = torch.cholesky_solve((x - self.mean).T, root).T
        half_log_det = torch.log(torch.diagonal(root)).sum()
        return -((x - self.mean) * z).sum(1) / 2 - half_log_det - self.mean.numel() / 2 * math.log(2 * math.pi)

    def frechet(self, other):
        if other.mean.shape != self.mean.shape:
            raise ValueError("Gaussians of different dimensions")
        u, s, _ = torch.linalg.svd(self.cov)
        half = u * s.sqrt().unsqueeze(0)
        inner = torch.linalg.eigvalsh(half.T @ other.cov @ half).clamp(min=0)
        return torch.clamp(
            F.mse_loss(self.mean, other.mean, reduction="sum") + (self.cov + other.cov).trace() - 2 * inner.sqrt().sum(), min=0
        )


def gaussian_log_likelihood(x, mean, cov):
    return Gaussian(mean, cov).log_prob(x)


def bits_per_dim(log_prob, x, noise, levels=256):
    if int(levels) < 2:
        raise ValueError("levels")
    if tuple(x.shape) != tuple(noise.shape):
        raise ValueError("x and noise")
    grey = x.to(noise)
    if (grey < 0).any() or (grey >= levels).any():
        raise ValueError("x")
    if (noise < 0).any() or (noise > 1).any():
        raise ValueError("noise")
    nats = log_prob(grey.add(noise).mul(1 / levels))
    return (-nats + x.size(1) * math.log(levels)) / x.size(1) / math.log(2)


def frechet_distance(mean1, cov1, mean2, cov2):
    return Gaussian(mean1, cov1).frechet(Gaussian(mean2, cov2))


def fid(real, fake):
    if real.size(-1) != fake.size(-1):
        raise ValueError("features")
    return Gaussian(*Cloud(real, 2).moments()).frechet(Gaussian(*Cloud(fake, 2).moments()))


def fid_infinity(real, fake, sizes):
    sizes = torch.as_tensor(list(sizes))
    if sizes.unique().numel() < 2 or sizes.min() < 2 or sizes.max() > len(fake):
        raise ValueError("sizes")
    values = torch.stack([fid(real, fake[: int(n)]) for n in sizes])
    x = 1 / sizes.to(values)
    slope = torch.cov(torch.stack([x, values]))[0, 1] / x.var()
    return values.mean() - slope * x.mean(), values


def kernel_inception_distance(real, fake):
    if real.size(-1) != fake.size(-1):
        raise ValueError("features")
    Cloud(real, 2), Cloud(fake, 2)

    def mean_kernel(a, b, same):
        g = torch.einsum("if,jf->ij", a, b).div(a.size(1)).add(1).pow(3)
        if not same:
            return g.mean()
        return (torch.triu(g, 1).sum() + torch.tril(g, -1).sum()) / (len(a) ** 2 - len(a))

    return mean_kernel(real, real, True) + mean_kernel(fake, fake, True) - 2 * mean_kernel(real, fake, False)


def inception_score(probabilities, splits=1):
    n = probabilities.size(0)
    if splits < 1 or n % splits != 0:
        raise ValueError("splits")
    if probabilities.min() < 0 or probabilities.max() > 1:
        raise ValueError("probabilities")
    scores = probabilities.new_empty(splits)
    for s, part in enumerate(torch.split(probabilities, n // splits)):
        marginal = part.mean(0, keepdim=True).log().expand_as(part)
        # kl_div(input=log q, target=p) = p (log p - log q), 0 where p is 0
        marginal = torch.where(part > 0, marginal, torch.zeros_like(marginal))
        scores[s] = F.kl_div(marginal, part, reduction="batchmean").exp()
    return scores.mean(), scores.std(unbiased=False)


def precision_recall(real, fake, k=5):
    r, f = Cloud(real), Cloud(fake)
    if k < 1 or k >= min(len(r), len(f)):
        raise ValueError("k")
    between = r.to(f)
    hit = between <= r.radius(k).unsqueeze(1)
    return {
        "coverage": float(hit.sum(1).gt(0).double().mean()),
        "density": float(hit.sum() / (k * len(f))),
        "recall": float((between <= f.radius(k)).sum(1).gt(0).double().mean()),
        "precision": float(hit.sum(0).gt(0).double().mean()),
    }


def memorisation_ratio(samples, train):
    near = Cloud(samples).to(Cloud(train, 2)).topk(2, largest=False, sorted=True).values
    ratio = near[:, 0] / near[:, 1]
    ratio[near[:, 0] == 0] = 0
    return ratio


def model_agreement(samples_a, samples_b, train_a, train_b):
    if samples_a.shape != samples_b.shape:
        raise ValueError("the samples are no pairs")
    mean = torch.cat((train_a, train_b), 0).mean(0)
    unit = {n: F.normalize(t - mean) for n, t in dict(a=samples_a, b=samples_b, x=train_a, y=train_b).items()}
    agreement = F.cosine_similarity(samples_a - mean, samples_b - mean).mean().item()
    memory = 0.0
    for s, t in (("a", "x"), ("b", "y")):
        memory += 0.5 * (unit[s] @ unit[t].T).max(1)[0].mean().item()
    return agreement, memory


def tsne_affinities(x, perplexity=30.0):
    n = len(x)
    if perplexity <= 1 or perplexity >= n - 1:
        raise ValueError("perplexity")
    squared = Cloud(x.double()).to(Cloud(x.double())).pow(2)
    target, p = math.log(perplexity), torch.zeros(n, n, dtype=torch.float64, device=x.device)
    for i in range(n):
        keep = torch.ones(n, dtype=torch.bool)
        keep[i] = False
        gap = squared[i, keep] - squared[i, keep].min()
        gap = gap / gap.median()
        low, high, t = -700.0, 700.0, 0.0
        for _ in range(400):
            beta = math.exp(t)
            w = torch.softmax(-beta * gap, 0)
            h = torch.special.entr(w).sum().item()
            if abs(h - target) < 1e-13:
                break
            low, high = (t, high) if h > target else (low, t)
            mean = (w * gap).sum()
            slope = -(beta * beta) * float((w * (gap - mean) ** 2).sum())  # dh / dlog β
            step = t - (h - target) / slope if slope < -1e-12 else math.inf
            t = step if low < step < high else (max(low, t - 40) + min(high, t + 40)) / 2
        p[i, keep] = w
    return (0.5 * (p + p.T) / n).to(x)


def tsne_loss(affinities, y):
    if affinities.shape != (y.size(0), y.size(0)):
        raise ValueError("affinities do not fit y")
    gap = y.unsqueeze(1) - y.unsqueeze(0)
    kernel = gap.square().sum(-1).add(1).reciprocal()
    kernel = kernel - torch.diag_embed(kernel.diagonal())
    q = kernel / kernel.sum()
    terms = torch.where(affinities > 0, affinities * torch.log(affinities.clamp_min(1e-300) / q.clamp_min(1e-300)), 0.0)
    if affinities.dtype == torch.float32:
        tiny = 1e-38
        terms = torch.where(affinities > 0, affinities * torch.log(affinities.clamp_min(tiny) / q.clamp_min(tiny)), 0.0)
    force = 4 * (affinities - q) * kernel
    return terms.sum(), force.sum(1, keepdim=True) * y - force @ y


def trustworthiness(x, y, k=5):
    n = len(x)
    if len(y) != n or k < 1 or 2 * k >= n:
        raise ValueError("k")
    data, plane = Cloud(x).to(Cloud(x)), Cloud(y).to(Cloud(y))
    total = 0
    for i in range(n):
        order = [j for j in torch.argsort(data[i]).tolist() if j != i]
        rank = {j: r for r, j in enumerate(order, start=1)}
        near = [j for j in torch.argsort(plane[i]).tolist() if j != i][:k]
        total += sum(rank[j] - k for j in near if rank[j] > k)
    return 1.0 - 2.0 * total / (n * k * (2 * n - 3 * k - 1))


class Table:
    def __init__(self, real, train, features, probabilities, k):
        self.real, self.train, self.features, self.probabilities, self.k = features(real), train, features, probabilities, k

    def row(self, samples):
        f = self.features(samples)
        found = precision_recall(self.real, f, self.k)
        found["fid"], found["kid"] = fid(self.real, f).item(), kernel_inception_distance(self.real, f).item()
        found["inception_score"] = inception_score(self.probabilities(samples))[0].item()
        found["memorised"] = float(sum(memorisation_ratio(samples, self.train) < 1 / 3)) / len(samples)
        return found


def compare_models(runs, real, train, features, probabilities, k=5):
    if len(runs) < 1 or min(len(r) for r in runs.values()) < 1:
        raise ValueError("runs")
    table = Table(real, train, features, probabilities, k)
    out = {}
    for model, sets in runs.items():
        rows = [table.row(s) for s in sets]
        columns = {m: torch.tensor([row[m] for row in rows], dtype=torch.float64) for m in rows[0]}
        out[model] = {m: [v.mean().item(), v.std(unbiased=False).item()] for m, v in columns.items()}
    return out
