# Differs: power iteration with deflation, ParameterLists, hand-written Adam, plain loops, interpolation row by row.
import torch
from torch import nn


def _power(C, d, steps=3000):
    rows = []
    C = C.clone()
    for k in range(d):
        v = torch.ones(len(C), dtype=C.dtype, device=C.device) + torch.arange(len(C), dtype=C.dtype, device=C.device) * 0.37 ** (k + 1)
        for _ in range(steps):
            v = C @ v
            for _again in range(2):  # where nothing of the data is left, rounding is, along the rows too
                for r in rows:
                    v = v - (v @ r) * r
                v = v / v.norm()
        rows.append(v)
    return torch.stack(rows)


def pca_fit(x, d):
    n, D = x.shape
    if d < 1 or d > n or d > D:
        raise ValueError(f"1 <= d <= {min(n, D)}, got {d}")
    mean = x.double().mean(dim=0)
    y = x.double() - mean
    return mean.to(x), _power(y.T @ y / n, d).to(x)


def pca_encode(x, mean, components):
    y = x - mean
    return torch.cat([(y * c).sum(1, keepdim=True) for c in components], dim=1)


def pca_decode(z, mean, components):
    return (z[:, :, None] * components[None, :, :]).sum(1) + mean


def explained_variance_ratio(x, d):
    mean, components = pca_fit(x, d)
    z = pca_encode(x, mean, components)
    return (z**2).sum(0) / ((x - mean) ** 2).sum()


class LinearAutoencoder(nn.Module):
    def __init__(self, D, d):
        super().__init__()
        self.affine = nn.ParameterDict(
            {
                "E": nn.Parameter(torch.randn(D, d) * D**-0.5),
                "e": nn.Parameter(torch.zeros(d)),
                "G": nn.Parameter(torch.randn(d, D) * d**-0.5),
                "g": nn.Parameter(torch.zeros(D)),
            }
        )

    def encode(self, x):
        return x @ self.affine["E"] + self.affine["e"]

    def decode(self, z):
        return z @ self.affine["G"] + self.affine["g"]

    def forward(self, x):
        return self.decode(self.encode(x))


class Autoencoder(nn.Module):
    def __init__(self, D=784, hidden=(1024, 256), d=128):
        super().__init__()
        sizes = [D, *hidden, d, *hidden[::-1], D]
        self.middle = len(hidden) + 1
        self.W = nn.ParameterList([nn.Parameter(torch.randn(a, b) * (2 / a) ** 0.5) for a, b in zip(sizes, sizes[1:])])
        self.b = nn.ParameterList([nn.Parameter(torch.zeros(b)) for b in sizes[1:]])

    def _run(self, x, layers):
        for k in layers:
            x = x @ self.W[k] + self.b[k]
            if k != layers[-1]:
                x = x.clamp(min=0)
        return x

    def encode(self, x):
        return self._run(x, list(range(self.middle)))

    def decode(self, z):
        return self._run(z, list(range(self.middle, 2 * self.middle)))

    def forward(self, x):
        return self.decode(self.encode(x))


def reconstruction_loss(x, x_hat):
    if x.dim() != x_hat.dim() or any(a != b for a, b in zip(x.shape, x_hat.shape)):
        raise ValueError("different shapes")
    return (x - x_hat).pow(2).sum(-1).mean() / x.shape[-1]


def train_autoencoder(model, x, epochs, batch_size=128, lr=1e-3, generator=None, progress=False):
    if min(epochs, batch_size) < 1:
        raise ValueError("epochs and batch_size start at 1")
    parameters = [p for p in model.parameters() if p.requires_grad]
    m = [torch.zeros_like(p) for p in parameters]
    v = [torch.zeros_like(p) for p in parameters]
    t, losses = 0, []
    for _ in range(epochs):
        order = torch.randperm(x.shape[0], generator=generator)
        n_batches = -(-x.shape[0] // batch_size)
        epoch = 0.0
        for rows in torch.chunk(order, n_batches):  # parts of nearly equal size
            loss = reconstruction_loss(x[rows], model(x[rows]))
            gradients = torch.autograd.grad(loss, parameters)
            t += 1
            with torch.no_grad():
                for p, g, a, b in zip(parameters, gradients, m, v):
                    a.mul_(0.9).add_(g, alpha=0.1)
                    b.mul_(0.999).addcmul_(g, g, value=0.001)
                    p -= lr * (a / (1 - 0.9**t)) / ((b / (1 - 0.999**t)).sqrt() + 1e-8)
            epoch += loss.item()
        losses.append(epoch / n_batches)
    return {"loss": losses}


def principal_angles(A, B):
    def gram_schmidt(M):
        rows = []
        for r in M:
            for _ in range(2):
                for q in rows:
                    r = r - (r @ q) * q
            rows.append(r / r.norm())
        return torch.stack(rows)

    c = torch.linalg.svdvals(gram_schmidt(A) @ gram_schmidt(B).T)
    return torch.acos(torch.clip(c, -1.0, 1.0)).flip(0)


def interpolate(model, x1, x2, alphas):
    z1, z2 = (model.encode(x if x.dim() == 2 else x[None]) for x in (x1, x2))
    return torch.vstack([model.decode(float(a) * z1 + (1 - float(a)) * z2) for a in alphas])
