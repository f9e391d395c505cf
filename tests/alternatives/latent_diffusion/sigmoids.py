"""Short and array-minded: groupby for words, one matrix of shares, sigmoids in the denoiser."""

from itertools import groupby, pairwise

import numpy as np
import torch
from torch import nn


def fit_latent_space(x, d):
    if not 1 <= d <= min(x.shape):
        raise ValueError(f"d must be in 1..{min(x.shape)}, got {d}")
    m = x.mean(0)
    C = torch.linalg.svd(x - m, full_matrices=False)[2][:d]
    return m, C, ((x - m) @ C.T).square().mean() ** -0.5


def encode(x, space):
    m, C, s = space
    if x.shape[-1] != len(m):
        raise ValueError(f"x has {x.shape[-1]} pixels, the space {len(m)}")
    return s * (x - m) @ C.T


def decode(z, space):
    m, C, s = space
    if z.shape[-1] != len(C):
        raise ValueError(f"z has {z.shape[-1]} dimensions, the space {len(C)}")
    return m + z / s @ C


def tokenize(prompt, vocabulary):
    words = ("".join(g) for letters, g in groupby(prompt.lower(), str.isalpha) if letters)
    v = list(vocabulary)
    return [v.index(w) for w in words if w in v]


class TextEncoder(nn.Module):
    def __init__(self, vocabulary, dim=16):
        super().__init__()
        self.vocabulary = list(vocabulary)
        self.table = nn.Parameter(torch.randn(len(self.vocabulary), dim) / 2)

    def forward(self, prompts):
        A = np.zeros((len(prompts), len(self.vocabulary)))
        for row, prompt in zip(A, prompts):
            np.add.at(row, tokenize(prompt, self.vocabulary), 1)
        A /= A.sum(1, keepdims=True).clip(1)
        return torch.from_numpy(A).to(self.table) @ self.table


class Denoiser(nn.Module):
    """Sigmoids and one line of inputs: a layout that learns more slowly than most."""

    def __init__(self, latent_dim, condition_dim, T, hidden=128):
        super().__init__()
        self.rates = [10000 ** (-i / 8) for i in range(8)]
        sizes = [latent_dim + condition_dim + 16, hidden, hidden, hidden]
        layers = [part for a, b in pairwise(sizes) for part in (nn.Linear(a, b), nn.Sigmoid())]
        self.layers = nn.Sequential(*layers, nn.Linear(hidden, latent_dim))

    def forward(self, z_t, t, c):
        angles = t[:, None] * torch.tensor(self.rates).to(z_t)
        return self.layers(torch.cat([z_t, angles.sin(), angles.cos(), c], 1))


def diffusion_loss(model, alpha_bars, z0, c, t, noise, drop):
    B = len(z0)
    if noise.shape != z0.shape or len(c) != B or t.shape != (B,) or drop.shape != (B,):
        raise ValueError(f"shapes differ: {[tuple(v.shape) for v in (z0, c, t, noise, drop)]}")
    if B and (t.min() < 0 or t.max() >= len(alpha_bars)):
        raise ValueError(f"t must be in 0..{len(alpha_bars) - 1}, got {t.tolist()}")
    a = alpha_bars.to(z0)[t, None]
    z = a.sqrt() * z0 + (1 - a).sqrt() * noise
    return (noise - model(z, t, c * (~drop)[:, None])).square().mean()


def guided_noise(model, z_t, t, c, guidance_scale, negative=None):
    if len(c) != len(z_t):
        raise ValueError(f"c has {len(c)} rows, z_t {len(z_t)}")
    if negative is not None and negative.shape != c.shape:
        raise ValueError(f"negative must be {tuple(c.shape)}, got {tuple(negative.shape)}")
    e1, e0 = model(z_t, t, c), model(z_t, t, c * 0 if negative is None else negative)
    return (1 - guidance_scale) * e0 + guidance_scale * e1


def classifier_guided_noise(noise, z_t, t, labels, classifier, alpha_bars, weight=1.0):
    B = len(z_t)
    if noise.shape != z_t.shape or t.shape != (B,) or labels.shape != (B,):
        raise ValueError(f"shapes differ: {[tuple(v.shape) for v in (noise, z_t, t, labels)]}")
    with torch.enable_grad():
        z = z_t.detach().clone().requires_grad_()
        loss = nn.functional.cross_entropy(classifier(z, t), labels, reduction="sum")
        (g,) = torch.autograd.grad(loss, z)
    return (noise + weight * (1 - alpha_bars.to(z_t)[t, None]).sqrt() * g).detach()


def _bars(alpha_bars, times, like):
    times = list(times)
    ok = times and all(a > b for a, b in pairwise(times)) and 0 <= times[-1] and times[0] < len(alpha_bars)
    if not ok:
        raise ValueError(f"times must decrease strictly within 0..{len(alpha_bars) - 1}, got {times}")
    a = [*alpha_bars.to(like.dtype)[times].tolist(), 1.0]
    return [(t, *p) for t, p in zip(times, pairwise(a))]


def ddim_sample(noise_fn, alpha_bars, z_T, times):
    z = z_T
    for t, a, b in _bars(alpha_bars, times, z_T):
        e = noise_fn(z, torch.full((len(z),), t, device=z.device))
        z = (b / a) ** 0.5 * (z - (1 - a) ** 0.5 * e) + (1 - b) ** 0.5 * e
    return z


def inpaint(noise_fn, alpha_bars, noise, times, known, mask, space):
    K = len(times)
    if (
        noise.shape != (K, len(known), len(space[1]))
        or known.shape[1:] != space[0].shape
        or mask.shape != known.shape[1:]
    ):
        raise ValueError(f"shapes do not fit: {tuple(noise.shape)}, {tuple(known.shape)}, {tuple(mask.shape)}")
    z = noise[0]
    for k, (t, a, b) in enumerate(_bars(alpha_bars, times, noise)):
        e = noise_fn(z, torch.full((len(z),), t, device=z.device))
        x = torch.where(mask.bool(), known, decode((z - (1 - a) ** 0.5 * e) / a**0.5, space))
        if k + 1 < K:
            z = b**0.5 * encode(x, space) + (1 - b) ** 0.5 * noise[k + 1]
    return x


def train_text_to_image(
    model,
    text_encoder,
    alpha_bars,
    z,
    prompts,
    steps,
    batch_size=128,
    lr=1e-3,
    drop_probability=0.1,
    generator=None,
    progress=False,
):
    n = len(z)
    if len(prompts) != n:
        raise ValueError(f"{len(prompts)} prompts for {n} latents")
    if not 0 <= drop_probability <= 1:
        raise ValueError(f"drop_probability must be in [0, 1], got {drop_probability}")
    opt, out = torch.optim.Adam([*model.parameters(), *text_encoder.parameters()], lr), []
    own = {"generator": generator, "device": z.device if generator is None else generator.device}  # where it draws
    for _ in range(steps):
        i = torch.randperm(n, **own)[:batch_size].to(z.device)
        t = torch.randint(len(alpha_bars), i.shape, **own).to(z.device)
        eps = torch.randn(len(i), z.shape[1], dtype=z.dtype, **own).to(z)
        drop = (torch.rand(len(i), **own) < drop_probability).to(z.device)
        loss = diffusion_loss(model, alpha_bars, z[i], text_encoder([prompts[j] for j in i.tolist()]), t, eps, drop)
        opt.zero_grad()
        loss.backward()
        opt.step()
        out.append(loss.item())
    return {"loss": out}


@torch.no_grad()
def text_to_image(model, text_encoder, space, alpha_bars, prompts, times, guidance_scale=3.0, z_T=None, generator=None):
    B, C = len(prompts), space[1]
    if z_T is None:
        device = C.device if generator is None else generator.device
        z_T = torch.randn(B, len(C), generator=generator, dtype=C.dtype, device=device).to(C)
    if z_T.shape != (B, len(C)):
        raise ValueError(f"z_T must be {(B, len(C))}, got {tuple(z_T.shape)}")
    c = text_encoder(prompts)
    z = ddim_sample(lambda z, t: guided_noise(model, z, t, c, guidance_scale), alpha_bars, z_T, times)
    return decode(z, space).clip(0, 1)
