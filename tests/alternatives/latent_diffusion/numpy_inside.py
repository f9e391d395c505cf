# NumPy for the latent space and for all draws; a time line by interpolation; a plain network that adds its parts.
import numpy as np
import torch
from torch import nn


def fit_latent_space(x, d):
    if not 1 <= d <= min(x.shape):
        raise ValueError(f"d must be in 1..{min(x.shape)}")
    data = x.double().cpu().numpy()
    mean = data.mean(0)
    rows = np.linalg.svd(data - mean, full_matrices=False)[2][:d]
    scale = 1 / np.sqrt(np.mean(((data - mean) @ rows.T) ** 2))
    return torch.from_numpy(mean).to(x), torch.from_numpy(rows.copy()).to(x), float(scale)


def encode(x, space):
    mean, components, scale = space
    if x.shape[-1] != mean.shape[-1]:
        raise ValueError("x has another number of pixels")
    return torch.tensordot(x - mean, components, dims=([-1], [-1])) * scale


def decode(z, space):
    mean, components, scale = space
    if z.shape[-1] != components.shape[0]:
        raise ValueError("z has another dimension")
    return torch.tensordot(z, components / scale, dims=1) + mean


def tokenize(prompt, vocabulary):
    lowered = prompt.lower()
    letters = np.array([0, *(letter.isalpha() for letter in lowered), 0], dtype=int)
    starts, ends = np.flatnonzero(np.diff(letters) == 1), np.flatnonzero(np.diff(letters) == -1)
    words = [lowered[a:b] for a, b in zip(starts, ends)]
    return [vocabulary.index(word) for word in words if word in vocabulary]


class TextEncoder(nn.Module):
    def __init__(self, vocabulary, dim=16):
        super().__init__()
        self.vocabulary = list(vocabulary)
        self.embedding = nn.Embedding(len(self.vocabulary), dim)
        self.table = self.embedding.weight

    def forward(self, prompts):
        rows = []
        for prompt in prompts:
            tokens = torch.tensor(tokenize(prompt, self.vocabulary), dtype=torch.int64, device=self.table.device)
            vectors = self.embedding(tokens)
            rows.append(vectors.mean(0) if len(tokens) > 0 else vectors.sum(0))
        return torch.stack(rows)


class Denoiser(nn.Module):
    def __init__(self, latent_dim, condition_dim, T, hidden=128):
        super().__init__()
        self.z1, self.c1 = nn.Linear(latent_dim, 2 * hidden), nn.Linear(condition_dim, 2 * hidden)
        self.t1, self.t2 = nn.Embedding(T, 2 * hidden), nn.Embedding(T, latent_dim)
        self.c2 = nn.Linear(condition_dim, 2 * hidden)
        self.z2, self.z3 = nn.Linear(2 * hidden, 2 * hidden), nn.Linear(2 * hidden, latent_dim)
        angles = np.arange(T)[:, None] / T * np.pi * np.arange(hidden)
        self.t1.weight.data.copy_(torch.from_numpy(np.concatenate([np.sin(angles), np.cos(angles)], axis=1)))
        nn.init.zeros_(self.t2.weight)

    def forward(self, z_t, t, c):
        h = nn.functional.leaky_relu(self.z1(z_t) + self.c1(c) + self.t1(t), 0.1)
        h = nn.functional.leaky_relu(self.z2(h) + self.c2(c), 0.1)
        return self.z3(h) + self.t2(t) * z_t


def diffusion_loss(model, alpha_bars, z0, c, t, noise, drop):
    if noise.shape != z0.shape or {len(c), len(t), len(drop)} != {len(z0)}:
        raise ValueError("rows or shapes differ")
    if len(t) and not (0 <= int(t.min()) and int(t.max()) < len(alpha_bars)):
        raise ValueError("times out of range")
    bars = alpha_bars[t].to(z0)
    z_t = torch.sqrt(bars)[:, None] * z0 + torch.sqrt(1 - bars)[:, None] * noise
    given = c.clone()
    given[drop] = 0
    return torch.mean(torch.square(noise - model(z_t, t, given)))


def guided_noise(model, z_t, t, c, guidance_scale, negative=None):
    if len(c) != len(z_t):
        raise ValueError("c has other rows")
    if negative is None:
        negative = torch.zeros_like(c)
    elif negative.shape != c.shape:
        raise ValueError("negative has another shape")
    two = model(torch.cat([z_t, z_t]), torch.cat([t, t]), torch.cat([c, negative])).reshape(2, *z_t.shape)
    return two[1] + guidance_scale * (two[0] - two[1])


def classifier_guided_noise(noise, z_t, t, labels, classifier, alpha_bars, weight=1.0):
    if noise.shape != z_t.shape or t.shape != z_t.shape[:1] or labels.shape != z_t.shape[:1]:
        raise ValueError("rows differ")

    def log_p(z):
        with torch.enable_grad():
            logits = classifier(z, t)
            chosen = nn.functional.one_hot(labels, logits.shape[1]).to(logits)
            return ((logits - logits.logsumexp(1, keepdim=True)) * chosen).sum(1)

    with torch.enable_grad():
        _values, slope = torch.autograd.functional.vjp(log_p, z_t.detach(), torch.ones_like(z_t[:, 0]))
    return noise - weight * torch.sqrt(1 - alpha_bars[t].to(z_t))[:, None] * slope


def whole_times(times, T):
    times = np.array([int(t) for t in times], dtype=int)
    if times.size == 0 or (np.diff(times) >= 0).any() or times[0] >= T or times[-1] < 0:
        raise ValueError(f"times {times}")
    return times.tolist()


def ddim_sample(noise_fn, alpha_bars, z_T, times):
    times = whole_times(times, len(alpha_bars))
    bars = np.append(alpha_bars.double().cpu().numpy()[times], 1.0)
    z = z_T
    for t, bar, following in zip(times, bars, bars[1:]):
        e = noise_fn(z, torch.full((len(z),), t, device=z.device))
        # z / sqrt(bar) moves along the noise by the change of sqrt(1 / bar - 1).
        straight = z / float(np.sqrt(bar)) + float(np.sqrt(1 / following - 1) - np.sqrt(1 / bar - 1)) * e
        z = float(np.sqrt(following)) * straight
    return z


def inpaint(noise_fn, alpha_bars, noise, times, known, mask, space):
    times = whole_times(times, len(alpha_bars))
    if tuple(noise.shape) != (len(times), known.shape[0], space[1].shape[0]):
        raise ValueError("noise")
    if known.shape[1] != space[0].shape[0] or mask.shape != space[0].shape:
        raise ValueError("known, mask")
    bars = alpha_bars.double().cpu().numpy()
    pasted = mask.to(torch.bool)
    z = noise[0]
    for k, t in enumerate(times):
        e = noise_fn(z, torch.full((len(z),), t, device=z.device))
        x = decode((z - float(np.sqrt(1 - bars[t])) * e) / float(np.sqrt(bars[t])), space)
        x[:, pasted] = known[:, pasted]
        if k + 1 == len(times):
            return x
        bar = bars[times[k + 1]]
        z = float(np.sqrt(bar)) * encode(x, space) + float(np.sqrt(1 - bar)) * noise[k + 1]


def train_text_to_image(
    model, text_encoder, alpha_bars, z, prompts, steps, batch_size=128, lr=1e-3, drop_probability=0.1, generator=None,
    progress=False,
):  # fmt: skip
    if len(prompts) != len(z):
        raise ValueError("one prompt for each latent")
    if not 0 <= drop_probability <= 1:
        raise ValueError("drop_probability")
    rng = np.random.default_rng(int(torch.randint(2**31, (1,), generator=generator)))
    optimiser = torch.optim.Adam([{"params": model.parameters()}, {"params": text_encoder.parameters()}], lr=lr)
    history = {"loss": []}
    for _step in range(steps):
        rows = rng.choice(len(z), batch_size, replace=False)
        t = torch.from_numpy(rng.integers(0, len(alpha_bars), batch_size)).to(z.device)
        noise = torch.from_numpy(rng.standard_normal((batch_size, z.shape[1]))).to(z)
        drop = torch.from_numpy(rng.random(batch_size) < drop_probability).to(z.device)
        c = text_encoder([prompts[i] for i in rows])
        loss = diffusion_loss(model, alpha_bars, z[torch.from_numpy(rows)], c, t, noise, drop)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        history["loss"].append(np.float64(loss.item()))
    return history


def text_to_image(model, text_encoder, space, alpha_bars, prompts, times, guidance_scale=3.0, z_T=None, generator=None):
    d = space[1].shape[0]
    if z_T is None:
        z_T = torch.stack([torch.randn(d, generator=generator, dtype=space[1].dtype).to(space[1]) for _prompt in prompts]).to(space[1])
    if z_T.shape != (len(prompts), d):
        raise ValueError("z_T")
    c = text_encoder(prompts).detach()

    def noise_fn(z, t):
        return guided_noise(model, z, t, c, guidance_scale).detach()

    return decode(ddim_sample(noise_fn, alpha_bars, z_T, times), space).detach().clamp(0, 1)
