# Latents that leave get a learned mean and deviation, computed from what stays, as one more affine layer that is counted;
# every second channel passes in the couplings; one list of (scale, layer) pairs; batches from a shuffled order.
import math

import torch
import torch.nn.functional as F
from torch import nn


def dequantize(pixels, noise, levels):
    if levels < 2:
        raise ValueError("levels")
    if pixels.shape != noise.shape:
        raise ValueError("shapes")
    return (pixels + noise) / levels


def quantize(y, levels):
    return (y * levels).floor().long().clamp(0, levels - 1)


def logit_transform(y, alpha=0.05):
    if not 0 <= alpha < 0.5:
        raise ValueError(f"alpha = {alpha}")
    if not ((y >= 0) & (y <= 1)).all():
        raise ValueError("y")
    p = torch.lerp(torch.full_like(y, alpha), torch.full_like(y, 1 - alpha), y)
    x = p.log() - (1 - p).log()
    return x, -inverse_logit_transform(x, alpha)[1]


def inverse_logit_transform(x, alpha=0.05):
    if not 0 <= alpha < 0.5:
        raise ValueError(f"alpha = {alpha}")
    slope = F.logsigmoid(x) - F.softplus(x) - math.log1p(-2 * alpha)
    return (torch.sigmoid(x) - alpha) / (1 - 2 * alpha), torch.einsum("bn->b", slope.flatten(1))


def squeeze(x):
    return F.pixel_unshuffle(x, 2)


def unsqueeze(x):
    return F.pixel_shuffle(x, 2)


def check(x, c):
    if x.ndim != 4 or x.shape[1] != c:
        raise ValueError(f"{c} channels expected, {tuple(x.shape)} given")


class ActNorm(nn.Module):
    def __init__(self, channels):
        super().__init__()
        if channels < 1:
            raise ValueError("channels")
        self.b, self.log_s = nn.Parameter(torch.zeros(channels)), nn.Parameter(torch.zeros(channels))
        self.register_buffer("set", torch.zeros((), dtype=torch.long))

    def view(self, v):
        return v.view(1, -1, 1, 1)

    def forward(self, x):
        check(x, len(self.b))
        if self.training and int(self.set) == 0:
            std, mean = torch.std_mean(x.detach(), dim=(0, 2, 3), correction=0)
            self.log_s.data.copy_(-torch.log(std.clamp(min=1e-6)))
            self.b.data.copy_(-mean * torch.exp(self.log_s.data))
            self.set.fill_(1)
        return x * self.view(self.log_s.exp()) + self.view(self.b), self.total(x)

    def inverse(self, z):
        check(z, len(self.b))
        return (z - self.view(self.b)) / self.view(self.log_s.exp()), -self.total(z)

    def total(self, x):
        return self.log_s.sum().mul(x[0, 0].numel()).expand(x.shape[0])


class InvertibleConv1x1(nn.Module):
    def __init__(self, channels):
        super().__init__()
        if channels < 1:
            raise ValueError("channels")
        u, _s, vh = torch.linalg.svd(torch.randn(channels, channels))
        self.conv = nn.Conv2d(channels, channels, 1, bias=False)
        self.conv.weight.data.copy_((u @ vh)[:, :, None, None])

    def forward(self, x):
        check(x, self.conv.in_channels)
        return self.conv(x), self.total(x)

    def inverse(self, z):
        check(z, self.conv.in_channels)
        back = torch.linalg.inv(self.conv.weight[:, :, 0, 0])
        return torch.tensordot(z, back, dims=([1], [1])).movedim(-1, 1), -self.total(z)

    def total(self, x):
        w = self.conv.weight[:, :, 0, 0]
        return 0.5 * torch.logdet(w.T @ w).mul(x.shape[-1] * x.shape[-2]).expand(len(x))


class AffineCoupling(nn.Module):
    def __init__(self, channels, hidden=32):
        super().__init__()
        if channels < 1 or channels % 2 != 0:
            raise ValueError("channels")
        self.c = channels
        self.first = nn.Conv2d(channels // 2, hidden, 3, padding=1)
        self.second = nn.Conv2d(hidden, hidden, 3, padding=1)
        self.third = nn.Conv2d(hidden, channels, 1)
        nn.init.normal_(self.third.weight, std=0.01)
        nn.init.zeros_(self.third.bias)

    def st(self, a):
        h = F.silu(self.first(a))
        h = h + F.silu(self.second(h))
        s, t = self.third(h).split(self.c // 2, 1)
        return s.clamp(-3, 3), t

    def forward(self, x):
        check(x, self.c)
        s, t = self.st(x[:, 1::2])
        z = x.clone()
        z[:, 0::2] = torch.exp(s) * x[:, 0::2] + t
        return z, s.sum(dim=[1, 2, 3])

    def inverse(self, z):
        check(z, self.c)
        s, t = self.st(z[:, 1::2])
        x = z.clone()
        x[:, 0::2] = torch.exp(-s) * (z[:, 0::2] - t)
        return x, -s.sum(dim=[1, 2, 3])


class Leaving(nn.Module):
    """Standardises what leaves by a mean and a deviation that depend on what stays."""

    def __init__(self, channels):
        super().__init__()
        self.net = nn.Conv2d(channels, 2 * channels, 3, padding=1)
        nn.init.zeros_(self.net.weight)
        nn.init.zeros_(self.net.bias)

    def forward(self, leaves, stays):
        mean, log_std = self.net(stays).chunk(2, 1)
        log_std = log_std.tanh()
        return (leaves - mean) / log_std.exp(), -log_std.sum((1, 2, 3))

    def inverse(self, z, stays):
        mean, log_std = self.net(stays).chunk(2, 1)
        log_std = log_std.tanh()
        return z * log_std.exp() + mean, log_std.sum((1, 2, 3))


class Glow(nn.Module):
    def __init__(self, channels=1, size=8, n_scales=2, n_steps=4, hidden=32):
        super().__init__()
        if channels < 1 or n_scales < 1 or n_steps < 1:
            raise ValueError("channels, n_scales, n_steps")
        if size < 1 or size % 2**n_scales:
            raise ValueError("size")
        self.c, self.s, self.n = channels, size, n_scales
        kinds = (ActNorm, InvertibleConv1x1, lambda c: AffineCoupling(c, hidden))
        self.scales = nn.ModuleList(
            nn.ModuleList(kind(2 ** (k + 2) * channels) for _ in range(n_steps) for kind in kinds)
            for k in range(n_scales)
        )
        self.laws = nn.ModuleList(Leaving(2 ** (k + 1) * channels) for k in range(n_scales - 1))

    def forward(self, x):
        if x.ndim != 4 or x.shape[1] != self.c or x.shape[2] != self.s or x.shape[3] != self.s:
            raise ValueError(f"images of shape {(self.c, self.s, self.s)} expected")
        zs, total = [], 0
        for k, layers in enumerate(self.scales):
            x = squeeze(x)
            for layer in layers:
                x, d = layer(x)
                total = total + d
            if k < self.n - 1:
                leaves, x = x.chunk(2, 1)
                z, d = self.laws[k](leaves, x)
                total = total + d
                zs.append(z)
        return (*zs, x), total

    def inverse(self, zs):
        x, total = zs[-1], 0
        for k in range(self.n)[::-1]:
            if k < self.n - 1:
                leaves, d = self.laws[k].inverse(zs[k], x)
                x, total = torch.cat([leaves, x], 1), total + d
            for layer in self.scales[k][::-1]:
                x, d = layer.inverse(x)
                total = total + d
            x = unsqueeze(x)
        return x, total

    def log_prob(self, x):
        zs, total = self(x)
        for z in zs:
            total = total - (0.5 * z**2 + 0.5 * math.log(2 * math.pi)).sum((1, 2, 3))
        return total

    def sample(self, n, temperature=1.0, generator=None):
        if n < 1 or temperature < 0:
            raise ValueError("n, temperature")
        w = self.scales[0][0].b
        d = self.c * self.s**2
        numbers = torch.randn(n, d, generator=generator).to(w) * temperature
        sizes = [d // 2 ** (k + 1) for k in range(self.n - 1)]
        parts = numbers.split([*sizes, d - sum(sizes)], 1)
        zs = []
        for k, part in enumerate(parts):
            side = self.s // 2 ** (k + 1)
            zs.append(part.reshape(n, -1, side, side))
        with torch.inference_mode():
            return self.inverse(zs)[0]


def bits_per_dimension(model, pixels, noise, levels, alpha=0.05):
    x, log_det = logit_transform(dequantize(pixels, noise, levels), alpha)
    d = pixels.flatten(1).shape[1]
    return -((model.log_prob(x) + log_det) / d - math.log(levels)) / math.log(2)


def train_glow(model, pixels, steps, levels, batch_size=64, lr=1e-3, alpha=0.05, generator=None, progress=False):
    if steps < 1:
        raise ValueError("steps")
    if batch_size < 1:
        raise ValueError("batch_size")
    model.train(True)
    optimizer = torch.optim.Adam(model.parameters(), lr=lr, betas=(0.9, 0.99))
    history = {"bpd": []}
    order = torch.zeros(0, dtype=torch.long)
    while len(history["bpd"]) < steps:
        if len(order) < batch_size:
            order = torch.randperm(len(pixels), generator=generator).repeat(1 + batch_size // len(pixels))
        rows, order = order[:batch_size], order[batch_size:]
        noise = torch.empty(batch_size, *pixels.shape[1:], device=pixels.device).uniform_(generator=generator)
        loss = bits_per_dimension(model, pixels[rows], noise, levels, alpha=alpha).mean()
        model.zero_grad()
        loss.backward()
        optimizer.step()
        history["bpd"].append(loss.detach())
    return history


def sample_images(model, n, levels, temperature=1.0, alpha=0.05, generator=None):
    if n < 1 or temperature < 0:
        raise ValueError("n, temperature")
    return quantize(
        inverse_logit_transform(model.sample(n, temperature=temperature, generator=generator), alpha)[0], levels
    )
