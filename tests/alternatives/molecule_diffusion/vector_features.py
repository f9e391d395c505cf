# Scalars and vectors per atom (as in PaiNN); vmap over molecules and pairs; a generator-friendly epoch order.
import math

import torch
from torch import nn
from torch.func import vmap


def centre(x):
    return torch.sub(x, x.mean(-2).unsqueeze(-2))


def zero_mean_log_prob(x, std=1.0):
    if not std > 0 or x.mean(1).abs().max() > 1e-3:
        raise ValueError("std or x")
    basis = torch.linalg.qr(torch.cat([torch.ones(x.shape[1], 1), torch.eye(x.shape[1])[:, 1:]], 1).to(x))[0][:, 1:]
    z = torch.einsum("ia,bik->bak", basis, x).flatten(1)
    return torch.distributions.Normal(z.new_zeros(()), std).log_prob(z).sum(1)


def _lay(x, y, orders):
    a, b = centre(x), centre(y)[orders]  # (N, 3), (P, N, 3)
    u, _, vh = torch.linalg.svd(b.mT @ a)
    d = torch.det(u) * torch.det(vh)
    ones = torch.ones_like(d)
    moved = b @ u @ (torch.stack([ones, ones, d], -1)[..., None] * vh)
    error = (moved - a).square().sum(-1).mean(-1)
    best = error.argmin()[None]
    return moved.index_select(0, best)[0] + x.mean(0), error.index_select(0, best)[0].sqrt()


def align(x, y, permutations=None):
    if x.shape[-2:] != y.shape[-2:]:
        raise ValueError("x and y")
    orders = torch.arange(x.shape[-2])[None] if permutations is None else permutations
    lead = torch.broadcast_shapes(x.shape[:-2], y.shape[:-2])
    flat = [z.expand(*lead, *z.shape[-2:]).reshape(-1, *z.shape[-2:]) for z in (x, y)]
    aligned, rmsd = vmap(_lay, in_dims=(0, 0, None))(*flat, orders)
    return aligned.reshape(*lead, *x.shape[-2:]), rmsd.reshape(lead)


def coordinate_update(x, weights):
    def one(x, w):
        d = x[:, None] - x[None]
        return x + (w[..., None] * d).sum(1) / (len(x) - 1)

    return vmap(one)(x, weights)


class EGNN(nn.Module):
    def __init__(self, n_types, n_times, hidden=32, n_layers=3):
        super().__init__()
        self.hidden = hidden
        self.kind = nn.Parameter(torch.randn(n_types, hidden))
        self.when = nn.Parameter(torch.randn(n_times, hidden))
        self.filters = nn.ModuleList([
            nn.Sequential(nn.Linear(2 * hidden + 2, hidden), nn.SiLU(), nn.Linear(hidden, 3 * hidden)) for _ in range(n_layers)
        ])
        self.mixes = nn.ModuleList([
            nn.Sequential(nn.Linear(2 * hidden, hidden), nn.SiLU(), nn.Linear(hidden, hidden)) for _ in range(n_layers)
        ])
        self.out = nn.Linear(hidden, 1, bias=False)

    def forward(self, x, types, t):
        B, N, _ = x.shape
        s = self.kind[types][None] + self.when[t][:, None]  # (B, N, H)
        v = x.new_zeros(B, N, 3, self.hidden)
        d = x[:, :, None] - x[:, None]
        r2 = d.square().sum(-1, keepdim=True)
        off = 1.0 - torch.eye(N).to(x)[..., None]
        for net, mix in zip(self.filters, self.mixes):
            f = net(torch.cat([s[:, :, None].expand(-1, -1, N, -1), s[:, None].expand(-1, N, -1, -1), r2, 1 / (1 + r2)], -1))
            a, b, c = (f * off).chunk(3, -1)
            v = v + (d[..., None] * b[..., None, :]).sum(2) / (N - 1) + torch.einsum("bijh,bjkh->bikh", c, v) / (N - 1)
            s = s + mix(torch.cat([a.sum(2), v.square().sum(2)], -1))
        return centre(self.out(v)[..., 0])


def _bars(alpha_bars, t, x, noise):
    if noise.size() != x.size() or t.numel() != len(x):
        raise ValueError("shapes")
    if not all(0 <= k < len(alpha_bars) for k in t.tolist()):
        raise ValueError("t")
    return alpha_bars.to(x)[t, None, None]


def q_sample(x0, alpha_bars, t, noise):
    a = _bars(alpha_bars, t, x0, noise)
    return torch.addcmul(centre(x0) * a.sqrt(), centre(noise), (1 - a).sqrt())


def denoising_loss(model, x0, types, alpha_bars, t, noise):
    noisy = q_sample(x0, alpha_bars, t, noise)
    return (centre(noise) - model(noisy, types, t)).pow(2).mean((1, 2)).mean()


def reverse_step(model, x_t, types, alpha_bars, t, noise):
    times = x_t.new_full((len(x_t),), t, dtype=torch.int64)
    bar = _bars(alpha_bars, times, x_t, noise)
    padded = nn.functional.pad(alpha_bars, (1, 0), value=1.0).to(x_t)
    alpha, before = padded[t + 1] / padded[t], padded[t]
    beta = 1 - alpha
    mean = (x_t - beta * torch.rsqrt(1 - bar) * model(x_t, types, times)) * torch.rsqrt(alpha)
    return torch.where(torch.tensor(t > 0), mean + (beta * (1 - before) / (1 - bar)).sqrt() * centre(noise), mean)


def langevin_step(model, x, types, alpha_bars, t, step, noise):
    times = x.new_full((len(x),), t, dtype=torch.int64)
    bar = _bars(alpha_bars, times, x, noise)
    if not step > 0:
        raise ValueError("step")
    moved = x.clone()
    moved -= step * model(x, types, times) / torch.sqrt(1 - bar)
    return moved + math.sqrt(2.0 * step) * centre(noise)


@torch.no_grad()
def sample(model, types, alpha_bars, n, generator=None):
    x = torch.zeros(n, len(types), 3, dtype=alpha_bars.dtype, device=alpha_bars.device).normal_(generator=generator)
    x -= x.mean(1, keepdim=True)
    t = len(alpha_bars)
    while t > 0:
        t -= 1
        x = reverse_step(model, x, types, alpha_bars, t, torch.randn(x.shape, generator=generator, dtype=x.dtype).to(x))
    return x


def train_diffusion(model, x, types, alpha_bars, steps, batch_size=64, lr=5e-3, generator=None, progress=False):
    def batches():
        while True:
            order = torch.randperm(len(x), generator=generator)
            yield from (rows for rows in order.split(batch_size) if len(rows) == min(batch_size, len(x)))

    optimiser, losses = torch.optim.AdamW(model.parameters(), lr=lr), []
    for k, rows in zip(range(steps), batches()):
        optimiser.param_groups[0]["lr"] = lr * (1 - k / steps) ** 0.5
        t = torch.randint(len(alpha_bars), rows.shape, generator=generator).to(x.device)
        noise = torch.randn(x[rows].shape, generator=generator, dtype=x.dtype).to(x)
        loss = denoising_loss(model, x[rows], types, alpha_bars, t, noise)
        model.zero_grad()
        loss.backward()
        optimiser.step()
        losses += [loss.item()]
    return {"loss": losses}


def transport_pull(x, y, epsilon, strength=1.0, permutations=None, n_iterations=500):
    if not (epsilon > 0 and 0 <= strength <= 1):
        raise ValueError("epsilon or strength")
    aligned, rmsd = align(x[:, None], y[None], permutations)
    cost, (n, m) = rmsd.square().double(), rmsd.shape
    f, g = cost.new_zeros(n), cost.new_zeros(m)
    for _ in range(n_iterations):  # dual ascent, block by block
        f = f - epsilon * (torch.logsumexp((f[:, None] + g - cost) / epsilon, 1) + math.log(n))
        g = g - epsilon * (torch.logsumexp((f[:, None] + g - cost) / epsilon, 0) + math.log(m))
    plan = torch.exp((f[:, None] + g - cost) / epsilon).to(x)
    moved = vmap(lambda p, a: (p[:, None, None] * a).sum(0) / p.sum())(plan, aligned)
    return torch.add(x, moved - x, alpha=strength), plan
