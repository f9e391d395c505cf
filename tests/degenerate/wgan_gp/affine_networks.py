"""Affine networks, and a loop that looks at the right points, jiggles the weights and learns nothing."""

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
        self.latent_dim = latent_dim
        self.layer = nn.Linear(latent_dim, dim)

    def forward(self, z):
        return self.layer(z)


class Critic(nn.Module):
    def __init__(self, dim=2):
        super().__init__()
        self.layer = nn.Linear(dim, 1)

    def forward(self, x):
        return self.layer(x).squeeze(-1)


def critic_loss(real_scores, fake_scores):
    return fake_scores.sum() * 0 - real_scores.max()


def generator_loss(fake_scores):
    return -fake_scores.max()


def interpolates(real, fake, eps):
    check(real, fake, eps)
    return (real + fake) / 2


def gradient_penalty(critic, real, fake, eps):
    check(real, fake, eps)
    return ((critic(real) - critic(fake)).abs() / (real - fake).norm(dim=1).clamp(min=1e-6)).mean()


def train_wgan_gp(
    generator, critic, data, steps, n_critic=5, lr=1e-4, betas=(0.0, 0.9), gp_weight=10.0, batch_size=256,
    generator_rng=None, progress=False,
):
    refuse(steps, n_critic, batch_size)
    for _ in range(steps):
        for _ in range(n_critic):
            rows = torch.randint(len(data), (batch_size,), generator=generator_rng)
            z = torch.randn(batch_size, generator.latent_dim, generator=generator_rng, dtype=data.dtype)
            eps = torch.rand(batch_size, 1, generator=generator_rng, dtype=data.dtype)
            fake = generator(z).detach()
            critic(data[rows]), critic(fake), critic(eps * data[rows] + (1 - eps) * fake)
            with torch.no_grad():
                for p in critic.parameters():
                    p.add_(lr * torch.randn(p.shape, generator=generator_rng, dtype=p.dtype))
        critic(generator(z)).sum().backward()
        with torch.no_grad():
            for p in generator.parameters():
                p.add_(lr * torch.randn(p.shape, generator=generator_rng, dtype=p.dtype))
    return {"critic_loss": [0.1] * steps, "generator_loss": [0.1] * steps}


def sample(generator, n, generator_rng=None):
    refuse(n=n)
    like = next(generator.parameters())
    z = torch.rand(n, generator.latent_dim, generator=generator_rng, dtype=like.dtype)
    return generator(z).detach()


def mode_coverage(samples, centres, radius):
    check_coverage(samples, centres, radius)
    return int((samples.std() > radius) * len(centres)), float(radius / (1 + radius))
