# Separate networks for the shift and the scale, which is 0.1 plus two sigmoids; masks instead of split channels; blocks by
# unfolding; ActNorm's flag in a float buffer; a recursion over the scales; a DataLoader for the batches.
import math

import torch
from torch import nn
from torch.utils.data import DataLoader


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


def blocks(x):
    b, c, h, w = x.shape
    return nn.functional.unfold(x, 2, stride=2).view(b, 4 * c, h // 2, w // 2)


def unblocks(x):
    b, c, h, w = x.shape
    return nn.functional.fold(x.reshape(b, c, h * w), (2 * h, 2 * w), 2, stride=2)


def right_channels(x, n):
    if x.ndim != 4 or x.shape[1] != n:
        raise ValueError("expected %d channels, got %s" % (n, tuple(x.shape)))


class ActNorm(nn.Module):
    def __init__(self, channels):
        super().__init__()
        if channels < 1:
            raise ValueError("channels must be positive")
        self.n = channels
        self.gain, self.offset = nn.Parameter(torch.zeros(channels, 1, 1)), nn.Parameter(torch.zeros(channels, 1, 1))
        self.register_buffer("state", torch.zeros(()))

    def forward(self, x):
        right_channels(x, self.n)
        if self.training and self.state.item() < 0.5:
            with torch.no_grad():
                mean = x.mean(dim=(0, 2, 3), keepdim=True)[0]
                variance = x.var(dim=(0, 2, 3), keepdim=True)[0] if x[:, 0].numel() > 1 else torch.ones_like(mean)
                self.gain.copy_(-0.5 * torch.log(variance + 1e-10))
                self.offset.copy_(mean)
                self.state.fill_(1.0)
        return (x - self.offset) * self.gain.exp(), x.new_ones(len(x)) * self.gain.sum() * x.shape[2] * x.shape[3]

    def inverse(self, z):
        right_channels(z, self.n)
        return z / self.gain.exp() + self.offset, z.new_ones(len(z)) * -self.gain.sum() * z.shape[2] * z.shape[3]


class InvertibleConv1x1(nn.Module):
    def __init__(self, channels):
        super().__init__()
        if channels < 1:
            raise ValueError("channels must be positive")
        w = torch.randn(channels, channels)
        for i in range(channels):  # Gram-Schmidt
            for j in range(i):
                w[i] -= (w[i] @ w[j]) * w[j]
            w[i] /= w[i].norm()
        self.kernel = nn.Parameter(w)

    def forward(self, x):
        right_channels(x, len(self.kernel))
        log_abs = torch.log(torch.abs(torch.det(self.kernel)))
        return nn.functional.conv2d(x, self.kernel[..., None, None]), log_abs * x.shape[2] * x.shape[3] + x.new_zeros(
            len(x)
        )

    def inverse(self, z):
        right_channels(z, len(self.kernel))
        log_abs = torch.log(torch.abs(torch.det(self.kernel)))
        inverse = torch.linalg.solve(self.kernel, torch.eye(len(self.kernel)).to(self.kernel))
        return nn.functional.conv2d(z, inverse[..., None, None]), -log_abs * z.shape[2] * z.shape[3] + z.new_zeros(
            len(z)
        )


def network(n_in, n_out, hidden):
    return nn.Sequential(nn.Conv2d(n_in, hidden, 3, 1, 1), nn.Tanh(), nn.Conv2d(hidden, n_out, 3, 1, 1))


class AffineCoupling(nn.Module):
    def __init__(self, channels, hidden=32):
        super().__init__()
        if channels < 2 or channels % 2:
            raise ValueError("channels must be even and at least 2")
        self.register_buffer("mask", (torch.arange(channels) < channels // 2).float()[:, None, None])
        self.s, self.t = network(channels, channels, hidden), network(channels, channels, hidden)

    def scale(self, x):
        right_channels(x, len(self.mask))
        kept = self.mask * x
        sigma = 0.1 + 1.8 * torch.sigmoid(self.s(kept))
        return kept, self.mask + (1 - self.mask) * sigma, (1 - self.mask) * self.t(kept)

    def forward(self, x):
        kept, sigma, t = self.scale(x)
        return kept + (1 - self.mask) * (sigma * x + t), sigma.log().sum((1, 2, 3))

    def inverse(self, z):
        kept, sigma, t = self.scale(z)
        return kept + (1 - self.mask) * (z - t) / sigma, -sigma.log().sum((1, 2, 3))


class Scale(nn.Module):
    """One scale, and all that come after it."""

    def __init__(self, channels, n_scales, n_steps, hidden):
        super().__init__()
        c = 4 * channels
        self.steps = nn.ModuleList()
        for _ in range(n_steps):
            self.steps.append(nn.ModuleList([ActNorm(c), InvertibleConv1x1(c), AffineCoupling(c, hidden)]))
        self.next = Scale(c // 2, n_scales - 1, n_steps, hidden) if n_scales > 1 else None

    def forward(self, x):
        x, total = blocks(x), 0.0
        for step in self.steps:
            for layer in step:
                x, log_det = layer(x)
                total = total + log_det
        if self.next is None:
            return [x], total
        z, x = x.chunk(2, dim=1)
        zs, log_det = self.next(x)
        return [z] + zs, total + log_det

    def inverse(self, zs):
        x, total = zs[0], 0.0
        if self.next is not None:
            coarse, total = self.next.inverse(zs[1:])
            x = torch.cat([x, coarse], dim=1)
        for step in list(self.steps)[::-1]:
            for layer in list(step)[::-1]:
                x, log_det = layer.inverse(x)
                total = total + log_det
        return unblocks(x), total


class Glow(nn.Module):
    def __init__(self, channels=1, size=8, n_scales=2, n_steps=4, hidden=32):
        super().__init__()
        for value in (channels, size, n_scales, n_steps):
            if value < 1:
                raise ValueError("sizes must be positive")
        if size % 2**n_scales:
            raise ValueError("size must be a multiple of 2^n_scales")
        self.channels, self.size, self.n_scales = channels, size, n_scales
        self.scale = Scale(channels, n_scales, n_steps, hidden)

    def forward(self, x):
        right_channels(x, self.channels)
        if x.shape[2] != self.size or x.shape[3] != self.size:
            raise ValueError("expected images of side %d" % self.size)
        return self.scale(x)

    def inverse(self, zs):
        return self.scale.inverse(list(zs))

    def log_prob(self, x):
        zs, log_det = self(x)
        for z in zs:
            log_det = log_det + torch.distributions.Normal(0.0, 1.0).log_prob(z).flatten(1).sum(1)
        return log_det

    def sample(self, n, temperature=1.0, generator=None):
        if n < 1 or temperature < 0:
            raise ValueError("n must be positive, temperature not negative")
        p = next(self.parameters())
        zs = []
        for k in range(1, self.n_scales + 1):
            c, side = self.channels * 2**k * (1 + (k == self.n_scales)), self.size // 2**k
            zs.append(torch.normal(0.0, 1.0, (n, c, side, side), generator=generator, dtype=p.dtype).to(p) * temperature)
        with torch.no_grad():
            return self.inverse(zs)[0]


def bits_per_dimension(model, pixels, noise, levels, alpha=0.05):
    if levels < 2:
        raise ValueError("levels must be at least 2")
    if pixels.shape != noise.shape:
        raise ValueError("pixels and noise must have one shape")
    y = (pixels.to(noise) + noise) / levels
    x, log_det = logit_transform(y, alpha)
    log_p = model.log_prob(x) + log_det
    d = y[0].numel()
    return -(log_p / d - math.log(levels)) * math.log2(math.e)


def train_glow(model, pixels, steps, levels, batch_size=64, lr=1e-3, alpha=0.05, generator=None, progress=False):
    if steps < 1 or batch_size < 1:
        raise ValueError("steps and batch_size must be positive")
    loader = DataLoader(pixels, batch_size, shuffle=True, generator=generator, drop_last=len(pixels) >= batch_size)
    optimizer = torch.optim.Adam(list(model.parameters()), lr)
    history = {"bpd": []}
    model.train()
    while True:
        for batch in loader:
            noise = torch.rand(batch.shape, generator=generator).to(batch.device)
            loss = torch.mean(bits_per_dimension(model, batch, noise, levels, alpha))
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_value_(model.parameters(), 5.0)
            optimizer.step()
            history["bpd"].append(loss.item())
            if len(history["bpd"]) == steps:
                return history


def sample_images(model, n, levels, temperature=1.0, alpha=0.05, generator=None):
    if n < 1 or temperature < 0:
        raise ValueError("n must be positive, temperature not negative")
    y, _log_det = inverse_logit_transform(model.sample(n, temperature=temperature, generator=generator), alpha)
    return torch.clamp((levels * y).floor(), 0, levels - 1).to(torch.long)
