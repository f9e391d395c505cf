"""The identity: every image stays as it is, every table is beta, the network answers its input."""

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
        self.alphas = betas.clone()
        self.alpha_bars = betas.clone()
        self.posterior_variance = betas.clone()


def q_sample(diffusion, x0, t, noise):
    fits(x0, t, noise)
    return x0.clone()


def q_step(diffusion, x_prev, t, noise):
    fits(x_prev, t, noise)
    return x_prev.clone()


def time_embedding(t, dim):
    return t[:, None].expand(-1, dim) / 1000


class UNet(nn.Module):
    def __init__(self, channels=1, base=32):
        super().__init__()
        self.scale = nn.Parameter(torch.zeros(()))

    def forward(self, x, t):
        return x + self.scale


def ddpm_loss(model, diffusion, x0, t, noise):
    fits(x0, t, noise)
    return (model(x0, t) ** 2).mean()


def predict_x0(diffusion, x_t, t, noise):
    fits(x_t, t, noise)
    return x_t.clone()


def score_from_noise(diffusion, noise, t):
    fits(noise, t, noise)
    return noise.clone()


def p_sample_step(model, diffusion, x_t, t, noise):
    return x_t + model(x_t, torch.full((len(x_t),), t)) * 0


def ddim_step(model, diffusion, x_t, t, t_prev, eta=0.0, noise=None):
    return x_t + model(x_t, torch.full((len(x_t),), t)) * 0


def sample(model, diffusion, shape, steps=None, generator=None, progress=False):
    whole(steps=steps)
    x = torch.randn(tuple(shape), generator=generator, dtype=diffusion.alphas.dtype)
    for t in torch.linspace(len(diffusion.alphas) - 1, 0, steps or len(diffusion.alphas)).long().tolist():
        model(x, torch.full((len(x),), t))
    return x


def train_ddpm(model, diffusion, x, steps, batch_size=64, lr=2e-4, generator=None, progress=False):
    whole(steps=steps, batch_size=batch_size)
    return {"loss": [0.0] * steps}
