# Differs: NumPy eigenvectors of the covariance, explicit layers, DataLoader training, angles by their sines.
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def _eigen(x, d):
    n, D = x.shape
    if d < 1 or d > min(n, D):
        raise ValueError(f"d={d} not in 1..{min(n, D)}")
    a = x.detach().cpu().numpy().astype(np.float64)
    mean = a.mean(0)
    w, v = np.linalg.eigh((a - mean).T @ (a - mean) / n)
    return mean, w[::-1], v[:, ::-1]


def pca_fit(x, d):
    mean, _, v = _eigen(x, d)
    return torch.tensor(mean).to(x), torch.tensor(v[:, :d].T.copy()).to(x)


def pca_encode(x, mean, components):
    return torch.einsum("nD,dD->nd", x - mean[None, :], components)


def pca_decode(z, mean, components):
    return torch.matmul(z, components).add(mean)


def explained_variance_ratio(x, d):
    _, w, _ = _eigen(x, d)
    return torch.tensor((w[:d] / w.sum()).copy()).to(x)


class LinearAutoencoder(nn.Module):
    def __init__(self, D, d):
        super().__init__()
        self.W = nn.Parameter(torch.randn(d, D) / D**0.5)  # tied weights
        self.mu = nn.Parameter(torch.zeros(D))

    def encode(self, x):
        return (x - self.mu) @ self.W.T

    def decode(self, z):
        return z @ self.W + self.mu

    def forward(self, x):
        return self.decode(self.encode(x))


class Autoencoder(nn.Module):
    def __init__(self, D=784, hidden=(1024, 256), d=128):
        super().__init__()
        down = [D] + list(hidden) + [d]
        up = list(reversed(down))
        self.down = nn.ModuleList(nn.Linear(a, b) for a, b in zip(down, down[1:]))
        self.up = nn.ModuleList(nn.Linear(a, b) for a, b in zip(up, up[1:]))

    def encode(self, x):
        for layer in self.down[:-1]:
            x = F.relu(layer(x))
        return self.down[-1](x)

    def decode(self, z):
        for layer in self.up[:-1]:
            z = F.relu(layer(z))
        return self.up[-1](z)

    def forward(self, x):
        return self.decode(self.encode(x))


def reconstruction_loss(x, x_hat):
    if x.size() != x_hat.size():
        raise ValueError(f"{x.size()} against {x_hat.size()}")
    return F.mse_loss(x_hat, x)


def train_autoencoder(model, x, epochs, batch_size=128, lr=1e-3, generator=None, progress=False):
    if epochs < 1 or batch_size < 1:
        raise ValueError("epochs and batch_size must be positive")
    loader = DataLoader(TensorDataset(x), batch_size=batch_size, shuffle=True, generator=generator)
    optimiser = torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=0.0)
    losses = []
    model.train()
    for epoch in range(epochs):
        batch_losses = []
        for (batch,) in loader:
            optimiser.zero_grad(set_to_none=True)
            loss = reconstruction_loss(batch, model(batch))
            loss.backward()
            optimiser.step()
            batch_losses.append(loss.item())
        losses.append(float(np.mean(batch_losses)))
        if progress:
            print(f"epoch {epoch + 1}/{epochs}: {losses[-1]:.4g}")
    return {"loss": losses, "epoch": list(range(1, epochs + 1))}


def principal_angles(A, B):
    def projector(M):
        return M.T @ torch.linalg.solve(M @ M.T, M)

    k = min(len(A), len(B))
    # squared sines: what the projection on the larger space leaves of an orthonormal basis of the smaller
    eye = torch.eye(A.shape[1], dtype=torch.float64, device=A.device)
    small, large = (A, B) if len(A) <= len(B) else (B, A)
    R, N = projector(large.double()), torch.linalg.qr(small.double().T)[0]
    sin2 = torch.linalg.eigvalsh(N.T @ (eye - R) @ N)[:k]
    return sin2.clamp(0, 1).sqrt().asin().to(A)


def interpolate(model, x1, x2, alphas):
    z1 = model.encode(x1.view(1, -1))[0]
    z2 = model.encode(x2.view(1, -1))[0]
    return torch.cat([model.decode((a * z1 + (1 - a) * z2)[None]) for a in torch.as_tensor(alphas).tolist()])
