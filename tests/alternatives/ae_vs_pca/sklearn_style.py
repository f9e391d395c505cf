# Differs: a tied deep decoder by transposed weights, a base class, lowrank-free SVD of the covariance, float64 history.
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn


def _valid(x, d):
    if isinstance(d, bool) or not 0 < d < min(x.shape) + 1:
        raise ValueError(f"d: expected 1..{min(x.shape)}, got {d!r}")


def pca_fit(x, d):
    _valid(x, d)
    mean = x.mean(0, keepdim=True)
    U, S, V = torch.svd(x - mean)
    return mean.squeeze(0), V[:, :d].t()


def pca_encode(x, mean, components):
    return (components @ (x - mean).t()).t()


def pca_decode(z, mean, components):
    return (components.t() @ z.t()).t() + mean.unsqueeze(0)


def explained_variance_ratio(x, d):
    _valid(x, d)
    y = (x - x.mean(0)).cpu().numpy()
    s = np.linalg.svd(y, compute_uv=False)
    return torch.from_numpy((s**2 / (y**2).sum())[:d]).to(x.device)


class _Base(nn.Module):
    def forward(self, x):
        return self.decode(self.encode(x))


class LinearAutoencoder(_Base):
    def __init__(self, D, d):
        super().__init__()
        self.inner = nn.Linear(D, 2 * d)  # affine after affine is affine
        self.code = nn.Linear(2 * d, d)
        self.out = nn.Linear(d, D)

    def encode(self, x):
        return self.code(self.inner(x))

    def decode(self, z):
        return self.out(z)


class Autoencoder(_Base):
    def __init__(self, D=784, hidden=(1024, 256), d=128):
        super().__init__()
        sizes = [D, *hidden, d]
        self.layers = nn.ModuleList([nn.Linear(a, b) for a, b in zip(sizes[:-1], sizes[1:])])
        self.biases = nn.ParameterList([nn.Parameter(torch.zeros(a)) for a in sizes[:-1]])  # decoder: tied weights

    def encode(self, x):
        *hidden, last = self.layers
        for layer in hidden:
            x = torch.relu(layer(x))
        return last(x)

    def decode(self, z):
        for k in range(len(self.layers) - 1, -1, -1):
            z = F.linear(z, self.layers[k].weight.t(), self.biases[k])
            z = z if k == 0 else torch.relu(z)
        return z


def reconstruction_loss(x, x_hat):
    if x.shape != x_hat.shape:
        raise ValueError(f"x {tuple(x.shape)} x_hat {tuple(x_hat.shape)}")
    return (x_hat - x).norm() ** 2 / x.numel()


def train_autoencoder(model, x, epochs, batch_size=128, lr=1e-3, generator=None, progress=False):
    if epochs < 1:
        raise ValueError("epochs")
    if batch_size < 1:
        raise ValueError("batch_size")
    opt = torch.optim.Adam(model.parameters(), lr=lr, betas=(0.9, 0.99), amsgrad=True)
    history = {"loss": []}
    for _ in range(epochs):
        sampler = torch.utils.data.RandomSampler(range(len(x)), generator=generator)
        losses, weights = [], []
        for index in torch.utils.data.BatchSampler(sampler, batch_size, drop_last=False):
            batch = x[index]
            opt.zero_grad()
            loss = F.mse_loss(model(batch), batch, reduction="mean")
            loss.backward()
            opt.step()
            losses.append(loss.detach())
            weights.append(len(index))
        history["loss"].append(float(np.average(torch.stack(losses).cpu().numpy(), weights=weights)))
    return history


def principal_angles(A, B):
    from_rows = lambda M: torch.linalg.qr(M.mT, mode="reduced").Q
    overlap = from_rows(A).mT @ from_rows(B)
    return torch.linalg.svdvals(overlap).clip(0, 1).arccos()


def interpolate(model, x1, x2, alphas):
    a = torch.as_tensor(alphas).to(x1)
    z = torch.stack([model.encode(torch.atleast_2d(x)).squeeze(0) for x in (x1, x2)])  # (2, d)
    weights = torch.stack([a, 1 - a], dim=1)  # (k, 2)
    return model.decode(weights @ z)
