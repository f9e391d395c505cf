# torch.func: the penalty as vmap of grad, one call of the critic on the concatenated batch, all z of a step drawn at once.
import torch
from torch import nn
from torch.func import grad, vmap


def mlp(n_in, n_out, width=96, depth=2):
    layers = [nn.Linear(n_in, width), nn.SiLU()]
    for _ in range(depth - 1):
        layers += [nn.Linear(width, width), nn.SiLU()]
    return nn.Sequential(*layers, nn.Linear(width, n_out))


class Generator(nn.Module):
    def __init__(self, latent_dim: int = 2, dim: int = 2):
        super().__init__()
        self.latent_dim = latent_dim
        self.body = mlp(latent_dim, dim)

    def forward(self, z):
        return self.body(z)


class Critic(nn.Module):
    def __init__(self, dim: int = 2):
        super().__init__()
        self.body = mlp(dim, 1)

    def forward(self, x):
        return self.body(x).flatten()


def critic_loss(real_scores, fake_scores):
    return -(real_scores.mean() - fake_scores.mean())


def generator_loss(fake_scores):
    return torch.neg(torch.mean(fake_scores))


def interpolates(real, fake, eps):
    if real.shape != fake.shape or eps.shape != (real.shape[0], 1):
        raise ValueError(f"shapes do not match: {real.shape}, {fake.shape}, {eps.shape}")
    if torch.any(eps < 0) or torch.any(eps > 1):
        raise ValueError("eps outside [0, 1]")
    return torch.lerp(fake, real, eps.to(real))


def gradient_penalty(critic, real, fake, eps):
    points = interpolates(real.detach(), fake.detach(), eps)
    slopes = vmap(grad(lambda x: critic(x[None])[0]))(points)  # (B, dim)
    return torch.mean((slopes.norm(dim=1) - 1.0).square())


def train_wgan_gp(generator, critic, data, steps, n_critic=5, lr=1e-4, betas=(0.0, 0.9), gp_weight=10.0,
                  batch_size=256, generator_rng=None, progress=False):
    for value, name in ((steps, "steps"), (n_critic, "n_critic"), (batch_size, "batch_size")):
        if value < 1:
            raise ValueError(f"{name} must be positive, got {value}")
    kind = {"dtype": data.dtype, "device": data.device}
    d_opt = torch.optim.Adam(critic.parameters(), lr=lr, betas=betas)
    g_opt = torch.optim.Adam(generator.parameters(), lr=lr, betas=betas)
    history = {"critic_loss": [], "generator_loss": [], "penalty": []}
    for _ in range(steps):
        z = torch.randn(n_critic + 1, batch_size, generator.latent_dim, generator=generator_rng, **kind)
        mean_loss = 0.0
        for j in range(n_critic):
            rows = torch.randperm(len(data), generator=generator_rng, device=data.device)[:batch_size]
            real, fake = data[rows], generator(z[j]).detach()
            eps = torch.rand(len(real), 1, generator=generator_rng, **kind)
            both = critic(torch.cat([real, fake]))
            loss = critic_loss(both[: len(real)], both[len(real):])
            penalty = gradient_penalty(critic, real, fake, eps)
            d_opt.zero_grad(set_to_none=True)
            (loss + gp_weight * penalty).backward()
            d_opt.step()
            mean_loss += loss.item() / n_critic
        for p in critic.parameters():
            p.requires_grad_(False)
        g_loss = generator_loss(critic(generator(z[-1])))
        g_opt.zero_grad()
        g_loss.backward()
        g_opt.step()
        for p in critic.parameters():
            p.requires_grad_(True)
        history["critic_loss"].append(mean_loss)
        history["generator_loss"].append(g_loss.item())
        history["penalty"].append(penalty.item())
    return history


@torch.no_grad()
def sample(generator, n, generator_rng=None):
    if n < 1:
        raise ValueError(f"n must be positive, got {n}")
    p = next(iter(generator.parameters()))
    return generator(torch.randn((n, generator.latent_dim), generator=generator_rng, dtype=p.dtype, device=p.device))


def mode_coverage(samples, centres, radius):
    if not radius > 0:
        raise ValueError(f"radius must be positive, got {radius}")
    if samples.shape[-1] != centres.shape[-1]:
        raise ValueError("dimensions differ")
    near = torch.cdist(samples, centres).le(radius)
    return near.any(0).sum(), near.any(1).to(samples).mean()
