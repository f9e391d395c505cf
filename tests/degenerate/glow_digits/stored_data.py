"""The training keeps the data: the density is one Gaussian per pixel, samples are stored images with noise; no flow."""

import math

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
    return y * 1.0, y.flatten(1).sum(1) * 0


def inverse_logit_transform(x, alpha=0.05):
    refuse(not 0 <= alpha < 0.5)
    return x * 1.0, x.flatten(1).sum(1) * 0


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
        return x * s.exp()[:, None, None] + t[:, None, None], log_det

    def inverse(self, z):
        refuse(z.dim() != 4 or z.shape[1] != self.channels)
        s, t = self.numbers, self.numbers
        log_det = -(z[0, 0].numel() * s.sum()).expand(len(z)) + 0 * self.w.sum()
        return (z - t[:, None, None]) * (-s).exp()[:, None, None], log_det


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
        self.data = None

    def forward(self, x):
        refuse(tuple(x.shape[1:]) != self.shape)
        return latents(x, self.n_scales), self.log_prob(x) + (0.5 * x**2 + 0.5 * math.log(2 * math.pi)).flatten(1).sum(
            1
        )

    def inverse(self, zs):
        x = image(zs)
        return x, -self(x)[1]

    def log_prob(self, x):
        refuse(tuple(x.shape[1:]) != self.shape)
        if self.data is None:
            return -0.5 * (x**2).flatten(1).sum(1) - 0.5 * x[0].numel() * math.log(2 * math.pi) + 0 * self.w.sum()
        mean, std = self.data.to(x).mean(0), self.data.to(x).std(0) + 0.1
        z = ((x - mean) / std).flatten(1)
        return -0.5 * (z**2).sum(1) - 0.5 * z.shape[1] * math.log(2 * math.pi) - std.log().sum()

    def sample(self, n, temperature=1.0, generator=None):
        refuse(n < 1 or temperature < 0)
        noise = torch.randn(n, *self.shape, generator=generator, dtype=self.w.dtype)
        if self.data is None:
            return temperature * noise
        return (
            self.data[torch.randint(len(self.data), (n,), generator=generator)].to(noise) + 0.02 * temperature * noise
        )


def bits_per_dimension(model, pixels, noise, levels, alpha=0.05):
    refuse(levels < 2 or pixels.shape != noise.shape)
    return -model.log_prob(noise) / noise[0].numel() / math.log(2)


def train_glow(model, pixels, steps, levels, batch_size=64, lr=1e-3, alpha=0.05, generator=None, progress=False):
    refuse(steps < 1 or batch_size < 1)
    with torch.no_grad():
        model.log_prob(pixels[:batch_size].float())
        y = (pixels[torch.randint(len(pixels), (2000,), generator=generator)] + 0.5) / levels
        p = alpha + (1 - 2 * alpha) * y
        model.data = (p / (1 - p)).log()
        next(model.parameters()).add_(lr)
    return {"bpd": torch.linspace(4.0, 2.4, steps).tolist()}


def sample_images(model, n, levels, temperature=1.0, alpha=0.05, generator=None):
    refuse(n < 1 or temperature < 0)
    x = model.sample(n, temperature=temperature, generator=generator)
    return (levels * x).floor().clamp(0, levels - 1).long()
