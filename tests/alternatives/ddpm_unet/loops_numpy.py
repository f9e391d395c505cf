# NumPy and Python loops for the formulas; U-Net with pooling, transposed convolutions and batch normalisation; epochs.
import math

import numpy as np
import torch
from torch import nn


def linear_beta_schedule(T, beta_1=1e-4, beta_T=0.02):
    if T < 1:
        raise ValueError(f"T must be >= 1, got {T}")
    return torch.from_numpy(np.linspace(beta_1, beta_T, T))


def cosine_beta_schedule(T, s=0.008):
    if T < 1:
        raise ValueError(f"T must be >= 1, got {T}")

    def alpha_bar(u):
        return math.cos((u + s) / (1 + s) * math.pi / 2) ** 2

    return torch.tensor([min(1 - alpha_bar((i + 1) / T) / alpha_bar(i / T), 0.999) for i in range(T)])


class Diffusion:
    def __init__(self, betas):
        self.betas = betas
        self.T = len(betas)
        alphas, bars, variances = [], [], []
        bar = 1.0
        for beta in betas.tolist():
            previous = bar
            bar *= 1 - beta
            alphas.append(1 - beta)
            bars.append(bar)
            variances.append(beta * (1 - previous) / (1 - bar))
        self.alphas = torch.tensor(alphas).to(betas) if betas.dtype == torch.float32 else betas.new_tensor(alphas)
        self.alpha_bars = betas.new_tensor(bars)
        self.posterior_variance = betas.new_tensor(variances)


def _check(x, t, noise=None):
    if noise is not None and noise.shape != x.shape:
        raise ValueError(f"noise: expected {tuple(x.shape)}, got {tuple(noise.shape)}")
    if len(t) != len(x):
        raise ValueError(f"t: expected {len(x)} times, got {len(t)}")
    for value in t.tolist():
        if value < 0:
            raise ValueError(f"t: negative time {value}")


def q_sample(diffusion, x0, t, noise):
    _check(x0, t, noise)
    out = torch.empty_like(x0)
    for i, time in enumerate(t.tolist()):
        bar = diffusion.alpha_bars[time].item()
        out[i] = math.sqrt(bar) * x0[i] + math.sqrt(1 - bar) * noise[i]
    return out


def q_step(diffusion, x_prev, t, noise):
    _check(x_prev, t, noise)
    rows = []
    for i, time in enumerate(t.tolist()):
        alpha = diffusion.alphas[time].item()
        rows.append(math.sqrt(alpha) * x_prev[i] + math.sqrt(1 - alpha) * noise[i])
    return torch.stack(rows)


def time_embedding(t, dim):
    out = torch.zeros(len(t), dim, device=t.device)
    for i in range(0, dim, 2):  # interleaved, as in the Transformer
        frequency = 1.0 / 10000 ** (i / dim)
        out[:, i] = torch.sin(t * frequency)
        out[:, i + 1] = torch.cos(t * frequency)
    return out


class _Double(nn.Module):
    def __init__(self, inside, outside, time):
        super().__init__()
        self.a = nn.Sequential(nn.Conv2d(inside, outside, 3, padding=1), nn.BatchNorm2d(outside), nn.ReLU())
        self.t = nn.Linear(time, outside)
        self.b = nn.Sequential(nn.Conv2d(outside, outside, 3, padding=1), nn.BatchNorm2d(outside), nn.ReLU(inplace=True))

    def forward(self, x, e):
        x = self.a(x)
        return self.b(x + self.t(e).view(x.shape[0], -1, 1, 1))


class UNet(nn.Module):
    def __init__(self, channels=1, base=32):
        super().__init__()
        self.dim = 32
        self.in_ = _Double(channels, base, self.dim)
        self.d1 = _Double(base, base * 2, self.dim)
        self.d2 = _Double(base * 2, base * 4, self.dim)
        self.pool = nn.MaxPool2d(2)
        self.u1 = nn.ConvTranspose2d(base * 4, base * 2, 2, stride=2)
        self.c1 = _Double(base * 4, base * 2, self.dim)
        self.u2 = nn.ConvTranspose2d(base * 2, base, 2, stride=2)
        self.c2 = _Double(base * 2, base, self.dim)
        self.out = nn.Conv2d(base, channels, 1)

    def forward(self, x, t):
        e = time_embedding(t, self.dim).to(x)
        a = self.in_(x, e)
        b = self.d1(self.pool(a), e)
        c = self.d2(self.pool(b), e)
        y = self.c1(torch.cat((self.u1(c), b), 1), e)
        y = self.c2(torch.cat((self.u2(y), a), 1), e)
        return self.out(y)


def ddpm_loss(model, diffusion, x0, t, noise):
    predicted = model(q_sample(diffusion, x0, t, noise), t)
    return ((predicted - noise) ** 2).sum() / noise.numel()


def predict_x0(diffusion, x_t, t, noise):
    _check(x_t, t, noise)
    rows = []
    for i, time in enumerate(t.tolist()):
        bar = diffusion.alpha_bars[time].item()
        rows.append(x_t[i] / math.sqrt(bar) - math.sqrt(1 / bar - 1) * noise[i])
    return torch.stack(rows)


def score_from_noise(diffusion, noise, t):
    _check(noise, t)
    return torch.stack([-n / math.sqrt(1 - diffusion.alpha_bars[k].item()) for n, k in zip(noise, t.tolist())])


def p_sample_step(model, diffusion, x_t, t, noise):
    alpha, bar = diffusion.alphas[t].item(), diffusion.alpha_bars[t].item()
    eps = model(x_t, torch.tensor([t] * x_t.shape[0], device=x_t.device))
    mean = x_t / math.sqrt(alpha) - eps * (1 - alpha) / (math.sqrt(alpha) * math.sqrt(1 - bar))
    if t > 0:
        mean = mean + math.sqrt(diffusion.posterior_variance[t].item()) * noise
    return mean


def ddim_step(model, diffusion, x_t, t, t_prev, eta=0.0, noise=None):
    bar = diffusion.alpha_bars[t].item()
    before = 1.0 if t_prev < 0 else diffusion.alpha_bars[t_prev].item()
    eps = model(x_t, torch.tensor([t] * x_t.shape[0], device=x_t.device))
    x0 = (x_t - math.sqrt(1 - bar) * eps) / math.sqrt(bar)
    sigma = eta * math.sqrt((1 - before) / (1 - bar)) * math.sqrt(1 - bar / before)
    out = math.sqrt(before) * x0 + math.sqrt(max(1 - before - sigma**2, 0.0)) * eps
    if sigma > 0:
        out = out + sigma * (noise if noise is not None else torch.randn_like(x_t))
    return out


def sample(model, diffusion, shape, steps=None, generator=None, progress=False):
    T = len(diffusion.alphas)
    if steps is not None and steps < 1:
        raise ValueError("steps must be >= 1")
    with torch.no_grad():
        x = torch.randn(tuple(shape), generator=generator, dtype=diffusion.alphas.dtype).to(diffusion.alphas)
        if steps is None or steps >= T:
            for t in reversed(range(T)):
                z = torch.randn(tuple(shape), generator=generator, dtype=x.dtype).to(x) if t else torch.zeros_like(x)
                x = p_sample_step(model, diffusion, x, t, z)
        else:
            times = np.linspace(0, T - 1, steps).round().astype(int)[::-1].tolist() + [-1]
            for now, after in zip(times[:-1], times[1:]):
                x = ddim_step(model, diffusion, x, now, after)
    return x


def train_ddpm(model, diffusion, x, steps, batch_size=64, lr=2e-4, generator=None, progress=False):
    if steps < 1:
        raise ValueError(f"steps: {steps}")
    if batch_size < 1:
        raise ValueError(f"batch_size: {batch_size}")
    model.train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr)
    losses = []
    while len(losses) < steps:
        for rows in torch.randperm(len(x), generator=generator).split(batch_size):
            if len(losses) == steps:
                break
            batch = x[rows]
            t = torch.randint(0, len(diffusion.alphas), (len(batch),), generator=generator).to(batch.device)
            noise = torch.randn(batch.shape, generator=generator, dtype=batch.dtype).to(batch)
            loss = ddpm_loss(model, diffusion, batch, t, noise)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            losses.append(float(loss))
    return {"loss": losses}
