# Differs: plain Python throughout (dicts, loops, math), float64 tables, list answers turned into tensors at the end.
import math
from collections import Counter

import torch


def _check(x, y):
    if x.ndim != 1 or y.ndim != 1 or x.shape[0] != y.shape[0] or x.shape[0] < 1:
        raise ValueError("x and y: one-dimensional, same length")


def joint_probability(x, y):
    _check(x, y)
    xs, ys = x.tolist(), y.tolist()
    vx, vy = sorted(set(xs)), sorted(set(ys))
    c = Counter(zip(xs, ys))
    P = [[c[a, b] / len(xs) for b in vy] for a in vx]
    return torch.tensor(vx, dtype=x.dtype, device=x.device), torch.tensor(vy, dtype=y.dtype, device=y.device), torch.tensor(P, dtype=torch.float64)


def conditional_probability(x, y):
    _check(x, y)
    xs, ys = x.tolist(), y.tolist()
    vx, vy = sorted(set(xs)), sorted(set(ys))
    c, cx = Counter(zip(xs, ys)), Counter(xs)
    P = [[c[a, b] / cx[a] for b in vy] for a in vx]
    return torch.tensor(vx, dtype=x.dtype, device=x.device), torch.tensor(vy, dtype=y.dtype, device=y.device), torch.tensor(P, dtype=torch.float64)


def tokenize(sentence):
    s = sentence.lower().replace("\u2019", "'")
    for sign in ".?!,;:":
        s = s.replace(sign, " " + sign + " ")
    s = s.replace("'", "' ")
    return s.split()


def vocabulary(sentences):
    states = []
    for s in sentences:
        for t in tokenize(s):
            if t not in states:
                states.append(t)
    return states


def transition_counts(sequences, states, order=1):
    states = list(states)
    n = len(states)
    counts = torch.zeros(*[n] * (order + 1), dtype=torch.float64)
    for seq in sequences:
        ids = [states.index(s) for s in seq]  # ValueError for an unknown state
        for i in range(len(ids) - order):
            cell = counts
            for j in ids[i : i + order]:
                cell = cell[j]
            cell[ids[i + order]] += 1
    return counts


def transition_matrix(counts, smoothing=0.0):
    dtype = counts.dtype if counts.dtype.is_floating_point else torch.float64
    flat = counts.reshape(-1, counts.shape[-1]).to(dtype)
    rows = []
    for row in flat:
        row = row + smoothing
        s = float(row.sum())
        rows.append(row / s if s > 0 else torch.zeros_like(row))
    return torch.stack(rows).reshape(counts.shape)


def _start(start):
    return [start] if isinstance(start, int) else list(start)


def most_likely_sequence(start, P, length):
    seq = _start(start)
    k = len(seq)
    while len(seq) < length:
        row = P[tuple(seq[len(seq) - k :])].tolist()
        if max(row) <= 0:
            return seq
        seq.append(row.index(max(row)))
    return seq


def sample_sequence(start, P, length, generator=None):
    seq = _start(start)
    k = len(seq)
    while len(seq) < length:
        row = P[tuple(seq[len(seq) - k :])].tolist()
        total = sum(row)
        if total <= 0:
            break
        u = torch.rand((), generator=generator, dtype=torch.float64).item() * total
        acc, choice = 0.0, max(i for i, p in enumerate(row) if p > 0)
        for i, p in enumerate(row):
            acc += p
            if u < acc:
                choice = i
                break
        seq.append(choice)
    return seq


def _probabilities(sequence, P):
    n = P.shape[-1]
    for s in sequence:
        if s < 0 or s >= n:
            raise ValueError(f"index {s} out of 0..{n - 1}")
    k = P.ndim - 1
    return [float(P[tuple(sequence[i - k : i + 1])]) for i in range(k, len(sequence))]


def log_likelihood(sequence, P):
    total = 0.0
    for p in _probabilities(sequence, P):
        if p == 0:
            return float("-inf")
        total += math.log(p)
    return total


def can_generate(sequence, P):
    return all(p > 0 for p in _probabilities(sequence, P))


def stationary_distribution(P):
    n = P.shape[0]
    rows = P.tolist()
    for i in range(n):
        if sum(rows[i]) <= 0:
            raise ValueError("zero row")
        seen, todo = {i}, [i]
        while todo:
            a = todo.pop()
            for b in range(n):
                if rows[a][b] > 0 and b not in seen:
                    seen.add(b)
                    todo.append(b)
        if len(seen) < n:
            raise ValueError("reducible")
    pi = [1 / n] * n
    for _ in range(5000):  # the lazy chain (I + P) / 2 is aperiodic and has the same stationary law
        pi = [(pi[j] + sum(pi[i] * rows[i][j] for i in range(n))) / 2 for j in range(n)]
    return torch.tensor(pi, dtype=P.dtype, device=P.device)
