"""Right shapes, dtypes and refusals, zeros everywhere: no maths at all."""

import torch
from torch import nn


def fits(x, t, noise):
    if noise.shape != x.shape or len(t) != len(x) or bool((t < 0).any()):
        raise ValueError(f"x, t, noise: got {tuple(x.shape)}, {t}, {tuple(noise.shape)}")


def whole(**counts):
    for name, count in counts.items():
        if count is not None and count < 1:
            raise ValueError(f"{name}: expected at least 1, got {count}")


def linear_beta_schedule(T, beta_1=1e-4, beta_T=0.02):
    whole(T=T)
    return torch.zeros(T)


def cosine_beta_schedule(T, s=0.008):
    whole(T=T)
    return torch.zeros(T)


class Diffusion:
    def __init__(self, betas):
        self.alphas = torch.zeros_like(betas)
        self.alpha_bars = torch.zeros_like(betas)
        self.posterior_variance = torch.zeros_like(betas)


def q_sample(diffusion, x0, t, noise):
    fits(x0, t, noise)
    return torch.zeros_like(x0)


def q_step(diffusion, x_prev, t, noise):
    fits(x_prev, t, noise)
    return torch.zeros_like(x_prev)


def time_embedding(t, dim):
    return torch.zeros(len(t), dim)


class UNet(nn.Module):
    def __init__(self, channels=1, base=32):
        super().__init__()
        self.scale = nn.Parameter(torch.zeros(()))

    def forward(self, x, t):
        return 0 * x * self.scale


def ddpm_loss(model, diffusion, x0, t, noise):
    fits(x0, t, noise)
    return 0 * model(x0, t).mean()


def predict_x0(diffusion, x_t, t, noise):
    fits(x_t, t, noise)
    return torch.zeros_like(x_t)


def score_from_noise(diffusion, noise, t):
    fits(noise, t, noise)
    return torch.zeros_like(noise)


def p_sample_step(model, diffusion, x_t, t, noise):
    return torch.zeros_like(x_t)


def ddim_step(model, diffusion, x_t, t, t_prev, eta=0.0, noise=None):
    return torch.zeros_like(x_t)


def sample(model, diffusion, shape, steps=None, generator=None, progress=False):
    whole(steps=steps)
    return torch.zeros(tuple(shape), dtype=diffusion.alphas.dtype)


def train_ddpm(model, diffusion, x, steps, batch_size=64, lr=2e-4, generator=None, progress=False):
    whole(steps=steps, batch_size=batch_size)
    return {"loss": [0.0] * steps}
