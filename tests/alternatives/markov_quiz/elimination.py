# Differs: sparse tensors, Python's random seeded from the generator, tuples and 0-d answers, the chain solved by elimination.
from __future__ import annotations
import itertools, math, operator, random, re, unicodedata
import torch

EPS = 1e-12

def _table(x, y, by_row):
    if x.dim() != 1 or y.dim() != 1:
        raise ValueError("x and y must be 1-D")
    if x.numel() != y.numel() or not x.numel():
        raise ValueError("x and y must pair up")
    pairs = sorted(zip(x.tolist(), y.tolist()))
    vx = [k for k, _ in itertools.groupby(pairs, key=operator.itemgetter(0))]
    vy = sorted({b for _, b in pairs})
    rows = []
    for _, group in itertools.groupby(pairs, key=operator.itemgetter(0)):
        ys = [b for _, b in group]
        total = len(ys) if by_row else len(pairs)
        rows.append([ys.count(v) / total for v in vy])
    return torch.as_tensor(vx).to(x), torch.as_tensor(vy).to(y), torch.FloatTensor(rows)

def joint_probability(x, y): return _table(x, y, False)
def conditional_probability(x, y): return _table(x, y, True)

def tokenize(sentence):
    s = unicodedata.normalize("NFC", sentence).lower()
    s = s.translate({0x2019: "'"})
    s = re.sub(r"(\w')", r"\1 ", s)
    s = re.sub(r"\s*([.?])\s*", r" \1 ", s)
    return s.strip().split()

def vocabulary(sentences):
    tokens = list(itertools.chain(*[tokenize(s) for s in sentences]))
    return sorted(set(tokens), key=tokens.index)

def transition_counts(sequences, states, order=1):
    if order < 1: raise ValueError("order < 1")
    ids = {s: i for i, s in enumerate(states)}
    columns = []
    for sequence in sequences:
        try:
            seq = [ids[s] for s in sequence]
        except KeyError as e:
            raise ValueError(f"state {e} unknown") from e
        columns.extend(zip(*(seq[k:] for k in range(order + 1))))
    size = (len(states),) * (order + 1)
    if not columns:
        return torch.zeros(size)
    return torch.sparse_coo_tensor(torch.tensor(columns).T, torch.ones(len(columns)), size).to_dense()

def transition_matrix(counts, smoothing=0.0):
    if smoothing < 0: raise ValueError("smoothing must be non-negative")
    c = counts.double() + smoothing
    P = c / (c.sum(-1, keepdim=True) + EPS)
    return P.to(counts) if counts.is_floating_point() else P

def _context(start):
    return (start,) if isinstance(start, int) else tuple(start)

def _row(P, context):
    return P[tuple(context)].tolist()

def most_likely_sequence(start, P, length):
    order, path = P.dim() - 1, list(_context(start))
    while len(path) < length:
        row = _row(P, path[-order:])
        if not any(row):
            break
        path.append(max(range(len(row)), key=row.__getitem__))
    return tuple(path)

def sample_sequence(start, P, length, generator=None):
    # Python's generator, seeded from torch's
    rng = random.Random(int(torch.randint(2**62, (1,), generator=generator)))
    order, path = P.dim() - 1, list(_context(start))
    while len(path) < length:
        row = _row(P, path[-order:])
        if sum(row) == 0:
            break
        path += rng.choices(range(len(row)), weights=row)
    return path

def _windows(sequence, P):
    n, order = P.shape[-1], P.dim() - 1
    if len(sequence) and not (0 <= min(sequence) and max(sequence) < n):
        raise ValueError("states must be between 0 and %d: %r" % (n - 1, sequence))
    return [P[tuple(sequence[k:k + order + 1])].item() for k in range(len(sequence) - order)]

def log_likelihood(sequence, P):
    try:
        return math.fsum(map(math.log, _windows(sequence, P)))
    except ValueError as e:
        if "math domain" in str(e) or "expected a positive" in str(e):
            return float("-inf")
        raise

def can_generate(sequence, P):
    return all(_windows(sequence, P))

def stationary_distribution(P):
    """Grassmann, Taksar and Heyman: elimination without subtraction."""
    if P.dim() != 2 or P.size(0) != P.size(1): raise ValueError("P must be square")
    n = len(P)
    reach = [[i == j or P[i, j] > 0 for j in range(n)] for i in range(n)]
    for k in range(n):
        for i in range(n):
            for j in range(n):
                reach[i][j] = bool(reach[i][j] or (reach[i][k] and reach[k][j]))
    if not all(map(all, reach)) or bool((P.sum(1) == 0).any()):
        raise ValueError("not irreducible")
    A = P.tolist()
    for k in range(n - 1, 0, -1):
        s = sum(A[k][:k])
        for i in range(k):
            A[i][k] /= s
            for j in range(k):
                A[i][j] += A[i][k] * A[k][j]
    pi = [1.0]
    for k in range(1, n):
        pi.append(sum(pi[i] * A[i][k] for i in range(k)))
    return torch.tensor([p / sum(pi) for p in pi], dtype=P.dtype, device=P.device)

if __name__ == "__main__":
    print(tokenize("Le vélo d’Ali est bleu."))
