# NumPy for all that needs no gradient; quaternions for the rotation; invariant attention in the network.
import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn


def centre(x):
    return x - torch.mean(x, -2, True)


def zero_mean_log_prob(x, std=1.0):
    a = x.detach().cpu().numpy()
    if not std > 0 or (np.abs(a.mean(1)) > 1e-3).any():
        raise ValueError("std or x")
    d = 3 * (a.shape[1] - 1)
    values = -0.5 * np.square(a / std).sum((1, 2)) - d * np.log(std * np.sqrt(2 * np.pi))
    return torch.from_numpy(np.asarray(values)).to(x)


def horn(a, b):
    """The rotation of rows b onto rows a by the eigenvector of Horn's matrix (quaternion)."""
    s = np.swapaxes(b, -1, -2) @ a  # s_xy = sum b_x a_y
    xx, xy, xz, yx, yy, yz, zx, zy, zz = (s[..., i, j] for i in range(3) for j in range(3))
    k = np.stack([
        np.stack([xx + yy + zz, yz - zy, zx - xz, xy - yx], -1),
        np.stack([yz - zy, xx - yy - zz, xy + yx, zx + xz], -1),
        np.stack([zx - xz, xy + yx, -xx + yy - zz, yz + zy], -1),
        np.stack([xy - yx, zx + xz, yz + zy, -xx - yy + zz], -1),
    ], -2)
    w, x, y, z = np.moveaxis(np.linalg.eigh(k)[1][..., -1], -1, 0)
    return np.stack([
        np.stack([w * w + x * x - y * y - z * z, 2 * (x * y - w * z), 2 * (x * z + w * y)], -1),
        np.stack([2 * (x * y + w * z), w * w - x * x + y * y - z * z, 2 * (y * z - w * x)], -1),
        np.stack([2 * (x * z - w * y), 2 * (y * z + w * x), w * w - x * x - y * y + z * z], -1),
    ], -2)


def align(x, y, permutations=None):
    if x.shape[-2] != y.shape[-2]:
        raise ValueError("atoms")
    a, b = x.detach().double().cpu().numpy(), y.detach().double().cpu().numpy()
    mean = a.mean(-2, keepdims=True)
    a, b = a - mean, b - b.mean(-2, keepdims=True)
    best = None
    for order in [slice(None)] if permutations is None else permutations.cpu().numpy():
        c = b[..., order, :]
        a_all, c_all = np.broadcast_arrays(a, c)
        moved = c_all @ np.swapaxes(horn(a_all, c_all), -1, -2)
        rmsd = np.sqrt(np.square(a_all - moved).sum((-1, -2)) / a.shape[-2])
        if best is None:
            best = moved, rmsd
        else:
            better = rmsd < best[1]
            best = np.where(better[..., None, None], moved, best[0]), np.where(better, rmsd, best[1])
    return torch.tensor(best[0] + mean).to(x), torch.tensor(best[1]).to(x)


def coordinate_update(x, weights):
    n = x.shape[1]
    off = weights * (1 - torch.eye(n).to(weights))
    return x + (off.sum(2, keepdim=True) * x - off @ x) / (n - 1)


class EGNN(nn.Module):
    def __init__(self, n_types, n_times, hidden=32, n_layers=3):
        super().__init__()
        self.n_times = n_times
        self.start = nn.Linear(n_types + 8, hidden)
        self.pairs = nn.ModuleList([
            nn.Sequential(nn.Linear(2 * hidden + 3, 2 * hidden), nn.GELU(), nn.Linear(2 * hidden, hidden), nn.GELU())
            for _ in range(n_layers)
        ])
        self.moves = nn.ModuleList([nn.Linear(hidden, 1) for _ in range(n_layers)])
        self.scores = nn.ModuleList([nn.Linear(hidden, 1) for _ in range(n_layers)])
        self.mixes = nn.ModuleList([nn.Linear(hidden, hidden) for _ in range(n_layers)])
        self.n_types = n_types
        self.times = nn.Parameter(torch.randn(n_times, 8))

    def forward(self, x, types, t):
        B, N, _ = x.shape
        kinds = F.one_hot(types, self.n_types).to(x).expand(B, N, -1)
        h = self.start(torch.cat([kinds, self.times[t][:, None].expand(B, N, -1)], -1))
        y, self_pairs = x, torch.eye(N, dtype=torch.bool, device=x.device)
        for pair, move, score, mix in zip(self.pairs, self.moves, self.scores, self.mixes):
            d = ((y[:, :, None] - y[:, None]) ** 2).sum(-1)
            f = torch.stack([d, torch.exp(-d), 1 / (0.5 + d)], -1)
            m = pair(torch.cat([h[:, :, None].expand(B, N, N, -1), h[:, None].expand(B, N, N, -1), f], -1))
            y = coordinate_update(y, move(m)[..., 0])
            share = torch.softmax(score(m)[..., 0].masked_fill(self_pairs, -1e9), -1)
            h = h + mix((share[..., None] * m).sum(2))
        return centre(y - x)


def table(alpha_bars, t, x):
    if (t.min() < 0) | (t.max() > len(alpha_bars) - 1) or t.shape[0] != x.shape[0]:
        raise ValueError("t")
    return alpha_bars.to(x).gather(0, t).view(-1, 1, 1)


def q_sample(x0, alpha_bars, t, noise):
    if x0.shape != noise.shape:
        raise ValueError("noise")
    a = table(alpha_bars, t, x0)
    return centre(a.sqrt() * x0 + torch.sqrt(1 - a) * noise)


def denoising_loss(model, x0, types, alpha_bars, t, noise):
    return F.mse_loss(model(q_sample(x0, alpha_bars, t, noise), types, t), centre(noise))


def reverse_step(model, x_t, types, alpha_bars, t, noise):
    if noise.shape != x_t.shape:
        raise ValueError("noise")
    times = torch.full(x_t.shape[:1], t, dtype=torch.int64, device=x_t.device)
    bar = table(alpha_bars, times, x_t)
    before = table(alpha_bars, times - 1, x_t) if t else torch.ones_like(bar)
    eps = model(x_t, types, times)
    x0 = (x_t - (1 - bar).sqrt() * eps) / bar.sqrt()
    alpha = bar / before
    mean = before.sqrt() * (1 - alpha) / (1 - bar) * x0 + alpha.sqrt() * (1 - before) / (1 - bar) * x_t
    return mean + ((1 - alpha) * (1 - before) / (1 - bar)).sqrt() * centre(noise)


def langevin_step(model, x, types, alpha_bars, t, step, noise):
    if noise.shape != x.shape or not step > 0:
        raise ValueError("noise or step")
    times = torch.full(x.shape[:1], t, dtype=torch.int64, device=x.device)
    factor = step / (1 - table(alpha_bars, times, x)).sqrt()
    drift = model(x, types, times) * factor
    return x - drift + centre(noise) * math.sqrt(2.0 * step)


@torch.inference_mode()
def sample(model, types, alpha_bars, n, generator=None):
    shape = (n, types.numel(), 3)
    noises = torch.randn(len(alpha_bars) + 1, *shape, generator=generator, dtype=alpha_bars.dtype).to(alpha_bars)
    x = centre(noises[-1])
    for t in np.arange(len(alpha_bars))[::-1]:
        x = reverse_step(model, x, types, alpha_bars, int(t), noises[t])
    return x


def train_diffusion(model, x, types, alpha_bars, steps, batch_size=64, lr=5e-3, generator=None, progress=False):
    optimiser = torch.optim.Adam(model.parameters(), lr)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda k: max(0.02, 1 - k / steps))
    history = {"loss": np.zeros(steps), "rate": []}
    for k in range(steps):
        rows = torch.randperm(len(x), generator=generator)[:batch_size]
        t = torch.randint(len(alpha_bars), (batch_size,), generator=generator).to(x.device)
        noise = torch.randn(x[rows].shape, generator=generator, dtype=x.dtype).to(x)
        loss = denoising_loss(model, x[rows], types, alpha_bars, t, noise)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        history["loss"][k] = loss.item()
        history["rate"].append(schedule.get_last_lr()[0])
    history["loss"] = history["loss"].tolist()
    return history


def transport_pull(x, y, epsilon, strength=1.0, permutations=None, n_iterations=500):
    if not epsilon > 0 or not 0 <= strength <= 1:
        raise ValueError("epsilon or strength")
    aligned, rmsd = align(x[:, None], y[None], permutations)
    c = -rmsd.double().cpu().numpy() ** 2 / epsilon
    n, m = c.shape
    u, v = np.zeros((n, 1)), np.zeros((1, m))
    for _ in range(n_iterations):
        z = c + v
        top = z.max(1, keepdims=True)
        u = -np.log(n) - top - np.log(np.exp(z - top).sum(1, keepdims=True))
        z = c + u
        top = z.max(0, keepdims=True)
        v = -np.log(m) - top - np.log(np.exp(z - top).sum(0, keepdims=True))
    plan = torch.from_numpy(np.exp(c + u + v)).to(x)
    target = torch.einsum("ij,ijkd->ikd", plan, aligned) / plan.sum(1)[:, None, None]
    return torch.lerp(x, target, strength), plan
