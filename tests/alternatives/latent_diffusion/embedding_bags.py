# Embedding bags, a DataLoader, functional transforms for the gradient, rows without a prompt in a call of their own.
import torch
from torch import nn
from torch.func import grad, vmap
from torch.utils.data import DataLoader, RandomSampler, TensorDataset


def refuse(wrong, what):
    if wrong:
        raise ValueError(what)


def fit_latent_space(x, d):
    refuse(not 0 < d <= min(*x.shape), f"d = {d}")
    mean = torch.mean(x, 0)
    centred = x - mean
    components = torch.linalg.svd(centred)[2][:d]
    return mean, components, 1 / torch.sqrt(torch.mean(torch.square(torch.matmul(centred, components.mT))))


def encode(x, space):
    refuse(x.shape[-1] != space[0].shape[0], "x")
    return nn.functional.linear(x - space[0], space[1]) * space[2]


def decode(z, space):
    refuse(z.shape[-1] != space[1].shape[0], "z")
    return nn.functional.linear(z / space[2], space[1].T) + space[0]


def tokenize(prompt, vocabulary):
    text = "".join(letter if letter.isalpha() else "\n" for letter in prompt.lower())
    return [list(vocabulary).index(word) for word in text.split("\n") if word in vocabulary]


class TextEncoder(nn.Module):
    def __init__(self, vocabulary, dim=16):
        super().__init__()
        self.vocabulary = list(vocabulary)
        self.table = nn.Parameter(torch.rand(len(self.vocabulary), dim) * 2 - 1)

    def forward(self, prompts):
        tokens = [tokenize(prompt, self.vocabulary) for prompt in prompts]
        starts = torch.tensor([0, *map(len, tokens)][:-1], dtype=torch.long, device=self.table.device).cumsum(0)
        flat = torch.tensor(sum(tokens, []), dtype=torch.long, device=self.table.device)
        return nn.functional.embedding_bag(flat, self.table, starts, mode="mean")


class Denoiser(nn.Module):
    """Three gated layers; the gate hears of the time and of the text."""

    def __init__(self, latent_dim, condition_dim, T, hidden=128):
        super().__init__()
        sizes = [latent_dim, 2 * hidden, 2 * hidden, 2 * hidden]
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in zip(sizes, sizes[1:]))
        self.gates = nn.ModuleList(nn.Linear(condition_dim + hidden, b) for b in sizes[1:])
        self.times = nn.Embedding(T, hidden)
        self.last = nn.Linear(2 * hidden, latent_dim)
        self.pass_on = nn.Linear(latent_dim, latent_dim)

    def forward(self, z_t, t, c):
        told = torch.cat([self.times(t), c], -1)
        h = z_t
        for layer, gate in zip(self.layers, self.gates):
            h = nn.functional.silu(layer(h)) * (1 + gate(told))
        return self.last(h) + self.pass_on(z_t)


def diffusion_loss(model, alpha_bars, z0, c, t, noise, drop):
    refuse(len({len(z0), len(c), len(t), len(noise), len(drop)}) > 1 or noise.shape != z0.shape, "rows")
    refuse(bool(((t < 0) | (t >= alpha_bars.numel())).any()), "times")
    bar = alpha_bars.to(z0)[t].view(-1, 1)
    z_t = bar.pow(0.5) * z0 + (1 - bar).pow(0.5) * noise
    total = 0
    for rows, k in ((drop, torch.zeros_like(c)), (~drop, c)):
        if rows.any():
            total = total + (model(z_t[rows], t[rows], k[rows]) - noise[rows]).pow(2).sum()
    return total / noise.numel()


def guided_noise(model, z_t, t, c, guidance_scale, negative=None):
    refuse(c.shape[0] != z_t.shape[0], "c")
    refuse(negative is not None and negative.shape != c.shape, "negative")
    with_prompt = model(z_t, t, c)
    if guidance_scale == 1:
        return with_prompt
    without = model(z_t, t, c.new_zeros(c.shape) if negative is None else negative)
    paper = guidance_scale - 1
    return (1 + paper) * with_prompt - paper * without


def classifier_guided_noise(noise, z_t, t, labels, classifier, alpha_bars, weight=1.0):
    refuse(noise.shape != z_t.shape or len(t) != len(z_t) or len(labels) != len(z_t), "rows")

    def log_p(z, time, label):
        return classifier(z[None], time[None])[0].log_softmax(-1).gather(0, label[None])[0]

    with torch.enable_grad():
        slopes = vmap(grad(log_p))(z_t.detach(), t, labels)
    factor = (1 - alpha_bars.to(z_t)[t]).sqrt()
    return torch.sub(noise, (factor * weight).unsqueeze(-1) * slopes.detach())


def path(alpha_bars, times, like):
    times = [*times]
    refuse(not times, "no times")
    refuse(max(times) > len(alpha_bars) - 1 or min(times) < 0, "times out of range")
    refuse(any(later >= earlier for earlier, later in zip(times, times[1:])), "times do not fall")
    bars = torch.cat([alpha_bars.to(like)[times], torch.ones(1, dtype=like.dtype, device=like.device)])
    return [(torch.full((like.shape[-2],), t, device=like.device), *bars[i : i + 2]) for i, t in enumerate(times)]


def ddim_sample(noise_fn, alpha_bars, z_T, times):
    z = z_T.clone()
    for t, now, following in path(alpha_bars, times, z_T):
        e = noise_fn(z, t)
        z = (following / now).sqrt() * (z - (1 - now).sqrt() * e) + (1 - following).sqrt() * e
    return z


def inpaint(noise_fn, alpha_bars, noise, times, known, mask, space):
    steps = path(alpha_bars, times, noise)
    mean, components, _scale = space
    refuse(noise.shape != torch.Size([len(steps), len(known), len(components)]), "noise")
    refuse(known.shape[-1] != len(mean) or mask.shape != mean.shape, "pixels")
    z = noise[0]
    for k, (t, now, following) in enumerate(steps):
        x = decode((z - (1 - now).sqrt() * noise_fn(z, t)) / now.sqrt(), space)
        x = x.masked_scatter(mask.bool().expand_as(x), known[:, mask.bool()])
        if k < len(steps) - 1:
            z = following.sqrt() * encode(x, space) + (1 - following).sqrt() * noise[k + 1]
    return x


def train_text_to_image(
    model, text_encoder, alpha_bars, z, prompts, steps, batch_size=128, lr=1e-3, drop_probability=0.1, generator=None,
    progress=False,
):  # fmt: skip
    refuse(len(prompts) != z.shape[0], "prompts")
    refuse(not 0.0 <= drop_probability <= 1.0, "drop_probability")
    data = TensorDataset(z, torch.arange(len(z)))
    sampler = RandomSampler(data, replacement=True, num_samples=steps * batch_size, generator=generator)
    optimiser = torch.optim.Adam(nn.ModuleList([model, text_encoder]).parameters(), lr)
    losses = []
    for z0, rows in DataLoader(data, batch_size, sampler=sampler, drop_last=True, generator=generator):
        t = torch.randint(len(alpha_bars), (len(z0),), generator=generator).to(z0.device)
        noise = torch.randn(z0.shape, generator=generator, dtype=z0.dtype).to(z0)
        drop = torch.rand(len(z0), generator=generator).to(z0.device) < drop_probability
        c = text_encoder([prompts[int(i)] for i in rows])
        loss = diffusion_loss(model, alpha_bars, z0, c, t, noise, drop)
        model.zero_grad()
        text_encoder.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return {"loss": losses}


def text_to_image(model, text_encoder, space, alpha_bars, prompts, times, guidance_scale=3.0, z_T=None, generator=None):
    size = torch.Size([len(prompts), space[1].shape[0]])
    if z_T is None:
        z_T = torch.zeros(size, dtype=space[1].dtype, device=space[1].device).normal_(0, 1, generator=generator)
    refuse(z_T.shape != size, "z_T")
    with torch.inference_mode():
        c = text_encoder(prompts)
        z = ddim_sample(lambda z, t: guided_noise(model, z, t, c, guidance_scale), alpha_bars, z_T, times)
        images = decode(z, space)
    return images.clone().clamp(0.0, 1.0)
