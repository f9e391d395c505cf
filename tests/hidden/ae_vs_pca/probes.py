"""Probes of ae_vs_pca: models made for the checks, and weights of the student's set from outside."""

import torch
from torch import nn


def matrix_shapes(module):
    """The shapes of all weight matrices, either way round; vectors (biases) are left out."""
    shapes = []
    for parameter in module.parameters():
        sizes = sorted(n for n in parameter.shape if n > 1)
        if len(sizes) > 1:
            shapes.append(sizes)
    return shapes


def unused(module, x):
    """Shapes of the weight matrices that the answer of the module at x does not depend on."""
    module.zero_grad()
    out = module(x)
    (out * torch.linspace(1, 2, out.numel(), dtype=out.dtype, device=out.device).reshape(out.shape)).sum().backward()
    found = []
    for parameter in module.parameters():
        if parameter.numel() > max(parameter.shape, default=1) and (parameter.grad is None or not parameter.grad.any()):
            found.append(sorted(n for n in parameter.shape if n > 1))
    module.zero_grad()
    return found


def fill(module, matrices, vectors, seed):
    """Put normal numbers times `matrices` into every weight matrix and the number `vectors` into every bias."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            if parameter.numel() > max(parameter.shape, default=1):
                numbers = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
                parameter.copy_(numbers * matrices)
            else:
                parameter.fill_(vectors)
    return module


def sign(module, negative, seed):
    """Positive numbers in every weight matrix, negative ones in those of the shapes `negative`, zero in every bias."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            if parameter.numel() > max(parameter.shape, default=1):
                numbers = 0.5 + torch.rand(parameter.shape, generator=generator, dtype=torch.float64)
                shape = sorted(n for n in parameter.shape if n > 1)
                parameter.copy_(-numbers if shape in negative else numbers)
            else:
                parameter.zero_()
    return module


class Curved(nn.Module):
    """A model with given weights whose two halves are curved."""

    def __init__(self, encoder, decoder):
        super().__init__()
        self.encoder = nn.Parameter(encoder.clone())  # (d, D)
        self.decoder = nn.Parameter(decoder.clone())  # (D, d)

    def encode(self, x):
        return torch.tanh(x @ self.encoder.T)

    def decode(self, z):
        return torch.sin(z @ self.decoder.T)

    def forward(self, x):
        return self.decode(self.encode(x))


def curved(encoder, decoder):
    """A model with `encode`, `decode` and `forward`, not trained."""
    return Curved(encoder, decoder)


class Recorder(nn.Module):
    """An affine auto-encoder that keeps the batches it is trained on, and its gradients."""

    def __init__(self, encoder, decoder):
        super().__init__()
        self.encoder = nn.Parameter(encoder.clone())  # (d, D)
        self.decoder = nn.Parameter(decoder.clone())  # (D, d)
        self.bias = nn.Parameter(decoder.new_zeros(len(decoder)))  # (D,)
        self.batches, self.fresh, self.whole = [], [], []
        self.encoder.register_hook(lambda gradient: self.fresh.append(gradient.detach().clone()))
        self.encoder.register_post_accumulate_grad_hook(lambda p: self.whole.append(p.grad.detach().clone()))

    def encode(self, x):
        if torch.is_grad_enabled():  # a look at the loss without gradient is not training
            self.batches.append(x.detach().clone())
        return x @ self.encoder.T

    def decode(self, z):
        return z @ self.decoder.T + self.bias

    def forward(self, x):
        return self.decode(self.encode(x))


def recorder(encoder, decoder):
    """A recording model with these first weights."""
    return Recorder(encoder, decoder)


def weights(model):
    """All weights of a recorder in one vector."""
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])


def batches(model):
    """The batches that a recorder was trained on, in order."""
    return list(model.batches)


def gradients(model):
    """What each backward pass of a recorder's training gave its encoder, and what was there after it."""
    return {"fresh": list(model.fresh), "whole": list(model.whole)}


def global_seed():
    """The seed of torch's global generator."""
    return torch.initial_seed()
