# Differs: a tied linear auto-encoder, ParameterLists, einsum, RandomSampler and autograd.grad, AdamW, Cholesky bases, lerp.
from __future__ import annotations
import math
from dataclasses import dataclass
from typing import Iterable, Optional
import torch
from torch import nn, Tensor


@dataclass
class PCA:
    mean: Tensor
    components: Tensor

    @classmethod
    def fit(cls, x: Tensor, d: int) -> PCA:
        n, D = x.shape
        if not (isinstance(d, int) and 0 < d <= n and d <= D):
            raise ValueError(f"1 <= d <= {min(n, D)} expected, d = {d}")
        mean = torch.einsum("nk->k", x) / n
        xc = x - mean
        cov = torch.einsum("ni,nj->ij", xc, xc) / (n - 1)
        w, v = torch.linalg.eigh(cov)
        order = torch.argsort(w, descending=True)[:d]
        return cls(mean, v[:, order].T.contiguous())


def pca_fit(x: Tensor, d: int):
    p = PCA.fit(x, d)
    return [p.mean, p.components]


def pca_encode(x, mean, components):
    return torch.einsum("nk,dk->nd", x - mean, components)


def pca_decode(z, mean, components):
    return torch.einsum("nd,dk->nk", z, components) + mean.unsqueeze(0)


def explained_variance_ratio(x, d):
    p = PCA.fit(x, d)
    z = pca_encode(x, p.mean, p.components)
    return torch.var(z, dim=0) / torch.var(x, dim=0).sum()


class LinearAutoencoder(nn.Module):
    """tied: decode(z) = z W + b, encode(x) = (x - b) W^T"""

    def __init__(self, D: int, d: int):
        super().__init__()
        self.W = nn.Parameter(torch.empty(d, D))
        self.b = nn.Parameter(torch.zeros(D))
        nn.init.orthogonal_(self.W)

    def encode(self, x):
        return (x - self.b) @ self.W.T

    def decode(self, z):
        return z @ self.W + self.b

    def forward(self, x):
        return self.decode(self.encode(x))


class Autoencoder(nn.Module):
    def __init__(self, D: int = 784, hidden: Iterable[int] = (1024, 256), d: int = 128):
        super().__init__()
        self.hidden = list(hidden)
        sizes = [D] + self.hidden + [d] + self.hidden[::-1] + [D]
        self.half = len(self.hidden) + 1
        self.weights = nn.ParameterList()
        self.biases = nn.ParameterList()
        for fan_in, fan_out in zip(sizes[:-1], sizes[1:]):
            w = torch.randn(fan_out, fan_in) * math.sqrt(2 / fan_in)
            self.weights.append(nn.Parameter(w))
            self.biases.append(nn.Parameter(torch.zeros(fan_out)))

    def run(self, h, first, stop):
        for k in range(first, stop):
            h = torch.addmm(self.biases[k], h, self.weights[k].T)
            if k != stop - 1:
                h = h * (h > 0)
        return h

    def encode(self, x):
        return self.run(x, 0, self.half)

    def decode(self, z):
        return self.run(z, self.half, 2 * self.half)

    def forward(self, x):
        return self.decode(self.encode(x))


def reconstruction_loss(x, x_hat):
    if x.size() != x_hat.size():
        raise ValueError("sizes of x and x_hat: %s, %s" % (tuple(x.size()), tuple(x_hat.size())))
    r = (x - x_hat).flatten()
    return torch.dot(r, r) / r.numel()


def train_autoencoder(model, x, epochs, batch_size=128, lr=1e-3, generator: Optional[torch.Generator] = None, progress=False):
    if epochs < 1:
        raise ValueError("epochs < 1")
    if batch_size < 1:
        raise ValueError("batch_size < 1")
    sampler = torch.utils.data.RandomSampler(range(len(x)), generator=generator)
    batches = torch.utils.data.BatchSampler(sampler, batch_size, drop_last=False)
    opt = torch.optim.AdamW(model.parameters(), lr=lr, betas=(0.9, 0.99), weight_decay=0.0)
    losses = []
    for _ in range(epochs):
        total, count = torch.zeros((), device=x.device), 0
        for rows in batches:
            xb = x[rows]
            loss = reconstruction_loss(xb, model(xb))
            grads = torch.autograd.grad(loss, list(model.parameters()))
            for p, g in zip(model.parameters(), grads):
                p.grad = g
            opt.step()
            total = total + loss.detach() * len(rows)
            count += len(rows)
        losses.append(float(total / count))
    return dict(loss=losses)


def principal_angles(A, B):
    if A.shape[-1] != B.shape[-1]:
        raise ValueError("row lengths differ")
    L = torch.linalg.cholesky(A @ A.T)
    QA = torch.linalg.solve_triangular(L, A, upper=False)
    L = torch.linalg.cholesky(B @ B.T)
    QB = torch.linalg.solve_triangular(L, B, upper=False)
    if len(QA) > len(QB):
        QA, QB = QB, QA
    return (QA @ QB.T).svd().S.clip(-1.0, 1.0).acos()


def interpolate(model, x1, x2, alphas):
    alphas = torch.tensor(alphas, device=x1.device) if not isinstance(alphas, Tensor) else alphas
    z1 = model.encode(x1[None] if x1.dim() == 1 else x1)
    z2 = model.encode(x2[None] if x2.dim() == 1 else x2)
    alphas = alphas.to(z1).unsqueeze(1)
    return model.decode(torch.lerp(z2, z1, alphas)).detach()
