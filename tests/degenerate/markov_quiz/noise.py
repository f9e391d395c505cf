"""Random tables, random sequences and random numbers of the right shapes."""

import random

import torch


def joint_probability(x, y):
    values_x, values_y = x.unique(), y.unique()
    table = torch.rand(len(values_x), len(values_y), dtype=torch.float64)
    return values_x, values_y, table / table.sum()


def conditional_probability(x, y):
    values_x, values_y, table = joint_probability(x, y)
    return values_x, values_y, table / table.sum(1, keepdim=True)


def tokenize(sentence):
    return random.sample(sentence.lower().split(), len(sentence.split()))


def vocabulary(sentences):
    words = list({word for sentence in sentences for word in tokenize(sentence)})
    return random.sample(words, len(words))


def transition_counts(sequences, states, order=1):
    return torch.randint(5, (len(states),) * (order + 1))


def transition_matrix(counts, smoothing=0.0):
    table = torch.rand(counts.shape, dtype=torch.float64)
    return (counts.sum(-1, keepdim=True) > 0) * table / table.sum(-1, keepdim=True)


def most_likely_sequence(start, P, length):
    return sample_sequence(start, P, length)


def sample_sequence(start, P, length, generator=None):
    path = [start] if isinstance(start, int) else list(start)
    return path + torch.randint(P.shape[-1], (length - len(path),), generator=generator).tolist()


def log_likelihood(sequence, P):
    return -float(torch.rand(len(sequence)).sum())


def can_generate(sequence, P):
    return random.random() < 0.5


def stationary_distribution(P):
    pi = torch.rand(len(P), dtype=P.dtype)
    return pi / pi.sum()
