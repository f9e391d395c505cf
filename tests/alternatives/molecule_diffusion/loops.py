# Plain loops over molecules, atoms and pairs; everything written out; radial features in the network, one layer's moves.
import math

import torch
from torch import nn


def centre(x):
    mean = sum(x[..., i, :] for i in range(x.shape[-2])) / x.shape[-2]
    return x - mean.unsqueeze(-2)


def zero_mean_log_prob(x, std=1.0):
    if std <= 0:
        raise ValueError(f"std: {std}")
    values = []
    for molecule in x:
        if (molecule.sum(0) / len(molecule)).abs().max() > 1e-3:
            raise ValueError("x is not centred")
        d = 3 * (len(molecule) - 1)
        values.append(-(molecule**2).sum() / (2 * std**2) - d * math.log(std) - d / 2 * math.log(2 * math.pi))
    return torch.stack(values)


def one_pair(x, y, order):
    a, b = centre(x), centre(y)[order]
    u, _, v = torch.linalg.svd(b.T @ a)
    d = torch.diag(torch.tensor([1.0, 1.0, 1.0 if torch.det(u) * torch.det(v) > 0 else -1.0], dtype=x.dtype, device=x.device))
    return b @ u @ d @ v + x.mean(0)


def align(x, y, permutations=None):
    if x.shape[-2] != y.shape[-2]:
        raise ValueError("x and y have different numbers of atoms")
    x, y = torch.broadcast_tensors(x, y)
    orders = [torch.arange(x.shape[-2])] if permutations is None else list(permutations)
    aligned, rmsds = [], []
    for a, b in zip(x.reshape(-1, *x.shape[-2:]), y.reshape(-1, *y.shape[-2:])):
        best, least = None, math.inf
        for order in orders:
            moved = one_pair(a, b, order)
            rmsd = ((a - moved) ** 2).sum(1).mean().sqrt()
            if rmsd < least:
                best, least = moved, rmsd
        aligned.append(best)
        rmsds.append(least)
    return torch.stack(aligned).reshape(x.shape), torch.stack(rmsds).reshape(x.shape[:-2])


def coordinate_update(x, weights):
    N = x.shape[1]
    rows = []
    for i in range(N):
        move = torch.zeros_like(x[:, i])
        for j in range(N):
            if j != i:
                move = move + (x[:, i] - x[:, j]) * weights[:, i, j].unsqueeze(1)
        rows.append(x[:, i] + move / (N - 1))
    return torch.stack(rows, dim=1)


class EGNN(nn.Module):
    def __init__(self, n_types, n_times, hidden=32, n_layers=3):
        super().__init__()
        self.kind, self.time = nn.Embedding(n_types, hidden), nn.Embedding(n_times, hidden)
        self.register_buffer("knots", torch.linspace(0, 4, 12))
        self.edge = nn.Sequential(nn.Linear(2 * hidden + 13, hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU())
        self.node = nn.Sequential(nn.Linear(2 * hidden, hidden), nn.SiLU(), nn.Linear(hidden, hidden))
        self.rounds = n_layers
        self.final = nn.Sequential(nn.Linear(2 * hidden + 13, hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU(),
                                   nn.Linear(hidden, 1))

    def forward(self, x, types, t):
        B, N = x.shape[:2]
        h = self.kind(types).unsqueeze(0) + self.time(t).unsqueeze(1)
        difference = x.unsqueeze(2) - x.unsqueeze(1)
        squared = (difference**2).sum(-1, keepdim=True)
        distance = (squared + 1e-6).sqrt()
        radial = torch.cat([squared, torch.exp(-4 * (distance - self.knots) ** 2)], -1)
        mask = 1.0 - torch.eye(N, dtype=x.dtype, device=x.device).unsqueeze(-1)

        def ends(h):
            return torch.cat([h.unsqueeze(2).expand(B, N, N, -1), h.unsqueeze(1).expand(B, N, N, -1), radial], -1)

        for _ in range(self.rounds):
            h = h + self.node(torch.cat([h, (self.edge(ends(h)) * mask).sum(2)], -1))
        weights = self.final(ends(h)) * mask
        return centre((weights * difference).sum(2) / (N - 1))


def refuse(x, alpha_bars, t, noise):
    if noise.shape != x.shape or len(t) != len(x):
        raise ValueError("shapes do not fit")
    for one in t.tolist():
        if one < 0 or one >= len(alpha_bars):
            raise ValueError(f"t: {one}")


def q_sample(x0, alpha_bars, t, noise):
    refuse(x0, alpha_bars, t, noise)
    rows = []
    for molecule, time, z in zip(x0, t.tolist(), noise):
        bar = alpha_bars[time]
        rows.append(bar**0.5 * centre(molecule) + (1 - bar) ** 0.5 * centre(z))
    return torch.stack(rows).to(x0)


def denoising_loss(model, x0, types, alpha_bars, t, noise):
    error = model(q_sample(x0, alpha_bars, t, noise), types, t) - centre(noise)
    return (error * error).sum() / error.numel()


def reverse_step(model, x_t, types, alpha_bars, t, noise):
    times = torch.tensor([t] * len(x_t), device=x_t.device)
    refuse(x_t, alpha_bars, times, noise)
    bar = float(alpha_bars[t])
    before = 1.0 if t == 0 else float(alpha_bars[t - 1])
    alpha = bar / before
    x = (x_t - (1 - alpha) / math.sqrt(1 - bar) * model(x_t, types, times)) / math.sqrt(alpha)
    if t > 0:
        x = x + math.sqrt((1 - alpha) * (1 - before) / (1 - bar)) * centre(noise)
    return x


def langevin_step(model, x, types, alpha_bars, t, step, noise):
    times = torch.tensor([t] * len(x), device=x.device)
    refuse(x, alpha_bars, times, noise)
    if step <= 0:
        raise ValueError(f"step: {step}")
    score = model(x, types, times) / -math.sqrt(1 - float(alpha_bars[t]))
    return x + step * score + (2 * step) ** 0.5 * centre(noise)


def sample(model, types, alpha_bars, n, generator=None):
    with torch.no_grad():
        x = centre(torch.randn(n, len(types), 3, generator=generator, dtype=alpha_bars.dtype).to(alpha_bars))
        for t in reversed(range(len(alpha_bars))):
            noise = torch.randn(n, len(types), 3, generator=generator, dtype=alpha_bars.dtype).to(alpha_bars)
            x = reverse_step(model, x, types, alpha_bars, t, noise)
    return x


def train_diffusion(model, x, types, alpha_bars, steps, batch_size=64, lr=5e-3, generator=None, progress=False):
    optimiser = torch.optim.AdamW(model.parameters(), lr=lr)
    losses, queue = [], []
    for k in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = lr * min(1.0, (k + 1) / 20, 0.05 + 1.5 * (steps - k) / steps)
        while len(queue) < batch_size:
            queue += torch.randperm(len(x), generator=generator).tolist()
        rows, queue = queue[:batch_size], queue[batch_size:]
        t = torch.randint(0, len(alpha_bars), (batch_size,), generator=generator).to(x.device)
        noise = torch.randn(batch_size, *x.shape[1:], generator=generator, dtype=x.dtype).to(x)
        loss = denoising_loss(model, x[rows], types, alpha_bars, t, noise)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    return {"loss": losses}


def transport_pull(x, y, epsilon, strength=1.0, permutations=None, n_iterations=500):
    if epsilon <= 0 or strength < 0 or strength > 1:
        raise ValueError("epsilon or strength")
    n, m = len(x), len(y)
    aligned, rmsd = align(x.unsqueeze(1).expand(n, m, *x.shape[1:]), y.unsqueeze(0).expand(n, m, *y.shape[1:]), permutations)
    cost = rmsd**2
    f, g = torch.zeros(n, dtype=x.dtype, device=x.device), torch.zeros(m, dtype=x.dtype, device=x.device)
    for _ in range(n_iterations):
        g = -epsilon * (torch.logsumexp((f[:, None] - cost) / epsilon, 0) + math.log(m))
        f = -epsilon * (torch.logsumexp((g[None] - cost) / epsilon, 1) + math.log(n))
    plan = torch.exp((f[:, None] + g[None] - cost) / epsilon)
    moved = []
    for i in range(n):
        target = sum(plan[i, j] * aligned[i, j] for j in range(m)) / plan[i].sum()
        moved.append((1 - strength) * x[i] + strength * target)
    return torch.stack(moved), plan
