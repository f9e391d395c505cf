# Shuffled epochs instead of random rows, NumPy in mode_coverage and the losses' bookkeeping, 1e-12 under the root.
import numpy as np
import torch
from torch import nn


class Generator(nn.Sequential):
    def __init__(self, latent_dim=2, dim=2):
        super().__init__(
            nn.Linear(latent_dim, 128), nn.Tanh(), nn.Linear(128, 128), nn.Tanh(), nn.Linear(128, dim)
        )
        self.latent_dim = latent_dim


class Critic(nn.Module):
    def __init__(self, dim=2):
        super().__init__()
        self.a, self.b, self.c = nn.Linear(dim, 128), nn.Linear(128, 128), nn.Linear(128, 1)

    def forward(self, x):
        return self.c(torch.tanh(self.b(torch.tanh(self.a(x))))).squeeze(1)


def critic_loss(real_scores, fake_scores):
    return (fake_scores - real_scores).mean()


def generator_loss(fake_scores):
    return (-fake_scores).mean()


def interpolates(real, fake, eps):
    assert_same(real, fake)
    if tuple(eps.shape) != (len(real), 1):
        raise ValueError(f"eps: {tuple(eps.shape)}")
    if not (0 <= float(eps.min()) and float(eps.max()) <= 1):
        raise ValueError("eps must be in [0, 1]")
    return fake + eps * (real - fake)


def assert_same(real, fake):
    if real.shape != fake.shape:
        raise ValueError(f"real: {tuple(real.shape)}, fake: {tuple(fake.shape)}")


def gradient_penalty(critic, real, fake, eps):
    x_hat = interpolates(real, fake, eps)
    if not x_hat.requires_grad:
        x_hat.requires_grad_(True)
    out = critic(x_hat)
    (g,) = torch.autograd.grad(out, x_hat, torch.ones_like(out), create_graph=True)
    norm = torch.sqrt(torch.sum(g * g, dim=1) + 1e-12)
    return torch.mean((norm - 1) ** 2)


class Epochs:
    """Rows in shuffled epochs, the incomplete end of an epoch left out."""

    def __init__(self, data, size, rng):
        self.data, self.size, self.rng, self.order = data, min(size, len(data)), rng, []

    def next(self):
        if len(self.order) < self.size:
            self.order = torch.randperm(len(self.data), generator=self.rng, device=self.data.device).cpu().numpy()
        rows, self.order = self.order[: self.size], self.order[self.size:]
        return self.data[torch.from_numpy(np.ascontiguousarray(rows))]


def train_wgan_gp(generator, critic, data, steps, n_critic=5, lr=1e-4, betas=(0.0, 0.9), gp_weight=10.0,
                  batch_size=256, generator_rng=None, progress=False):
    if min(steps, n_critic, batch_size) < 1:
        raise ValueError(f"steps, n_critic and batch_size: at least 1, got {steps}, {n_critic}, {batch_size}")
    optimizers = [torch.optim.Adam(m.parameters(), lr=lr, betas=betas) for m in (critic, generator)]
    epochs = Epochs(data, batch_size, generator_rng)
    record = np.zeros((steps, 2))
    generator.train()
    critic.train()
    for i in range(steps):
        for _ in range(n_critic):
            real = epochs.next()
            z = torch.randn(len(real), generator.latent_dim, generator=generator_rng, device=data.device).to(data)
            fake = generator(z).data
            eps = torch.rand(len(real), 1, generator=generator_rng, device=data.device).to(data)
            optimizers[0].zero_grad()
            loss = critic_loss(critic(real), critic(fake))
            loss.backward()
            (gp_weight * gradient_penalty(critic, real, fake, eps)).backward()
            optimizers[0].step()
        optimizers[1].zero_grad()
        z = torch.randn(batch_size, generator.latent_dim, generator=generator_rng, device=data.device).to(data)
        g_loss = generator_loss(critic(generator(z)))
        g_loss.backward()
        optimizers[1].step()
        record[i] = loss.item(), g_loss.item()
    return {"critic_loss": record[:, 0].tolist(), "generator_loss": record[:, 1].tolist()}


def sample(generator, n, generator_rng=None):
    if n < 1:
        raise ValueError(f"n = {n}")
    with torch.inference_mode():
        weights = next(generator.parameters())
        z = torch.randn(n, generator.latent_dim, generator=generator_rng, device=weights.device).to(weights)
        return generator(z).clone()


def mode_coverage(samples, centres, radius):
    x, c = samples.detach().cpu().numpy(), centres.detach().cpu().numpy()
    if radius <= 0 or x.shape[1] != c.shape[1]:
        raise ValueError("mode_coverage: radius or shapes")
    inside = np.linalg.norm(x[:, None, :] - c[None, :, :], axis=-1) <= radius
    return int(inside.any(axis=0).sum()), float(inside.any(axis=1).mean())
