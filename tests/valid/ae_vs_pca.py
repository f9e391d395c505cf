"""Random valid solutions of ae_vs_pca: whatever its contract leaves free is drawn."""

from __future__ import annotations

import random

TEXT = '''# Drawn: {drawn}
import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn


def variances_and_axes(x):
    centred = x - {mean}
    {decompose}
    return values, axes


def pca_fit(x, d):
    if d < 1 or d > min(x.shape):
        raise ValueError(f"d = {{d}} for data of shape {{tuple(x.shape)}}")
    return {mean}, {signs} * variances_and_axes(x)[1][:d]


def pca_encode(x, mean, components):
    return {encode}


def pca_decode(z, mean, components):
    return {decode}


def explained_variance_ratio(x, d):
    if not 1 <= d <= min(*x.shape):
        raise ValueError(f"d = {{d}} for data of shape {{tuple(x.shape)}}")
    values = variances_and_axes(x)[0]
    return {shares}


class LinearAutoencoder(nn.Module):
    def __init__(self, D, d):
        super().__init__()
        {linear}

    def encode(self, x):
        return {linear_encode}

    def decode(self, z):
        return {linear_decode}

    def forward(self, x):
        return self.decode(self.encode(x))


class Autoencoder(nn.Module):
    def __init__(self, D=784, hidden=(1024, 256), d=128):
        super().__init__()
        {layers}

    def encode(self, x):
        {mlp_encode}

    def decode(self, z):
        {mlp_decode}

    def forward(self, x):
        return {forward}


def reconstruction_loss(x, x_hat):
    if {differ}:
        raise ValueError(f"x has shape {{tuple(x.shape)}}, x_hat {{tuple(x_hat.shape)}}")
    return {loss}


def train_autoencoder(model, x, epochs, batch_size=128, lr=1e-3, generator=None, progress=False):
    if epochs < 1 or batch_size < 1:
        raise ValueError(f"epochs = {{epochs}}, batch_size = {{batch_size}}")
    model.train()
    optimizer = {optimizer}
    {schedule}
    losses = []
    for epoch in range(epochs):
        if progress:
            print(end=".")
        {start}
        {batches}
            {step}
            {clip}
            optimizer.step()
            {note}
        {tick}
        losses.append({epoch_loss})
    model.eval()
    return {{"loss": losses}}


def principal_angles(A, B):
    if A.shape[-1] != B.shape[-1]:
        raise ValueError(f"{{tuple(A.shape)}} and {{tuple(B.shape)}}")
    {bases}
    return {angles}


def interpolate(model, x1, x2, alphas):
    {codes}
    {mixed}
'''

LINEAR = [
    (
        "self.encoder, self.decoder = nn.Linear(D, d), nn.Linear(d, D)",
        "self.encoder(x)",
        "self.decoder(z)",
    ),
    (
        "self.encoder, self.decoder = nn.Linear(D, d, bias=False), nn.Linear(d, D)",
        "self.encoder(x)",
        "self.decoder(z)",
    ),
    (
        "self.W = nn.Parameter(torch.randn(D, d) / D**0.5); self.b, self.c = nn.Parameter(torch.zeros(d)), "
        "nn.Parameter(torch.zeros(D)); self.V = nn.Parameter(torch.randn(d, D) / D**0.5)",
        'torch.einsum("nk,kd->nd", x, self.W) + self.b',
        "z @ self.V + self.c",
    ),
    (
        "self.W = nn.Parameter(nn.init.orthogonal_(torch.empty(d, D))); self.c = nn.Parameter(torch.zeros(D))",
        "F.linear(x - self.c, self.W)",
        "z @ self.W + self.c",
    ),
    (
        "self.encoder, self.scale = nn.utils.parametrizations.orthogonal(nn.Linear(D, d)), nn.Parameter(torch.zeros(d)); "
        "self.decoder = nn.Linear(d, D)",
        "self.encoder(x) * self.scale.exp()",
        "self.decoder(z)",
    ),
    (
        "norm = nn.utils.parametrizations.weight_norm; self.encoder, self.decoder = norm(nn.Linear(D, d)), norm(nn.Linear(d, D))",
        "self.encoder(x)",
        "self.decoder(z)",
    ),
]
ORTHOGONAL = LINEAR[-2]  # keeps signs among its parameters, which torch rounds: no decay of weights

MLP = [
    (
        "sizes = [D, *hidden, d]\n"
        "        self.down = nn.ModuleList(nn.Linear(a, b) for a, b in zip(sizes[:-1], sizes[1:], strict=True))\n"
        "        self.up = nn.ModuleList(nn.Linear(b, a) for a, b in zip(sizes[:-1], sizes[1:], strict=True))",
        "for k, layer in enumerate(self.down):\n"
        "            x = layer(x) if k == len(self.down) - 1 else layer(x).relu()\n"
        "        return x",
        "for k in range(len(self.up) - 1, 0, -1):\n            z = torch.relu(self.up[k](z))\n        return self.up[0](z)",
    ),
    (
        "def net(sizes):\n"
        "            layers = [nn.Linear(sizes[0], sizes[1])]\n"
        "            for a, b in zip(sizes[1:-1], sizes[2:], strict=True):\n"
        "                layers += [nn.ReLU(inplace={inplace}), nn.Linear(a, b)]\n"
        "            {init}\n"
        "            return nn.Sequential(*layers)\n"
        "        sizes = (D, *hidden, d)\n"
        "        self.net = nn.ModuleDict({'encode': net(sizes), 'decode': net(sizes[::-1])})",
        'return self.net["encode"](x)',
        'return self.net["decode"](z)',
    ),
    (
        "sizes = list((D,) + tuple(hidden) + (d,))\n"
        "        pairs = list(zip(sizes[:-1], sizes[1:], strict=True))\n"
        "        self.W = nn.ParameterList(torch.randn(a, b) * math.sqrt(2 / a) for a, b in pairs)\n"
        "        self.b = nn.ParameterList(torch.zeros(b) for a, b in pairs)\n"
        "        self.V = nn.ParameterList(torch.randn(b, a) * math.sqrt(2 / b) for a, b in reversed(pairs))\n"
        "        self.c = nn.ParameterList(torch.zeros(a) for a, b in reversed(pairs))",
        "for W, b in zip(self.W[:-1], self.b[:-1], strict=True):\n"
        "            x = F.relu(x @ W + b)\n"
        "        return x @ self.W[-1] + self.b[-1]",
        "for V, c in zip(self.V[:-1], self.c[:-1], strict=True):\n"
        "            z = (z @ V + c).clamp(min=0)\n"
        "        return z @ self.V[-1] + self.c[-1]",
    ),
    (
        "norm, sizes = nn.utils.parametrizations.weight_norm, [D, *hidden, d]\n"
        "        pairs = list(zip(sizes[:-1], sizes[1:], strict=True))\n"
        "        self.down = nn.ModuleList(norm(nn.Linear(a, b)) for a, b in pairs)\n"
        "        self.up = nn.ModuleList(norm(nn.Linear(b, a)) for a, b in reversed(pairs))",
        "for layer in self.down[:-1]:\n            x = F.relu(layer(x))\n        return self.down[-1](x)",
        "for layer in self.up[:-1]:\n            z = F.relu(layer(z))\n        return self.up[-1](z)",
    ),
]

DECOMPOSE = [
    "_, s, axes = torch.linalg.svd(centred, full_matrices=False); values = s**2",
    "values, axes = torch.linalg.eigh(centred.T @ centred / len(x)); values, axes = values.flip(0).clamp(min=0), axes.T.flip(0)",
    "values, axes = (torch.from_numpy(v).to(x) for v in np.linalg.eigh(np.cov(x.double().numpy().T)))\n"
    "    values, axes = values.flip(0), axes.T.flip(0)",
    "U, s, V = torch.svd(centred.double()); values, axes = (s**2).to(x), V.T.to(x)",
]

LOOPS = [
    (
        "total = 0.0",
        "for rows in torch.randperm(len(x), generator=generator).split(batch_size):\n            batch = x[rows]",
        "total += loss.item() * len(batch)",
        "total / len(x)",
    ),
    (
        "order, values, sizes = torch.randperm(len(x), generator=generator), [], []",
        "for k in range(math.ceil(len(x) / batch_size)):\n"
        "            batch = x[order[k * batch_size : (k + 1) * batch_size]]",
        "values.append(loss.detach()); sizes.append(len(batch))",
        "float((torch.stack(values) * torch.tensor(sizes)).sum() / sum(sizes))",
    ),
    (
        "seen, total = 0, 0.0",
        "for (batch,) in torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x), batch_size, shuffle=True, "
        "generator=generator):\n            seen += len(batch)",
        "total += float(loss) * len(batch)",
        "np.float64(total / seen)",
    ),
]


def source(rng: random.Random) -> str:
    """The text of a valid solution."""
    decompose, linear, mlp = rng.choice(DECOMPOSE), rng.choice(LINEAR), rng.choice(MLP)
    init = rng.choice(["pass", "[nn.init.kaiming_normal_(m.weight) for m in layers if isinstance(m, nn.Linear)]"])
    layers = mlp[0].replace("{inplace}", rng.choice(["True", "False"])).replace("{init}", init)
    start, batches, note, epoch_loss = rng.choice(LOOPS)
    schedule, tick = rng.choice(
        [
            ("pass", "pass"),
            ("pass", "pass"),
            (
                "scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs, eta_min=lr / 10)",
                "scheduler.step()",
            ),
        ]
    )
    values = {
        "decompose": decompose,
        "mean": rng.choice(["x.mean(0)", "x.mean(dim=0)", "(x.sum(0) / len(x))"]),
        "signs": rng.choice(["1", "-1"]),
        "encode": rng.choice(
            [
                "(x - mean) @ components.T",
                'torch.einsum("nk,dk->nd", x - mean, components)',
                "F.linear(x - mean, components)",
                "x @ components.T - mean @ components.T",
            ]
        ),
        "decode": rng.choice(
            ["z @ components + mean", 'mean + torch.einsum("nd,dk->nk", z, components)', "torch.addmm(mean, z, components)"]
        ),
        "shares": rng.choice(["(values / values.sum())[:d]", "values[:d] / values.sum()"]),
        "linear": linear[0],
        "linear_encode": linear[1],
        "linear_decode": linear[2],
        "layers": layers,
        "mlp_encode": mlp[1],
        "mlp_decode": mlp[2],
        "forward": rng.choice(["self.decode(self.encode(x))", "self.decode(z=self.encode(x=x))"]),
        "differ": rng.choice(["x.shape != x_hat.shape", "tuple(x.shape) != tuple(x_hat.shape)"]),
        "loss": rng.choice(
            ["F.mse_loss(x_hat, x)", "((x - x_hat) ** 2).mean()", "(x - x_hat).square().sum() / x.numel()", "nn.MSELoss()(x, x_hat)"]
        ),
        "optimizer": rng.choice(
            [
                "torch.optim.Adam(model.parameters(), lr=lr)",
                "torch.optim.Adam(model.parameters(), lr, betas=(0.9, 0.98))",
                *(["torch.optim.AdamW(model.parameters(), lr=lr)"] if linear is not ORTHOGONAL else []),
            ]
        ),
        "schedule": schedule,
        "tick": tick,
        "start": start,
        "batches": batches,
        "step": rng.choice(
            [
                "loss = reconstruction_loss(batch, model(batch)); optimizer.zero_grad(); loss.backward()",
                "optimizer.zero_grad(set_to_none=False); loss = F.mse_loss(model(batch), batch); loss.backward()",
                "model.zero_grad(); loss = reconstruction_loss(batch, model.decode(model.encode(batch))); loss.backward()",
            ]
        ),
        "clip": rng.choice(["pass", "pass", "nn.utils.clip_grad_norm_(model.parameters(), 5.0)"]),
        "note": note,
        "epoch_loss": epoch_loss,
        "bases": rng.choice(
            [
                "P, Q = torch.linalg.qr(A.T)[0], torch.linalg.qr(B.T)[0]",
                "P, Q = (torch.linalg.svd(M, full_matrices=False)[2].T for M in (A, B))",
            ]
        ),
        "angles": rng.choice(
            [
                "torch.acos(torch.linalg.svdvals(P.T @ Q).clamp(-1, 1))",
                "torch.linalg.svdvals(P.T @ Q).clamp(max=1).acos().flip(0)",
            ]
        ),
        "codes": rng.choice(
            [
                "z1, z2 = model.encode(x1.reshape(1, -1)), model.encode(x2.reshape(1, -1))",
                "z1, z2 = model.encode(torch.stack([x1.flatten(), x2.flatten()])).split(1)",
            ]
        ),
        "mixed": rng.choice(
            [
                "weights = torch.as_tensor(alphas).to(z1)[:, None]\n    return model.decode(weights * z1 + (1 - weights) * z2)",
                "return torch.cat([model.decode(float(a) * z1 + (1 - float(a)) * z2) for a in alphas])",
                "return model.decode(torch.cat([torch.lerp(z2, z1, float(a)) for a in alphas]))",
            ]
        ),
    }
    drawn = f"{DECOMPOSE.index(decompose)}, {LINEAR.index(linear)}, {MLP.index(mlp)}"
    return TEXT.format(drawn=drawn, **values)
