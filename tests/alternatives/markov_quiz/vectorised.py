# Differs: comparisons and einsum for the tables, index_put_ and one-hot products for the counts, least squares and SVD.
import itertools

import torch
import torch.nn.functional as F


def joint_probability(x, y):
    if x.ndim != 1 or y.ndim != 1:
        raise ValueError("x and y must be vectors")
    if len(x) != len(y) or len(x) < 1:
        raise ValueError(f"{len(x)} values of x, {len(y)} of y")
    vx, vy = x.unique(sorted=True), y.unique(sorted=True)
    ox = (x[:, None] == vx).float()
    oy = (y[:, None] == vy).float()
    return vx, vy, torch.einsum("ni,nj->ij", ox, oy) / len(x)


def conditional_probability(x, y):
    vx, vy, P = joint_probability(x, y)
    return vx, vy, F.normalize(P, p=1, dim=1)


def tokenize(sentence):
    tokens, word = [], ""
    for c in sentence.lower():
        if c in "'’":
            tokens.append(word + "'")
            word = ""
        elif c.isalpha():
            word += c
        else:
            if word:
                tokens.append(word)
                word = ""
            if c in ".?":
                tokens.append(c)
    return tokens + [word] if word else tokens


def vocabulary(sentences):
    return list(dict.fromkeys(itertools.chain.from_iterable(map(tokenize, sentences))))


def transition_counts(sequences, states, order=1):
    n = len(states)
    index = {s: i for i, s in enumerate(states)}
    for sequence in sequences:
        unknown = set(sequence) - set(index)
        if unknown:
            raise ValueError(f"not among the states: {sorted(unknown)}")
    flat = torch.zeros(n ** (order + 1), dtype=torch.float32)
    for sequence in sequences:
        ids = torch.tensor([index[s] for s in sequence], dtype=torch.long)
        m = len(ids) - order
        if m < 1:
            continue
        code = sum(ids[k : k + m] * n ** (order - k) for k in range(order + 1))
        flat += torch.bincount(code, minlength=n ** (order + 1))
    return flat.view((n,) * (order + 1))


def transition_matrix(counts, smoothing=0.0):
    c = counts + smoothing
    if not c.is_floating_point():
        c = c.double()
    s = c.sum(-1, keepdim=True)
    return c / s.masked_fill(s == 0, 1)


def _row(P, seq):
    for i in seq[len(seq) - (P.ndim - 1) :]:
        P = P[i]
    return P


def most_likely_sequence(start, P, length):
    seq = [start] if P.ndim == 2 and not isinstance(start, (list, tuple)) else [*start]
    while len(seq) < length and _row(P, seq).any():
        seq.append(_row(P, seq).argmax().item())
    return seq


def sample_sequence(start, P, length, generator=None):
    seq = [start] if P.ndim == 2 and not isinstance(start, (list, tuple)) else [*start]
    while len(seq) < length and _row(P, seq).any():
        row = _row(P, seq)
        # Gumbel-max: argmax of log p + Gumbel noise is a draw from p
        u = torch.rand(row.shape, generator=generator, dtype=torch.float64).to(row.device)
        seq.append((row.double().log() - (-u.log()).log()).argmax().item())
    return torch.tensor(seq)


def log_likelihood(sequence, P):
    s = torch.as_tensor(sequence, dtype=torch.long)
    if ((s < 0) | (s >= P.shape[-1])).any():
        raise ValueError(f"sequence: indices must lie in 0..{P.shape[-1] - 1}")
    m = len(s) - (P.ndim - 1)
    if m <= 0:
        return torch.tensor(0.0)
    return P[tuple(s[k : k + m] for k in range(P.ndim))].log().sum()


def can_generate(sequence, P):
    return torch.isfinite(torch.as_tensor(log_likelihood(sequence, P)))


def stationary_distribution(P):
    n = P.shape[0]
    if P.sum(1).min() <= 0:
        raise ValueError("P: zero row")
    A = (P > 0).double() + torch.eye(n).double().to(P.device)
    for _ in range(n):
        A = ((A @ A) > 0).double()
    if A.min() == 0:
        raise ValueError("P: reducible")
    M = torch.cat([P.double().T - torch.eye(n).to(P.device), torch.ones(1, n).double().to(P.device)])
    b = torch.zeros(n + 1, 1).double().to(P.device)
    b[-1] = 1
    return torch.linalg.lstsq(M, b).solution[:, 0].to(P)
