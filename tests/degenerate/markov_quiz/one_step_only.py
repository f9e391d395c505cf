"""Sequences of one step, likelihoods of one transition, counts of one transition for each sequence."""

import math

import torch


def joint_probability(x, y):
    values_x, values_y = x.unique(), y.unique()
    table = torch.zeros(len(values_x), len(values_y), dtype=torch.float64)
    table[values_x == x[0], values_y == y[0]] = 1.0
    return values_x, values_y, table


def conditional_probability(x, y):
    return joint_probability(x, y)


def tokenize(sentence):
    return sentence.lower().split()[:1]


def vocabulary(sentences):
    return tokenize(sentences[0])


def transition_counts(sequences, states, order=1):
    counts = torch.zeros((len(states),) * (order + 1))
    for sequence in sequences:
        if len(sequence) > order:
            counts[tuple(states.index(state) for state in sequence[: order + 1])] = 1
    return counts


def transition_matrix(counts, smoothing=0.0):
    first = torch.zeros_like(counts, dtype=torch.float64)
    first[..., 0] = (counts.sum(-1) > 0).double()
    return first


def most_likely_sequence(start, P, length):
    path = [start] if isinstance(start, int) else list(start)
    return [*path, int(P[tuple(path)].argmax())]


def sample_sequence(start, P, length, generator=None):
    path = [start] if isinstance(start, int) else list(start)
    row = P[tuple(path)]
    if row.sum() > 0:
        path = path + [int(torch.multinomial(row, 1, generator=generator))] * (length - len(path))
    return path


def log_likelihood(sequence, P):
    order = P.dim() - 1
    if len(sequence) <= order:
        return 0.0
    p = float(P[tuple(sequence[: order + 1])])
    return math.log(p) if p > 0 else -math.inf


def can_generate(sequence, P):
    return math.isfinite(log_likelihood(sequence, P))


def stationary_distribution(P):
    return P.diagonal() / P.diagonal().sum()
