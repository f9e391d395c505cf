"""Random valid solutions of vae_mnist: networks, formulas, loops and optimisers as the contract leaves them free."""

from __future__ import annotations

import random
from itertools import pairwise

HEAD = """
import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
"""

ACTIVATIONS = ("nn.ReLU()", "nn.Tanh()", "nn.SiLU()", "nn.GELU()", "nn.LeakyReLU(0.1)", "nn.ELU()", "nn.Softplus()")

REPARAMETERIZE = (
    "return mu + torch.exp(0.5 * logvar) * eps",
    "return torch.addcmul(mu, logvar.mul(0.5).exp(), eps)",
    "std = torch.sqrt(torch.exp(logvar))\n    return eps * std + mu",
    "return torch.stack([m + torch.exp(v / 2) * e for m, v, e in zip(mu, logvar, eps)])",
    "return mu + torch.einsum('bd,bd->bd', torch.exp(logvar / 2), eps)",
    "q = torch.distributions.Normal(mu, torch.exp(logvar / 2), validate_args=False)\n    return q.loc + q.scale * eps",
)
KL = (
    "return 0.5 * (mu**2 + logvar.exp() - 1.0 - logvar).sum(dim=-1)",
    "return -0.5 * torch.sum(1 + logvar - mu.pow(2) - torch.exp(logvar), dim=1)",
    "q = torch.distributions.Normal(mu, torch.exp(logvar / 2))\n"
    "    p = torch.distributions.Normal(torch.zeros_like(mu), torch.ones_like(mu))\n"
    "    return torch.distributions.kl_divergence(q, p).sum(-1)",
    "total = 0\n    for j in range(mu.shape[1]):\n"
    "        total = total + 0.5 * (mu[:, j] ** 2 + torch.expm1(logvar[:, j]) - logvar[:, j])\n    return total",
    "return 0.5 * (torch.einsum('bd,bd->b', mu, mu) + torch.expm1(logvar).sum(1) - logvar.sum(1))",
    "m, v = mu.double(), logvar.double()\n    return (0.5 * (m * m + v.exp() - 1 - v).sum(-1)).to(mu.dtype)",
)
RECONSTRUCTION = (
    'return -F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(dim=-1)',
    "return (x * logits - F.softplus(logits)).sum(1)",
    "return torch.einsum('bp,bp->b', x, F.logsigmoid(logits)) + torch.einsum('bp,bp->b', 1 - x, F.logsigmoid(-logits))",
    "law = torch.distributions.Bernoulli(logits=logits, validate_args=False)\n    return law.log_prob(x).sum(-1)",
    "return (x * logits - torch.logaddexp(torch.zeros_like(logits), logits)).sum(-1)",
    "rows = [-F.binary_cross_entropy_with_logits(a, b, reduction='sum') for a, b in zip(logits, x)]\n"
    "    return torch.stack(rows)",
    "lo, xs = logits.double(), x.double()\n    return (xs * lo - lo.clamp(min=0) - torch.log1p(torch.exp(-lo.abs())))"
    ".sum(-1).to(logits.dtype)",
)
ELBO = (
    "return reconstruction_log_likelihood(logits, x) - beta * kl_divergence(mu, logvar)",
    "return torch.sub(reconstruction_log_likelihood(logits, x), kl_divergence(mu, logvar), alpha=beta)",
    "loss = beta * kl_divergence(mu, logvar) - reconstruction_log_likelihood(logits, x)\n    return -loss",
)
OPTIMISERS = (
    "torch.optim.Adam(model.parameters(), lr=lr)",
    "torch.optim.AdamW(model.parameters(), lr=lr)",
    "torch.optim.Adam(list(model.parameters()), lr=lr, betas=(0.9, 0.99))",
    "torch.optim.Adam(model.parameters(), lr=lr, amsgrad=True)",
    "torch.optim.Adam([{'params': model.encoder.parameters()}, {'params': model.decoder.parameters()}], lr=lr)",
    "torch.optim.NAdam(model.parameters(), lr=lr)",
)
LOSSES = ("-bounds.mean()", "-bounds.sum() / len(bounds)", "-bounds.sum()", "torch.mean(bounds).neg()")
ORDERS = (
    "order = torch.randperm(len(x), generator=generator)\n        batches = order.split(batch_size)",
    "order = torch.rand(len(x), generator=generator).argsort()\n"
    "        batches = [order[i : i + batch_size] for i in range(0, len(x), batch_size)]",
    "order = torch.randperm(len(x), generator=generator)\n"
    "        batches = order.tensor_split(list(range(batch_size, len(x), batch_size)))",
    "rows = torch.arange(len(x))\n"
    "        batches = torch.utils.data.DataLoader(rows, batch_size=batch_size, shuffle=True, generator=generator)",
)


def _network(rng: random.Random, sizes: list[str], last: str) -> list[str]:
    """Lines that make a Sequential through these widths, its last layer without an activation."""
    activation = rng.choice(ACTIVATIONS)
    norm = rng.choice([None, None, "nn.LayerNorm({})"])
    layers = []
    for a, b in pairwise(sizes):
        layers.append(f"nn.Linear({a}, {b})")
        layers += [norm.format(b)] if norm else []
        layers.append(activation)
    if last:
        layers.append(f"nn.Linear({sizes[-1]}, {last})")
    return layers


def _init(rng: random.Random, name: str) -> str:
    """An initialisation of all affine layers, or torch's own."""
    kind = rng.choice(["", "", "nn.init.xavier_uniform_(layer.weight)", "nn.init.kaiming_normal_(layer.weight, a=1.0)",
                       "nn.init.normal_(layer.weight, std=0.05)", "nn.init.orthogonal_(layer.weight)"])  # fmt: skip
    if not kind:
        return ""
    lines = [
        f"        for layer in {name}.modules():",
        "            if isinstance(layer, nn.Linear):",
        f"                {kind}",
    ]
    return "\n".join([*lines, "                nn.init.zeros_(layer.bias)", ""])


def _classes(rng: random.Random) -> str:
    deep = rng.random() < 0.5
    body = ", ".join(_network(rng, ["784", "hidden", "hidden"] if deep else ["784", "hidden"], ""))
    decoder = ", ".join(_network(rng, ["latent_dim", "hidden", "hidden"] if deep else ["latent_dim", "hidden"], "784"))
    one_layer = rng.random() < 0.5
    heads = (
        "self.heads = nn.Linear(hidden, 2 * latent_dim)"
        if one_layer
        else "self.mu = nn.Linear(hidden, latent_dim)\n        self.logvar = nn.Linear(hidden, latent_dim)"
    )
    answer = rng.choice(
        ["h[:, : h.shape[1] // 2], h[:, h.shape[1] // 2 :]", "h.chunk(2, dim=-1)", "h[:, 0::2], h[:, 1::2]"]
    )
    forward = (
        f"h = self.heads(self.body(x))\n        return {answer}"
        if one_layer
        else "h = self.body(x)\n        return self.mu(h), self.logvar(h)"
    )
    clamp = rng.random() < 0.3 and not one_layer
    forward = forward.replace("self.logvar(h)", "self.logvar(h).clamp(-20, 20)") if clamp else forward
    kind = rng.choice(["tuple", "list"])
    forward = forward.replace("return ", "pair = ") + f"\n        return {kind}(pair)"
    keep = rng.choice(["self.latent_dim = latent_dim", "self.register_buffer('size', torch.tensor(latent_dim))"])
    prop = (
        ""
        if keep.startswith("self.latent")
        else ("\n    @property\n    def latent_dim(self):\n        return int(self.size)\n")
    )
    return f"""
class Encoder(nn.Module):
    def __init__(self, latent_dim=2, hidden=64):
        super().__init__()
        self.body = nn.Sequential({body})
        {heads}
{_init(rng, "self.body")}
    def forward(self, x):
        {forward}


class Decoder(nn.Module):
    def __init__(self, latent_dim=2, hidden=64):
        super().__init__()
        self.net = nn.Sequential({decoder})
{_init(rng, "self.net")}
    def forward(self, z):
        return self.net(z)


class VAE(nn.Module):
    def __init__(self, latent_dim=2, hidden=64):
        super().__init__()
        {keep}
        self.encoder = Encoder(latent_dim, hidden)
        self.decoder = Decoder(latent_dim=latent_dim, hidden=hidden)
{prop}
    def forward(self, x, eps):
        mu, logvar = self.encoder(x)
        z = {rng.choice(["reparameterize(mu, logvar, eps)", "mu + (logvar / 2).exp() * eps"])}
        return {rng.choice(["self.decoder(z), mu, logvar", "[self.decoder(z), mu, logvar]"])}
"""


def _training(rng: random.Random) -> str:
    clip = rng.choice(["", "", "            nn.utils.clip_grad_norm_(model.parameters(), 1e4)\n"])
    model = rng.choice([
        "logits, mu, logvar = model(batch, eps)",
        "mu, logvar = model.encoder(batch)\n            logits = model.decoder(reparameterize(mu, logvar, eps))",
    ])  # fmt: skip
    zero = rng.choice(["optimizer.zero_grad()", "optimizer.zero_grad(set_to_none=False)", "model.zero_grad()"])
    value = rng.choice(["float(np.mean(values))", "torch.tensor(values).mean()", "sum(values) / len(values)"])
    switch = rng.choice(["", "    model.train()\n"])
    tail = rng.choice(["", "        history.setdefault('epoch', []).append(len(history['elbo']))\n"])
    return f"""
def train_vae(model, x, epochs, batch_size=128, lr=1e-3, generator=None, progress=False):
    if epochs < 1 or batch_size < 1:
        raise ValueError(f"epochs and batch_size must be at least 1, got {{epochs}} and {{batch_size}}")
{switch}    optimizer = {rng.choice(OPTIMISERS)}
    history = {{"elbo": []}}
    for _epoch in range(epochs):
        {rng.choice(ORDERS)}
        values = []
        for rows in batches:
            batch = x[rows]
            eps = torch.randn(len(batch), model.latent_dim, generator=generator, dtype=x.dtype)
            {model}
            bounds = elbo(batch, logits, mu, logvar)
            {zero}
            loss = {rng.choice(LOSSES)}
            loss.backward()
{clip}            optimizer.step()
            values += bounds.detach().tolist()
        history["elbo"].append({value})
{tail}    return history
"""


def _drawing(rng: random.Random) -> str:
    dtype = rng.choice(["next(model.parameters()).dtype", "next(iter(model.state_dict().values())).dtype"])
    dtype = "next(model.decoder.parameters()).dtype" if "state_dict" in dtype else dtype
    noise = rng.choice([
        f"torch.randn(n, model.latent_dim, generator=generator, dtype={dtype})",
        f"torch.empty(n, model.latent_dim, dtype={dtype}).normal_(generator=generator)",
        f"torch.stack([torch.randn(model.latent_dim, generator=generator, dtype={dtype}) for _ in range(n)])",
    ])  # fmt: skip
    decode = rng.choice(
        ["torch.sigmoid(model.decoder(z))", "model.decoder(z).sigmoid()", "1 / (1 + torch.exp(-model.decoder(z)))"]
    )
    line = rng.choice([
        "t = torch.linspace(0, 1, steps, dtype=z1.dtype)[:, None]\n    z = (1 - t) * z1 + t * z2",
        "z = torch.stack([torch.lerp(z1, z2, i / max(steps - 1, 1)) for i in range(steps)])",
        "t = torch.arange(steps, dtype=z1.dtype) / max(steps - 1, 1)\n    z = z1 + torch.einsum('s,d->sd', t, z2 - z1)",
    ])  # fmt: skip
    detach = rng.choice(["with", "decorator", "detach"])
    head = "@torch.no_grad()\n" if detach == "decorator" else ""
    answer = f"with torch.no_grad():\n        return {decode}" if detach == "with" else f"return {decode}"
    answer += ".detach()" if detach == "detach" else ""
    if decode.startswith("1 /") and detach == "detach":
        answer = f"return ({decode}).detach()"
    bound = rng.choice([
        """log_w = []
    for _ in range(k):
        eps = torch.randn(mu.shape, generator=generator, dtype=mu.dtype)
        z = mu + torch.exp(logvar / 2) * eps
        prior = 0.5 * (eps**2 + logvar - z**2).sum(-1)
        log_w.append(reconstruction_log_likelihood(model.decoder(z), x) + prior)
    return torch.logsumexp(torch.stack(log_w), 0) - math.log(k)""",
        """eps = torch.randn(k, *mu.shape, generator=generator, dtype=mu.dtype)
    z = mu + torch.exp(logvar / 2) * eps
    logits = model.decoder(z.reshape(-1, z.shape[-1]))
    log_p = reconstruction_log_likelihood(logits, x.repeat(k, 1)).reshape(k, -1)
    log_w = log_p + torch.distributions.Normal(0.0, 1.0).log_prob(z).sum(-1)
    log_w = log_w - torch.distributions.Normal(mu, torch.exp(logvar / 2)).log_prob(z).sum(-1)
    return log_w.logsumexp(0) - torch.log(torch.tensor(float(k), dtype=x.dtype))""",
        """rows = []
    for m, v, image in zip(mu, logvar, x):
        eps = torch.randn(k, len(m), generator=generator, dtype=m.dtype)
        z = m + torch.exp(v / 2) * eps
        log_w = reconstruction_log_likelihood(model.decoder(z), image.expand(k, -1))
        log_w = log_w - 0.5 * (z**2).sum(1) + 0.5 * (eps**2).sum(1) + 0.5 * v.sum()
        top = log_w.max()
        rows.append(top + (log_w - top).exp().mean().log())
    return torch.stack(rows)""",
    ])  # fmt: skip
    return f"""
{head}def sample(model, n, generator=None):
    if n < 1:
        raise ValueError(f"n must be at least 1, got {{n}}")
    z = {noise}
    {answer}


def interpolate(model, z1, z2, steps):
    if steps < 1:
        raise ValueError(f"steps must be at least 1, got {{steps}}")
    {line}
    return {decode}


def importance_weighted_bound(model, x, k, generator=None):
    if k < 1:
        raise ValueError(f"k must be at least 1, got {{k}}")
    mu, logvar = model.encoder(x)
    {bound}
"""


def source(rng: random.Random) -> str:
    """The text of a valid solution."""
    refuse = "if {0}:\n        raise ValueError('shapes that do not match')\n    "
    parts = [
        HEAD,
        _classes(rng),
        f"\ndef reparameterize(mu, logvar, eps):\n    {refuse.format('not mu.shape == logvar.shape == eps.shape')}"
        f"{rng.choice(REPARAMETERIZE)}\n",
        f"\ndef kl_divergence(mu, logvar):\n    {refuse.format('mu.shape != logvar.shape')}{rng.choice(KL)}\n",
        f"\ndef reconstruction_log_likelihood(logits, x):\n    {refuse.format('logits.shape != x.shape')}"
        f"{rng.choice(RECONSTRUCTION)}\n",
        f"\ndef elbo(x, logits, mu, logvar, beta=1.0):\n    {rng.choice(ELBO)}\n",
        _training(rng),
        _drawing(rng),
    ]
    return "\n".join(parts)
