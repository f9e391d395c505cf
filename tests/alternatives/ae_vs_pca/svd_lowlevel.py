# Differs: Gram-matrix PCA with sign convention, raw parameter layers, RMSprop with decay, lerp for mixtures, dicts of lists.
import math

import torch
from torch import nn


def _centred(x, d):
    if not (1 <= d <= min(x.shape[0], x.shape[1])):
        raise ValueError(f"d must be in [1, {min(x.shape)}], not {d}")
    mean = x.sum(0) / x.shape[0]
    return mean, x - mean


def pca_fit(x, d):
    mean, y = _centred(x, d)
    U, S, Vt = torch.linalg.svd(y, full_matrices=True)
    C = Vt[:d].clone()
    flip = C.gather(1, C.abs().argmax(1, keepdim=True)).sign()
    return mean, C * flip


def pca_encode(x, mean, components):
    return torch.stack([components @ (row - mean) for row in x])


def pca_decode(z, mean, components):
    out = mean.repeat(len(z), 1)
    for k in range(components.shape[0]):
        out = out + torch.outer(z[:, k], components[k])
    return out


def explained_variance_ratio(x, d):
    mean, y = _centred(x, d)
    total = y.var(0, unbiased=False).sum()
    return torch.linalg.eigvalsh(y.T @ y / len(x)).flip(0)[:d] / total


class Layer(nn.Module):
    def __init__(self, n_in, n_out):
        super().__init__()
        bound = 1 / math.sqrt(n_in)
        self.A = nn.Parameter(torch.empty(n_in, n_out).uniform_(-bound, bound))
        self.b = nn.Parameter(torch.empty(1, n_out).uniform_(-bound, bound))

    def forward(self, x):
        return x @ self.A + self.b


class LinearAutoencoder(nn.Module):
    def __init__(self, D, d):
        super().__init__()
        # two affine layers each, which is still affine
        self.f = nn.Sequential(nn.Linear(D, d, bias=False), nn.Identity())
        self.g = Layer(d, D)

    def encode(self, x):
        return self.f(x)

    def decode(self, z):
        return self.g(z)

    def forward(self, x):
        return self.g(self.f(x))


class Autoencoder(nn.Module):
    def __init__(self, D=784, hidden=(1024, 256), d=128):
        super().__init__()
        self.layers = nn.ModuleDict()
        sizes = (D, *hidden, d)
        self.n = len(sizes) - 1
        for k in range(self.n):
            self.layers[f"down{k}"] = Layer(sizes[k], sizes[k + 1])
            self.layers[f"up{k}"] = Layer(sizes[k + 1], sizes[k])

    def encode(self, x):
        for k in range(self.n):
            x = self.layers[f"down{k}"](x)
            if k < self.n - 1:
                x = x * (x > 0)
        return x

    def decode(self, z):
        for k in reversed(range(self.n)):
            z = self.layers[f"up{k}"](z)
            if k > 0:
                z = torch.maximum(z, torch.zeros_like(z))
        return z

    def forward(self, x):
        return self.decode(self.encode(x))


def reconstruction_loss(x, x_hat):
    if list(x.shape) != list(x_hat.shape):
        raise ValueError("shapes of x and x_hat differ")
    return torch.sum((x - x_hat).square()) / x.numel()


def train_autoencoder(model, x, epochs, batch_size=128, lr=1e-3, generator=None, progress=False):
    for name, value in (("epochs", epochs), ("batch_size", batch_size)):
        if value < 1:
            raise ValueError(f"{name} = {value} < 1")
    optimiser = torch.optim.NAdam(list(model.parameters()), lr=lr)
    history = {"loss": [], "last": []}
    for _ in range(epochs):
        permutation = torch.rand(len(x), generator=generator).argsort()
        seen, total = 0, 0.0
        while seen < len(x):
            batch = x[permutation[seen : seen + batch_size]]
            x_hat = model.decode(model.encode(batch))
            loss = reconstruction_loss(batch, x_hat)
            for p in model.parameters():
                p.grad = None
            loss.backward()
            optimiser.step()
            total += float(loss.detach()) * len(batch)
            seen += len(batch)
        history["loss"].append(total / seen)
        history["last"].append(loss.item())
    return history


def principal_angles(A, B):
    if A.shape[-1] != B.shape[-1]:
        raise ValueError("rows of A and B have different lengths")
    U = torch.linalg.svd(A, full_matrices=False)[2]
    V = torch.linalg.svd(B, full_matrices=False)[2]
    s = torch.linalg.svd(U @ V.mT)[1]
    return torch.arccos(torch.minimum(s, torch.ones_like(s)))


def interpolate(model, x1, x2, alphas):
    with torch.no_grad():
        pair = torch.cat([x1.reshape(1, -1), x2.reshape(1, -1)])
        z = model.encode(pair)
        a = alphas if isinstance(alphas, torch.Tensor) else torch.tensor(alphas, device=x1.device)
        return model.decode(torch.lerp(z[1:], z[:1], a.to(z).unsqueeze(-1)))
