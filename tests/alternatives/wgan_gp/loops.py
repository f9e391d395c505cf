# Loops over samples and modes, gradients cleared by hand, LeakyReLU networks of four layers, ModuleList.
import math
import torch
import torch.nn as nn


class Generator(nn.Module):
    def __init__(self, latent_dim=2, dim=2):
        super().__init__()
        self.latent_dim = latent_dim
        sizes = [latent_dim, 64, 64, 64, dim]
        self.layers = nn.ModuleList([nn.Linear(sizes[i], sizes[i + 1]) for i in range(4)])

    def forward(self, z):
        h = z
        for i, layer in enumerate(self.layers):
            h = layer(h)
            if i < len(self.layers) - 1:
                h = nn.functional.leaky_relu(h, 0.2)
        return h


class Critic(nn.Module):
    def __init__(self, dim=2):
        super().__init__()
        sizes = [dim, 64, 64, 64, 1]
        self.layers = nn.ModuleList([nn.Linear(sizes[i], sizes[i + 1]) for i in range(4)])

    def forward(self, x):
        h = x
        for i, layer in enumerate(self.layers):
            h = layer(h)
            if i < len(self.layers) - 1:
                h = nn.functional.leaky_relu(h, 0.2)
        return h[:, 0]


def critic_loss(real_scores, fake_scores):
    total_real, total_fake = 0.0, 0.0
    for s in real_scores:
        total_real = total_real + s
    for s in fake_scores:
        total_fake = total_fake + s
    return total_fake / len(fake_scores) - total_real / len(real_scores)


def generator_loss(fake_scores):
    return -sum(s for s in fake_scores) / len(fake_scores)


def interpolates(real, fake, eps):
    if real.size() != fake.size():
        raise ValueError(f"real {tuple(real.size())} and fake {tuple(fake.size())} must have the same shape")
    if eps.dim() != 2 or eps.size(0) != real.size(0) or eps.size(1) != 1:
        raise ValueError(f"eps must be (B, 1), got {tuple(eps.size())}")
    if eps.min() < 0 or eps.max() > 1:
        raise ValueError("eps must lie in [0, 1]")
    rows = []
    for i in range(len(real)):
        rows.append(eps[i] * real[i] + (1 - eps[i]) * fake[i])
    return torch.stack(rows)


def gradient_penalty(critic, real, fake, eps):
    x = interpolates(real, fake, eps).detach().requires_grad_()
    scores = critic(x)
    penalty = 0.0
    grads = torch.autograd.grad(
        outputs=scores, inputs=x, grad_outputs=torch.ones_like(scores), create_graph=True, retain_graph=True
    )[0]
    for g in grads:
        penalty = penalty + (torch.linalg.vector_norm(g) - 1) ** 2
    return penalty / len(x)


def train_wgan_gp(
    generator,
    critic,
    data,
    steps,
    n_critic=5,
    lr=1e-4,
    betas=(0.0, 0.9),
    gp_weight=10.0,
    batch_size=256,
    generator_rng=None,
    progress=False,
):
    if steps < 1:
        raise ValueError("steps must be at least 1")
    if n_critic < 1:
        raise ValueError("n_critic must be at least 1")
    if batch_size < 1:
        raise ValueError("batch_size must be at least 1")
    opt_c = torch.optim.Adam(critic.parameters(), lr, betas)
    opt_g = torch.optim.Adam(generator.parameters(), lr, betas)
    k = generator.latent_dim
    critic_losses, generator_losses = [], []
    for step in range(steps):
        for _ in range(n_critic):
            for p in critic.parameters():
                p.grad = None
            index = torch.randint(0, data.shape[0], (batch_size,), generator=generator_rng, device=data.device)
            x = data[index]
            z = torch.randn(batch_size, k, generator=generator_rng, dtype=data.dtype, device=data.device)
            with torch.no_grad():
                fake = generator(z)
            eps = torch.rand(batch_size, 1, generator=generator_rng, dtype=data.dtype, device=data.device)
            real_scores = critic(x)
            fake_scores = critic(fake)
            loss = fake_scores.mean() - real_scores.mean()
            scores = critic(x_hat := (eps * x + (1 - eps) * fake).requires_grad_())
            g = torch.autograd.grad(scores.sum(), x_hat, create_graph=True)[0]
            total = loss + gp_weight * ((g.norm(dim=-1) - 1) ** 2).mean()
            total.backward()
            opt_c.step()
        for p in generator.parameters():
            p.grad = None
        z = torch.randn(batch_size, k, generator=generator_rng, dtype=data.dtype, device=data.device)
        loss_g = -critic(generator(z)).mean()
        loss_g.backward()
        opt_g.step()
        critic_losses.append(float(total))
        generator_losses.append(float(loss_g))
        if progress and step % 50 == 0:
            print(step, critic_losses[-1])
    return {"critic_loss": critic_losses, "generator_loss": generator_losses}


def sample(generator, n, generator_rng=None):
    if n < 1:
        raise ValueError("n must be at least 1")
    p = next(generator.parameters())
    z = torch.randn(n, generator.latent_dim, generator=generator_rng, dtype=p.dtype, device=p.device)
    return generator(z).detach()


def mode_coverage(samples, centres, radius):
    if radius <= 0:
        raise ValueError("radius must be positive")
    if samples.shape[1] != centres.shape[1]:
        raise ValueError("samples and centres must have the same dimension")
    covered, good = set(), 0
    for s in samples.tolist():
        hit = False
        for k, c in enumerate(centres.tolist()):
            if math.dist(s, c) <= radius:
                covered.add(k)
                hit = True
        good += hit
    return len(covered), good / len(samples)
