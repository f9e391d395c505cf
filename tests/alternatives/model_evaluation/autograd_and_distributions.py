# Differs: torch.distributions for densities, torch.cov and lstsq, the t-SNE gradient by autograd, torch.cdist without matrix products.
import math

import torch
from torch.distributions import Categorical, MultivariateNormal


def _pairwise(a, b):
    return torch.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist")


def gaussian_log_likelihood(x, mean, cov):
    if x.shape[1:] != mean.shape or cov.shape != mean.shape + mean.shape:
        raise ValueError("x, mean and cov do not fit")
    return MultivariateNormal(mean, covariance_matrix=cov).log_prob(x)


def bits_per_dim(log_prob, x, noise, levels=256):
    if levels < 2 or x.shape != noise.shape:
        raise ValueError("levels or shapes")
    if not (0 <= x.min() and x.max() < levels and 0 <= noise.min() and noise.max() <= 1):
        raise ValueError("x or noise out of range")
    points = torch.add(x, noise) / levels
    # The density of x + u in grey levels has one factor 1/levels for each pixel.
    nats_in_levels = log_prob(points) - x.shape[1] * math.log(levels)
    return -nats_in_levels / (x.shape[1] * math.log(2))


def frechet_distance(mean1, cov1, mean2, cov2):
    if mean1.shape != mean2.shape or cov1.shape != cov2.shape or cov1.shape != mean1.shape * 2:
        raise ValueError("shapes")
    u, s, _v = torch.linalg.svd(cov1)
    root = u @ torch.diag(s.sqrt()) @ u.T
    inner = torch.linalg.eigvalsh(root @ ((cov2 + cov2.T) / 2) @ root)
    value = torch.dist(mean1, mean2) ** 2 + torch.trace(cov1) + torch.trace(cov2) - 2 * inner.relu().sqrt().sum()
    return torch.relu(value)


def fid(real, fake):
    if real.shape[-1] != fake.shape[-1] or min(len(real), len(fake)) < 2:
        raise ValueError("features")
    width = real.shape[1]
    cov1, cov2 = (torch.cov(s.T).reshape(width, width) for s in (real, fake))
    return frechet_distance(real.mean(0), cov1, fake.mean(0), cov2)


def fid_infinity(real, fake, sizes):
    sizes = list(sizes)
    if len(set(sizes)) == 1 or not sizes or not all(2 <= n <= len(fake) for n in sizes):
        raise ValueError("sizes")
    values = torch.stack([fid(real, fake[:n]) for n in sizes])
    design = torch.stack([torch.ones_like(values), 1 / torch.tensor(sizes).to(values)], 1)
    return torch.linalg.lstsq(design, values[:, None]).solution[0, 0], values


def kernel_inception_distance(real, fake):
    n, m = len(real), len(fake)
    if real.shape[1] != fake.shape[1] or min(n, m) < 2:
        raise ValueError("features")
    both = torch.cat([real, fake])
    gram = (both @ both.T / both.shape[1] + 1).pow(3)
    gram = gram - torch.diag(gram.diagonal())
    return gram[:n, :n].sum() / (n * n - n) + gram[n:, n:].sum() / (m * m - m) - 2 * gram[:n, n:].mean()


def inception_score(probabilities, splits=1):
    if splits < 1 or len(probabilities) % splits:
        raise ValueError("splits")
    if not bool(((probabilities >= 0) & (probabilities <= 1)).all()):
        raise ValueError("probabilities")
    scores = []
    for part in probabilities.chunk(splits):
        conditional = Categorical(probs=part)
        marginal = Categorical(probs=part.mean(0, keepdim=True))
        # The mean divergence is the entropy of the mean minus the mean of the entropies.
        def entropy(law):
            return torch.special.entr(law.probs).sum(-1)
        scores.append((entropy(marginal)[0] - entropy(conditional).mean()).exp())
    scores = torch.stack(scores)
    return scores.mean(), scores.var(unbiased=False).sqrt()


def precision_recall(real, fake, k=5):
    if real.shape[1] != fake.shape[1] or k < 1 or k >= min(len(real), len(fake)):
        raise ValueError("k")
    radius = {name: _pairwise(s, s).topk(k + 1, largest=False).values[:, -1] for name, s in (("r", real), ("f", fake))}
    d = _pairwise(fake, real)
    real_balls = d.le(radius["r"])
    return dict(
        precision=real_balls.any(1).float().mean().item(),
        recall=d.le(radius["f"][:, None]).any(0).double().mean().item(),
        density=real_balls.sum().item() / (k * len(fake)),
        coverage=real_balls.any(0).sum().item() / len(real),
    )


def memorisation_ratio(samples, train):
    if samples.shape[1] != train.shape[1] or len(train) < 2:
        raise ValueError("train")
    first, second = _pairwise(samples, train).sort(dim=1).values[:, :2].unbind(1)
    return torch.nan_to_num(first / second, nan=0.0)


def model_agreement(samples_a, samples_b, train_a, train_b):
    if samples_a.shape != samples_b.shape or samples_a.shape[1] != train_a.shape[1] or train_a.shape[1] != train_b.shape[1]:
        raise ValueError("shapes")
    mean = torch.vstack([train_a, train_b]).mean(0)
    cosine = torch.nn.CosineSimilarity(dim=-1)
    agreement = cosine(samples_a - mean, samples_b - mean).mean()
    memories = [
        cosine((s - mean)[:, None], (t - mean)[None]).amax(1).mean() for s, t in ((samples_a, train_a), (samples_b, train_b))
    ]
    return agreement.item(), torch.stack(memories).mean().item()


def tsne_affinities(x, perplexity=30.0):
    n = x.shape[0]
    if not 1 < perplexity < n - 1:
        raise ValueError("perplexity")
    d = _pairwise(x.double(), x.double()).square()
    d = d[~torch.eye(n, dtype=torch.bool, device=d.device)].reshape(n, n - 1)
    d = d - d.amin(1, keepdim=True)
    d = d / d.sort(1).values[:, 1:2]
    low, high = torch.full((n, 1), -80.0).to(d).double(), torch.full((n, 1), 80.0).to(d).double()
    for _ in range(100):  # all rows at once
        middle = (low + high) / 2
        p = torch.softmax(-middle.exp() * d, 1)
        wide = torch.special.entr(p).sum(1, keepdim=True) > math.log(perplexity)
        low, high = torch.where(wide, middle, low), torch.where(wide, high, middle)
    full = torch.zeros(n, n, dtype=torch.float64, device=d.device)
    full[~torch.eye(n, dtype=torch.bool, device=d.device)] = p.flatten()
    return ((full + full.T) / (2 * n)).to(x)


def tsne_loss(affinities, y):
    if affinities.shape != (len(y), len(y)):
        raise ValueError("affinities")
    with torch.enable_grad():
        z = y.detach().clone().requires_grad_()
        i, j = torch.triu_indices(len(z), len(z), 1)
        logits = -torch.log1p((z[i] - z[j]).square().sum(1))
        log_q = logits - torch.logsumexp(logits, 0) - math.log(2)
        p = affinities[i, j].detach()
        loss = 2 * (torch.xlogy(p, p) - p * log_q).sum()
        (gradient,) = torch.autograd.grad(loss, z)
    return loss.detach(), gradient


def trustworthiness(x, y, k=5):
    n = len(x)
    if len(y) != n or not 1 <= k < n / 2:
        raise ValueError("k")
    dx, dy = _pairwise(x, x), _pairwise(y, y)
    order = dy.fill_diagonal_(torch.inf).argsort(1)[:, :k]
    dx.fill_diagonal_(-1)
    ranks = (dx[:, None, :] < dx.gather(1, order)[:, :, None]).sum(2)  # how many are nearer, the point itself among them
    return float(1 - 2 * (ranks - k).clamp(min=0).sum() / (n * k * (2 * n - 3 * k - 1)))


def compare_models(runs, real, train, features, probabilities, k=5):
    if not runs:
        raise ValueError("no model")
    table = {}
    for name, sets in runs.items():
        if not len(sets):
            raise ValueError(f"{name} has no run")
        columns = {}
        for samples in sets:
            a, b = features(real), features(samples)
            values = precision_recall(a, b, k=k) | {
                "fid": fid(a, b),
                "kid": kernel_inception_distance(a, b),
                "inception_score": inception_score(probabilities(samples), 1)[0],
                "memorised": (memorisation_ratio(samples, train) * 3 < 1).double().mean(),
            }
            for metric, value in values.items():
                columns.setdefault(metric, []).append(torch.as_tensor(value, dtype=torch.float64))
        table[name] = {m: (torch.stack(v).mean(), torch.stack(v).std(unbiased=False)) for m, v in columns.items()}
    return table
