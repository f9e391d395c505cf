# Differs: NumPy inside (np.unique, np.add.at, np.linalg.eig), tokens by str methods, sampling by inverse cdf.
import re

import numpy as np
import torch


def joint_probability(x, y):
    if x.shape != y.shape or x.dim() != 1 or x.numel() == 0:
        raise ValueError(f"x {tuple(x.shape)} and y {tuple(y.shape)} must be pairs")
    vx, ix = np.unique(x.cpu().numpy(), return_inverse=True)
    vy, iy = np.unique(y.cpu().numpy(), return_inverse=True)
    P = np.zeros((len(vx), len(vy)))
    np.add.at(P, (ix, iy), 1 / len(ix))
    return torch.from_numpy(vx), torch.from_numpy(vy), torch.from_numpy(P)


def conditional_probability(x, y):
    vx, vy, P = joint_probability(x, y)
    return vx, vy, torch.einsum("ij,i->ij", P, 1 / P.sum(1))


def tokenize(sentence):
    sentence = sentence.replace("’", "'").lower()
    return re.findall(r"[^\W_]+'|[^\W_]+|[.?]", sentence)


def vocabulary(sentences):
    words = np.array([t for s in sentences for t in tokenize(s)])
    _, first = np.unique(words, return_index=True)
    return [str(words[i]) for i in sorted(first)]


def transition_counts(sequences, states, order=1):
    position = dict(zip(states, range(len(states))))
    counts = np.zeros([len(states)] * (order + 1), dtype=np.int32)
    for sequence in sequences:
        try:
            ids = np.array([position[s] for s in sequence], dtype=int)
        except KeyError as error:
            raise ValueError(f"unknown state {error}") from None
        if len(ids) > order:
            grams = np.lib.stride_tricks.sliding_window_view(ids, order + 1)
            np.add.at(counts, tuple(grams.T), 1)
    return torch.from_numpy(counts)


def transition_matrix(counts, smoothing=0.0):
    c = counts.cpu().numpy()
    c = (c if c.dtype.kind == "f" else c.astype(np.float32)) + np.asarray(smoothing, dtype=c.dtype if c.dtype.kind == "f" else np.float32)
    total = c.sum(axis=-1, keepdims=True)
    return torch.from_numpy(np.divide(c, total, out=np.zeros_like(c), where=total > 0))


def most_likely_sequence(start, P, length):
    seq = np.atleast_1d(start).tolist()
    P = P.cpu().numpy()
    order = P.ndim - 1
    for _ in range(length - len(seq)):
        row = P[tuple(seq[-order:])]
        if not row.any():
            break
        seq.append(int(np.argmax(row)))
    return seq


def sample_sequence(start, P, length, generator=None):
    seq = np.atleast_1d(start).tolist()
    order = P.dim() - 1
    cdf = P.double().cumsum(-1).cpu().numpy()
    u = torch.rand(length, generator=generator, dtype=torch.float64).numpy()
    for i in range(len(seq), length):
        row = cdf[tuple(seq[-order:])]
        if row[-1] == 0:
            break
        seq.append(int(np.searchsorted(row, u[i] * row[-1], side="right")))
    return seq


def _validated(sequence, n):
    s = np.asarray(sequence, dtype=int)
    if len(s) and (s.min() < 0 or s.max() >= n):
        raise ValueError("index out of range")
    return s


def log_likelihood(sequence, P):
    s = _validated(sequence, P.shape[-1])
    order = P.dim() - 1
    p = np.array([P.cpu().numpy()[tuple(s[i - order : i + 1])] for i in range(order, len(s))], dtype=np.float64)
    with np.errstate(divide="ignore"):
        return float(np.log(p).sum())


def can_generate(sequence, P):
    s = _validated(sequence, P.shape[-1])
    order = P.dim() - 1
    return bool(np.all([P.cpu().numpy()[tuple(s[i - order : i + 1])] > 0 for i in range(order, len(s))]))


def stationary_distribution(P):
    A = P.cpu().numpy().astype(np.float64)
    n = len(A)
    if np.any(A.sum(1) == 0):
        raise ValueError("a state has no successor")
    if np.any(np.linalg.matrix_power(np.eye(n) + A, n) <= 0):
        raise ValueError("the chain is reducible")
    w, v = np.linalg.eig(A.T)
    pi = np.real(v[:, np.argmin(np.abs(w - 1))])
    return torch.tensor(pi / pi.sum(), dtype=P.dtype, device=P.device)
