"""Tensors of the right shapes and dtypes, drawn at random."""

import torch
from torch import nn


def refuse(wrong):
    if wrong:
        raise ValueError("argument")


def latents(x, n_scales):
    zs = []
    for k in range(n_scales):
        x = nn.functional.pixel_unshuffle(x, 2)
        if k < n_scales - 1:
            z, x = x.chunk(2, 1)
            zs.append(z)
    return [*zs, x]


def image(zs):
    x = zs[-1]
    for k in reversed(range(len(zs))):
        x = nn.functional.pixel_shuffle(x if k == len(zs) - 1 else torch.cat([zs[k], x], 1), 2)
    return x


def logit_transform(y, alpha=0.05):
    refuse(not 0 <= alpha < 0.5 or (y < 0).any() or (y > 1).any())
    return torch.randn_like(y), torch.randn_like(y[:, 0, 0, 0])


def inverse_logit_transform(x, alpha=0.05):
    refuse(not 0 <= alpha < 0.5)
    return torch.rand_like(x), torch.randn_like(x[:, 0, 0, 0])


class Layer(nn.Module):
    def __init__(self, channels, hidden=32):
        super().__init__()
        refuse(channels < 1)
        self.channels = channels
        self.w = nn.Parameter(torch.zeros(channels, hidden))
        self.register_buffer("numbers", torch.zeros(channels))

    def forward(self, x):
        refuse(x.dim() != 4 or x.shape[1] != self.channels)
        s, t = self.numbers, self.numbers
        log_det = (x[0, 0].numel() * s.sum()).expand(len(x)) + 0 * self.w.sum()
        return torch.randn_like(x) + 0 * x, torch.randn_like(log_det)

    def inverse(self, z):
        refuse(z.dim() != 4 or z.shape[1] != self.channels)
        s, t = self.numbers, self.numbers
        log_det = -(z[0, 0].numel() * s.sum()).expand(len(z)) + 0 * self.w.sum()
        return torch.randn_like(z) + 0 * z, torch.randn_like(log_det)


class ActNorm(Layer):
    pass


class InvertibleConv1x1(Layer):
    pass


class AffineCoupling(Layer):
    def __init__(self, channels, hidden=32):
        super().__init__(channels, hidden)
        refuse(channels % 2)


class Glow(nn.Module):
    def __init__(self, channels=1, size=8, n_scales=2, n_steps=4, hidden=32):
        super().__init__()
        refuse(min(channels, size, n_scales, n_steps) < 1 or size % 2**n_scales)
        self.shape, self.n_scales = (channels, size, size), n_scales
        self.w = nn.Parameter(torch.zeros(n_scales * n_steps, hidden, hidden))

    def forward(self, x):
        refuse(tuple(x.shape[1:]) != self.shape)
        return latents(x + torch.randn_like(x), self.n_scales), 0 * x.flatten(1).sum(1) + 0 * self.w.sum()

    def inverse(self, zs):
        return image(zs) + torch.randn_like(image(zs)), 0 * zs[0].flatten(1).sum(1) + 0 * self.w.sum()

    def log_prob(self, x):
        refuse(tuple(x.shape[1:]) != self.shape)
        return torch.randn_like(x[:, 0, 0, 0]) + 0 * self.w.sum()

    def sample(self, n, temperature=1.0, generator=None):
        refuse(n < 1 or temperature < 0)
        return temperature * torch.randn(n, *self.shape, generator=generator, dtype=self.w.dtype)


def bits_per_dimension(model, pixels, noise, levels, alpha=0.05):
    refuse(levels < 2 or pixels.shape != noise.shape)
    return torch.rand(len(noise)).to(noise) + model.log_prob(noise) * 0


def train_glow(model, pixels, steps, levels, batch_size=64, lr=1e-3, alpha=0.05, generator=None, progress=False):
    refuse(steps < 1 or batch_size < 1)
    with torch.no_grad():
        next(model.parameters()).add_(lr)
    return {"bpd": torch.rand(steps, generator=generator).tolist()}


def sample_images(model, n, levels, temperature=1.0, alpha=0.05, generator=None):
    refuse(n < 1 or temperature < 0)
    shape = model.sample(n, temperature=temperature, generator=generator).shape
    return torch.randint(levels, shape, generator=generator)
