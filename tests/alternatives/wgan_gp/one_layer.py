# The smallest sensible networks: one hidden layer of 64 units each; weights as plain parameters, everything in matrix form.
import torch


class TwoLayers(torch.nn.Module):
    def __init__(self, n_in, n_hidden, n_out):
        super().__init__()
        self.W1 = torch.nn.Parameter(torch.randn(n_in, n_hidden) / n_in**0.5)
        self.b1 = torch.nn.Parameter(0.5 * torch.randn(n_hidden))
        self.W2 = torch.nn.Parameter(torch.randn(n_hidden, n_out) / n_hidden**0.5)
        self.b2 = torch.nn.Parameter(torch.zeros(n_out))

    def forward(self, x):
        return torch.relu(x @ self.W1 + self.b1) @ self.W2 + self.b2


class Generator(TwoLayers):
    def __init__(self, latent_dim=2, dim=2):
        super().__init__(latent_dim, 64, dim)
        self.latent_dim = latent_dim


class Critic(TwoLayers):
    def __init__(self, dim=2):
        super().__init__(dim, 64, 1)

    def forward(self, x):
        return super().forward(x)[..., 0]


def critic_loss(real_scores, fake_scores):
    return fake_scores.sum() / fake_scores.numel() - real_scores.sum() / real_scores.numel()


def generator_loss(fake_scores):
    return -fake_scores.sum() / fake_scores.numel()


def interpolates(real, fake, eps):
    if real.shape != fake.shape or len(eps) != len(real) or eps.ndim != 2:
        raise ValueError("real, fake and eps do not match")
    if eps.lt(0).any() or eps.gt(1).any():
        raise ValueError("eps outside [0, 1]")
    return torch.einsum("bi,bd->bd", eps, real) + torch.einsum("bi,bd->bd", 1 - eps, fake)


def gradient_penalty(critic, real, fake, eps):
    x = interpolates(real, fake, eps).detach()
    x.requires_grad = True
    g = torch.autograd.grad(critic(x).sum(), x, create_graph=True)[0]
    n = torch.einsum("bd,bd->b", g, g).clamp(min=1e-16).sqrt()
    return n.sub(1).square().mean()


def train_wgan_gp(generator, critic, data, steps, n_critic=5, lr=1e-4, betas=(0.0, 0.9), gp_weight=10.0,
                  batch_size=256, generator_rng=None, progress=False):
    if steps < 1 or n_critic < 1 or batch_size < 1:
        raise ValueError("steps, n_critic, batch_size: at least 1")
    adam_c = torch.optim.Adam(critic.parameters(), lr=lr, betas=betas, foreach=False)
    adam_g = torch.optim.Adam(generator.parameters(), lr=lr, betas=betas, foreach=False)
    history = {"critic_loss": [], "generator_loss": []}
    update = 0
    while update < steps * (n_critic + 1):
        z = torch.empty(batch_size, generator.latent_dim, dtype=data.dtype, device=data.device).normal_(generator=generator_rng)
        if (update + 1) % (n_critic + 1):
            probabilities = torch.ones(len(data), device=data.device)
            rows = torch.multinomial(probabilities, batch_size, replacement=True, generator=generator_rng)
            eps = torch.empty(batch_size, 1, dtype=data.dtype, device=data.device).uniform_(generator=generator_rng)
            real, fake = data.index_select(0, rows), generator(z).detach()
            scores = critic(torch.cat((real, fake)))
            c_loss = critic_loss(*scores.chunk(2))
            adam_c.zero_grad()
            torch.autograd.backward([c_loss, gp_weight * gradient_penalty(critic, real, fake, eps)])
            adam_c.step()
        else:
            adam_c.zero_grad()
            adam_g.zero_grad()
            g_loss = generator_loss(critic(generator(z)))
            g_loss.backward()
            adam_g.step()
            history["critic_loss"].append(c_loss.item())
            history["generator_loss"].append(g_loss.item())
        update += 1
    return history


def sample(generator, n, generator_rng=None):
    if n < 1:
        raise ValueError("n: at least 1")
    weight = list(generator.parameters())[0]
    z = torch.empty(n, generator.latent_dim, dtype=weight.dtype, device=weight.device).normal_(generator=generator_rng)
    with torch.no_grad():
        return generator(z)


def mode_coverage(samples, centres, radius):
    if radius <= 0 or samples.shape[1:] != centres.shape[1:]:
        raise ValueError("radius must be positive, samples and centres of one dimension")
    covered = 0
    anywhere = torch.zeros(len(samples), dtype=torch.bool, device=samples.device)
    for centre in centres:
        inside = (samples - centre).norm(dim=1) <= radius
        covered += bool(inside.any())
        anywhere |= inside
    return covered, anywhere.double().mean()
