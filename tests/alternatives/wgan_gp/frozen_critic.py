# Subclasses of nn.Sequential, a DataLoader, a critic frozen while the generator learns, loss and penalty in two backward calls.
import itertools
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Generator(nn.Sequential):
    def __init__(self, latent_dim=2, dim=2, width=96, depth=3):
        sizes = [latent_dim] + [width] * depth
        layers = []
        for a, b in zip(sizes, sizes[1:]):
            layers += [nn.Linear(a, b), nn.ELU()]
        super().__init__(*layers, nn.Linear(width, dim))
        self.latent_dim = latent_dim
        for m in self.modules():
            if isinstance(m, nn.Linear):
                nn.init.kaiming_uniform_(m.weight, nonlinearity="relu")
                nn.init.zeros_(m.bias)

    def forward(self, z):
        if z.ndim != 2 or z.shape[1] != self.latent_dim:
            raise ValueError(f"z: {tuple(z.shape)}, wanted (B, {self.latent_dim})")
        return super().forward(z)


class Critic(nn.Sequential):
    def __init__(self, dim=2):
        super().__init__(nn.Linear(dim, 128), nn.LeakyReLU(0.1), nn.Linear(128, 128), nn.LeakyReLU(0.1),
                         nn.Linear(128, 1), nn.Flatten(0))
        self.dim = dim

    def forward(self, x):
        if x.ndim != 2 or x.shape[1] != self.dim:
            raise ValueError(f"x: {tuple(x.shape)}, wanted (B, {self.dim})")
        return super().forward(x)


def critic_loss(real_scores, fake_scores):
    return -(real_scores.mean() - fake_scores.mean())


def generator_loss(fake_scores):
    return fake_scores.neg().mean()


def interpolates(real, fake, eps):
    if real.shape != fake.shape:
        raise ValueError(f"real {tuple(real.shape)} vs fake {tuple(fake.shape)}")
    if eps.shape != (len(real), 1):
        raise ValueError(f"eps {tuple(eps.shape)}")
    if (eps < 0).any() or (eps > 1).any():
        raise ValueError("eps outside [0, 1]")
    return torch.lerp(fake, real, eps.expand_as(real))


def gradient_penalty(critic, real, fake, eps):
    x_hat = interpolates(real, fake, eps).detach().requires_grad_()
    with torch.enable_grad():
        scores = critic(x_hat)
        g, = torch.autograd.grad(scores, x_hat, grad_outputs=torch.ones_like(scores), create_graph=True,
                                 retain_graph=True, only_inputs=True)
    g = g.view(g.size(0), -1)
    return ((g.norm(2, dim=1) - 1) ** 2).mean()


def _endless(loader):
    while True:
        yield from loader


def train_wgan_gp(generator, critic, data, steps, n_critic=5, lr=1e-4, betas=(0.0, 0.9), gp_weight=10.0,
                  batch_size=256, generator_rng=None, progress=False):
    for name, v in (("steps", steps), ("n_critic", n_critic), ("batch_size", batch_size)):
        if v < 1:
            raise ValueError(f"{name} = {v}")
    loader = DataLoader(TensorDataset(data), batch_size=min(batch_size, len(data)), shuffle=True, drop_last=True, generator=generator_rng)
    batches = _endless(loader)
    opt_D = torch.optim.Adam(critic.parameters(), lr=lr, betas=betas, foreach=False)
    opt_G = torch.optim.Adam(generator.parameters(), lr=lr, betas=betas, foreach=False)
    history = {"critic_loss": [], "generator_loss": [], "penalty": []}
    generator.train(); critic.train()

    def noise(n):
        return torch.randn(n, generator.latent_dim, generator=generator_rng, dtype=data.dtype).to(data)

    for step in range(steps):
        for p in critic.parameters():
            p.requires_grad_(True)
        for real, in itertools.islice(batches, n_critic):
            with torch.no_grad():
                fake = generator(noise(len(real)))
            eps = torch.rand(len(real), 1, generator=generator_rng, dtype=data.dtype).to(data)
            opt_D.zero_grad(set_to_none=True)
            w = critic_loss(critic(real), critic(fake))
            gp = gradient_penalty(critic, real, fake, eps)
            w.backward()
            (gp_weight * gp).backward()
            opt_D.step()
        for p in critic.parameters():
            p.requires_grad_(False)
        opt_G.zero_grad(set_to_none=True)
        loss = generator_loss(critic(generator(noise(batch_size))))
        loss.backward()
        opt_G.step()
        history["critic_loss"].append((w + gp_weight * gp).item())
        history["generator_loss"].append(loss.item())
        history["penalty"].append(gp.item())
        if progress and step % 100 == 0:
            print(step, float(w))
    for p in critic.parameters():
        p.requires_grad_(True)
    return history


@torch.no_grad()
def sample(generator, n, generator_rng=None):
    if n < 1:
        raise ValueError(f"n = {n}")
    p = next(generator.parameters())
    z = torch.randn(n, generator.latent_dim, generator=generator_rng, dtype=p.dtype, device=p.device)
    return generator(z)


def mode_coverage(samples, centres, radius):
    if not radius > 0:
        raise ValueError("radius")
    if samples.shape[-1] != centres.shape[-1]:
        raise ValueError("dims")
    d, nearest = (samples[:, None, :] - centres[None]).norm(dim=-1).min(dim=1)
    ok = d <= radius
    return int(nearest[ok].unique().numel()), float(ok.float().mean())
