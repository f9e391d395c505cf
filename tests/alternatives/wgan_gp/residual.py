# Residual generator, spectral normalisation in the critic, wide layers, the jacobian for the penalty, logging of everything.
import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.first, self.second = nn.Linear(width, width), nn.Linear(width, width)

    def forward(self, h):
        return h + self.second(nn.functional.elu(self.first(h)))


class Generator(nn.Module):
    def __init__(self, latent_dim=2, dim=2):
        super().__init__()
        self.latent_dim, self.dim = latent_dim, dim
        self.net = nn.Sequential(nn.Linear(latent_dim, 128), Block(128), nn.ReLU(), Block(128), nn.Linear(128, dim))

    def forward(self, z):
        return self.net(z).view(z.shape[0], self.dim)


class Critic(nn.Module):
    def __init__(self, dim=2):
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(dim, 256), nn.LeakyReLU(0.1), spectral_norm(nn.Linear(256, 256)), nn.LeakyReLU(0.1), nn.Linear(256, 1)
        )

    def forward(self, x):
        return self.net(x).view(x.shape[0])


def critic_loss(real_scores, fake_scores):
    wasserstein = real_scores.mean(0) - fake_scores.mean(0)
    return -wasserstein


def generator_loss(fake_scores):
    return fake_scores.mean(0).neg()


def interpolates(real, fake, eps):
    if not (real.shape == fake.shape and eps.shape == real.shape[:1] + (1,)):
        raise ValueError(f"got {real.shape}, {fake.shape} and {eps.shape}")
    if not torch.all((0 <= eps) & (eps <= 1)):
        raise ValueError("eps is not in [0, 1]")
    eps = eps.expand_as(real)
    return eps.mul(real).add(fake.mul(1 - eps))


def gradient_penalty(critic, real, fake, eps):
    x = interpolates(real, fake, eps)
    J = torch.autograd.functional.jacobian(lambda t: critic(t).sum(), x, create_graph=True)  # (B, dim)
    return torch.nn.functional.mse_loss(J.norm(dim=1), torch.ones_like(J[:, 0]))


def train_wgan_gp(generator, critic, data, steps, n_critic=5, lr=1e-4, betas=(0.0, 0.9), gp_weight=10.0,
                  batch_size=256, generator_rng=None, progress=False):
    if steps <= 0 or n_critic <= 0 or batch_size <= 0:
        raise ValueError("steps, n_critic and batch_size must be positive")
    opt = {m: torch.optim.Adam(m.parameters(), lr=lr, betas=betas) for m in (generator, critic)}
    log = {"critic_loss": [], "generator_loss": [], "wasserstein": []}
    draw = lambda: torch.randn(batch_size, generator.latent_dim, generator=generator_rng, dtype=data.dtype, device=data.device)
    for step in range(steps):
        critic.requires_grad_(True)
        generator.requires_grad_(False)
        for _ in range(n_critic):
            opt[critic].zero_grad()
            x = data[(torch.rand(batch_size, generator=generator_rng, device=data.device) * len(data)).long()]
            y = generator(draw())
            e = torch.rand(batch_size, 1, generator=generator_rng, dtype=data.dtype, device=data.device)
            loss = critic_loss(critic(x), critic(y)) + gp_weight * gradient_penalty(critic, x, y, e)
            loss.backward()
            opt[critic].step()
        with torch.no_grad():  # after the update, for the curve
            log["wasserstein"].append(-critic_loss(critic(x), critic(y)).item())
        critic.requires_grad_(False)
        generator.requires_grad_(True)
        opt[generator].zero_grad()
        g = generator_loss(critic(generator(draw())))
        g.backward()
        opt[generator].step()
        log["critic_loss"].append(loss.item())
        log["generator_loss"].append(g.item())
    critic.requires_grad_(True)
    return log


def sample(generator, n, generator_rng=None):
    if n <= 0:
        raise ValueError("n must be positive")
    p = next(generator.parameters())
    z = torch.randn(n, generator.latent_dim, generator=generator_rng, dtype=p.dtype, device=p.device)
    return torch.cat([generator(part).detach() for part in z.split(1000)])


def mode_coverage(samples, centres, radius):
    if radius <= 0:
        raise ValueError("radius must be positive")
    if samples.shape[1] != centres.shape[1]:
        raise ValueError("samples and centres live in different spaces")
    inside = (samples[:, None] - centres[None]).square().sum(2) <= radius * radius
    return inside.any(0).count_nonzero().item(), inside.any(1).count_nonzero().item() / len(samples)
