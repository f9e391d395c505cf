# Positions move in the last layer alone; orders of atoms one by one; AdamW with a short warm-up.

import math

import torch
import torch.nn.functional as F
from torch import nn


def centre(x):
    return torch.einsum("ij,...jk->...ik", torch.eye(x.shape[-2]).to(x) - 1 / x.shape[-2], x)


def zero_mean_log_prob(x, std=1.0):
    if not std > 0 or bool((x.mean(1).abs() > 1e-2).any()):
        raise ValueError(f"std = {std} must be above 0, and x of zero mean")
    d = 3 * (x.shape[1] - 1)
    return -(x / std).pow(2).flatten(1).sum(1) / 2 - d * (math.log(std) + 0.5 * math.log(2 * math.pi))


def align(x, y, permutations=None):
    if x.shape[-2] != y.shape[-2]:
        raise ValueError(f"{x.shape[-2]} and {y.shape[-2]} atoms")
    orders = torch.arange(x.shape[-2], device=x.device)[None] if permutations is None else permutations
    found = None
    for order in orders:
        a, b = torch.broadcast_tensors(centre(x), centre(y)[..., order, :])
        u, _s, vh = torch.linalg.svd(a.mT @ b)
        flip = torch.eye(3).to(x).repeat(*u.shape[:-2], 1, 1)
        flip[..., 2, 2] = torch.det(u @ vh)
        moved = (u @ flip @ vh @ b.mT).mT
        rmsd = torch.linalg.vector_norm(a - moved, dim=(-2, -1)) / math.sqrt(x.shape[-2])
        if found is None:
            found = moved, rmsd
        else:
            less = rmsd < found[1]
            found = torch.where(less[..., None, None], moved, found[0]), torch.where(less, rmsd, found[1])
    return found[0] + x.mean(-2, keepdim=True), found[1]


def coordinate_update(x, weights):
    return x + (weights.sum(2, keepdim=True) * x - weights @ x) / (x.shape[1] - 1)


class EGNN(nn.Module):
    def __init__(self, n_types, n_times, hidden=32, n_layers=3):
        super().__init__()
        self.n_times = n_times
        self.kind, self.time = nn.Embedding(n_types, hidden), nn.Embedding(n_times, hidden)
        self.edges = nn.ModuleList(
            [
                nn.Sequential(nn.Linear(2 * hidden + 2, hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU())
                for _k in range(n_layers)
            ]
        )
        self.moves = nn.ModuleList([nn.Linear(hidden, 1) for _k in range(n_layers)])
        self.nodes = nn.ModuleList(
            [
                nn.Sequential(nn.Linear(2 * hidden, hidden), nn.SiLU(), nn.Linear(hidden, hidden))
                for _k in range(n_layers)
            ]
        )

    def forward(self, x, types, t):
        B, N = x.shape[:2]
        h = self.kind(types).expand(B, N, -1) + self.time(t)[:, None]
        off = (1 - torch.eye(N)).to(x)
        y = x
        for k in range(len(self.edges)):
            d2 = (y[:, :, None] - y[:, None]).square().sum(-1, keepdim=True)
            pair = torch.cat([h[:, :, None].expand(B, N, N, -1), h[:, None].expand(B, N, N, -1), d2, 1 / (1 + d2)], -1)
            m = self.edges[k](pair) * off[..., None]
            if k == len(self.edges) - 1:
                y = coordinate_update(y, self.moves[k](m)[..., 0] * off)
            h = h + self.nodes[k](torch.cat([h, m.sum(2)], -1))
        return centre(y - x)


def bars_at(alpha_bars, t, x, noise):
    if noise.shape != x.shape or t.shape != x.shape[:1] or bool((t < 0).any()) or bool((t >= len(alpha_bars)).any()):
        raise ValueError(f"t, noise: got {t}, {tuple(noise.shape)}")
    return alpha_bars.to(x).gather(0, t).reshape(len(t), 1, 1)


def q_sample(x0, alpha_bars, t, noise):
    a = bars_at(alpha_bars, t, x0, noise)
    return torch.addcmul(a.sqrt() * centre(x0), (1 - a).sqrt(), centre(noise))


def denoising_loss(model, x0, types, alpha_bars, t, noise):
    guess = model(q_sample(x0, alpha_bars, t, noise), types, t)
    return F.mse_loss(guess, centre(noise))


def reverse_step(model, x_t, types, alpha_bars, t, noise):
    x = x_t
    times = torch.full((len(x),), t, device=x.device)
    bar = bars_at(alpha_bars, times, x, noise)
    before = alpha_bars[t - 1].to(x) if t > 0 else torch.ones((), dtype=x.dtype)
    alpha = bar / before
    guess = model(x, types, times)
    mean = (x - (1 - alpha) * guess * torch.rsqrt(1 - bar)) * torch.rsqrt(alpha)
    variance = (1 - alpha) * (1 - before) / (1 - bar)
    return mean + centre(variance.sqrt() * noise)


def langevin_step(model, x, types, alpha_bars, t, step, noise):
    if not step > 0:
        raise ValueError(f"step: got {step}")
    times = torch.full((len(x),), t, device=x.device)
    bar = bars_at(alpha_bars, times, x, noise)
    score = model(x, types, times).neg() * torch.rsqrt(1 - bar)
    return x + step * score + math.sqrt(2 * step) * centre(noise)


def sample(model, types, alpha_bars, n, generator=None):
    shape, dtype = (n, len(types), 3), alpha_bars.dtype
    x = centre(torch.randn(shape, generator=generator, dtype=dtype).to(alpha_bars))
    for t in range(len(alpha_bars) - 1, -1, -1):
        noise = torch.randn(*shape, generator=generator, dtype=dtype).to(alpha_bars)
        x = reverse_step(model, x, types, alpha_bars, t, noise).detach()
    return x


def train_diffusion(model, x, types, alpha_bars, steps, batch_size=64, lr=5e-3, generator=None, progress=False):
    model.train()
    optimiser = torch.optim.AdamW(model.parameters(), lr)
    history = {"loss": []}
    for k in range(steps):
        optimiser.param_groups[0]["lr"] = lr * min(1, (k + 1) / 10)
        x0 = x[torch.randperm(len(x), generator=generator)[:batch_size].to(x.device)]
        t = torch.randint(len(alpha_bars), (batch_size,), generator=generator).to(x.device)
        noise = torch.randn(x0.shape, generator=generator, dtype=x0.dtype).to(x0)
        loss = denoising_loss(model, x0, types, alpha_bars, t, noise)
        optimiser.zero_grad(set_to_none=False)
        loss.backward()
        optimiser.step()
        history["loss"].append(loss.item())
    return history


def transport_pull(x, y, epsilon, strength=1.0, permutations=None, n_iterations=500):
    if not epsilon > 0 or not 0 <= strength <= 1:
        raise ValueError(f"epsilon, strength: got {epsilon}, {strength}")
    n, m = len(x), len(y)
    aligned, rmsd = align(x[:, None], y[None], permutations)
    c = rmsd**2 / epsilon
    f, g = c.new_zeros(n, 1), c.new_zeros(1, m)
    for _k in range(n_iterations):
        g = -math.log(m) - torch.logsumexp(f - c, 0, keepdim=True)
        f = -math.log(n) - torch.logsumexp(g - c, 1, keepdim=True)
    plan = torch.exp(f + g - c)
    target = torch.einsum("ij,ijkl->ikl", plan / plan.sum(1, keepdim=True), aligned)
    return (1 - strength) * x + strength * target, plan
