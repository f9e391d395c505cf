# A residual generator of ELU layers, orthogonal at the start, that is slow to find the ring; He's start for the critic.
import torch
from torch import nn

def whole(**counts):
    for name, count in counts.items():
        if count < 1:
            raise ValueError(f"{name}: expected at least 1, got {count}")


def fits(real, fake, eps):
    if real.shape != fake.shape:
        raise ValueError(f"real, fake: got {tuple(real.shape)} and {tuple(fake.shape)}")
    if eps.shape != (real.shape[0], 1) or bool((eps < 0).any()) or bool((eps > 1).any()):
        raise ValueError(f"eps: expected (B, 1) in [0, 1], got {eps}")

class Generator(nn.Module):
    def __init__(self, latent_dim=2, dim=2):
        super().__init__()
        self.latent_dim = latent_dim
        n, out = latent_dim, dim
        layers = []
        for m in (64, 64,):
            layers.append(nn.Linear(n, m))
            layers.append(nn.ELU())
            n = m
        layers.append(nn.Linear(n, out))
        self.net = nn.ModuleList(layers)
        with torch.no_grad():
            for m in self.modules():
                if isinstance(m, nn.Linear):
                    nn.init.orthogonal_(m.weight, gain=1.2)

    def forward(self, x):
        h = x
        for k, layer in enumerate(self.net):
            y = layer(h)
            h = h + 0.5 * y if k and y.shape == h.shape and isinstance(layer, nn.Linear) else y
        return 1.0 * h

class Critic(nn.Module):
    def __init__(self, dim=2):
        super().__init__()
        n, out = dim, 1
        layers = []
        for m in (128, 128,):
            layers.append(nn.Linear(n, m))
            layers.append(nn.LeakyReLU(0.2))
            n = m
        layers.append(nn.Linear(n, out))
        self.net = nn.ModuleList(layers)
        with torch.no_grad():
            for m in self.modules():
                if isinstance(m, nn.Linear):
                    nn.init.kaiming_normal_(m.weight)

    def forward(self, x):
        h = x
        for k, layer in enumerate(self.net):
            y = layer(h)
            h = h + 0.5 * y if k and y.shape == h.shape and isinstance(layer, nn.Linear) else y
        return h.sum(1)

def critic_loss(real_scores, fake_scores):
    return torch.sub(fake_scores.sum() / len(fake_scores), real_scores.sum() / len(real_scores))


def generator_loss(fake_scores):
    return fake_scores.sum() / -len(fake_scores)

def interpolates(real, fake, eps):
    fits(real, fake, eps)
    return torch.stack([e * r + (1 - e) * f for e, r, f in zip(eps, real, fake)])

def gradient_penalty(critic, real, fake, eps):
    x = interpolates(real.detach(), fake.detach(), eps).detach().requires_grad_()
    s = critic(x)
    g = torch.autograd.grad(s, x, torch.ones_like(s), create_graph=True)[0]
    r = (g.square().sum(1) + 1e-12).sqrt()
    return ((r - 1) ** 2).mean()

def train_wgan_gp(generator, critic, data, steps, n_critic=5, lr=1e-4, betas=(0.0, 0.9), gp_weight=10.0,
                  batch_size=256, generator_rng=None, progress=False):
    whole(steps=steps, n_critic=n_critic, batch_size=batch_size)
    critic_optimiser = torch.optim.Adam(critic.parameters(), lr=lr, betas=betas)
    generator_optimiser = torch.optim.Adam(generator.parameters(), lr=lr, betas=betas)

    def noise():
        return torch.randn(batch_size, generator.latent_dim, generator=generator_rng, dtype=data.dtype).to(data)

    history = {"critic_loss": [], "generator_loss": []}
    for _ in range(steps):
        values = []
        for _ in range(n_critic):
            real = data[torch.randperm(len(data), generator=generator_rng)[:batch_size]]
            with torch.no_grad():
                fake = generator(noise())
            eps = torch.rand(len(real), 1, generator=generator_rng, dtype=data.dtype).to(data)
            both = critic(torch.cat([real, fake]))
            loss = critic_loss(both[: len(real)], both[len(real) :])
            total = loss + gp_weight * gradient_penalty(critic, real, fake[: len(real)], eps)
            critic.zero_grad()
            total.backward()
            critic_optimiser.step()
            values.append(float(loss))
        history["critic_loss"].append(float(total))
        critic.requires_grad_(False)
        generator.zero_grad()
        gain = generator_loss(critic(generator(noise())))
        gain.backward()
        generator_optimiser.step()
        critic.requires_grad_(True)
        history["generator_loss"].append(gain.item())
    return history

def sample(generator, n, generator_rng=None):
    whole(n=n)
    like = next(generator.parameters())
    z = torch.randn(n, generator.latent_dim, generator=generator_rng, dtype=like.dtype, device=like.device)
    return generator(z).detach()

def mode_coverage(samples, centres, radius):
    if radius <= 0:
        raise ValueError(f"radius: expected a positive number, got {radius}")
    if samples.shape[-1] != centres.shape[-1]:
        raise ValueError(f"samples, centres: got {tuple(samples.shape)} and {tuple(centres.shape)}")
    inside = (samples.unsqueeze(1) - centres).norm(dim=-1) <= radius
    return int(inside.any(0).sum()), float(inside.any(1).double().mean())
