# Loops over rows, words and times; eigenvectors of the covariance; every input in one long row; batches of an epoch.
import torch
from torch import nn


def fit_latent_space(x, d):
    n, D = x.shape
    if d < 1 or d > n or d > D:
        raise ValueError(f"d = {d} does not fit {n} rows of {D} pixels")
    mean = sum(x) / n
    covariance = torch.zeros(D, D, dtype=x.dtype, device=x.device)
    for row in x:
        covariance += torch.outer(row - mean, row - mean) / n
    values, vectors = torch.linalg.eigh(covariance)
    components = torch.stack([vectors[:, -1 - i] for i in range(d)])
    total = 0.0
    for row in x:
        total += float(((row - mean) @ components.T).square().sum())
    return mean, components, (total / (n * d)) ** -0.5


def encode(x, space):
    mean, components, scale = space
    if x.shape[-1] != components.shape[1]:
        raise ValueError("x does not fit the space")
    return torch.stack([torch.stack([scale * ((row - mean) * c).sum() for c in components]) for row in x])


def decode(z, space):
    mean, components, scale = space
    if z.shape[-1] != components.shape[0]:
        raise ValueError("z does not fit the space")
    out = []
    for row in z:
        image = mean.clone()
        for number, c in zip(row, components):
            image = image + number / scale * c
        out.append(image)
    return torch.stack(out)


def tokenize(prompt, vocabulary):
    vocabulary = list(vocabulary)
    tokens, word = [], ""
    for letter in prompt.lower() + " ":
        if letter.isalpha():
            word += letter
        else:
            if word in vocabulary:
                tokens.append(vocabulary.index(word))
            word = ""
    return tokens


class TextEncoder(nn.Module):
    def __init__(self, vocabulary, dim=16):
        super().__init__()
        self.vocabulary = tuple(vocabulary)
        self.table = nn.Parameter(0.5 * torch.randn(len(self.vocabulary), dim))

    def forward(self, prompts):
        out = []
        for prompt in prompts:
            total, count = torch.zeros_like(self.table[0]), 0
            for token in tokenize(prompt, self.vocabulary):
                total, count = total + self.table[token], count + 1
            out.append(total / count if count else total)
        return torch.stack(out)


class Denoiser(nn.Module):
    def __init__(self, latent_dim, condition_dim, T, hidden=128):
        super().__init__()
        self.T = T
        self.layers = nn.Sequential(
            nn.Linear(latent_dim + condition_dim + 17, 2 * hidden),
            nn.GELU(),
            nn.Linear(2 * hidden, 2 * hidden),
            nn.GELU(),
            nn.Linear(2 * hidden, 2 * hidden),
            nn.GELU(),
            nn.Linear(2 * hidden, latent_dim),
        )

    def forward(self, z_t, t, c):
        share = t[:, None].to(z_t) / self.T
        waves = [torch.sin(2**i * share) for i in range(8)] + [torch.cos(2**i * share) for i in range(8)]
        return self.layers(torch.cat([z_t, c, share, *waves], 1))


def _fits(z, *others):
    for other in others:
        if other.shape[:1] != z.shape[:1]:
            raise ValueError("rows differ")


def diffusion_loss(model, alpha_bars, z0, c, t, noise, drop):
    _fits(z0, c, t, noise, drop)
    if noise.shape != z0.shape or bool((t < 0).any()) or bool((t >= len(alpha_bars)).any()):
        raise ValueError("noise or times do not fit")
    rows, given = [], []
    for i in range(len(z0)):
        bar = alpha_bars[int(t[i])].to(z0)
        rows.append(bar**0.5 * z0[i] + (1 - bar) ** 0.5 * noise[i])
        given.append(0 * c[i] if drop[i] else c[i])
    difference = model(torch.stack(rows), t, torch.stack(given)) - noise
    return (difference * difference).sum() / difference.numel()


def guided_noise(model, z_t, t, c, guidance_scale, negative=None):
    _fits(z_t, c)
    if negative is None:
        negative = 0 * c
    if negative.shape != c.shape:
        raise ValueError("negative does not fit c")
    return guidance_scale * model(z_t, t, c) + (1 - guidance_scale) * model(z_t, t, negative)


def classifier_guided_noise(noise, z_t, t, labels, classifier, alpha_bars, weight=1.0):
    _fits(z_t, noise, t, labels)
    if noise.shape != z_t.shape:
        raise ValueError("noise does not fit")
    out = []
    for i in range(len(z_t)):
        with torch.enable_grad():
            z = z_t[i : i + 1].detach().clone().requires_grad_(True)
            logits = classifier(z, t[i : i + 1])[0]
            (logits[labels[i]] - torch.logsumexp(logits, 0)).backward()
        out.append(noise[i] - weight * (1 - alpha_bars[t[i]].to(z_t)) ** 0.5 * z.grad[0])
    return torch.stack(out)


def _times(times, T):
    times = list(times)
    if not times or any(not 0 <= t < T for t in times) or times != sorted(set(times), reverse=True):
        raise ValueError(f"times: {times}")
    return times


def ddim_sample(noise_fn, alpha_bars, z_T, times):
    times = _times(times, len(alpha_bars))
    bars = [alpha_bars[t].to(z_T) for t in times] + [torch.ones((), dtype=z_T.dtype, device=z_T.device)]
    z = z_T
    for k in range(len(times)):
        e = noise_fn(z, torch.tensor([times[k]] * len(z), device=z.device))
        clean = (z - (1 - bars[k]) ** 0.5 * e) / bars[k] ** 0.5
        z = bars[k + 1] ** 0.5 * clean + (1 - bars[k + 1]) ** 0.5 * e
    return z


def inpaint(noise_fn, alpha_bars, noise, times, known, mask, space):
    times = _times(times, len(alpha_bars))
    D, d = len(space[0]), len(space[1])
    if noise.shape != (len(times), len(known), d) or known.shape[1] != D or mask.shape != (D,):
        raise ValueError("shapes")
    bars = alpha_bars.to(noise)
    z, x = noise[0], None
    for k, t in enumerate(times):
        if k > 0:
            z = bars[t] ** 0.5 * encode(x, space) + (1 - bars[t]) ** 0.5 * noise[k]
        e = noise_fn(z, torch.tensor([t] * len(z), device=z.device))
        x = decode((z - (1 - bars[t]) ** 0.5 * e) / bars[t] ** 0.5, space).clone()
        for pixel in range(D):
            if mask[pixel]:
                x[:, pixel] = known[:, pixel]
    return x


def train_text_to_image(
    model, text_encoder, alpha_bars, z, prompts, steps, batch_size=128, lr=1e-3, drop_probability=0.1, generator=None,
    progress=False,
):  # fmt: skip
    if len(prompts) != len(z) or drop_probability < 0 or drop_probability > 1:
        raise ValueError("prompts or drop_probability")
    optimisers = [torch.optim.Adam(network.parameters(), lr=lr) for network in (model, text_encoder)]
    losses, order = [], []
    for _step in range(steps):
        if len(order) < batch_size:
            order = torch.randperm(len(z), generator=generator).tolist()
        rows, order = order[:batch_size], order[batch_size:]
        t = torch.randint(0, len(alpha_bars), (batch_size,), generator=generator).to(z.device)
        noise = torch.randn(batch_size, z.shape[1], generator=generator, dtype=z.dtype).to(z)
        lost = (torch.rand(batch_size, generator=generator) < drop_probability).tolist()
        c = text_encoder(["" if gone else prompts[i] for i, gone in zip(rows, lost)])
        bars = alpha_bars.to(z)[t][:, None]
        loss = ((model(bars**0.5 * z[rows] + (1 - bars) ** 0.5 * noise, t, c) - noise) ** 2).mean()
        for optimiser in optimisers:
            optimiser.zero_grad()
        loss.backward()
        for optimiser in optimisers:
            optimiser.step()
        losses.append(float(loss.detach()))
    return {"loss": losses}


def text_to_image(model, text_encoder, space, alpha_bars, prompts, times, guidance_scale=3.0, z_T=None, generator=None):
    d = len(space[1])
    if z_T is None:
        z_T = torch.randn(len(prompts), d, generator=generator, dtype=space[1].dtype).to(space[1])
    if z_T.shape != (len(prompts), d):
        raise ValueError("z_T")
    with torch.no_grad():
        c = text_encoder(list(prompts))
        z = ddim_sample(lambda z, t: guided_noise(model, z, t, c, guidance_scale), alpha_bars, z_T, times)
        return torch.clip(decode(z, space), 0, 1)
