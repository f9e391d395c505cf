# AdamW, the critic with layer normalisation, the generator with batch normalisation, autograd.grad instead of backward.
import torch
import torch.nn as nn


class Generator(nn.Module):
    def __init__(self, *, latent_dim=2, dim=2):
        super().__init__()
        self.latent_dim = latent_dim
        self.inner = nn.Sequential(
            nn.Linear(latent_dim, 128), nn.BatchNorm1d(128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU()
        )
        self.outer = nn.Linear(128, dim)

    def forward(self, z):
        return self.outer(self.inner(z))


class Critic(nn.Module):
    def __init__(self, *, dim=2):
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(dim, 128), nn.LeakyReLU(0.2), nn.Linear(128, 128), nn.LayerNorm(128), nn.LeakyReLU(0.2),
            nn.Linear(128, 1), nn.Flatten(0),
        )

    def forward(self, x):
        return self.net(x)


def critic_loss(real_scores, fake_scores):
    return torch.mean(fake_scores) - torch.mean(real_scores)


def generator_loss(fake_scores):
    return -torch.mean(fake_scores)


def interpolates(real, fake, eps):
    if real.shape != fake.shape:
        raise ValueError("real and fake")
    if eps.shape[0] != real.shape[0]:
        raise ValueError("eps")
    if ((eps < 0) | (eps > 1)).any():
        raise ValueError("eps")
    return real * eps + fake * (1 - eps)


def gradient_penalty(critic, real, fake, eps):
    with torch.enable_grad():
        x = interpolates(real, fake, eps).clone().detach().requires_grad_(True)
        g = torch.autograd.grad(critic(x).sum(), [x], create_graph=True)[0]
        return (g.flatten(1).norm(p=2, dim=1) - 1).pow(2).mean()


def set_gradients(parameters, loss):
    for p, g in zip(parameters, torch.autograd.grad(loss, parameters, allow_unused=True)):
        p.grad = g


def train_wgan_gp(generator, critic, data, steps, n_critic=5, lr=1e-4, betas=(0.0, 0.9), gp_weight=10.0,
                  batch_size=256, generator_rng=None, progress=False):
    for n in (steps, n_critic, batch_size):
        if n < 1:
            raise ValueError("counts must be at least 1")
    theta_d, theta_g = list(critic.parameters()), list(generator.parameters())
    opt_d = torch.optim.AdamW(theta_d, lr=lr, betas=betas)
    opt_g = torch.optim.AdamW(theta_g, lr=lr, betas=betas)
    out = {"critic_loss": [], "generator_loss": []}

    def noise():
        return torch.randn((batch_size, generator.latent_dim), generator=generator_rng, dtype=data.dtype, device=data.device)

    for _ in range(steps):
        values = []
        for _ in range(n_critic):
            x = data[torch.randint(high=len(data), size=(batch_size,), generator=generator_rng, device=data.device)]
            y = generator(noise())  # the gradient is taken for the critic's weights only
            e = torch.rand((batch_size, 1), generator=generator_rng, dtype=data.dtype, device=data.device)
            total = critic_loss(critic(x), critic(y)) + gp_weight * gradient_penalty(critic, x, y, e)
            set_gradients(theta_d, total)
            opt_d.step()
            values.append(total.item())
        loss = generator_loss(critic(generator(noise())))
        set_gradients(theta_g, loss)
        opt_g.step()
        out["critic_loss"].append(sum(values) / len(values))
        out["generator_loss"].append(loss.item())
    return out


def sample(generator, n, generator_rng=None):
    if n < 1:
        raise ValueError("n must be at least 1")
    like = next(generator.parameters(), torch.zeros(()))
    z = torch.randn((n, generator.latent_dim), generator=generator_rng, dtype=like.dtype, device=like.device)
    return generator(z).detach()


def mode_coverage(samples, centres, radius):
    if radius <= 0:
        raise ValueError("radius")
    if samples.size(1) != centres.size(1):
        raise ValueError("dimensions")
    d2 = (samples.unsqueeze(1) - centres.unsqueeze(0)).pow(2).sum(-1)
    best, mode = d2.min(1)
    good = best <= radius**2
    return int(mode[good].unique().numel()), good.float().mean().item()
