# Tables as read-only properties; time as extra input maps; warm-up and gradient clipping; noise predictor kept in float64 inside.
import copy
import math
from dataclasses import dataclass

import torch
from torch import nn


def linear_beta_schedule(T, beta_1=1e-4, beta_T=0.02):
    if T < 1:
        raise ValueError("T")
    if T == 1:
        return torch.tensor([beta_1])
    step = (beta_T - beta_1) / (T - 1)
    return torch.tensor([beta_1 + i * step for i in range(T)])


def cosine_beta_schedule(T, s=0.008):
    f = [math.cos((u / T + s) / (1 + s) * math.pi / 2) ** 2 for u in range(T + 1)]
    bars = [value / f[0] for value in f]
    return torch.tensor([min(1 - b / a, 0.999) for a, b in zip(bars, bars[1:])], dtype=torch.float64)


@dataclass(frozen=True)
class Diffusion:
    betas: torch.Tensor

    @property
    def alphas(self):
        return 1 - self.betas

    @property
    def alpha_bars(self):
        return self.alphas.cumprod(0)

    @property
    def before(self):
        return torch.roll(self.alpha_bars, 1).index_fill(0, torch.tensor([0], device=self.betas.device), 1.0)

    @property
    def posterior_variance(self):
        return (1 - self.before) / (1 - self.alpha_bars) * self.betas


def _column(values, t, x):
    if t.dim() != 1 or t.size(0) != x.size(0):
        raise ValueError(f"t: one time per image ({x.size(0)}), got {tuple(t.shape)}")
    if (t < 0).any() or (t >= values.numel()).any():
        raise ValueError("t: out of range")
    return values[t].view(-1, *(1 for _ in x.shape[1:])).type_as(x)


def q_sample(diffusion, x0, t, noise):
    if noise.shape != x0.shape:
        raise ValueError("noise and x0 differ in shape")
    mean = _column(diffusion.alpha_bars, t, x0).sqrt() * x0
    return torch.addcmul(mean, _column(1 - diffusion.alpha_bars, t, x0).sqrt(), noise)


def q_step(diffusion, x_prev, t, noise):
    if noise.shape != x_prev.shape:
        raise ValueError("noise and x_prev differ in shape")
    beta = _column(diffusion.betas, t, x_prev)
    return x_prev * (1 - beta) ** 0.5 + noise * beta**0.5


def time_embedding(t, dim):
    k = torch.arange(1, dim // 2 + 1, device=t.device, dtype=torch.float64)
    angles = t.double().unsqueeze(1) / 20 ** (3 * (k - 1) / (dim // 2))
    out = torch.empty(len(t), dim, device=t.device, dtype=torch.float64)
    out[:, ::2], out[:, 1::2] = angles.cos(), angles.sin()
    return out


def conv(inside, outside):
    return nn.Sequential(nn.Conv2d(inside, outside, 3, padding=1), nn.ELU(), nn.Conv2d(outside, outside, 3, padding=1), nn.ELU())


class UNet(nn.Module):
    TIME = 16

    def __init__(self, channels=1, base=32):
        super().__init__()
        self.encoder = nn.ModuleList([conv(channels + self.TIME, base), conv(base + self.TIME, 2 * base)])
        self.bottom = conv(2 * base + self.TIME, 2 * base)
        self.decoder = nn.ModuleList([conv(4 * base + self.TIME, base), conv(2 * base + self.TIME, base)])
        self.last = nn.Conv2d(base, channels, 3, padding=1)

    def forward(self, x, t):
        code = time_embedding(t, self.TIME).to(x)

        def with_time(h):
            return torch.cat([h, code[:, :, None, None].expand(-1, -1, h.shape[2], h.shape[3])], 1)

        skips, h = [], x
        for block in self.encoder:
            h = block(with_time(h))
            skips.append(h)
            h = nn.functional.avg_pool2d(h, 2)
        h = self.bottom(with_time(h))
        for block in self.decoder:
            h = nn.functional.interpolate(h, scale_factor=2, mode="bilinear", align_corners=False)
            h = block(with_time(torch.cat([skips.pop(), h], 1)))
        return self.last(h)


def ddpm_loss(model, diffusion, x0, t, noise):
    return torch.mean(torch.square(noise - model(q_sample(diffusion, x0, t, noise), t)))


def predict_x0(diffusion, x_t, t, noise):
    if noise.shape != x_t.shape:
        raise ValueError("noise and x_t differ in shape")
    bar = _column(diffusion.alpha_bars, t, x_t)
    return (x_t - noise * (1 - bar).sqrt()) * bar.rsqrt()


def score_from_noise(diffusion, noise, t):
    return noise * -_column(1 - diffusion.alpha_bars, t, noise).rsqrt()


def p_sample_step(model, diffusion, x_t, t, noise):
    # DDIM with eta = 1 is the ancestral step
    return ddim_step(model, diffusion, x_t, t, t - 1, 1.0, noise if t > 0 else torch.zeros_like(noise))


def ddim_step(model, diffusion, x_t, t, t_prev, eta=0.0, noise=None):
    times = torch.tensor(t, device=x_t.device).repeat(len(x_t))
    a = diffusion.alpha_bars[t]
    b = diffusion.alpha_bars[t_prev] if t_prev >= 0 else a.new_ones(())
    eps = model(x_t, times)
    x0 = predict_x0(diffusion, x_t, times, eps)
    sigma = eta * torch.sqrt((1 - b) / (1 - a) * (1 - a / b))
    direction = torch.sqrt(torch.clamp(1 - b - sigma * sigma, min=0.0)) * eps
    if noise is None or eta == 0:
        return b.sqrt() * x0 + direction
    return b.sqrt() * x0 + direction + sigma * noise


def sample(model, diffusion, shape, steps=None, generator=None, progress=False):
    T = len(diffusion.betas)
    if steps is not None and steps < 1:
        raise ValueError("steps < 1")
    was_training = getattr(model, "training", False)
    if was_training:
        model.eval()
    steps = T if steps is None else steps
    stride = T // steps
    times = list(range(T - 1, -1, -stride))[:steps]
    with torch.no_grad():
        x = torch.randn(list(shape), generator=generator).to(diffusion.betas)
        for t, after in zip(times, times[1:] + [-1]):
            if steps == T:
                x = p_sample_step(model, diffusion, x, t, torch.randn(x.shape, generator=generator).to(x))
            else:
                x = ddim_step(model, diffusion, x, t, after)
    if was_training:
        model.train()
    return x


def train_ddpm(model, diffusion, x, steps, batch_size=64, lr=2e-4, generator=None, progress=False):
    if steps <= 0:
        raise ValueError("steps must be positive")
    if batch_size <= 0:
        raise ValueError("batch_size must be positive")
    optimizer = torch.optim.NAdam(model.parameters(), lr=lr)
    warm_up = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda k: min(1.0, (k + 1) / 10))
    average = copy.deepcopy(model)  # shown for interest: the model itself is what is trained
    losses = []
    for _ in range(steps):
        rows = torch.randint(len(x), (batch_size,), generator=generator)
        t = torch.randint(len(diffusion.betas), (batch_size,), generator=generator).to(x.device)
        eps = torch.randn(batch_size, *x.shape[1:], generator=generator).to(x)
        loss = ddpm_loss(model, diffusion, x[rows], t, eps)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_value_(model.parameters(), 1.0)
        optimizer.step()
        warm_up.step()
        with torch.no_grad():
            for a, b in zip(average.parameters(), model.parameters()):
                a.lerp_(b, 0.05)
        losses.append(loss.item())
    return dict(loss=losses)
