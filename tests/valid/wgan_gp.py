"""Random right solutions of wgan_gp: networks, layouts, gradients, batches and loops that its contract leaves free."""

from __future__ import annotations

import random

ACTIVATIONS = ("nn.ReLU()", "nn.LeakyReLU(0.2)", "nn.ELU()", "nn.SiLU()", "nn.GELU()", "nn.Mish()")
CHECKS = '''

def whole(**counts):
    for name, count in counts.items():
        if count < 1:
            raise ValueError(f"{name}: expected at least 1, got {count}")


def fits(real, fake, eps):
    if real.shape != fake.shape:
        raise ValueError(f"real, fake: got {tuple(real.shape)} and {tuple(fake.shape)}")
    if eps.shape != (real.shape[0], 1) or bool((eps < 0).any()) or bool((eps > 1).any()):
        raise ValueError(f"eps: expected (B, 1) in [0, 1], got {eps}")
'''


def source(rng: random.Random) -> str:
    """The text of one of them."""
    parts = [
        '"""A right solution, drawn at random."""\n\nimport numpy as np\nimport torch\nfrom torch import nn\n',
        CHECKS,
        _network(rng, "Generator"),
        _network(rng, "Critic"),
        _losses(rng),
        _interpolates(rng),
        _penalty(rng),
        _training(rng),
        _sample(rng),
        _coverage(rng),
    ]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def _network(rng: random.Random, name: str) -> str:
    depth = rng.randint(2, 3)
    widths = [rng.choice((64, 96, 128)) for _layer in range(depth)]
    activation = rng.choice(ACTIVATIONS)
    init = rng.choice((
        "",
        "nn.init.orthogonal_(m.weight, gain=1.2)",
        "nn.init.xavier_uniform_(m.weight)",
        "nn.init.kaiming_normal_(m.weight)",
        "m.weight.mul_(1.3)",
    ))  # fmt: skip
    layer_norm = rng.random() < 0.25
    bias = name == "Critic" or rng.random() < 0.8  # a critic without would be the same on both sides of 0
    start = "\n        super().__init__()\n        "
    head = {
        "Generator": f"latent_dim=2, dim=2):{start}self.latent_dim = latent_dim\n        n, out = latent_dim, dim",
        "Critic": f"dim=2):{start}n, out = dim, 1",
    }[name]
    last = {
        "Generator": ("h", "h.reshape(len(x), -1)", "1.0 * h"),
        "Critic": ("h.squeeze(-1)", "h[:, 0]", "h.view(len(x))", "h.flatten()", "h.sum(1)", "h.mean(-1)"),
    }[name]
    norm = "\n            layers.append(nn.LayerNorm(m))" if layer_norm else ""
    start = f"""
        with torch.no_grad():
            for m in self.modules():
                if isinstance(m, nn.Linear):
                    {init}""" if init else ""
    if rng.random() < 0.3:  # weights of its own, no layers
        scale = rng.choice(("(2 / n) ** 0.5", "n**-0.5", "(1.5 / n) ** 0.5"))
        layer = rng.choice((
            "h @ weight + bias", 'torch.einsum("bi,ij->bj", h, weight) + bias', "torch.addmm(bias, h, weight)",
        ))  # fmt: skip
        return f"""
class {name}(nn.Module):
    def __init__(self, {head}
        sizes = [n, {", ".join(map(str, widths))}, out]
        self.weights, self.biases = nn.ParameterList(), nn.ParameterList()
        for n, m in zip(sizes, sizes[1:]):
            self.weights.append(nn.Parameter(torch.randn(n, m) * {scale}))
            self.biases.append(nn.Parameter(torch.zeros(m)))
        self.activation = {activation}

    def forward(self, x):
        h = x
        for k, (weight, bias) in enumerate(zip(self.weights, self.biases)):
            if k:
                h = self.activation(h)
            h = {layer}
        return {rng.choice(last)}
"""
    forward = (
        "h = self.net(x)"
        if rng.random() < 0.6
        else "h = x\n        for k, layer in enumerate(self.net):\n            y = layer(h)\n"
        "            h = h + 0.5 * y if k and y.shape == h.shape and isinstance(layer, nn.Linear) else y"
    )
    return f"""
class {name}(nn.Module):
    def __init__(self, {head}
        layers = []
        for m in ({", ".join(map(str, widths))},):
            layers.append(nn.Linear(n, m{"" if bias else ", bias=False"})){norm}
            layers.append({activation})
            n = m
        layers.append(nn.Linear(n, out))
        self.net = nn.{"Sequential(*layers)" if forward == "h = self.net(x)" else "ModuleList(layers)"}{start}

    def forward(self, x):
        {forward}
        return {rng.choice(last)}
"""


def _losses(rng: random.Random) -> str:
    critic = rng.choice((
        "fake_scores.mean() - real_scores.mean()",
        "-(real_scores.mean() - fake_scores.mean())",
        "torch.sub(fake_scores.sum() / len(fake_scores), real_scores.sum() / len(real_scores))",
        "torch.stack([fake_scores.mean(), -real_scores.mean()]).sum()",
        'torch.einsum("i->", fake_scores) / len(fake_scores) - torch.einsum("i->", real_scores) / len(real_scores)',
    ))  # fmt: skip
    generator = rng.choice(("-fake_scores.mean()", "(-fake_scores).mean()", "fake_scores.sum() / -len(fake_scores)"))
    return f"""
def critic_loss(real_scores, fake_scores):
    return {critic}


def generator_loss(fake_scores):
    return {generator}
"""


def _interpolates(rng: random.Random) -> str:
    return f"""
def interpolates(real, fake, eps):
    fits(real, fake, eps)
    return {rng.choice((
        "eps * real + (1 - eps) * fake",
        "torch.lerp(fake, real, eps.expand_as(real))",
        "fake + eps * (real - fake)",
        "torch.stack([e * r + (1 - e) * f for e, r, f in zip(eps, real, fake)])",
        'torch.einsum("b,bd->bd", eps[:, 0], real) + torch.einsum("b,bd->bd", 1 - eps[:, 0], fake)',
    ))}
"""  # fmt: skip


def _penalty(rng: random.Random) -> str:
    scored = "s = critic(x)\n    g = "
    gradient = rng.choice((
        "(g,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)",
        scored + "torch.autograd.grad(s, x, torch.ones_like(s), create_graph=True, retain_graph=True)[0]",
        "g = torch.autograd.functional.jacobian(lambda rows: critic(rows).sum(), x, create_graph=True)",
        "g = torch.func.grad(lambda rows: critic(rows).sum())(x)",
    ))  # fmt: skip
    norm = rng.choice((
        "g.norm(2, dim=1)", "torch.linalg.vector_norm(g, dim=1)", "(g.square().sum(1) + 1e-12).sqrt()",
        "(g**2).sum(-1).add(1e-12).pow(0.5)",
    ))  # fmt: skip
    mean = rng.choice((
        "((r - 1) ** 2).mean()", "(r - 1).square().sum() / len(r)", "nn.functional.mse_loss(r, torch.ones_like(r))",
    ))  # fmt: skip
    detach = rng.choice(("real.detach(), fake.detach(), eps", "real, fake, eps"))
    return f"""
def gradient_penalty(critic, real, fake, eps):
    x = interpolates({detach}).detach().requires_grad_()
    {gradient}
    r = {norm}
    return {mean}
"""


def _training(rng: random.Random) -> str:
    optimiser = rng.choice(("Adam", "Adam", "AdamW"))
    batch = rng.choice((
        "data[torch.randint(0, len(data), (batch_size,), generator=generator_rng)]",
        "data[torch.randperm(len(data), generator=generator_rng)[:batch_size]]",
        "data[(torch.rand(batch_size, generator=generator_rng) * len(data)).long()]",
        "data[torch.multinomial(torch.ones(len(data)), batch_size, generator=generator_rng)]",
        "data.index_select(0, torch.randint(len(data), [batch_size], generator=generator_rng))",
    ))  # fmt: skip
    if "randperm" in batch or "multinomial" in batch:
        batch = batch.replace("batch_size", "min(batch_size, len(data))")
    fake = rng.choice((
        "fake = generator(noise()).detach()",
        "with torch.no_grad():\n                fake = generator(noise())",
        "fake = generator(noise()).clone().detach()",
    ))  # fmt: skip
    scores = rng.choice((
        "loss = critic_loss(critic(real), critic(fake))",
        "both = critic(torch.cat([real, fake]))\n            loss = critic_loss(both[: len(real)], both[len(real) :])",
        "low, high = critic(fake), critic(real)\n            loss = critic_loss(high, low)",
    ))  # fmt: skip
    kept = rng.choice(("float(loss)", "float(total)", "sum(values) / len(values)"))
    clear = rng.choice(("{0}_optimiser.zero_grad()", "{0}_optimiser.zero_grad(set_to_none=False)", "{0}.zero_grad()"))
    freeze = rng.random() < 0.3
    off = "\n        critic.requires_grad_(False)" if freeze else ""
    on = "\n        critic.requires_grad_(True)" if freeze else ""
    last = rng.choice(("gain.item()", "float(gain)", "gain.detach()"))
    return f"""
def train_wgan_gp(generator, critic, data, steps, n_critic=5, lr=1e-4, betas=(0.0, 0.9), gp_weight=10.0,
                  batch_size=256, generator_rng=None, progress=False):
    whole(steps=steps, n_critic=n_critic, batch_size=batch_size)
    critic_optimiser = torch.optim.{optimiser}(critic.parameters(), lr=lr, betas=betas)
    generator_optimiser = torch.optim.{optimiser}(generator.parameters(), lr=lr, betas=betas)

    def noise():
        return torch.randn(batch_size, generator.latent_dim, generator=generator_rng, dtype=data.dtype)

    history = {{"critic_loss": [], "generator_loss": []}}
    for _ in range(steps):
        values = []
        for _ in range(n_critic):
            real = {batch}
            {fake}
            eps = torch.rand(len(real), 1, generator=generator_rng, dtype=data.dtype)
            {scores}
            total = loss + gp_weight * gradient_penalty(critic, real, fake[: len(real)], eps)
            {clear.format("critic")}
            total.backward()
            critic_optimiser.step()
            values.append(float(loss))
        history["critic_loss"].append({kept}){off}
        {clear.format("generator")}
        gain = generator_loss(critic(generator(noise())))
        gain.backward()
        generator_optimiser.step(){on}
        history["generator_loss"].append({last})
    return history
"""


def _sample(rng: random.Random) -> str:
    body = rng.choice((
        "with torch.no_grad():\n        return generator(z)",
        "return generator(z).detach()",
        "with torch.inference_mode():\n        x = generator(z)\n    return x.clone()",
        "return torch.cat([generator(part).detach() for part in z.split(500)])",
    ))  # fmt: skip
    return f"""
def sample(generator, n, generator_rng=None):
    whole(n=n)
    like = next(generator.parameters())
    z = torch.randn(n, generator.latent_dim, generator=generator_rng, dtype=like.dtype, device=like.device)
    {body}
"""


def _coverage(rng: random.Random) -> str:
    inside = rng.choice((
        "((samples[:, None] - centres[None]) ** 2).sum(-1).sqrt() <= radius",
        "(samples.unsqueeze(1) - centres).norm(dim=-1) <= radius",
        "torch.stack([torch.linalg.vector_norm(samples - c, dim=1) <= radius for c in centres], 1)",
        "torch.from_numpy(np.linalg.norm(samples.numpy()[:, None] - centres.numpy()[None], axis=-1)) <= radius",
        "torch.cdist(samples, centres, compute_mode='donot_use_mm_for_euclid_dist') <= radius",
    ))  # fmt: skip
    answer = rng.choice((
        "int(inside.any(0).sum()), float(inside.any(1).double().mean())",
        "inside.any(0).sum(), inside.any(1).double().mean()",
        "sum(bool(column.any()) for column in inside.T), sum(bool(row.any()) for row in inside) / len(inside)",
    ))  # fmt: skip
    return f"""
def mode_coverage(samples, centres, radius):
    if radius <= 0:
        raise ValueError(f"radius: expected a positive number, got {{radius}}")
    if samples.shape[-1] != centres.shape[-1]:
        raise ValueError(f"samples, centres: got {{tuple(samples.shape)}} and {{tuple(centres.shape)}}")
    inside = {inside}
    return {answer}
"""
