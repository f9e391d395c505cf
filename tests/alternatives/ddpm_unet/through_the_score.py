# Everything through the score and in log space; pixel shuffling for the resolutions; AMSGrad; noise drawn in advance.
import torch
from torch import nn


def linear_beta_schedule(T, beta_1=1e-4, beta_T=0.02):
    return beta_1 + (beta_T - beta_1) * torch.arange(T, dtype=torch.float64) / max(T - 1, 1)


def cosine_beta_schedule(T, s=0.008):
    u = torch.arange(T + 1) / T
    log_bars = 2 * torch.log(torch.cos((u.double() + s) / (1 + s) * torch.pi / 2).clamp(min=1e-30))
    return torch.minimum(-torch.expm1(log_bars.diff()), torch.tensor(0.999, dtype=torch.float64))


class Diffusion:
    def __init__(self, betas):
        log_alphas = torch.log1p(-betas)
        log_bars = torch.cumsum(log_alphas, 0)
        self.log_bars = log_bars
        self.alphas, self.alpha_bars = log_alphas.exp(), log_bars.exp()
        noise = -torch.expm1(log_bars)  # 1 - abar
        noise_before = -torch.expm1(log_bars - log_alphas)
        self.posterior_variance = betas * noise_before / noise


def _at(table, t, x):
    if t.shape != (x.shape[0],):
        raise ValueError(f"t: expected ({x.shape[0]},), got {tuple(t.shape)}")
    if t.numel() and int(t.amin()) < 0:
        raise ValueError("t: negative")
    return torch.index_select(table, 0, t)


def _scale(v, x):
    return torch.einsum("b,b...->b...", v.to(x), x)


def _alike(x, noise):
    if tuple(x.shape) != tuple(noise.shape):
        raise ValueError("noise: another shape than the images")


def q_sample(diffusion, x0, t, noise):
    _alike(x0, noise)
    bar = _at(diffusion.alpha_bars, t, x0)
    return _scale(bar**0.5, x0) + _scale((1 - bar) ** 0.5, noise)


def q_step(diffusion, x_prev, t, noise):
    _alike(x_prev, noise)
    alpha = _at(diffusion.alphas, t, x_prev)
    return _scale(alpha**0.5, x_prev) + _scale((1 - alpha) ** 0.5, noise)


def time_embedding(t, dim):
    waves = torch.logspace(0, -4, dim // 2, device=t.device)
    z = torch.polar(torch.ones(len(t), dim // 2, device=t.device), t[:, None] * waves)
    return torch.view_as_real(z).flatten(1)


class Mix(nn.Module):
    def __init__(self, inside, outside, time):
        super().__init__()
        self.body = nn.Conv2d(inside, outside, 3, padding=1, padding_mode="reflect")
        self.gate = nn.Linear(time, outside)
        self.more = nn.Conv2d(outside, outside, 3, padding=1)

    def forward(self, x, e):
        h = nn.functional.leaky_relu(self.body(x), 0.1)
        h = h * torch.sigmoid(self.gate(e))[..., None, None] + self.gate(e)[..., None, None]
        return nn.functional.leaky_relu(self.more(h), 0.1) + h


class UNet(nn.Module):
    def __init__(self, channels=1, base=32):
        super().__init__()
        e = 2 * base
        self.width = base
        self.embed = nn.Sequential(nn.Linear(base, e), nn.Tanh(), nn.Linear(e, e))
        self.top, self.middle = Mix(channels, base, e), Mix(4 * base, 2 * base, e)
        self.low = Mix(8 * base, 4 * base, e)
        self.squeeze, self.stretch = nn.PixelUnshuffle(2), nn.PixelShuffle(2)
        self.half_up, self.top_up = Mix(3 * base, 2 * base, e), Mix(base // 2 + base, base, e)
        self.last = nn.Conv2d(base, channels, 3, padding=1)

    def forward(self, x, t):
        e = self.embed(time_embedding(t, self.width).to(x))
        top = self.top(x, e)
        half = self.middle(self.squeeze(top), e)
        low = self.low(self.squeeze(half), e)
        up = self.half_up(torch.cat([self.stretch(low), half], 1), e)
        return self.last(self.top_up(torch.cat([self.stretch(up), top], 1), e))


def ddpm_loss(model, diffusion, x0, t, noise):
    error = model(q_sample(diffusion, x0, t, noise), t) - noise
    return error.square().flatten(1).mean(1).mean()


def predict_x0(diffusion, x_t, t, noise):
    _alike(x_t, noise)
    bar = _at(diffusion.alpha_bars, t, x_t)
    # Tweedie: (x_t + sigma^2 score) / sqrt(abar)
    return _scale(bar**-0.5, x_t + _scale(1 - bar, score_from_noise(diffusion, noise, t)))


def score_from_noise(diffusion, noise, t):
    return _scale(-((1 - _at(diffusion.alpha_bars, t, noise)) ** -0.5), noise)


def _everywhere(t, x):
    return x.new_full((x.size(0),), t).long()


def p_sample_step(model, diffusion, x_t, t, noise):
    times = _everywhere(t, x_t)
    alpha = diffusion.alphas[t]
    score = score_from_noise(diffusion, model(x_t, times), times)
    mean = (x_t + (1 - alpha) * score) / alpha**0.5
    return mean + diffusion.posterior_variance[t] ** 0.5 * noise * float(t != 0)


def ddim_step(model, diffusion, x_t, t, t_prev, eta=0.0, noise=None):
    times = _everywhere(t, x_t)
    noise_hat = model(x_t, times)
    bars = torch.cat([diffusion.alpha_bars, torch.ones_like(diffusion.alpha_bars[:1])])  # [-1] is the image
    bar, before = bars[t], bars[t_prev]
    variance = eta**2 * (1 - before) / (1 - bar) * (1 - bar / before)
    x = before**0.5 * predict_x0(diffusion, x_t, times, noise_hat)
    x = x + (1 - before - variance).relu() ** 0.5 * noise_hat
    if noise is not None:
        x = x + variance**0.5 * noise
    return x


def sample(model, diffusion, shape, steps=None, generator=None, progress=False):
    T = diffusion.alphas.numel()
    if steps is not None and not 0 < steps:
        raise ValueError(f"steps: expected at least 1, got {steps}")
    like = {"generator": generator, "dtype": torch.float32}
    with torch.no_grad():
        if steps is None or steps >= T:
            draws = torch.randn(T, *shape, **like).to(diffusion.alphas.device)  # all at once
            x = torch.randn(*shape, **like).to(diffusion.alphas.device)
            for t in range(T)[::-1]:
                x = p_sample_step(model, diffusion, x, t, draws[t])
            return x
        x = torch.randn(*shape, **like).to(diffusion.alphas.device)
        times = [round(i * T / steps) for i in range(steps)][::-1]  # ends at 0, starts a stride before T
        for i, t in enumerate(times):
            x = ddim_step(model, diffusion, x, t, times[i + 1] if i + 1 < steps else -1)
        return x


def train_ddpm(model, diffusion, x, steps, batch_size=64, lr=2e-4, generator=None, progress=False):
    if min(steps, batch_size) < 1:
        raise ValueError("steps and batch_size start at 1")
    optimiser = torch.optim.Adam(model.parameters(), lr=lr, amsgrad=True)
    T = diffusion.alphas.numel()
    result = {"loss": [], "lr": []}
    order = torch.empty(0, dtype=torch.long)
    for _ in range(steps):
        if len(order) < batch_size:
            order = torch.cat([order, torch.randperm(len(x), generator=generator)])
        rows, order = order[:batch_size], order[batch_size:]
        clean = x[rows]
        t = (torch.rand(len(clean), generator=generator).to(clean.device) * T).long().clamp(max=T - 1)
        noise = torch.empty_like(clean).normal_(generator=generator)
        model.zero_grad()
        loss = ddpm_loss(model, diffusion, clean, t, noise)
        loss.backward()
        optimiser.step()
        result["loss"].append(loss.item())
        result["lr"].append(lr)
    return result
