# One call of the model with 2B rows; einsum; scales and shifts from time and text; AdamW with a warm-up and clipping.
import torch
import torch.nn.functional as F
from torch import nn


def require(condition, message):
    if not condition:
        raise ValueError(message)


def fit_latent_space(x, d):
    require(1 <= d <= min(x.shape), "d")
    mean = x.mean(0, keepdim=True)
    _u, s, v = torch.svd(x - mean)
    components = v.T[:d].contiguous()
    return mean[0], components, (x.shape[0] * d) ** 0.5 / s[:d].norm()


def encode(x, space):
    mean, components, scale = space
    require(x.size(-1) == components.size(1), "x")
    return torch.einsum("bD,dD->bd", x - mean, components) * scale


def decode(z, space):
    mean, components, scale = space
    require(z.size(-1) == components.size(0), "z")
    return torch.addmm(mean, z / scale, components)


def tokenize(prompt, vocabulary):
    index = dict(zip(vocabulary, range(len(vocabulary))))
    words = ("".join(ch if ch.isalpha() else " " for ch in prompt.lower())).split()
    return [index[w] for w in words if w in index]


class TextEncoder(nn.Module):
    def __init__(self, vocabulary, dim=16):
        super().__init__()
        self.words = list(vocabulary)
        self.table = nn.Parameter(torch.empty(len(self.words), dim))
        nn.init.xavier_normal_(self.table)

    def forward(self, prompts):
        tokens = [tokenize(p, self.words) for p in prompts]
        counts = torch.stack(
            [torch.bincount(torch.tensor(k, dtype=torch.long), minlength=len(self.words)) for k in tokens]
        ).to(self.table)
        return torch.einsum("bv,vk->bk", counts / counts.sum(1, keepdim=True).clamp_min(1), self.table)


class Modulated(nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.norm = nn.LayerNorm(hidden, elementwise_affine=False)
        self.told = nn.Linear(hidden, 2 * hidden)
        self.layers = nn.Sequential(nn.Linear(hidden, 2 * hidden), nn.GELU(), nn.Linear(2 * hidden, hidden))

    def forward(self, h, e):
        scale, shift = self.told(e).chunk(2, 1)
        return h + self.layers(self.norm(h) * (1 + scale) + shift)


class Denoiser(nn.Module):
    def __init__(self, latent_dim, condition_dim, T, hidden=128):
        super().__init__()
        self.enter, self.leave = nn.Linear(latent_dim, hidden), nn.Linear(hidden, latent_dim)
        self.text = nn.Linear(condition_dim, hidden, bias=False)
        self.register_buffer("rates", 2.0 ** torch.arange(8) / T)
        self.clock = nn.Sequential(nn.Linear(16, hidden), nn.SiLU(), nn.Linear(hidden, hidden))
        self.blocks = nn.ModuleList([Modulated(hidden), Modulated(hidden)])

    def forward(self, z_t, t, c):
        angles = t[:, None] * self.rates
        e = F.silu(self.clock(torch.cat([angles.sin(), angles.cos()], 1)) + self.text(c))
        h = self.enter(z_t)
        for block in self.blocks:
            h = block(h, e)
        return self.leave(h)


def diffusion_loss(model, alpha_bars, z0, c, t, noise, drop):
    require(noise.shape == z0.shape and len(c) == len(z0) and t.shape == drop.shape == z0.shape[:1], "shapes")
    require(all(0 <= i < len(alpha_bars) for i in t.tolist()), "times")
    bar = alpha_bars.type_as(z0).gather(0, t).unsqueeze(1)
    z_t = torch.addcmul(bar.sqrt() * z0, (1 - bar).sqrt(), noise)
    return F.mse_loss(model(z_t, t, c * (~drop).type_as(c).unsqueeze(1)), noise)


def guided_noise(model, z_t, t, c, guidance_scale, negative=None):
    require(len(c) == len(z_t) and (negative is None or negative.shape == c.shape), "c or negative")
    other = torch.zeros_like(c) if negative is None else negative
    both = model(z_t.repeat(2, 1), t.repeat(2), torch.cat([other, c]))
    return torch.lerp(*both.chunk(2), guidance_scale)


def classifier_guided_noise(noise, z_t, t, labels, classifier, alpha_bars, weight=1.0):
    require(noise.shape == z_t.shape and t.shape == labels.shape == z_t.shape[:1], "rows")
    z = z_t.detach().clone()
    with torch.enable_grad():
        z.requires_grad = True
        loss = F.cross_entropy(classifier(z, t), labels, reduction="sum")
        slope = torch.autograd.grad(loss, z)[0]
    return noise + weight * (1 - alpha_bars.type_as(z_t)[t]).sqrt().unsqueeze(1) * slope


def checked(times, T):
    times = tuple(times)
    require(len(times) > 0 and T > times[0] and times[-1] >= 0, "times")
    require(all(a > b for a, b in zip(times, times[1:])), "times")
    return times


def ddim_sample(noise_fn, alpha_bars, z_T, times):
    times = checked(times, len(alpha_bars))
    alpha_bars = alpha_bars.type_as(z_T)
    z, e, clean = z_T, None, None
    for step, t in enumerate(times):
        if step:
            z = alpha_bars[t].sqrt() * clean + (1 - alpha_bars[t]).sqrt() * e
        e = noise_fn(z, z.new_full((len(z),), t, dtype=torch.long))
        clean = z / alpha_bars[t].sqrt() - (1 / alpha_bars[t] - 1).sqrt() * e
    return clean


def inpaint(noise_fn, alpha_bars, noise, times, known, mask, space):
    times = checked(times, len(alpha_bars))
    mean, components, _ = space
    require(noise.shape == (len(times), known.shape[0], components.shape[0]), "noise")
    require(known.shape[1:] == mean.shape == mask.shape, "known or mask")
    alpha_bars, mask = alpha_bars.type_as(noise), mask.type_as(known)
    x = None
    for e, t in zip(noise, times):
        z = e if x is None else alpha_bars[t].sqrt() * encode(x, space) + (1 - alpha_bars[t]).sqrt() * e
        guess = noise_fn(z, z.new_full((len(z),), t, dtype=torch.long))
        clean = z / alpha_bars[t].sqrt() - (1 / alpha_bars[t] - 1).sqrt() * guess
        x = mask * known + (1 - mask) * decode(clean, space)
    return x


def train_text_to_image(
    model, text_encoder, alpha_bars, z, prompts, steps, batch_size=128, lr=1e-3, drop_probability=0.1, generator=None,
    progress=False,
):  # fmt: skip
    require(len(prompts) == len(z), "prompts")
    require(0 <= drop_probability <= 1, "drop_probability")
    weights = list(model.parameters()) + list(text_encoder.parameters())
    optimiser = torch.optim.AdamW(weights, lr=lr)
    warm_up = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: min(1.0, (step + 1) / 10))
    history = {"loss": [], "norm": []}
    for _ in range(steps):
        rows = torch.multinomial(torch.ones(len(z)), batch_size, replacement=True, generator=generator)
        t = (torch.rand(batch_size, generator=generator).to(z.device) * len(alpha_bars)).long()
        noise = torch.empty(batch_size, z.shape[1], dtype=z.dtype, device=z.device).normal_(generator=generator)
        drop = torch.bernoulli(torch.full((batch_size,), float(drop_probability)), generator=generator).bool().to(z.device)
        loss = diffusion_loss(model, alpha_bars, z[rows], text_encoder([prompts[i] for i in rows]), t, noise, drop)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        history["norm"].append(float(nn.utils.clip_grad_norm_(weights, 5.0)))
        optimiser.step()
        warm_up.step()
        history["loss"].append(loss.detach().item())
    return history


@torch.no_grad()
def text_to_image(model, text_encoder, space, alpha_bars, prompts, times, guidance_scale=3.0, z_T=None, generator=None):
    shape = (len(prompts), space[1].shape[0])
    z_T = torch.randn(shape, generator=generator).type_as(space[1]) if z_T is None else z_T
    require(tuple(z_T.shape) == shape, "z_T")
    c = text_encoder(prompts)

    def noise_fn(z, t):
        return guided_noise(model, z, t, c, guidance_scale)

    return decode(ddim_sample(noise_fn, alpha_bars, z_T, times), space).clamp(min=0.0, max=1.0)
