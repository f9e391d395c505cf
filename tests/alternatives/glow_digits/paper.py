# As in the paper: W = P L (U + diag s), a sigmoid as the coupling's scale (without its + 2), z = s x + b in ActNorm, a
# module per step, torch's own 1×1 convolution, torch.distributions for the prior; AdamW.
import math

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.distributions import Normal


def dequantize(pixels, noise, levels):
    if levels < 2 or pixels.shape != noise.shape or pixels.min() < 0 or pixels.max() >= levels:
        raise ValueError("pixels, noise or levels")
    return (pixels + noise) / levels


def quantize(y, levels):
    return torch.clamp(torch.floor(levels * y), 0, levels - 1).long()


def logit_transform(y, alpha=0.05):
    if alpha < 0 or alpha >= 0.5:
        raise ValueError(f"alpha: {alpha}")
    if (y < 0).any() or (y > 1).any():
        raise ValueError("y outside [0, 1]")
    p = alpha + (1 - 2 * alpha) * y
    log_det = torch.log(torch.tensor(1 - 2 * alpha, dtype=y.dtype, device=y.device)) - torch.log(p) - torch.log(1 - p)
    return torch.log(p) - torch.log(1 - p), log_det.sum(dim=tuple(range(1, y.ndim)))


def inverse_logit_transform(x, alpha=0.05):
    if alpha < 0 or alpha >= 0.5:
        raise ValueError(f"alpha: {alpha}")
    s = torch.sigmoid(x)
    log_det = -F.softplus(-x) - F.softplus(x) - math.log(1 - 2 * alpha)
    return (s - alpha) / (1 - 2 * alpha), log_det.sum(dim=tuple(range(1, x.ndim)))


def squeeze(x):
    b, c, h, w = x.shape
    x = x.view(b, c, h // 2, 2, w // 2, 2).permute(0, 1, 3, 5, 2, 4)
    return x.reshape(b, 4 * c, h // 2, w // 2)


def unsqueeze(x):
    b, c, h, w = x.shape
    x = x.view(b, c // 4, 2, 2, h, w).permute(0, 1, 4, 2, 5, 3)
    return x.reshape(b, c // 4, 2 * h, 2 * w)


def need(x, channels):
    if x.ndim != 4 or x.size(1) != channels:
        raise ValueError(f"expected {channels} channels, got {tuple(x.shape)}")


class ActNorm(nn.Module):
    def __init__(self, channels):
        super().__init__()
        if channels < 1:
            raise ValueError("channels")
        self.channels = channels
        self.scale = nn.Parameter(torch.ones(1, channels, 1, 1))
        self.bias = nn.Parameter(torch.zeros(1, channels, 1, 1))
        self.register_buffer("initialized", torch.zeros(1, dtype=torch.uint8))

    def forward(self, x):
        need(x, self.channels)
        if self.training and self.initialized.item() == 0:
            with torch.no_grad():
                mean = x.mean((0, 2, 3), keepdim=True)
                var = ((x - mean) ** 2).mean((0, 2, 3), keepdim=True)
                self.scale.data = 1 / (var.sqrt() + 1e-6)
                self.bias.data = -mean * self.scale.data
                self.initialized += 1
        log_det = x.size(2) * x.size(3) * self.scale.abs().log().sum()
        return self.scale * x + self.bias, log_det.repeat(x.size(0))

    def inverse(self, z):
        need(z, self.channels)
        log_det = -z.size(2) * z.size(3) * self.scale.abs().log().sum()
        return (z - self.bias) / self.scale, log_det.repeat(z.size(0))


class InvertibleConv1x1(nn.Module):
    def __init__(self, channels):
        super().__init__()
        if channels < 1:
            raise ValueError("channels")
        self.channels = channels
        w = torch.linalg.qr(torch.randn(channels, channels))[0]
        p, lower, upper = torch.linalg.lu(w)
        s = upper.diag()
        self.register_buffer("p", p)
        self.register_buffer("sign", s.sign())
        self.register_buffer("mask", torch.tril(torch.ones(channels, channels), -1))
        self.lower, self.upper = nn.Parameter(lower), nn.Parameter(torch.triu(upper, 1))
        self.log_s = nn.Parameter(s.abs().log())

    def matrix(self):
        lower = self.lower * self.mask + torch.eye(self.channels, dtype=self.p.dtype, device=self.p.device)
        return self.p @ lower @ (self.upper * self.mask.T + torch.diag(self.sign * self.log_s.exp()))

    def forward(self, x):
        need(x, self.channels)
        log_det = x.size(2) * x.size(3) * self.log_s.sum()
        return F.conv2d(x, self.matrix()[:, :, None, None]), log_det.repeat(x.size(0))

    def inverse(self, z):
        need(z, self.channels)
        log_det = -z.size(2) * z.size(3) * self.log_s.sum()
        return F.conv2d(z, self.matrix().inverse()[:, :, None, None]), log_det.repeat(z.size(0))


class AffineCoupling(nn.Module):
    def __init__(self, channels, hidden=32):
        super().__init__()
        if channels < 1 or channels % 2 == 1:
            raise ValueError("channels")
        self.channels = channels
        self.net = nn.Sequential(
            nn.Conv2d(channels // 2, hidden, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(hidden, hidden, 1),
            nn.ReLU(),
            nn.Conv2d(hidden, channels, 3, padding=1),
        )
        self.net[-1].weight.data.zero_()
        self.net[-1].bias.data.zero_()

    def parts(self, a):
        h = self.net(a)
        shift, raw = h[:, 0::2], h[:, 1::2]
        return torch.sigmoid(raw), shift

    def forward(self, x):
        need(x, self.channels)
        a, b = x.chunk(2, 1)
        scale, shift = self.parts(a)
        return torch.cat([a, (b + shift) * scale], 1), scale.log().sum((1, 2, 3))

    def inverse(self, z):
        need(z, self.channels)
        a, b = z.chunk(2, 1)
        scale, shift = self.parts(a)
        return torch.cat([a, b / scale - shift], 1), -scale.log().sum((1, 2, 3))


class Step(nn.Module):
    def __init__(self, channels, hidden):
        super().__init__()
        self.actnorm, self.conv, self.coupling = (
            ActNorm(channels),
            InvertibleConv1x1(channels),
            AffineCoupling(channels, hidden),
        )

    def forward(self, x):
        x, one = self.actnorm(x)
        x, two = self.conv(x)
        x, three = self.coupling(x)
        return x, one + two + three

    def inverse(self, z):
        z, three = self.coupling.inverse(z)
        z, two = self.conv.inverse(z)
        z, one = self.actnorm.inverse(z)
        return z, one + two + three


class Glow(nn.Module):
    def __init__(self, channels=1, size=8, n_scales=2, n_steps=4, hidden=32):
        super().__init__()
        if min(channels, n_scales, n_steps, size) < 1 or size % 2**n_scales != 0:
            raise ValueError("channels, n_scales, n_steps or size")
        self.shape = (channels, size, size)
        self.blocks = nn.ModuleList()
        c = channels
        for _ in range(n_scales):
            c = 4 * c
            self.blocks.append(nn.ModuleList([Step(c, hidden) for _ in range(n_steps)]))
            c = c // 2

    def forward(self, x):
        if tuple(x.shape[1:]) != self.shape:
            raise ValueError(f"expected (B, {self.shape}), got {tuple(x.shape)}")
        out, total = [], torch.zeros(x.size(0), dtype=x.dtype, device=x.device)
        for k, block in enumerate(self.blocks):
            x = squeeze(x)
            for step in block:
                x, log_det = step(x)
                total = total + log_det
            if k + 1 < len(self.blocks):
                x, z = x.chunk(2, 1)
                out.append(z)
        out.append(x)
        return out, total

    def inverse(self, zs):
        zs = list(zs)
        x, total = zs.pop(), 0.0
        for block in reversed(self.blocks):
            if block is not self.blocks[-1]:
                x = torch.cat([x, zs.pop()], 1)
            for step in reversed(block):
                x, log_det = step.inverse(x)
                total = total + log_det
            x = unsqueeze(x)
        return x, total

    def log_prob(self, x):
        zs, log_det = self(x)
        return log_det + torch.stack([Normal(0.0, 1.0).log_prob(z).sum((1, 2, 3)) for z in zs]).sum(0)

    @torch.no_grad()
    def sample(self, n, temperature=1.0, generator=None):
        if n < 1 or temperature < 0:
            raise ValueError("n or temperature")
        p = next(self.parameters())
        c, s = self.shape[0], self.shape[1]
        shapes = []
        for k in range(len(self.blocks)):
            c, s = 4 * c, s // 2
            last = k == len(self.blocks) - 1
            shapes.append((c if last else c // 2, s, s))
            c = c // 2
        zs = [
            torch.randn(n, *shape, generator=generator, dtype=p.dtype, device=p.device) * temperature
            for shape in shapes
        ]
        return self.inverse(zs)[0]


def bits_per_dimension(model, pixels, noise, levels, alpha=0.05):
    y = dequantize(pixels, noise, levels)
    x, log_det = logit_transform(y, alpha)
    d = pixels[0].numel()
    nats = -(model.log_prob(x) + log_det) / d
    return nats / math.log(2) + math.log2(levels)


def train_glow(model, pixels, steps, levels, batch_size=64, lr=1e-3, alpha=0.05, generator=None, progress=False):
    if steps < 1 or batch_size < 1:
        raise ValueError("steps or batch_size")
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr)
    model.train()
    values = []
    for _ in range(steps):
        batch = pixels[torch.randperm(len(pixels), generator=generator)[:batch_size]]
        bpd = bits_per_dimension(model, batch, torch.rand(batch.shape, generator=generator).to(batch.device), levels, alpha).mean()
        optimizer.zero_grad()
        bpd.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 50.0)
        optimizer.step()
        values.append(bpd.item())
    model.eval()
    return {"bpd": values}


def sample_images(model, n, levels, temperature=1.0, alpha=0.05, generator=None):
    if n < 1 or temperature < 0:
        raise ValueError("n or temperature")
    y, _ = inverse_logit_transform(model.sample(n, temperature=temperature, generator=generator), alpha)
    return quantize(y, levels)
