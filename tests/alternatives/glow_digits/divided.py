# ActNorm as (x - m) / s with an unbiased deviation, the second half passes in couplings, softplus scales by which is
# divided, odd and even channels leave, matrix products for the convolution, einops-free views; plain loops.
import math

import torch
from torch import nn

LOG_2PI = math.log(2 * math.pi)


def flat_sum(v):
    return v.reshape(v.shape[0], -1).sum(-1)


def logit_transform(y, alpha=0.05):
    if not (0 <= alpha and alpha < 0.5):
        raise ValueError("alpha must lie in [0, 1/2)")
    if y.min() < 0 or y.max() > 1:
        raise ValueError("y must lie in [0, 1]")
    p = alpha + (1 - 2 * alpha) * y
    slope = (1 - 2 * alpha) / (p * (1 - p))
    return torch.special.logit(p), flat_sum(slope.log())


def inverse_logit_transform(x, alpha=0.05):
    if not (0 <= alpha and alpha < 0.5):
        raise ValueError("alpha must lie in [0, 1/2)")
    p = 1 / (1 + torch.exp(-x))
    return (p - alpha) / (1 - 2 * alpha), flat_sum(torch.log(p * (1 - p) / (1 - 2 * alpha)))


def to_channels(x):
    return torch.cat([x[:, :, i::2, j::2] for i in (0, 1) for j in (0, 1)], 1)


def to_pixels(x):
    b, c, h, w = x.shape
    out = x.new_empty(b, c // 4, 2 * h, 2 * w)
    for k, part in enumerate(x.chunk(4, 1)):
        out[:, :, k // 2 :: 2, k % 2 :: 2] = part
    return out


class Layer(nn.Module):
    def __init__(self, channels):
        super().__init__()
        if channels < 1:
            raise ValueError(f"channels must be positive, got {channels}")
        self.channels = channels

    def look(self, x):
        if x.dim() != 4 or x.shape[1] != self.channels:
            raise ValueError(f"expected (B, {self.channels}, H, W), got {tuple(x.shape)}")


class ActNorm(Layer):
    def __init__(self, channels):
        super().__init__(channels)
        self.mean = nn.Parameter(torch.zeros(channels, 1, 1))
        self.deviation = nn.Parameter(torch.ones(channels, 1, 1))
        self.register_buffer("seen", torch.tensor(0.0))

    def forward(self, x):
        self.look(x)
        if self.training and self.seen == 0:
            rows = x.detach().transpose(0, 1).flatten(1)
            with torch.no_grad():
                self.mean.copy_(rows.mean(1)[:, None, None])
                self.deviation.copy_((rows.var(1) + 1e-8).sqrt()[:, None, None])
                self.seen.copy_(torch.tensor(1.0))
        log_det = -(torch.log(self.deviation.abs()).sum() * x.shape[2] * x.shape[3])
        return (x - self.mean) / self.deviation, log_det * torch.ones_like(x[:, 0, 0, 0])

    def inverse(self, z):
        self.look(z)
        log_det = torch.log(self.deviation.abs()).sum() * z.shape[2] * z.shape[3]
        return z * self.deviation + self.mean, log_det * torch.ones_like(z[:, 0, 0, 0])


class InvertibleConv1x1(Layer):
    def __init__(self, channels):
        super().__init__(channels)
        self.w = nn.Parameter(nn.init.orthogonal_(torch.empty(channels, channels)))

    def forward(self, x):
        self.look(x)
        b, c, h, w = x.shape
        log_det = torch.linalg.det(self.w.double()).abs().log().to(x) * h * w
        return (self.w @ x.reshape(b, c, h * w)).reshape(b, c, h, w), log_det.expand(b)

    def inverse(self, z):
        self.look(z)
        b, c, h, w = z.shape
        log_det = -torch.linalg.slogdet(self.w)[1] * h * w
        return torch.linalg.solve(self.w, z.reshape(b, c, h * w)).reshape(b, c, h, w), log_det.expand(b)


class AffineCoupling(Layer):
    def __init__(self, channels, hidden=32):
        super().__init__(channels)
        if channels % 2:
            raise ValueError(f"channels must be even, got {channels}")
        half = channels // 2
        self.body = nn.Sequential(nn.Conv2d(half, hidden, 3, padding="same"), nn.GELU())
        self.scale, self.shift = (nn.Conv2d(hidden, half, 3, padding="same") for _ in "st")
        for last in (self.scale, self.shift):
            nn.init.normal_(last.weight, std=1e-3)
            nn.init.zeros_(last.bias)

    def numbers(self, passing):
        h = self.body(passing)
        return nn.functional.softplus(self.scale(h) + 0.2) + 0.2, self.shift(h)

    def forward(self, x):
        self.look(x)
        half = self.channels // 2
        moved, passing = x[:, :half], x[:, half:]
        sigma, t = self.numbers(passing)
        return torch.cat(((moved - t) / sigma, passing), 1), -flat_sum(sigma.log())

    def inverse(self, z):
        self.look(z)
        half = self.channels // 2
        moved, passing = z[:, :half], z[:, half:]
        sigma, t = self.numbers(passing)
        return torch.cat((moved * sigma + t, passing), 1), flat_sum(sigma.log())


class Glow(nn.Module):
    def __init__(self, channels=1, size=8, n_scales=2, n_steps=4, hidden=32):
        super().__init__()
        if channels < 1 or n_scales < 1 or n_steps < 1 or size < 1 or size % (2**n_scales):
            raise ValueError(f"bad sizes {channels}, {size}, {n_scales}, {n_steps}")
        self.channels, self.size, self.n_scales, self.n_steps = channels, size, n_scales, n_steps
        layers, c = [], channels
        for _scale in range(n_scales):
            c *= 4
            for _step in range(n_steps):
                layers += [ActNorm(c), InvertibleConv1x1(c), AffineCoupling(c, hidden)]
            c //= 2
        self.layers = nn.ModuleList(layers)

    def at(self, scale):
        n = 3 * self.n_steps
        return list(self.layers)[scale * n : (scale + 1) * n]

    def forward(self, x):
        if x.dim() != 4 or list(x.shape[1:]) != [self.channels, self.size, self.size]:
            raise ValueError(f"expected images of {self.channels} channels and side {self.size}")
        zs, parts = [], []
        for scale in range(self.n_scales):
            x = to_channels(x)
            for layer in self.at(scale):
                x, part = layer(x)
                parts.append(part)
            if scale != self.n_scales - 1:
                zs.append(x[:, ::2])
                x = x[:, 1::2]
        zs.append(x)
        return zs, torch.stack(parts).sum(0)

    def inverse(self, zs):
        x, parts = zs[-1], []
        for scale in range(self.n_scales - 1, -1, -1):
            if scale != self.n_scales - 1:
                x = torch.stack([zs[scale], x], 2).flatten(1, 2)
            for layer in self.at(scale)[::-1]:
                x, part = layer.inverse(x)
                parts.append(part)
            x = to_pixels(x)
        return x, torch.stack(parts).sum(0)

    def log_prob(self, x):
        zs, log_det = self.forward(x)
        z = torch.cat([v.flatten(1) for v in zs], 1)
        return -0.5 * (z * z).sum(1) - 0.5 * z.shape[1] * LOG_2PI + log_det

    def sample(self, n, temperature=1.0, generator=None):
        if n < 1:
            raise ValueError("n must be at least 1")
        if temperature < 0:
            raise ValueError("temperature must not be negative")
        w = self.layers[1].w
        zs = []
        for s in range(1, self.n_scales + 1):
            c = self.channels * 2 ** (s + (s == self.n_scales))
            z = w.new_empty(n, c, self.size // 2**s, self.size // 2**s).normal_(std=1.0, generator=generator)
            zs.append(z * temperature)
        return self.inverse(zs)[0].detach()


def bits_per_dimension(model, pixels, noise, levels, alpha=0.05):
    if levels < 2:
        raise ValueError("levels must be at least 2")
    if pixels.shape != noise.shape:
        raise ValueError("pixels and noise of different shapes")
    x, log_det = logit_transform((pixels.to(noise) + noise) / levels, alpha)
    bits = (model.log_prob(x) + log_det) / math.log(2) / pixels[0].numel()
    return math.log2(levels) - bits


def train_glow(model, pixels, steps, levels, batch_size=64, lr=1e-3, alpha=0.05, generator=None, progress=False):
    for name, value in (("steps", steps), ("batch_size", batch_size)):
        if value < 1:
            raise ValueError(f"{name} must be at least 1")
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    history = []
    for _ in range(steps):
        batch = pixels[torch.randint(0, len(pixels), (batch_size,), generator=generator)]
        noise = torch.rand(*batch.shape, generator=generator).to(batch.device)
        optimizer.zero_grad()
        bits = bits_per_dimension(model, batch, noise, levels, alpha)
        bits.mean().backward()
        optimizer.step()
        history.append(float(bits.mean()))
    return {"bpd": history, "steps": list(range(steps))}


def sample_images(model, n, levels, temperature=1.0, alpha=0.05, generator=None):
    if n < 1 or temperature < 0:
        raise ValueError("n must be at least 1, temperature at least 0")
    x = model.sample(n, temperature=temperature, generator=generator)
    y = inverse_logit_transform(x, alpha)[0]
    return torch.floor(y * levels).clamp(min=0, max=levels - 1).to(torch.int64)
