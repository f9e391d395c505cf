# Differs: Adam with a cosine schedule and clipping, no shuffling, Householder bases, history measured after each epoch.
import torch
from torch import nn


def pca_fit(x, d):
    n, D = x.shape
    if d not in range(1, min(n, D) + 1):
        raise ValueError("d")
    mean = torch.mean(x, 0)
    covariance = torch.cov(x.T, correction=0)
    values, vectors = torch.linalg.eigh(covariance)
    order = torch.argsort(values, descending=True)[:d]
    return mean, vectors[:, order].T


def pca_encode(x, mean, components):
    return torch.nn.functional.linear(x, components, -(components @ mean))


def pca_decode(z, mean, components):
    return torch.addmm(mean, z, components)


def explained_variance_ratio(x, d):
    n, D = x.shape
    if d not in range(1, min(n, D) + 1):
        raise ValueError("d")
    mean, components = pca_fit(x, min(n, D))
    variances = pca_encode(x, mean, components).var(0)
    return (variances / variances.sum())[:d]


class LinearAutoencoder(nn.Module):
    def __init__(self, D, d):
        super().__init__()
        self.enc = nn.Linear(D, d, bias=False)
        self.dec = nn.Linear(d, D, bias=False)
        self.shift = nn.Parameter(torch.zeros(D))
        nn.init.orthogonal_(self.enc.weight)
        nn.init.orthogonal_(self.dec.weight)

    def encode(self, x):
        return self.enc(x - self.shift)

    def decode(self, z):
        return self.dec(z) + self.shift

    def forward(self, x):
        return self.decode(self.encode(x))


class Autoencoder(nn.Module):
    def __init__(self, D=784, hidden=(1024, 256), d=128):
        super().__init__()
        self.encode_net = nn.Sequential()
        n = D
        for i, h in enumerate(hidden):
            self.encode_net.add_module(f"fc{i}", nn.Linear(n, h))
            self.encode_net.add_module(f"relu{i}", nn.ReLU(inplace=True))
            n = h
        self.encode_net.add_module("code", nn.Linear(n, d))
        self.decode_net = nn.Sequential()
        n = d
        for i, h in enumerate(hidden[::-1]):
            self.decode_net.add_module(f"fc{i}", nn.Linear(n, h))
            self.decode_net.add_module(f"relu{i}", nn.ReLU(inplace=True))
            n = h
        self.decode_net.add_module("out", nn.Linear(n, D))
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.kaiming_uniform_(module.weight, nonlinearity="relu")
                nn.init.zeros_(module.bias)

    def encode(self, x):
        return self.encode_net(x)

    def decode(self, z):
        return self.decode_net(z)

    def forward(self, x):
        return self.decode_net(self.encode_net(x))


def reconstruction_loss(x, x_hat):
    if x.shape != x_hat.shape:
        raise ValueError("x and x_hat")
    return nn.MSELoss()(x_hat, x)


def train_autoencoder(model, x, epochs, batch_size=128, lr=1e-3, generator=None, progress=False):
    if epochs <= 0:
        raise ValueError("epochs")
    if batch_size <= 0:
        raise ValueError("batch_size")
    optimiser = torch.optim.Adam(model.parameters(), lr=lr)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs, eta_min=lr / 20)
    history = {"loss": [], "lr": []}
    for _ in range(epochs):
        for start in range(0, len(x), batch_size):
            batch = x[start : start + batch_size]
            loss = reconstruction_loss(batch, model(batch))
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 5.0)
            optimiser.step()
        with torch.no_grad():
            history["loss"].append(reconstruction_loss(x, model(x)).item())
        history["lr"].append(schedule.get_last_lr()[0])
        schedule.step()
    return history


def principal_angles(A, B):
    QA = torch.linalg.householder_product(*torch.geqrf(A.T.contiguous()))
    QB = torch.linalg.householder_product(*torch.geqrf(B.T.contiguous()))
    if QA.shape[1] < QB.shape[1]:
        QA, QB = QB, QA
    # sines for small angles, cosines for large ones
    cos = torch.linalg.svdvals(QB.T @ QA).clamp(0, 1)
    sin = torch.linalg.svdvals(QB - QA @ (QA.T @ QB)).clamp(0, 1).flip(0)
    return torch.where(cos**2 > 0.5, sin.asin(), cos.acos())


def interpolate(model, x1, x2, alphas):
    a = torch.as_tensor(alphas).to(x1).reshape(-1, 1)
    z1, z2 = model.encode(x1.flatten()), model.encode(x2.flatten())
    return model.decode(z2 + a * (z1 - z2)).detach()
