# Two residual blocks per resolution, 3 maps wide skips, adaptive normalisation; DataLoader batches; self-contained steps.
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

tensor = torch.as_tensor


def linear_beta_schedule(T: int, beta_1: float = 1e-4, beta_T: float = 0.02):
    w = torch.linspace(0, 1, T)
    return torch.lerp(tensor(beta_1), tensor(beta_T), w)


def cosine_beta_schedule(T: int, s: float = 0.008):
    t = torch.linspace(0, 1, T + 1, dtype=torch.double)
    bar = (0.5 * torch.pi * (t + s) / (1 + s)).cos().pow(2)
    beta = torch.ones(T, dtype=torch.double)
    for i in range(T):
        beta[i] = 1 - bar[i + 1] / bar[i]
    return beta.clamp_max(0.999)


class Diffusion:
    def __init__(self, betas):
        self.alphas = 1.0 - betas
        self.alpha_bars = torch.stack([self.alphas[: i + 1].prod() for i in range(len(betas))])
        previous = self.alpha_bars / self.alphas
        self.posterior_variance = (1 - previous) * betas / (1 - self.alpha_bars)
        self.posterior_variance[0] = 0.0
        self.snr = self.alpha_bars / (1 - self.alpha_bars)

    def __len__(self):
        return len(self.alphas)


def gather(values, t, like):
    assert_ok(t, like)
    return values[t][(...,) + (None,) * (like.dim() - 1)]


def assert_ok(t, like, noise=None):
    problems = []
    if len(t) != len(like):
        problems.append("one time per image")
    if torch.any(t < 0):
        problems.append("times must not be negative")
    if noise is not None and noise.shape != like.shape:
        problems.append("noise must look like the images")
    if problems:
        raise ValueError("; ".join(problems))


def q_sample(diffusion, x0, t, noise):
    assert_ok(t, x0, noise)
    a = gather(diffusion.alpha_bars, t, x0)
    return torch.sqrt(a) * x0 + torch.sqrt(1 - a) * noise


def q_step(diffusion, x_prev, t, noise):
    assert_ok(t, x_prev, noise)
    a = gather(diffusion.alphas, t, x_prev)
    return torch.sqrt(a) * x_prev + torch.sqrt(1 - a) * noise


def time_embedding(t, dim):
    i = torch.arange(dim, device=t.device)
    angle = t[:, None] / 10000 ** (2 * (i // 2) / dim)
    return torch.where(i % 2 == 0, torch.sin(angle), torch.cos(angle))


class Res(nn.Module):
    def __init__(self, c_in, c_out, e):
        super().__init__()
        self.n1, self.c1 = nn.InstanceNorm2d(c_in, affine=True), nn.Conv2d(c_in, c_out, 3, 1, 1)
        self.n2, self.c2 = nn.InstanceNorm2d(c_out), nn.Conv2d(c_out, c_out, 3, 1, 1)
        self.ada = nn.Linear(e, 3 * c_out)
        nn.init.zeros_(self.ada.weight)
        nn.init.zeros_(self.ada.bias)
        self.skip = nn.Conv2d(c_in, c_out, 1)

    def forward(self, x, e):
        h = self.c1(torch.relu(self.n1(x)))
        shift, scale, gate = self.ada(e)[:, :, None, None].chunk(3, 1)
        h = self.c2(torch.relu(self.n2(h) * (1 + scale) + shift))
        return self.skip(x) + (1 + gate) * h


class UNet(nn.Module):
    def __init__(self, channels=1, base=32):
        super().__init__()
        e = 64
        self.time = nn.Sequential(nn.Linear(e, e), nn.ReLU(), nn.Linear(e, e), nn.ReLU())
        self.inp = nn.Conv2d(channels, base, 3, 1, 1)
        self.enc = nn.ModuleList([Res(base, base, e), Res(base, base, e), Res(base, base * 2, e), Res(base * 2, base * 2, e)])
        self.mid = Res(base * 2, base * 2, e)
        self.dec = nn.ModuleList([Res(base * 4, base * 2, e), Res(base * 4, base, e), Res(base * 2, base, e), Res(base * 2, base, e)])
        self.out = nn.Conv2d(base, channels, 1)

    def forward(self, x, t):
        e = self.time(time_embedding(t, 64).to(dtype=x.dtype))
        h = self.inp(x)
        stack = []
        for i, block in enumerate(self.enc):
            h = block(h, e)
            stack.append(h)
            if i % 2:
                h = h[:, :, ::2, ::2]
        h = self.mid(h, e)
        for i, block in enumerate(self.dec):
            if i % 2 == 0:
                h = h.repeat_interleave(2, 2).repeat_interleave(2, 3)
            h = block(torch.cat([h, stack.pop()], 1), e)
        return self.out(h)


def ddpm_loss(model, diffusion, x0, t, noise):
    x_t = q_sample(diffusion, x0, t, noise)
    return nn.MSELoss()(model(x_t, t), noise)


def predict_x0(diffusion, x_t, t, noise):
    assert_ok(t, x_t, noise)
    a = gather(diffusion.alpha_bars, t, x_t)
    return (x_t - torch.sqrt(1 - a) * noise) / torch.sqrt(a)


def score_from_noise(diffusion, noise, t):
    return -noise / torch.sqrt(1 - gather(diffusion.alpha_bars, t, noise))


def p_sample_step(model, diffusion, x_t, t, noise):
    t_batch = torch.zeros(len(x_t), dtype=torch.int64, device=x_t.device) + t
    eps = model(x_t, t_batch)
    a, a_bar = diffusion.alphas[t], diffusion.alpha_bars[t]
    x0 = (x_t - (1 - a_bar).sqrt() * eps) / a_bar.sqrt()
    a_bar_prev = diffusion.alpha_bars[t - 1] if t > 0 else torch.ones_like(a_bar)
    # mean of q(x_{t-1} | x_t, x_0)
    mean = (a_bar_prev.sqrt() * (1 - a) * x0 + a.sqrt() * (1 - a_bar_prev) * x_t) / (1 - a_bar)
    if t == 0:
        return mean
    return torch.normal(mean, 0.0) + diffusion.posterior_variance[t].sqrt() * noise


def ddim_step(model, diffusion, x_t, t, t_prev, eta=0.0, noise=None):
    t_batch = torch.zeros(len(x_t), dtype=torch.int64, device=x_t.device) + t
    eps = model(x_t, t_batch)
    x0 = predict_x0(diffusion, x_t, t_batch, eps)
    if t_prev == -1:
        return x0
    s, s_prev = 1 / diffusion.snr[t], 1 / diffusion.snr[t_prev]  # noise-to-signal
    a_prev = diffusion.alpha_bars[t_prev]
    if eta == 0.0:
        return a_prev.sqrt() * (x0 + s_prev.sqrt() * eps)
    var = eta**2 * (s_prev / s) * (s - s_prev) / (1 + s_prev)
    return a_prev.sqrt() * x0 + (1 - a_prev - var).clamp(min=0).sqrt() * eps + var.sqrt() * noise


def sample(model, diffusion, shape, steps=None, generator=None, progress=False):
    if steps is not None and steps < 1:
        raise ValueError("steps must be at least 1")
    T = len(diffusion)
    x = torch.randn(shape, generator=generator).to(diffusion.alphas.device)
    with torch.no_grad():
        if steps is None or steps == T:
            for t in range(T - 1, 0, -1):
                x = p_sample_step(model, diffusion, x, t, torch.randn(shape, generator=generator).to(x.device))
            return p_sample_step(model, diffusion, x, 0, torch.zeros(shape, device=x.device))
        times = sorted({int(v) for v in torch.linspace(0, T - 1, steps)}, reverse=True)
        while times:
            t = times.pop(0)
            x = ddim_step(model, diffusion, x, t, times[0] if times else -1)
    return x


def train_ddpm(model, diffusion, x, steps, batch_size=64, lr=2e-4, generator=None, progress=False):
    if steps < 1:
        raise ValueError("steps must be at least 1")
    if batch_size < 1:
        raise ValueError("batch_size must be at least 1")
    loader = DataLoader(TensorDataset(x), batch_size=batch_size, shuffle=True, generator=generator)
    adam = torch.optim.Adam(model.parameters(), lr=lr)
    losses = []
    while True:
        for (x0,) in loader:
            t = torch.randint(len(diffusion), (len(x0),), generator=generator).to(x0.device)
            noise = torch.randn(x0.shape, generator=generator).to(x0.device)
            loss = ddpm_loss(model, diffusion, x0, t, noise)
            adam.zero_grad()
            loss.backward()
            adam.step()
            losses.append(loss.item())
            if len(losses) == steps:
                return {"loss": losses}
