# One base class turns `map(x, inverse)` into both directions; the log-scale of a coupling is an arctangent, its network
# has 5×5 kernels; tanh for the logit; a gathered index for 2×2 blocks; the flow keeps its layers in a flat ModuleList
# with squeezes and splits as layers of their own; RMSprop-like settings of Adam.
import math

import torch
from torch import nn


def LAST(v):
    return tuple(range(1, v.dim()))


def logit_transform(y, alpha=0.05):
    if not 0 <= alpha < 0.5:
        raise ValueError(f"alpha must lie in [0, 1/2), got {alpha}")
    if bool((y < 0).any() | (y > 1).any()):
        raise ValueError("y must lie in [0, 1]")
    p = y * (1 - 2 * alpha) + alpha
    return torch.atanh(2 * p - 1) * 2, (math.log1p(-2 * alpha) - torch.log(p - p * p)).sum(LAST(y))


def inverse_logit_transform(x, alpha=0.05):
    if not 0 <= alpha < 0.5:
        raise ValueError(f"alpha must lie in [0, 1/2), got {alpha}")
    p = 0.5 * (1 + torch.tanh(x / 2))
    log_det = -2 * torch.log(torch.exp(x / 2) + torch.exp(-x / 2)) - math.log1p(-2 * alpha)
    return (p - alpha) / (1 - 2 * alpha), log_det.sum(LAST(x))


class Invertible(nn.Module):
    """`scale_and_map(x, inverse)` gives the image and the log-determinant of `forward`."""

    def __init__(self, channels):
        super().__init__()
        if channels < 1:
            raise ValueError(f"channels must be at least 1, got {channels}")
        self.channels = channels

    def both(self, x, inverse):
        if x.dim() != 4 or x.size(1) != self.channels:
            raise ValueError(f"expected {self.channels} channels, got the shape {tuple(x.shape)}")
        y, log_det = self.scale_and_map(x, inverse)
        return y, (-log_det if inverse else log_det).expand(len(x))

    def forward(self, x):
        return self.both(x, False)

    def inverse(self, z):
        return self.both(z, True)


class ActNorm(Invertible):
    def __init__(self, channels):
        super().__init__(channels)
        self.numbers = nn.Parameter(torch.tensor([[1.0], [0.0]]).repeat(1, channels))
        self.register_buffer("fresh", torch.tensor(True))

    def scale_and_map(self, x, inverse):
        if self.training and self.fresh and not inverse:
            with torch.no_grad():
                centre = x.mean((0, 2, 3))
                spread = ((x - centre[:, None, None]) ** 2).mean((0, 2, 3)).add(1e-12).sqrt()
                self.numbers.copy_(torch.stack([1 / spread, -centre / spread]))
                self.fresh.logical_and_(torch.tensor(False, device=x.device))
        s, b = self.numbers[:, :, None, None]
        y = (x - b) / s if inverse else s * x + b
        return y, x.size(2) * x.size(3) * s.abs().log().sum()


class InvertibleConv1x1(Invertible):
    def __init__(self, channels):
        super().__init__(channels)
        self.w = nn.Parameter(torch.linalg.qr(torch.randn(channels, channels, dtype=torch.float64))[0].float())

    def scale_and_map(self, x, inverse):
        sign_and_log = torch.linalg.slogdet(self.w)
        w = self.w.inverse() if inverse else self.w
        return (x.permute(0, 2, 3, 1) @ w.T).permute(0, 3, 1, 2), x[0, 0].numel() * sign_and_log[1]


class AffineCoupling(Invertible):
    def __init__(self, channels, hidden=32):
        super().__init__(channels)
        if channels % 2:
            raise ValueError(f"channels must be even, got {channels}")
        self.net = nn.Sequential(
            nn.Conv2d(channels // 2, hidden, 5, padding=2), nn.LeakyReLU(0.1), nn.Conv2d(hidden, channels, 5, padding=2)
        )
        with torch.no_grad():
            self.net[-1].weight.mul_(0.1)
            self.net[-1].bias.zero_()

    def scale_and_map(self, x, inverse):
        half = self.channels // 2
        a, b = x.split(half, 1)
        s, t = self.net(a).split(half, 1)
        s = torch.atan(s)
        b = (b - t) * torch.exp(-s) if inverse else b * torch.exp(s) + t
        return torch.cat([a, b], 1), s.sum((1, 2, 3))


class Squeeze(nn.Module):
    def forward(self, x):
        return nn.functional.pixel_unshuffle(x, 2), x.new_zeros(len(x))

    def inverse(self, z):
        return nn.functional.pixel_shuffle(z, 2), z.new_zeros(len(z))


class Glow(nn.Module):
    def __init__(self, channels=1, size=8, n_scales=2, n_steps=4, hidden=32):
        super().__init__()
        if min(channels, n_scales, n_steps) < 1 or size < 1 or size % 2**n_scales != 0:
            raise ValueError(f"channels={channels}, size={size}, n_scales={n_scales}, n_steps={n_steps}")
        self.image, self.n_scales = (channels, size, size), n_scales
        self.chain = nn.ModuleList()
        self.splits = set()
        width = channels
        for scale in range(n_scales):
            self.chain.append(Squeeze())
            width *= 4
            for _ in range(n_steps):
                self.chain.extend([ActNorm(width), InvertibleConv1x1(width), AffineCoupling(width, hidden)])
            if scale < n_scales - 1:
                self.splits.add(len(self.chain) - 1)
                width //= 2

    def forward(self, x):
        if tuple(x.shape[1:]) != self.image:
            raise ValueError(f"expected images of shape {self.image}, got {tuple(x.shape)}")
        zs, total = [], torch.zeros(len(x)).to(x)
        for k, layer in enumerate(self.chain):
            x, log_det = layer(x)
            total = total + log_det
            if k in self.splits:
                x, z = torch.tensor_split(x, 2, dim=1)
                zs.append(z)
        zs.append(x)
        return zs, total

    def inverse(self, zs):
        rest = list(zs)
        x = rest.pop()
        total = torch.zeros(len(x)).to(x)
        for k in range(len(self.chain) - 1, -1, -1):
            if k in self.splits:
                x = torch.cat([x, rest.pop()], 1)
            x, log_det = self.chain[k].inverse(x)
            total = total + log_det
        return x, total

    def log_prob(self, x):
        zs, total = self(x)
        z = torch.cat([z.reshape(len(x), -1) for z in zs], dim=1)
        return total - 0.5 * (z.square() + math.log(2 * math.pi)).sum(1)

    def sample(self, n, temperature=1.0, generator=None):
        if n < 1:
            raise ValueError(f"n = {n}")
        if temperature < 0:
            raise ValueError(f"temperature = {temperature}")
        weight = self.chain[1].numbers
        with torch.no_grad():
            probe = torch.zeros(1, *self.image, dtype=weight.dtype, device=weight.device)
            was = self.training
            self.eval()
            shapes = [z.shape[1:] for z in self(probe)[0]]
            self.train(was)
            zs = [torch.empty(n, *s).normal_(generator=generator).to(weight) * temperature for s in shapes]
            return self.inverse(zs)[0]


def bits_per_dimension(model, pixels, noise, levels, alpha=0.05):
    if levels < 2 or pixels.shape != noise.shape:
        raise ValueError("levels below 2, or pixels and noise of different shapes")
    x, log_det = logit_transform((pixels + noise) / levels, alpha)
    dimensions = math.prod(pixels.shape[1:])
    return (dimensions * math.log(levels) - log_det - model.log_prob(x)) / (dimensions * math.log(2))


def train_glow(model, pixels, steps, levels, batch_size=64, lr=1e-3, alpha=0.05, generator=None, progress=False):
    if not steps >= 1 or not batch_size >= 1:
        raise ValueError(f"steps = {steps}, batch_size = {batch_size}")
    model.train()
    optimizer = torch.optim.Adam(model.parameters(), lr=lr, betas=(0.9, 0.98), eps=1e-7)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps, eta_min=lr / 10)
    values = torch.zeros(steps)
    for step in range(steps):
        rows = torch.randint(high=len(pixels), size=(batch_size,), generator=generator)
        batch = torch.index_select(pixels, 0, rows.to(pixels.device))
        loss = bits_per_dimension(model, batch, torch.rand(batch.size(), generator=generator).to(batch.device), levels, alpha).mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        schedule.step()
        values[step] = loss.detach()
    return {"bpd": values.tolist()}


def sample_images(model, n, levels, temperature=1.0, alpha=0.05, generator=None):
    if n < 1 or temperature < 0:
        raise ValueError(f"n = {n}, temperature = {temperature}")
    y = inverse_logit_transform(model.sample(n, temperature=temperature, generator=generator), alpha)[0]
    return (y * levels).floor().clamp(0, levels - 1).long()
