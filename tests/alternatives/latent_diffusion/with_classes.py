# A schedule and a sampler as classes, guards by decorators; prompts embedded once per distinct text; a residual network.
import functools
import math

import torch
from torch import nn


def guarded(*checks):
    """Refuse arguments for which one of these is false."""

    def decorate(function):
        @functools.wraps(function)
        def wrapped(*args, **kwargs):
            for check in checks:
                if not check(*args):
                    raise ValueError(f"{function.__name__}: bad arguments")
            return function(*args, **kwargs)

        return wrapped

    return decorate


@guarded(lambda x, d: 1 <= d <= min(x.shape))
def fit_latent_space(x, d):
    mean = x.mean(dim=0)
    centred = x - mean
    if x.shape[0] >= x.shape[1]:
        values, vectors = torch.linalg.eigh(centred.T @ centred)
        components = vectors.flip(1)[:, :d].T
    else:
        _u, _s, vh = torch.linalg.svd(centred, full_matrices=False)
        components = vh[:d]
    codes = centred @ components.T
    return mean, components.contiguous(), math.sqrt(codes.numel() / float((codes**2).sum()))


@guarded(lambda x, space: x.shape[-1] == len(space[0]))
def encode(x, space):
    return (x - space[0]) @ (space[2] * space[1]).T


@guarded(lambda z, space: z.shape[-1] == len(space[1]))
def decode(z, space):
    return z @ space[1] / space[2] + space[0]


def _words(text):
    word = []
    for letter in text:
        if letter.isalpha():
            word.append(letter)
        elif word:
            yield "".join(word)
            word = []
    if word:
        yield "".join(word)


def tokenize(prompt, vocabulary):
    known = set(vocabulary)
    return [list(vocabulary).index(w) for w in _words(prompt.lower()) if w in known]


class TextEncoder(nn.Module):
    def __init__(self, vocabulary, dim=16):
        super().__init__()
        self.vocabulary, self.seen = list(vocabulary), {}
        self.table = nn.Parameter(torch.nn.init.normal_(torch.empty(len(self.vocabulary), dim), std=0.7))

    def share(self, prompt):
        if prompt not in self.seen:
            row = torch.zeros(len(self.vocabulary), dtype=torch.float64)
            tokens = tokenize(prompt, self.vocabulary)
            row.index_add_(0, torch.tensor(tokens, dtype=torch.long), torch.ones(len(tokens), dtype=torch.float64))
            self.seen[prompt] = row / max(1, len(tokens))
        return self.seen[prompt]

    def forward(self, prompts):
        return torch.stack([self.share(p) for p in prompts]).to(self.table) @ self.table


class Residual(nn.Module):
    def __init__(self, width, told):
        super().__init__()
        self.first, self.second, self.told = nn.Linear(width, width), nn.Linear(width, width), nn.Linear(told, width)

    def forward(self, h, e):
        return h + self.second(torch.relu(self.first(torch.relu(h)) + self.told(e)))


class Denoiser(nn.Module):
    def __init__(self, latent_dim, condition_dim, T, hidden=128):
        super().__init__()
        self.T = T
        self.enter = nn.Linear(latent_dim, 2 * hidden)
        self.blocks = nn.ModuleList(Residual(2 * hidden, condition_dim + 12) for _ in range(3))
        self.leave = nn.Linear(2 * hidden, latent_dim)

    def forward(self, z_t, t, c):
        phases = (t.to(z_t) / self.T).unsqueeze(1) * math.pi * torch.tensor([0.5, 1, 2, 4, 8, 16]).to(z_t)
        e = torch.cat([phases.sin(), phases.cos(), c], dim=1)
        h = self.enter(z_t)
        for block in self.blocks:
            h = block(h, e)
        return self.leave(torch.relu(h))


class Schedule:
    """The two weights of a time."""

    def __init__(self, alpha_bars, like):
        bars = alpha_bars.to(like)
        self.signal, self.spread = bars.sqrt(), (1 - bars).sqrt()

    def mix(self, clean, t, noise):
        signal, spread = self.signal[t], self.spread[t]
        if torch.is_tensor(t) and t.dim():
            signal, spread = signal.unsqueeze(1), spread.unsqueeze(1)
        return signal * clean + spread * noise

    def clean(self, z, t, noise):
        return (z - self.spread[t] * noise) / self.signal[t]


def _same_rows(z, *others):
    return all(len(other) == len(z) for other in others)


@guarded(
    lambda model, bars, z0, c, t, noise, drop: _same_rows(z0, c, t, drop) and z0.shape == noise.shape,
    lambda model, bars, z0, c, t, noise, drop: bool(((t >= 0) * (t < len(bars))).all()),
)
def diffusion_loss(model, alpha_bars, z0, c, t, noise, drop):
    z_t = Schedule(alpha_bars, z0).mix(z0, t, noise)
    guess = model(z_t, t, c.masked_fill(drop.unsqueeze(1), 0.0))
    return (guess - noise).pow(2).mean(dim=1).mean()


def guided_noise(model, z_t, t, c, guidance_scale, negative=None):
    nothing = torch.zeros_like(c) if negative is None else negative
    if len(c) != len(z_t) or nothing.shape != c.shape:
        raise ValueError("guided_noise: bad arguments")
    away, to = model(z_t, t, nothing), model(z_t, t, c)
    return away - guidance_scale * away + guidance_scale * to


@guarded(lambda noise, z, t, labels, *_: noise.shape == z.shape and _same_rows(z, t, labels))
def classifier_guided_noise(noise, z_t, t, labels, classifier, alpha_bars, weight=1.0):
    z = z_t.detach().requires_grad_(True)
    with torch.set_grad_enabled(True):
        picked = nn.functional.nll_loss(torch.log_softmax(classifier(z, t), -1), labels, reduction="none")
        slope = -torch.autograd.grad(picked, z, grad_outputs=torch.ones_like(picked))[0]
    return noise - slope * Schedule(alpha_bars, z_t).spread[t].unsqueeze(1) * weight


class Walk:
    """Times, one after the other, each with the next one."""

    def __init__(self, times, T):
        self.times = list(times)
        falling = all(a - b >= 1 for a, b in zip(self.times[:-1], self.times[1:]))
        if not self.times or not falling or not 0 <= self.times[-1] <= self.times[0] <= T - 1:
            raise ValueError(f"bad times {self.times}")

    def __iter__(self):
        return iter(zip(self.times, [*self.times[1:], None]))

    def __len__(self):
        return len(self.times)


def _rows(z, t):
    return torch.ones(len(z), dtype=torch.int64, device=z.device) * t


def ddim_sample(noise_fn, alpha_bars, z_T, times):
    walk, schedule = Walk(times, len(alpha_bars)), Schedule(alpha_bars, z_T)
    z = z_T
    for t, following in walk:
        noise = noise_fn(z, _rows(z, t))
        clean = schedule.clean(z, t, noise)
        z = clean if following is None else schedule.mix(clean, following, noise)
    return z


def inpaint(noise_fn, alpha_bars, noise, times, known, mask, space):
    walk, schedule = Walk(times, len(alpha_bars)), Schedule(alpha_bars, noise)
    if list(noise.shape) != [len(walk), len(known), len(space[1])]:
        raise ValueError("inpaint: noise")
    if known.shape[1:] != space[0].shape or mask.shape != space[0].shape:
        raise ValueError("inpaint: known or mask")
    fresh = iter(noise)
    z = next(fresh)
    for t, following in walk:
        image = decode(schedule.clean(z, t, noise_fn(z, _rows(z, t))), space)
        image = torch.where(mask > 0, known, image)
        if following is not None:
            z = schedule.mix(encode(image, space), following, next(fresh))
    return image


def train_text_to_image(
    model, text_encoder, alpha_bars, z, prompts, steps, batch_size=128, lr=1e-3, drop_probability=0.1, generator=None,
    progress=False,
):  # fmt: skip
    if len(z) != len(prompts) or not 0 <= drop_probability <= 1:
        raise ValueError("train_text_to_image: bad arguments")
    distinct = sorted(set(prompts))
    which = torch.tensor([distinct.index(p) for p in prompts])
    optimiser = torch.optim.Adam([p for network in (text_encoder, model) for p in network.parameters()], lr=lr)
    losses = torch.zeros(steps)
    for step in range(steps):
        rows = torch.randperm(len(z), generator=generator)[:batch_size]
        noise = torch.randn(z[rows].shape, generator=generator, dtype=z.dtype).to(z)
        t = torch.randint(0, len(alpha_bars), (batch_size,), generator=generator).to(z.device)
        drop = torch.rand((batch_size,), generator=generator).to(z.device) < drop_probability
        c = text_encoder(distinct)[which[rows]]
        optimiser.zero_grad()
        loss = diffusion_loss(model, alpha_bars, z[rows], c, t, noise, drop)
        loss.backward()
        optimiser.step()
        losses[step] = loss.detach()
    return {"loss": losses.tolist()}


def text_to_image(model, text_encoder, space, alpha_bars, prompts, times, guidance_scale=3.0, z_T=None, generator=None):
    if z_T is None:
        z_T = torch.randn(len(prompts), len(space[1]), generator=generator).to(space[1])
    if z_T.shape != (len(prompts), len(space[1])):
        raise ValueError("text_to_image: z_T")
    with torch.no_grad():
        guide = functools.partial(guided_noise, model, c=text_encoder(prompts), guidance_scale=guidance_scale)
        return decode(ddim_sample(guide, alpha_bars, z_T, times), space).clip(0.0, 1.0)
