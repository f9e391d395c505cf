# Diffusion as a module with precomputed buffers; steps through a clipped x0 and posterior means; attention in the middle.
import torch
import torch.nn.functional as F
from torch import nn


def linear_beta_schedule(T, beta_1=1e-4, beta_T=0.02):
    return torch.linspace(beta_1, beta_T, T, dtype=torch.float64)


def cosine_beta_schedule(T, s=0.008):
    x = torch.linspace(0, T, T + 1, dtype=torch.float64)
    bars = torch.cos(((x / T) + s) / (1 + s) * torch.pi * 0.5) ** 2
    bars = bars / bars[0]
    return torch.clip(1 - bars[1:] / bars[:-1], 0, 0.999)


class Diffusion(nn.Module):
    def __init__(self, betas):
        super().__init__()
        alphas = 1.0 - betas
        bars = torch.cumprod(alphas, 0)
        before = F.pad(bars[:-1], (1, 0), value=1.0)
        variance = betas * (1 - before) / (1 - bars)
        for name, value in {
            "betas": betas,
            "alphas": alphas,
            "alpha_bars": bars,
            "posterior_variance": variance,
            "sqrt_bars": bars.sqrt(),
            "sqrt_one_minus_bars": (1 - bars).sqrt(),
            "sqrt_recip_bars": (1 / bars).sqrt(),
            "sqrt_recipm1_bars": (1 / bars - 1).sqrt(),
            "coef_x0": betas * before.sqrt() / (1 - bars),
            "coef_xt": (1 - before) * alphas.sqrt() / (1 - bars),
        }.items():
            self.register_buffer(name, value)


def extract(a, t, shape):
    if t.ndim != 1 or t.shape[0] != shape[0]:
        raise ValueError(f"t must have shape ({shape[0]},), got {tuple(t.shape)}")
    if bool((t < 0).any()):
        raise ValueError("t must not be negative")
    return a.gather(-1, t).reshape(t.shape[0], *((1,) * (len(shape) - 1)))


def _same(a, b, name):
    if a.shape != b.shape:
        raise ValueError(f"{name} must have shape {tuple(a.shape)}, got {tuple(b.shape)}")


def q_sample(diffusion, x0, t, noise):
    _same(x0, noise, "noise")
    return extract(diffusion.sqrt_bars, t, x0.shape) * x0 + extract(diffusion.sqrt_one_minus_bars, t, x0.shape) * noise


def q_step(diffusion, x_prev, t, noise):
    _same(x_prev, noise, "noise")
    beta = extract(diffusion.betas, t, x_prev.shape)
    return torch.sqrt(1.0 - beta) * x_prev + torch.sqrt(beta) * noise


def time_embedding(t, dim):
    half = dim // 2
    frequencies = torch.exp(torch.arange(half, device=t.device) * -(torch.log(torch.tensor(10000.0)) / (half - 1)))
    angles = t.float()[:, None] * frequencies[None, :]
    return torch.cat((angles.cos(), angles.sin()), dim=-1)


class ResnetBlock(nn.Module):
    def __init__(self, dim, dim_out, time_dim):
        super().__init__()
        self.mlp = nn.Sequential(nn.SiLU(), nn.Linear(time_dim, dim_out * 2))
        self.proj1, self.norm1 = nn.Conv2d(dim, dim_out, 3, padding=1), nn.GroupNorm(8, dim_out)
        self.proj2, self.norm2 = nn.Conv2d(dim_out, dim_out, 3, padding=1), nn.GroupNorm(8, dim_out)
        self.res = nn.Conv2d(dim, dim_out, 1) if dim != dim_out else nn.Identity()

    def forward(self, x, e):
        scale, shift = self.mlp(e)[:, :, None, None].chunk(2, dim=1)
        h = F.silu(self.norm1(self.proj1(x)) * (scale + 1) + shift)
        return F.silu(self.norm2(self.proj2(h))) + self.res(x)


class Attention(nn.Module):
    def __init__(self, dim, heads=4, head=8):
        super().__init__()
        self.heads, self.scale = heads, head**-0.5
        self.norm = nn.GroupNorm(1, dim)
        self.qkv, self.out = nn.Conv2d(dim, heads * head * 3, 1, bias=False), nn.Conv2d(heads * head, dim, 1)

    def forward(self, x):
        b, _c, h, w = x.shape
        q, k, v = (z.reshape(b, self.heads, -1, h * w) for z in self.qkv(self.norm(x)).chunk(3, dim=1))
        attention = torch.einsum("bhdi,bhdj->bhij", q * self.scale, k).softmax(-1)
        out = torch.einsum("bhij,bhdj->bhid", attention, v)
        return self.out(out.transpose(2, 3).reshape(b, -1, h, w)) + x


class UNet(nn.Module):
    def __init__(self, channels=1, base=32):
        super().__init__()
        time = base * 4
        self.base = base
        self.mlp = nn.Sequential(nn.Linear(base, time), nn.GELU(), nn.Linear(time, time))
        self.first = nn.Conv2d(channels, base, 7, padding=3)
        widths = (base, base, base * 2)
        self.downs = nn.ModuleList(
            nn.ModuleList([ResnetBlock(widths[i], widths[i], time), nn.Conv2d(widths[i], widths[i + 1], 4, 2, 1)])
            for i in range(2)
        )
        self.mid1, self.attention = ResnetBlock(base * 2, base * 2, time), Attention(base * 2)
        self.mid2 = ResnetBlock(base * 2, base * 2, time)
        self.ups = nn.ModuleList(
            nn.ModuleList([nn.ConvTranspose2d(widths[i + 1], widths[i], 4, 2, 1), ResnetBlock(widths[i], widths[i], time)])
            for i in reversed(range(2))
        )
        self.last = nn.Conv2d(base, channels, 1)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)

    def forward(self, x, t):
        e = self.mlp(time_embedding(t, self.base).type_as(x))
        x = self.first(x)
        skips = []
        for block, down in self.downs:
            x = block(x, e)
            skips.append(x)
            x = down(x)
        x = self.mid2(self.attention(self.mid1(x, e)), e)
        for up, block in self.ups:
            x = block(up(x) + skips.pop(), e)  # skips are added
        return self.last(x)


def ddpm_loss(model, diffusion, x0, t, noise):
    x_t = q_sample(diffusion, x0=x0, t=t, noise=noise)
    return F.mse_loss(noise, model(x_t, t))


def predict_x0(diffusion, x_t, t, noise):
    _same(x_t, noise, "noise")
    return (
        extract(diffusion.sqrt_recip_bars, t, x_t.shape) * x_t
        - extract(diffusion.sqrt_recipm1_bars, t, x_t.shape) * noise
    )


def score_from_noise(diffusion, noise, t):
    return -noise / extract(diffusion.sqrt_one_minus_bars, t, noise.shape)


@torch.no_grad()
def p_sample_step(model, diffusion, x_t, t, noise):
    times = torch.full((x_t.shape[0],), t, device=x_t.device, dtype=torch.long)
    x0 = predict_x0(diffusion, x_t, times, model(x_t, times)).clamp(-1.0, 1.0)
    mean = diffusion.coef_x0[t] * x0 + diffusion.coef_xt[t] * x_t
    return mean + (diffusion.posterior_variance[t].sqrt() * noise if t > 0 else 0.0)


@torch.no_grad()
def ddim_step(model, diffusion, x_t, t, t_prev, eta=0.0, noise=None):
    times = torch.full((x_t.shape[0],), t, device=x_t.device, dtype=torch.long)
    eps = model(x_t, times)
    x0 = predict_x0(diffusion, x_t, times, eps).clamp(-1.0, 1.0)
    if t_prev < 0:
        return x0
    a, a_next = diffusion.alpha_bars[t], diffusion.alpha_bars[t_prev]
    sigma = eta * ((1 - a / a_next) * (1 - a_next) / (1 - a)).sqrt()
    out = x0 * a_next.sqrt() + (1 - a_next - sigma**2).sqrt() * eps
    return out if noise is None else out + sigma * noise


@torch.inference_mode()
def sample(model, diffusion, shape, steps=None, generator=None, progress=False):
    T = diffusion.alphas.shape[0]
    if steps is not None and steps < 1:
        raise ValueError("steps")
    if isinstance(model, nn.Module):
        model.eval()
    device = diffusion.alphas.device
    x = torch.randn(*shape, generator=generator, device=device, dtype=diffusion.alphas.dtype)
    if steps is None or steps == T:
        for t in reversed(range(T)):
            noise = torch.randn(*shape, generator=generator, device=device, dtype=x.dtype)
            x = p_sample_step(model, diffusion, x, t, noise)
        return x.clone()
    times = torch.linspace(-1, T - 1, steps + 1).round().long().flip(0).tolist()
    for t, t_next in zip(times[:-1], times[1:]):
        x = ddim_step(model, diffusion, x, t, t_next)
    return x.clamp(-1, 1)


def train_ddpm(model, diffusion, x, steps, batch_size=64, lr=2e-4, generator=None, progress=False):
    if steps < 1 or batch_size < 1:
        raise ValueError(f"steps and batch_size must be at least 1, got {steps} and {batch_size}")
    optimizer = torch.optim.Adam(model.parameters(), lr=lr, betas=(0.9, 0.99))
    history = []
    for _ in range(steps):
        rows = torch.randint(x.shape[0], (batch_size,), generator=generator, device=x.device)
        t = torch.randint(0, diffusion.alphas.shape[0], (batch_size,), generator=generator, device=x.device)
        noise = torch.randn(x[rows].shape, generator=generator, device=x.device)
        loss = ddpm_loss(model, diffusion, x[rows], t, noise)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        history.append(loss.detach())
    return {"loss": torch.stack(history).tolist()}
