# Centring by a matrix; Gram matrices and einsum; orders as permutation matrices; the score as the central object.
import math
from typing import NamedTuple

import torch
from torch import nn


def projector(n, like):
    return torch.eye(n, dtype=like.dtype, device=like.device) - 1 / n


def centre(x):
    return torch.einsum("ij,...jk->...ik", projector(x.shape[-2], x), x)


def zero_mean_log_prob(x, std=1.0):
    if not std > 0 or bool((x.mean(1).abs() > 1e-3).any()):
        raise ValueError("std or x")
    # The isotropic density of all 3N coordinates without that of the mean, which is 0.
    normal = torch.distributions.Normal(torch.zeros((), dtype=x.dtype, device=x.device), std)
    return normal.log_prob(x).sum((1, 2)) - 3 * normal.log_prob(torch.zeros((), dtype=x.dtype, device=x.device))


class Laid(NamedTuple):
    aligned: torch.Tensor
    rmsd: torch.Tensor


def align(x, y, permutations=None):
    n = x.shape[-2]
    if y.shape[-2] != n:
        raise ValueError("x and y have different numbers of atoms")
    swaps = torch.eye(n, dtype=x.dtype, device=x.device)[None] if permutations is None else torch.eye(n, dtype=x.dtype, device=x.device)[permutations]
    a, b = centre(x).unsqueeze(-3), torch.einsum("pij,...jk->...pik", swaps, centre(y))
    cross = torch.einsum("...ik,...il->...kl", a, b)  # of x and y
    u, s, vh = torch.linalg.svd(cross)
    flip = torch.det(u) * torch.det(vh)
    ends = torch.stack([torch.ones_like(flip), torch.ones_like(flip), flip.round()], -1)
    rotation = u @ torch.diag_embed(ends) @ vh
    moved = b @ rotation.transpose(-1, -2)
    squares = ((a - moved) ** 2).mean((-1, -2)) * 3
    rmsd = squares.clamp(min=0).sqrt()
    chosen = torch.nn.functional.one_hot(rmsd.argmin(-1), len(swaps)).to(x)
    aligned = torch.einsum("...p,...pik->...ik", chosen, moved.expand(*rmsd.shape, n, 3))
    return Laid(aligned + x.mean(-2, keepdim=True), rmsd.amin(-1))


def coordinate_update(x, weights):
    n = x.shape[1]
    laplacian = torch.diag_embed(weights.sum(2)) - weights
    return x + torch.bmm(laplacian, x) / (n - 1)


class Round(nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.a, self.b, self.c = nn.Linear(hidden, hidden), nn.Linear(hidden, hidden), nn.Linear(3, hidden)
        self.out = nn.Sequential(nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU())
        self.gate, self.norm = nn.Linear(hidden, 2), nn.LayerNorm(hidden)
        self.update = nn.Sequential(nn.Linear(hidden, hidden), nn.SiLU(), nn.Linear(hidden, hidden))

    def forward(self, h, x, start, off):
        squares = torch.stack([torch.einsum("bijk,bijk->bij", d, d) for d in (x[:, :, None] - x[:, None],
                                                                              start[:, :, None] - start[:, None])], -1)
        edge = torch.cat([squares, (squares[..., :1] + 1).log()], -1)
        m = self.out(self.a(h)[:, :, None] + self.b(h)[:, None] + self.c(edge))
        move, weight = self.gate(m).unbind(-1)
        x = coordinate_update(x, move * off)
        h = h + self.update(self.norm(((m * torch.sigmoid(weight)[..., None]) * off[..., None]).sum(2)))
        return h, x


class EGNN(nn.Module):
    def __init__(self, n_types, n_times, hidden=32, n_layers=3):
        super().__init__()
        self.embed = nn.Embedding(n_types * n_times, hidden)
        self.n_times = n_times
        self.rounds = nn.ModuleList([Round(hidden) for _ in range(n_layers)])

    def forward(self, x, types, t):
        h = self.embed(types[None] * self.n_times + t[:, None])
        off, y = 1 - torch.eye(x.shape[1], dtype=x.dtype, device=x.device), x
        for one in self.rounds:
            h, y = one(h, y, x, off)
        return centre(y) - centre(x)


def level(alpha_bars, t, x, noise=None):
    if noise is not None and noise.shape != x.shape:
        raise ValueError("noise does not have the shape of the molecules")
    t = t if torch.is_tensor(t) else torch.tensor([t], device=x.device).expand(len(x)).clone()
    if t.shape != (len(x),) or not bool(((t >= 0) & (t < len(alpha_bars))).all()):
        raise ValueError("times outside the schedule")
    return t, alpha_bars.to(x)[t][:, None, None]


def q_sample(x0, alpha_bars, t, noise):
    _, bar = level(alpha_bars, t, x0, noise)
    return torch.lerp(torch.zeros_like(x0), centre(x0), bar.sqrt()) + (1 - bar).sqrt() * centre(noise)


def denoising_loss(model, x0, types, alpha_bars, t, noise):
    wanted = centre(noise)
    gap = model(q_sample(x0, alpha_bars, t, noise), types, t) - wanted
    return torch.linalg.vector_norm(gap) ** 2 / wanted.numel()


def score(model, x, types, alpha_bars, t, noise):
    times, bar = level(alpha_bars, t, x, noise)
    return -model(x, types, times) / (1 - bar).sqrt()


def reverse_step(model, x_t, types, alpha_bars, t, noise):
    s = score(model, x_t, types, alpha_bars, t, noise)
    bars = torch.cat([alpha_bars.new_ones(1), alpha_bars]).to(x_t)
    alpha = bars[t + 1] / bars[t]
    variance = (1 - alpha) * (1 - bars[t]) / (1 - bars[t + 1])
    return torch.rsqrt(alpha) * (x_t + (1 - alpha) * s) + variance.sqrt() * centre(noise)


def langevin_step(model, x, types, alpha_bars, t, step, noise):
    if not step > 0:
        raise ValueError("step")
    s = score(model, x, types, alpha_bars, t, noise)
    return x + step * s + math.sqrt(2) * step**0.5 * centre(noise)


def sample(model, types, alpha_bars, n, generator=None):
    x = None
    with torch.no_grad():
        for t in range(len(alpha_bars) - 1, -1, -1):
            if x is None:
                x = centre(torch.randn((n, len(types), 3), generator=generator, dtype=alpha_bars.dtype).to(alpha_bars))
            noise = torch.randn((n, len(types), 3), generator=generator, dtype=alpha_bars.dtype).to(alpha_bars) if t else torch.zeros_like(x)
            x = reverse_step(model, x, types, alpha_bars, t, noise)
    return x.detach()


def train_diffusion(model, x, types, alpha_bars, steps, batch_size=64, lr=5e-3, generator=None, progress=False):
    data = torch.utils.data.TensorDataset(x)
    sampler = torch.utils.data.RandomSampler(data, True, steps * batch_size, generator=generator)
    optimiser = torch.optim.Adam(model.parameters(), lr=lr, betas=(0.9, 0.99))
    rate = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=lr, total_steps=steps + 1, pct_start=0.1)
    history = []
    for (x0,) in torch.utils.data.DataLoader(data, batch_size, sampler=sampler, generator=generator):
        t = torch.randint(len(alpha_bars), (len(x0),), generator=generator).to(x0.device)
        noise = torch.empty_like(x0).normal_(generator=generator)
        optimiser.zero_grad()
        loss = denoising_loss(model, x0, types, alpha_bars, t, noise)
        loss.backward()
        optimiser.step()
        rate.step()
        history.append(loss.detach().reshape(()))
    return {"loss": history}


def transport_pull(x, y, epsilon, strength=1.0, permutations=None, n_iterations=500):
    if not epsilon > 0:
        raise ValueError("epsilon")
    if strength < 0 or strength > 1:
        raise ValueError("strength")
    aligned, rmsd = align(x[:, None], y[None], permutations)
    log_plan = -(rmsd**2) / epsilon
    for _ in range(n_iterations):  # the plan itself, scaled in turn
        log_plan = log_plan - log_plan.logsumexp(1, keepdim=True) - math.log(len(x))
        log_plan = log_plan - log_plan.logsumexp(0, keepdim=True) - math.log(len(y))
    target = torch.einsum("ij,ijkl->ikl", log_plan.softmax(1), aligned)
    return x + strength * (target - x), log_plan.exp()
