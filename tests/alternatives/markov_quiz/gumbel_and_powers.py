# Differs: log-space sampling, averaged powers for the stationary law, counts by str keys, NumPy arrays and tuples returned.
import math

import numpy as np
import torch


def _pairs(x, y):
    if x.dim() != 1 or y.dim() != 1 or x.size(0) != y.size(0) or x.size(0) == 0:
        raise ValueError("x, y: same length, at least one pair")


def joint_probability(x, y):
    _pairs(x, y)
    both, counts = torch.unique(torch.stack([x.double(), y.double()], 1), dim=0, return_counts=True)
    vx, vy = torch.unique(x), torch.unique(y)
    P = torch.zeros(len(vx), len(vy), dtype=torch.float64, device=x.device)
    P[torch.searchsorted(vx.double(), both[:, 0].contiguous()), torch.searchsorted(vy.double(), both[:, 1].contiguous())] = (
        counts.double() / counts.sum()
    )
    return vx, vy, P


def conditional_probability(x, y):
    vx, vy, P = joint_probability(x, y)
    marginal = P.sum(1)
    return [vx, vy, torch.diag(1 / marginal) @ P]


def tokenize(sentence):
    import re

    text = re.sub(r"[’']", "' ", sentence.lower())
    text = re.sub(r"([.?])", r" \1 ", text)
    return [t for t in re.split(r"\s+", text) if t]


def vocabulary(sentences):
    seen = {}
    for t in tokenize(" ".join(sentences)):
        seen.setdefault(t, len(seen))
    return list(seen)


def transition_counts(sequences, states, order=1):
    n = len(states)
    counts = np.zeros((n,) * order + (n,))
    for seq in sequences:
        for s in seq:
            if s not in states:
                raise ValueError(f"{s!r} is not a state")
        for gram in zip(*(seq[k:] for k in range(order + 1))):
            counts[tuple(states.index(s) for s in gram)] += 1
    return torch.tensor(counts)


def transition_matrix(counts, smoothing=0.0):
    P = torch.as_tensor(counts)
    P = (P if P.is_floating_point() else P.double()) + smoothing
    total = P.sum(-1)
    P = P / torch.where(total == 0, torch.ones_like(total), total).unsqueeze(-1)
    return P


def most_likely_sequence(start, P, length):
    seq = (start,) if isinstance(start, int) else tuple(start)
    while len(seq) < length:
        row = P[seq[len(seq) - P.dim() + 1 :]]
        best = row.max()
        if best == 0:
            break
        seq += (int(torch.nonzero(row == best)[0, 0]),)
    return seq


def sample_sequence(start, P, length, generator=None):
    seq = (start,) if isinstance(start, int) else tuple(start)
    logits = P.double().log()
    while len(seq) < length:
        row = logits[seq[len(seq) - P.dim() + 1 :]]
        if not torch.isfinite(row).any():
            break
        noise = torch.empty(row.shape, dtype=torch.float64, device=row.device).exponential_(generator=generator)
        seq += (int((row.exp() / noise).argmax()),)  # exponential race
    return seq


def _check_indices(sequence, P):
    if len(sequence) and not (min(sequence) >= 0 and max(sequence) <= P.shape[-1] - 1):
        raise ValueError(f"indices from 0 to {P.shape[-1] - 1} expected")


def log_likelihood(sequence, P):
    _check_indices(sequence, P)
    k = P.dim() - 1
    value = np.float64(0.0)
    for i in range(k, len(sequence)):
        p = P[tuple(sequence[i - k : i + 1])].item()
        value += math.log(p) if p > 0 else -math.inf
    return value


def can_generate(sequence, P):
    _check_indices(sequence, P)
    k = P.dim() - 1
    return np.bool_(all(P[tuple(sequence[i - k : i + 1])].item() > 0 for i in range(k, len(sequence))))


def stationary_distribution(P):
    n = P.shape[0]
    Q = P.double()
    if (Q.sum(1) == 0).any():
        raise ValueError("zero row")
    lazy = (Q + torch.eye(n).to(Q)) / 2
    M = lazy
    for _ in range(20):
        M = M @ M
        M = M / M.sum(1, keepdim=True)
    if (M.max(0).values - M.min(0).values).max() > 1e-6 or (M[0] < 1e-9).any():
        raise ValueError("reducible")
    return M[0].to(P)
