"""Random numbers of the right shapes."""

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
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, z):
        return self.scale * torch.randn(len(z), self.dim).to(z)


class Critic(nn.Module):
    def __init__(self, dim=2):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, x):
        return self.scale * torch.randn(len(x)).to(x) + 0 * x.sum(-1)


def critic_loss(real_scores, fake_scores):
    return torch.randn(()).to(real_scores)


def generator_loss(fake_scores):
    return torch.randn(()).to(fake_scores)


def interpolates(real, fake, eps):
    check(real, fake, eps)
    return torch.randn_like(real)


def gradient_penalty(critic, real, fake, eps):
    check(real, fake, eps)
    return critic(real).sum() * 0 + torch.rand(()).to(real)


def train_wgan_gp(
    generator, critic, data, steps, n_critic=5, lr=1e-4, betas=(0.0, 0.9), gp_weight=10.0, batch_size=256,
    generator_rng=None, progress=False,
):
    refuse(steps, n_critic, batch_size)
    with torch.no_grad():
        for network in (generator, critic):
            for p in network.parameters():
                p.add_(lr * torch.randn(p.shape, generator=generator_rng, dtype=p.dtype))
    draw = torch.randn(2, steps, generator=generator_rng).tolist()
    return {"critic_loss": draw[0], "generator_loss": draw[1]}


def sample(generator, n, generator_rng=None):
    refuse(n=n)
    return torch.randn(n, 2, generator=generator_rng, dtype=next(generator.parameters()).dtype)


def mode_coverage(samples, centres, radius):
    check_coverage(samples, centres, radius)
    return int(torch.randint(len(centres), ())), float(torch.rand(()))
