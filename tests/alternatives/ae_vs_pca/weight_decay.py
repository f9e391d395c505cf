# Differs: AdamW with its default weight decay and a closure, two affine layers in the linear encoder, atan2 angles, ModuleDict.
import torch
from torch import nn



def _decompose(x, d):
    if d < 1: raise ValueError("d < 1")
    if d > x.shape[0] or d > x.shape[1]: raise ValueError("d > min(n, D)")
    mean = x.mean(0)
    U, S, _ = torch.svd((x - mean).T)
    return mean, U[:, :d].T, S


def pca_fit(x, d):
    return _decompose(x, d)[:2]


def pca_encode(x, mean, components):
    return (x - mean).mm(components.t())


def pca_decode(z, mean, components):
    return torch.addmm(mean, z, components)


def explained_variance_ratio(x, d):
    mean, _, S = _decompose(x, d)
    return S[:d].square() / ((x - mean) ** 2).sum()


class LinearAutoencoder(nn.Module):
    def __init__(self, D, d):
        super().__init__()
        self.parts = nn.ModuleDict({"encoder": nn.Sequential(nn.Linear(D, 2 * d), nn.Linear(2 * d, d)), "decoder": nn.Linear(d, D)})

    def encode(self, x):
        return self.parts["encoder"](x)

    def decode(self, z):
        return self.parts["decoder"](z)

    def forward(self, x):
        z = self.encode(x)
        return self.decode(z)


def mlp(sizes, last=False):
    blocks = []
    for i, (a, b) in enumerate(zip(sizes, sizes[1:])):
        blocks.append(nn.Sequential(nn.Linear(a, b), nn.ReLU() if i < len(sizes) - 2 else nn.Identity()))
    return nn.Sequential(*blocks)


class Autoencoder(nn.Module):
    def __init__(self, D=784, hidden=(1024, 256), d=128):
        super().__init__()
        hidden = tuple(hidden)
        self.e = mlp((D, *hidden, d))
        self.d = mlp((d, *hidden[::-1], D))
        self.apply(self.init)

    @staticmethod
    def init(m):
        if isinstance(m, nn.Linear):
            nn.init.kaiming_uniform_(m.weight, nonlinearity="relu")
            nn.init.zeros_(m.bias)

    def encode(self, x): return self.e(x)

    def decode(self, z): return self.d(z)

    def forward(self, x): return self.d(self.e(x))


def reconstruction_loss(x, x_hat):
    if x.shape != x_hat.shape:
        raise ValueError
    return torch.linalg.vector_norm(x - x_hat) ** 2 / x.numel()


def train_autoencoder(model, x, epochs, batch_size=128, lr=1e-3, generator=None, progress=False):
    if not (epochs >= 1 and batch_size >= 1):
        raise ValueError("epochs, batch_size")
    optimiser = torch.optim.AdamW(model.parameters(), lr=lr)
    out = []
    for _ in range(epochs):
        loss_sum = 0.0
        shuffled = x[torch.randperm(len(x), generator=generator)]
        chunks = torch.split(shuffled, batch_size)
        for batch in chunks:
            def closure():
                optimiser.zero_grad()
                value = ((model(batch) - batch) ** 2).mean()
                value.backward()
                return value
            loss_sum += optimiser.step(closure).detach()
        out.append((loss_sum / len(chunks)).item())
    return {"loss": out, "final": [out[-1]]}


def principal_angles(A, B):
    """arctan of sines over cosines: exact near 0 too"""
    if A.shape[1] != B.shape[1]:
        raise ValueError("dims")
    if len(A) > len(B):
        A, B = B, A
    Qa, Qb = torch.linalg.qr(A.mH)[0], torch.linalg.qr(B.mH)[0]
    M = Qb.T @ Qa
    Y, c, Zh = torch.linalg.svd(M, full_matrices=False)
    s = torch.linalg.norm(Qa @ Zh.T - Qb @ (M @ Zh.T), dim=0)
    return torch.atan2(s, c)


def interpolate(model, x1, x2, alphas):
    x = torch.cat([torch.atleast_2d(x1), torch.atleast_2d(x2)])
    z = model.encode(x)
    a = torch.as_tensor(alphas).to(z)
    weights = torch.column_stack([a, 1 - a])
    return model.decode(weights @ z)
