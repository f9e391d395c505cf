"""Random valid solutions of markov_quiz: each function in one of several idioms, dtypes and kinds of number.

What the contract leaves free is drawn: loops, einsum or NumPy, which function calls which other, the dtype inside and
that of a table of integers, Python or NumPy scalars or tensors for numbers, how draws come from the generator, how the
stationary law is found and how reducible chains are told.
"""

from __future__ import annotations

import random

HEAD = """\
import itertools
import math
import re
from collections import Counter, defaultdict

import numpy as np
import torch
import torch.nn.functional as F


def _pairs(x, y):
    if x.ndim != 1 or y.ndim != 1 or len(x) != len(y) or len(x) < 1:
        raise ValueError(f"x and y must be pairs, got {tuple(x.shape)} and {tuple(y.shape)}")


def _path(start, P):
    return [start] if isinstance(start, int) else [int(i) for i in start]
"""

JOINT = (
    """
def joint_probability(x, y):
    _pairs(x, y)
    vx, ix = torch.unique(x, sorted=True, return_inverse=True)
    vy, iy = torch.unique(y, sorted=True, return_inverse=True)
    P = torch.zeros(len(vx), len(vy), dtype={table})
    P.index_put_((ix, iy), torch.ones(len(x), dtype={table}), accumulate=True)
    return vx, vy, P / len(x)
""",
    """
def joint_probability(x, y):
    _pairs(x, y)
    vx = torch.tensor(sorted(set(x.tolist())), dtype=x.dtype)
    vy = torch.tensor(sorted(set(y.tolist())), dtype=y.dtype)
    seen = Counter(zip(x.tolist(), y.tolist()))
    P = torch.tensor([[seen[a, b] / len(x) for b in vy.tolist()] for a in vx.tolist()], dtype={table})
    return vx, vy, P
""",
    """
def joint_probability(x, y):
    _pairs(x, y)
    vx, vy = x.unique(), y.unique()
    at_x, at_y = (x[:, None] == vx).to({table}), (y[:, None] == vy).to({table})
    return vx, vy, torch.einsum("ni,nj->ij", at_x, at_y) / x.numel()
""",
    """
def joint_probability(x, y):
    _pairs(x, y)
    vx, ix = np.unique(x.numpy(), return_inverse=True)
    vy, iy = np.unique(y.numpy(), return_inverse=True)
    P = np.zeros((len(vx), len(vy)))
    np.add.at(P, (ix, iy), 1.0)
    return torch.from_numpy(vx), torch.from_numpy(vy), torch.from_numpy(P / P.sum()).to({table})
""",
)

CONDITIONAL = (
    """
def conditional_probability(x, y):
    vx, vy, P = joint_probability(x, y)
    return vx, vy, P / P.sum(1, keepdim=True)
""",
    """
def conditional_probability(x, y):
    vx, vy, P = joint_probability(x, y)
    return vx, vy, F.normalize(P, p=1, dim=1)
""",
    """
def conditional_probability(x, y):
    _pairs(x, y)
    vx, vy = x.unique(), y.unique()
    rows = [torch.stack([(y[x == a] == b).to({table}).mean() for b in vy]) for a in vx]
    return vx, vy, torch.stack(rows)
""",
    """
def conditional_probability(x, y):
    _pairs(x, y)
    vx, ix = x.unique(return_inverse=True)
    vy, iy = y.unique(return_inverse=True)
    counts = np.zeros((len(vx), len(vy)))
    for i, j in zip(ix.tolist(), iy.tolist()):
        counts[i, j] += 1
    return vx, vy, torch.as_tensor(counts / counts.sum(axis=1)[:, None]).to({table})
""",
)

TOKENIZE = (
    """
def tokenize(sentence):
    return re.findall(r"\\w+'?|[.?]", sentence.replace("\\u2019", "'").lower())
""",
    """
def tokenize(sentence):
    text = sentence.lower().replace("\\u2019", "'").replace("'", "' ")
    for mark in ".?":
        text = text.replace(mark, f" {mark} ")
    return text.split()
""",
    """
def tokenize(sentence):
    tokens, word = [], ""
    for c in sentence.casefold():
        c = "'" if c == "\\u2019" else c
        if c.isalpha():
            word += c
        elif c == "'":
            tokens.append(word + c)
            word = ""
        else:
            if word:
                tokens.append(word)
                word = ""
            if c in ".?":
                tokens.append(c)
    return tokens + [word] if word else tokens
""",
    """
def tokenize(sentence):
    parts = re.split(r"(?<=['\\u2019])|\\s+|(?=[.?])|(?<=[.?])", sentence.lower())
    return [part.replace("\\u2019", "'") for part in parts if part]
""",
    """
def tokenize(sentence):
    text = re.sub(r"([.?!,;:])", r" \\1 ", sentence.lower())
    return re.sub("['\\u2019]", "' ", text).split()
""",
)

VOCABULARY = (
    """
def vocabulary(sentences):
    return list(dict.fromkeys(itertools.chain.from_iterable(map(tokenize, sentences))))
""",
    """
def vocabulary(sentences):
    states = []
    for sentence in sentences:
        for token in tokenize(sentence):
            if token not in states:
                states.append(token)
    return states
""",
    """
def vocabulary(sentences):
    tokens = [token for sentence in sentences for token in tokenize(sentence)]
    return sorted(set(tokens), key=tokens.index)
""",
    """
def vocabulary(sentences):
    seen = set()
    return [t for s in sentences for t in tokenize(s) if not (t in seen or seen.add(t))]
""",
)

COUNTS = (
    """
def transition_counts(sequences, states, order=1):
    if order < 1:
        raise ValueError("order")
    index = {s: i for i, s in enumerate(states)}
    counts = torch.zeros((len(states),) * (order + 1), dtype={count})
    for sequence in sequences:
        if any(s not in index for s in sequence):
            raise ValueError("unknown state")
        ids = [index[s] for s in sequence]
        for window in zip(*(ids[k:] for k in range(order + 1))):
            counts[window] += 1
    return counts
""",
    """
def transition_counts(sequences, states, order=1):
    if order < 1:
        raise ValueError("order")
    n, grams = len(states), Counter()
    for sequence in sequences:
        try:
            ids = [states.index(s) for s in sequence]
        except ValueError:
            raise ValueError("a state is not among the states") from None
        grams.update(tuple(ids[k : k + order + 1]) for k in range(len(ids) - order))
    counts = torch.zeros((n,) * (order + 1), dtype={count})
    for gram, times in grams.items():
        counts[gram] = times
    return counts
""",
    """
def transition_counts(sequences, states, order=1):
    if order < 1:
        raise ValueError("order")
    n = len(states)
    place = dict(zip(states, range(n)))
    flat = torch.zeros(n ** (order + 1), dtype=torch.long)
    for sequence in sequences:
        for state in sequence:
            if state not in place:
                raise ValueError(f"{state!r} is unknown")
        ids = torch.tensor([place[s] for s in sequence], dtype=torch.long)
        if len(ids) > order:
            code = torch.zeros(len(ids) - order, dtype=torch.long)
            for k in range(order + 1):
                code = code * n + ids[k : len(ids) - order + k]
            flat += torch.bincount(code, minlength=len(flat))
    return flat.reshape((n,) * (order + 1)).to({count})
""",
    """
def transition_counts(sequences, states, order=1):
    if order < 1:
        raise ValueError("order")
    n, letters = len(states), "abcdefg"[: order + 1]
    total = torch.zeros((n,) * (order + 1), dtype=torch.float64)
    for sequence in sequences:
        if not set(sequence) <= set(states):
            raise ValueError("unknown state")
        hot = torch.zeros(len(sequence), n, dtype=torch.float64)
        for t, state in enumerate(sequence):
            hot[t, list(states).index(state)] = 1
        steps = len(sequence) - order
        if steps > 0:
            parts = [hot[k : k + steps] for k in range(order + 1)]
            total += torch.einsum(",".join("t" + c for c in letters) + "->" + letters, *parts)
    return total.to({count})
""",
    """
def transition_counts(sequences, states, order=1):
    if order < 1:
        raise ValueError("order")
    place = {s: i for i, s in enumerate(states)}
    counts = np.zeros((len(states),) * (order + 1), dtype=np.int64)
    for sequence in sequences:
        if not all(s in place for s in sequence):
            raise ValueError("unknown state")
        ids = np.array([place[s] for s in sequence], dtype=int)
        np.add.at(counts, tuple(ids[k : len(ids) - order + k] for k in range(order + 1)) if len(ids) > order
                  else tuple(np.zeros((order + 1, 0), dtype=int)), 1)
    return torch.from_numpy(counts).to({count})
""",
)

MATRIX = (
    """
def transition_matrix(counts, smoothing=0.0):
    if smoothing < 0:
        raise ValueError("smoothing")
    c = counts + smoothing if counts.is_floating_point() else counts.to({table}) + smoothing
    return torch.nan_to_num(c / c.sum(-1, keepdim=True), nan=0.0)
""",
    """
def transition_matrix(counts, smoothing=0.0):
    if smoothing < 0:
        raise ValueError("smoothing")
    c = (counts if counts.is_floating_point() else counts.to({table})).clone()
    for row in c.view(-1, c.shape[-1]):
        row += smoothing
        if row.sum() > 0:
            row /= row.sum()
    return c
""",
    """
def transition_matrix(counts, smoothing=0.0):
    if not smoothing >= 0:
        raise ValueError("smoothing")
    c = counts if counts.is_floating_point() else counts.to({table})
    total = c.sum(dim=-1) + c.shape[-1] * smoothing
    total = total.masked_fill(total == 0, 1.0)
    return torch.einsum("...k,...->...k", c + smoothing, 1 / total)
""",
    """
def transition_matrix(counts, smoothing=0.0):
    if smoothing < 0:
        raise ValueError("smoothing")
    dtype = counts.dtype if counts.is_floating_point() else {table}
    c = counts.numpy().astype(np.float64) + smoothing
    total = c.sum(axis=-1, keepdims=True)
    return torch.from_numpy(np.divide(c, total, out=np.zeros_like(c), where=total > 0)).to(dtype)
""",
    """
def transition_matrix(counts, smoothing=0.0):
    if smoothing < 0:
        raise ValueError("smoothing")
    c = counts if counts.is_floating_point() else counts.to({table})
    return F.normalize(c + smoothing, p=1, dim=-1, eps=1e-30)
""",
)

MOST_LIKELY = (
    """
def most_likely_sequence(start, P, length):
    path = _path(start, P)
    order = P.dim() - 1
    while len(path) < length:
        row = P[tuple(path[-order:])].tolist()
        if max(row) <= 0:
            return path
        path.append(row.index(max(row)))
    return path
""",
    """
def most_likely_sequence(start, P, length):
    path = _path(start, P)
    k = P.ndim - 1
    best, dead = P.argmax(-1), P.sum(-1) == 0
    for _ in range(length - len(path)):
        context = tuple(path[-k:])
        if dead[context]:
            break
        path.append(best[context].item())
    return {path}
""",
    """
def most_likely_sequence(start, P, length):
    path, table = _path(start, P), P.numpy()
    for _ in range(len(path), length):
        row = table[tuple(path[len(path) - table.ndim + 1 :])]
        if not row.any():
            break
        path.append(int(np.argmax(row)))
    return path
""",
)

SAMPLE = (
    """
def sample_sequence(start, P, length, generator=None):
    path = _path(start, P)
    order = P.dim() - 1
    while len(path) < length:
        row = P[tuple(path[-order:])]
        if row.sum() == 0:
            break
        path.append(torch.multinomial(row, 1, generator=generator).item())
    return path
""",
    """
def sample_sequence(start, P, length, generator=None):
    path = _path(start, P)
    cdf = P.double().cumsum(-1)
    for _ in range(length - len(path)):
        row = cdf[tuple(path[-(P.dim() - 1) :])]
        if row[-1] <= 0:
            break
        u = torch.rand(1, generator=generator, dtype=torch.float64) * row[-1]
        path.append(int(torch.searchsorted(row, u, right=True).clamp(max=len(row) - 1)))
    return {path}
""",
    """
def sample_sequence(start, P, length, generator=None):
    path = _path(start, P)
    while len(path) < length:
        row = P[tuple(path[-(P.dim() - 1) :])]
        if not (row > 0).any():
            break
        clock = torch.empty(len(row), dtype=torch.float64).exponential_(generator=generator)
        path.append(int((clock / row.double()).argmin()))
    return path
""",
    """
def sample_sequence(start, P, length, generator=None):
    path = _path(start, P)
    rng = np.random.default_rng(int(torch.randint(2**62, (1,), generator=generator)))
    table = P.double().numpy()
    while len(path) < length:
        row = table[tuple(path[-(P.dim() - 1) :])]
        if row.sum() == 0:
            break
        path.append(int(rng.choice(len(row), p=row / row.sum())))
    return path
""",
    """
def sample_sequence(start, P, length, generator=None):
    path = _path(start, P)
    u = torch.rand(length, generator=generator, dtype=torch.float64).tolist()
    for k in range(len(path), length):
        row, left = P[tuple(path[-(P.dim() - 1) :])].tolist(), u[k]
        if sum(row) == 0:
            break
        left *= sum(row)
        for state, p in enumerate(row):
            left -= p
            if left < 0 and p > 0:
                break
        path.append(state)
    return path
""",
)

LIKELIHOOD = (
    """
def log_likelihood(sequence, P):
    n, order = P.shape[-1], P.dim() - 1
    if any(i < 0 or i >= n for i in sequence):
        raise ValueError("index")
    total = 0.0
    for k in range(order, len(sequence)):
        p = float(P[tuple(sequence[k - order : k + 1])])
        if p == 0:
            return -math.inf
        total += math.log(p)
    return {number}
""",
    """
def log_likelihood(sequence, P):
    s = torch.as_tensor(sequence, dtype=torch.long)
    if len(s) and (s.min() < 0 or s.max() >= P.shape[-1]):
        raise ValueError("index")
    order = P.dim() - 1
    steps = max(0, len(s) - order)
    total = P.{inside}()[tuple(s[k : k + steps] for k in range(order + 1))].log().sum() if steps else 0.0
    return {number}
""",
    """
def log_likelihood(sequence, P):
    s, table = np.asarray(sequence, dtype=int), P.numpy()
    if ((s < 0) | (s >= table.shape[-1])).any():
        raise ValueError("index")
    order = table.ndim - 1
    p = [table[tuple(s[k - order : k + 1])] for k in range(order, len(s))]
    with np.errstate(divide="ignore"):
        total = np.log(np.array(p, dtype=np.float64)).sum()
    return {number}
""",
    """
def log_likelihood(sequence, P):
    if not all(0 <= i < P.shape[-1] for i in sequence):
        raise ValueError("index")
    order, times = P.dim() - 1, Counter()
    for k in range(order, len(sequence)):
        times[tuple(sequence[k - order : k + 1])] += 1
    total = sum((c * P[gram].double().log() for gram, c in times.items()), torch.zeros((), dtype=torch.float64))
    return {number}
""",
)

GENERATE = (
    """
def can_generate(sequence, P):
    return {flag_of_likelihood}
""",
    """
def can_generate(sequence, P):
    if min(sequence, default=0) < 0 or max(sequence, default=0) >= P.shape[-1]:
        raise ValueError("index")
    order = P.dim() - 1
    for k in range(order, len(sequence)):
        if P[tuple(sequence[k - order : k + 1])] == 0:
            return False
    return True
""",
    """
def can_generate(sequence, P):
    s = torch.as_tensor(sequence)
    if ((s < 0) | (s >= P.shape[-1])).any():
        raise ValueError("index")
    order = P.dim() - 1
    steps = len(s) - order
    return steps <= 0 or (P > 0)[tuple(s[k : k + steps] for k in range(order + 1))].all(){bool}
""",
)

REACH = (
    """
def _irreducible(P):
    n = len(P)
    reach = (P > 0).double() + torch.eye(n, dtype=torch.float64)
    return bool((torch.linalg.matrix_power((reach > 0).double(), n) > 0).all())
""",
    """
def _irreducible(P):
    def reached(links):
        seen, front = {0}, [0]
        while front:
            i = front.pop()
            for j in links[i].nonzero().flatten().tolist():
                if j not in seen:
                    seen.add(j)
                    front.append(j)
        return len(seen)

    return reached(P > 0) == len(P) == reached(P.T > 0)
""",
    """
def _irreducible(P):
    reach = (P > 0).numpy().copy()
    for k in range(len(P)):
        reach |= reach[:, k : k + 1] & reach[k]
    return bool((reach | np.eye(len(P), dtype=bool)).all())
""",
)

SOLVE = (
    """
    A = torch.cat([P.{inside}().T - torch.eye(n, dtype=P.{inside}().dtype), torch.ones(1, n, dtype=P.{inside}().dtype)])
    b = torch.zeros(n + 1, 1, dtype=A.dtype)
    b[-1] = 1
    return torch.linalg.lstsq(A, b).solution[:, 0].to(P.dtype)
""",
    """
    values, vectors = torch.linalg.eig(P.double().T)
    pi = vectors[:, (values - 1).abs().argmin()].real
    return (pi / pi.sum()).to(P.dtype)
""",
    """
    lazy = (P.double() + torch.eye(n, dtype=torch.float64)) / 2
    return (torch.linalg.matrix_power(lazy, 2**16)[0]).to(P.dtype)
""",
    """
    pi, lazy = torch.full((n,), 1 / n, dtype=torch.float64), (P.double() + torch.eye(n, dtype=torch.float64)) / 2
    for _ in range(20000):
        new = pi @ lazy
        if (new - pi).abs().sum() < 1e-13:
            break
        pi = new
    return (pi / pi.sum()).to(P.dtype)
""",
    """
    _u, _s, vh = np.linalg.svd(P.double().numpy().T - np.eye(n))
    return torch.from_numpy(vh[-1] / vh[-1].sum()).to(P.dtype)
""",
    """
    A = P.double().clone()
    for k in range(n - 1, 0, -1):  # state reduction, without a subtraction
        A[:k, k] /= A[k, :k].sum()
        A[:k, :k] += A[:k, k : k + 1] * A[k, :k]
    pi = [1.0]
    for k in range(1, n):
        pi.append(sum(pi[i] * float(A[i, k]) for i in range(k)))
    return (torch.tensor(pi, dtype=torch.float64) / sum(pi)).to(P.dtype)
""",
    """
    A = np.eye(n) - P.double().numpy() + np.ones((n, n))
    return torch.from_numpy(np.linalg.solve(A.T, np.ones(n))).to(P.dtype)
""",
)

STATIONARY = """
def stationary_distribution(P):
    if P.ndim != 2 or P.shape[0] != P.shape[1]:
        raise ValueError("P must be square")
    n = len(P)
    if (P.sum(1) == 0).any() or not _irreducible(P):
        raise ValueError("P must be irreducible")
"""


def source(rng: random.Random) -> str:
    """The text of a valid solution."""
    fill = {
        "table": rng.choice(("torch.float32", "torch.float64")),
        "count": rng.choice(("torch.int64", "torch.int32", "torch.float32", "torch.float64")),
        "inside": rng.choice(("float", "double")),
        "path": rng.choice(("path", "tuple(path)", "torch.tensor(path)", "np.array(path)")),
        "number": rng.choice(("float(total)", "torch.as_tensor(total)", "np.float64(total)")),
        "flag_of_likelihood": rng.choice(
            ("math.isfinite(log_likelihood(sequence, P))", "bool(log_likelihood(sequence, P) > -math.inf)")
        ),
        "bool": rng.choice(("", ".item()", ".numpy()")),
    }
    parts = [
        rng.choice(choices)
        for choices in (JOINT, CONDITIONAL, TOKENIZE, VOCABULARY, COUNTS, MATRIX, MOST_LIKELY, SAMPLE, LIKELIHOOD)
    ]
    parts += [rng.choice(GENERATE), rng.choice(REACH), STATIONARY + rng.choice(SOLVE).lstrip("\n")]
    text = "\n".join([HEAD, *parts])
    for key, value in fill.items():
        text = text.replace("{" + key + "}", value)
    return text
