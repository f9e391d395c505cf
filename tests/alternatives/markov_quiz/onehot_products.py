# Differs: einsum of one-hot rows, cdf and searchsorted, the lazy chain; tensors, lists of 0-d tensors and NumPy scalars returned.
import numpy as np
import torch
import torch.nn.functional as F

def joint_probability(x, y, dtype=torch.float64):
    x, y = torch.as_tensor(x), torch.as_tensor(y)
    assert_pairs(x, y)
    hist, (vx, vy) = contingency(x, y, dtype)
    return vx, vy, hist / hist.sum()

def conditional_probability(x, y, dtype=torch.float64):
    x, y = torch.as_tensor(x), torch.as_tensor(y)
    assert_pairs(x, y)
    hist, (vx, vy) = contingency(x, y, dtype)
    return vx, vy, hist.div(hist.sum(1, keepdim=True))

def assert_pairs(x, y):
    if x.ndim != 1 or y.ndim != 1 or x.shape != y.shape or x.shape[0] == 0:
        raise ValueError(f"x and y must be non-empty vectors of one length; got {list(x.shape)} and {list(y.shape)}")

def contingency(x, y, dtype):
    vx, ix = x.unique(return_inverse=True)
    vy, iy = y.unique(return_inverse=True)
    return F.one_hot(ix, len(vx)).to(dtype).T @ F.one_hot(iy, len(vy)).to(dtype), (vx, vy)

def tokenize(sentence, lower=True, signs=".?"):
    text = sentence.lower() if lower else sentence
    text = "'".join(text.split("’"))
    words = []
    for piece in text.split():
        while piece:
            k = next((i for i, c in enumerate(piece) if c in "'" + signs), None)
            if k is None:
                words.append(piece); break
            if piece[k] == "'":
                words.append(piece[:k + 1])
            else:
                words += [piece[:k]] * (k > 0) + [piece[k]]
            piece = piece[k + 1:]
    return words

def vocabulary(sentences):
    tokens = np.array(sum((tokenize(s) for s in sentences), []))
    u, i = np.unique(tokens, return_index=True)
    return u[np.argsort(i)].tolist()

def transition_counts(sequences, states, order=1):
    if order < 1:
        raise ValueError(f"order: at least 1, not {order}")
    n = len(states)
    letters = "abcdefgh"[: order + 1]
    equation = ",".join("z" + c for c in letters) + "->" + letters
    total = torch.zeros((n,) * (order + 1))
    eye = torch.eye(n)
    for seq in sequences:
        index = torch.tensor([list(states).index(s) for s in seq], dtype=torch.long)
        if index.numel() > order:
            hot = eye[index]
            total += torch.einsum(equation, *[hot[k: len(hot) - order + k] for k in range(order + 1)])
    return total

def transition_matrix(counts, smoothing=0.0):
    if smoothing < 0:
        raise ValueError("smoothing must not be negative")
    c = counts.clone() if counts.is_floating_point() else counts.to(torch.float64)
    c += smoothing
    return F.normalize(c, p=1, dim=-1)

def most_likely_sequence(start, P, length):
    seq = torch.as_tensor(start, device=P.device).reshape(-1)
    m = P.dim() - 1
    while len(seq) < length:
        row = P[tuple(seq[-m:])]
        if row.sum() == 0: break
        best = torch.topk(row, 1).values
        seq = torch.cat([seq, (row == best).int().argmax().reshape(1)])
    return seq        # a 1-D integer tensor

def sample_sequence(start, P, length, generator=None):
    seq = list(start) if hasattr(start, "__len__") else [start]
    cdf = P.double().cumsum(-1)
    u = torch.rand(max(length, 1), dtype=torch.float64, generator=generator).to(P.device)
    for k in range(len(seq), length):
        c = cdf[tuple(seq[k - P.dim() + 1: k])]
        if c[-1] <= 0: break
        seq.append(torch.searchsorted(c, u[k] * c[-1], right=True))     # 0-dim tensors
    return seq

def log_likelihood(sequence, P):
    s = np.asarray(sequence, dtype=int)
    n, m = P.shape[-1], P.dim() - 1
    if s.size and (s.min() < 0 or s.max() >= n):
        raise ValueError("state out of range")
    if len(s) <= m: return 0
    grams = np.stack([s[k: len(s) - m + k] for k in range(m + 1)])
    with np.errstate(divide="ignore"):
        return np.log(P.cpu().numpy()[tuple(grams)].astype(np.float64)).sum()    # np.float64

def can_generate(sequence, P):
    return np.isfinite(log_likelihood(sequence, P))      # np.bool_

def stationary_distribution(P):
    if P.dim() != 2 or P.shape[0] != P.shape[1]:
        raise ValueError("square matrix wanted")
    n = len(P)
    lazy = 0.5 * (P.double() + torch.eye(n, dtype=torch.float64, device=P.device))
    if (P.sum(1) == 0).any() or not (torch.linalg.matrix_power((lazy > 0).double(), n) > 0).all():
        raise ValueError("reducible")
    for _ in range(40):
        lazy = lazy @ lazy
        lazy = lazy / lazy.sum(1, keepdim=True)
    return lazy.mean(0).type_as(P)
