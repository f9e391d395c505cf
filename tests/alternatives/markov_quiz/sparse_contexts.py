# Differs: cells as namedtuples of counters, fractions for the tables, Cesaro-free null space by SVD, recursion for sequences.
import functools
import math
import string
from collections import defaultdict
from fractions import Fraction

import torch


def _values(v):
    return sorted(set(v.tolist()))


def joint_probability(x, y):
    if len(x.shape) != 1 or tuple(x.shape) != tuple(y.shape) or not len(x):
        raise ValueError("need pairs")
    vx, vy = _values(x), _values(y)
    P = torch.zeros(len(vx), len(vy))
    share = Fraction(1, len(x))
    table = defaultdict(Fraction)
    for a, b in zip(x.tolist(), y.tolist()):
        table[a, b] += share
    for (a, b), p in table.items():
        P[vx.index(a), vy.index(b)] = float(p)
    return x.new_tensor(vx), y.new_tensor(vy), P


def conditional_probability(x, y):
    if len(x.shape) != 1 or tuple(x.shape) != tuple(y.shape) or not len(x):
        raise ValueError("need pairs")
    vx, vy = x.unique(), y.unique()
    rows = [torch.stack([(y[x == a] == b).double().mean() for b in vy]) for a in vx]
    return vx, vy, torch.stack(rows)


def tokenize(sentence):
    out = []
    for chunk in sentence.replace("’", "'").split():
        chunk = chunk.lower()
        tail = []
        while chunk and chunk[-1] in string.punctuation.replace("'", ""):
            tail.insert(0, chunk[-1])
            chunk = chunk[:-1]
        while "'" in chunk:
            cut = chunk.index("'") + 1
            out.append(chunk[:cut])
            chunk = chunk[cut:]
        if chunk:
            out.append(chunk)
        out += tail
    return out


def vocabulary(sentences):
    return functools.reduce(lambda seen, t: seen if t in seen else [*seen, t], [t for s in sentences for t in tokenize(s)], [])


def transition_counts(sequences, states, order=1):
    n = len(states)
    counts = torch.zeros([n] * (order + 1), dtype=torch.int64)
    for sequence in sequences:
        if not set(sequence) <= set(states):
            raise ValueError("unknown state")
        window = []
        for s in sequence:
            window = [*window, states.index(s)][-(order + 1) :]
            if len(window) == order + 1:
                counts.index_put_(tuple(torch.tensor(i) for i in window), torch.tensor(1), accumulate=True)
    return counts


def transition_matrix(counts, smoothing=0.0):
    c = counts.clone() if counts.is_floating_point() else counts.to(torch.float32)
    c += smoothing
    P = c / c.sum(-1, keepdim=True)
    return torch.nan_to_num(P, nan=0.0)


def _tuple(start):
    return (start,) if isinstance(start, int) else tuple(start)


def most_likely_sequence(start, P, length):
    start = _tuple(start)
    if len(start) >= length:
        return list(start)
    order = P.dim() - 1
    values, indices = P[start[-order:]].sort(descending=True, stable=True)
    if values[0] == 0:
        return list(start)
    return most_likely_sequence((*start, int(indices[0])), P, length)


def sample_sequence(start, P, length, generator=None):
    seq = list(_tuple(start))
    order = P.dim() - 1
    while len(seq) < length:
        row = P[tuple(seq[-order:])]
        if torch.count_nonzero(row) == 0:
            return seq
        seq.append(torch.multinomial(row.float(), num_samples=1, replacement=True, generator=generator).item())
    return seq


def can_generate(sequence, P):
    return log_likelihood(sequence, P) != -math.inf


def log_likelihood(sequence, P):
    n, order = P.shape[-1], P.dim() - 1
    if set(sequence) - set(range(n)):
        raise ValueError("unknown index")
    logs = P.to(torch.float64).log()
    return math.fsum(logs[tuple(sequence[i : i + order + 1])].item() for i in range(len(sequence) - order))


def stationary_distribution(P):
    n = len(P)
    if not torch.allclose(P.sum(1), torch.ones(n, dtype=P.dtype, device=P.device), atol=1e-4):
        raise ValueError("rows must sum to 1")
    walks = sum(torch.linalg.matrix_power(P.double(), k) for k in range(n))
    if bool((walks <= 0).any()):
        raise ValueError("reducible chain")
    _, _, Vh = torch.linalg.svd((P.double() - torch.eye(n, dtype=torch.float64, device=P.device)).T)
    v = Vh[-1]
    return (v / v.sum()).to(P)
