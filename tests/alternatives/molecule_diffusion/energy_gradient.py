# The noise as the gradient of an invariant energy: equivariant and of zero mean by itself. Rotations by scaled polar steps.
import math

import torch
from torch import nn
from torch.nn.functional import silu


def centre(x):
    n = x.shape[-2]
    return x - x.sum(dim=-2, keepdim=True).expand_as(x) / n


def zero_mean_log_prob(x, std=1.0):
    if std <= 0.0:
        raise ValueError(f"std must be positive: {std}")
    if not torch.allclose(x.mean(-2), torch.zeros((), dtype=x.dtype, device=x.device), atol=1e-3, rtol=0):
        raise ValueError("x must be centred")
    half = 1.5 * (x.shape[-2] - 1)
    return -half * math.log(2 * math.pi) - 2 * half * math.log(std) - (x / std).pow(2).flatten(1).sum(1) / 2


def align(x, y, permutations=None):
    if x.size(-2) != y.size(-2):
        raise ValueError(f"atoms: {x.size(-2)} and {y.size(-2)}")
    candidates = []
    for order in ([list(range(x.size(-2)))] if permutations is None else permutations.tolist()):
        a, b = torch.broadcast_tensors(centre(x), centre(y)[..., order, :])
        u, _, vh = torch.linalg.svd(a.mT @ b)
        v = vh.mT
        sign = torch.det(v @ u.mT)
        u = torch.cat([u[..., :2], u[..., 2:] * sign[..., None, None]], -1)
        candidates.append(b @ (v @ u.mT) + x.mean(-2, keepdim=True))
    stack = torch.stack(candidates)  # (P, ..., N, 3)
    rmsd = (stack - x).pow(2).sum(-1).mean(-1).sqrt()
    least, which = rmsd.min(0)
    index = which[None, ..., None, None].expand(1, *stack.shape[1:])
    return stack.gather(0, index)[0], least


def coordinate_update(x, weights):
    n = x.shape[-2]
    pull = torch.stack([(x - x[:, j : j + 1]) * weights[:, :, j : j + 1] for j in range(n)])
    return x + pull.sum(0) / (n - 1)


class Energy(nn.Module):
    def __init__(self, n_types, n_times, hidden, n_layers):
        super().__init__()
        self.kind, self.when = nn.Embedding(n_types, hidden), nn.Embedding(n_times, hidden)
        self.first = nn.Linear(4, hidden)
        self.layers = nn.ModuleList([nn.Linear(hidden, hidden) for _ in range(n_layers)])
        self.mixes = nn.ModuleList([nn.Linear(hidden, hidden) for _ in range(n_layers)])
        self.last = nn.Sequential(nn.Linear(hidden, hidden), nn.SiLU(), nn.Linear(hidden, 1))

    def forward(self, x, types, t):
        d = (x[:, :, None] - x[:, None]).square().sum(-1, keepdim=True)
        r = (d + 0.01).sqrt()
        h = self.kind(types)[None] + self.when(t)[:, None]
        off = 1 - torch.eye(x.shape[1], dtype=x.dtype, device=x.device)[..., None]
        features = self.first(torch.cat([d, r, torch.exp(-d), 1 / (0.3 + r)], -1))
        for layer, mix in zip(self.layers, self.mixes):
            m = silu(layer(silu(features + h[:, :, None] + h[:, None]))) * off
            h = h + mix(m.sum(2))
        pairs = self.last(silu(features + h[:, :, None] * h[:, None]))
        return (pairs * off).sum((1, 2, 3))


class EGNN(nn.Module):
    def __init__(self, n_types, n_times, hidden=32, n_layers=3):
        super().__init__()
        self.energy = Energy(n_types, n_times, hidden, n_layers)
        self.scale = nn.Embedding(n_times, 1)

    def forward(self, x, types, t):
        with torch.enable_grad():
            y = x if x.requires_grad else x.detach().clone().requires_grad_()
            (force,) = torch.autograd.grad(self.energy(y, types, t).sum(), y, create_graph=self.training)
        return force - force.mean(1, keepdim=True) + self.scale(t)[:, None] * centre(x)


def fits(x, alpha_bars, t, noise):
    if x.shape != noise.shape or t.shape != x.shape[:1] or (t < 0).any() or (t >= alpha_bars.shape[0]).any():
        raise ValueError("shapes or times")
    return alpha_bars[t].to(x).reshape(-1, 1, 1)


def q_sample(x0, alpha_bars, t, noise):
    bar = fits(x0, alpha_bars, t, noise)
    signal, spread = bar**0.5, (1 - bar) ** 0.5
    return signal * centre(x0) + spread * centre(noise)


def denoising_loss(model, x0, types, alpha_bars, t, noise):
    guess = model(q_sample(x0, alpha_bars, t, noise), types, t)
    return nn.MSELoss()(guess, centre(noise))


def reverse_step(model, x_t, types, alpha_bars, t, noise):
    times = torch.ones(len(x_t), dtype=torch.long, device=x_t.device) * t
    bar = fits(x_t, alpha_bars, times, noise)[0, 0, 0]
    before = alpha_bars[t - 1].to(x_t) if t >= 1 else bar.new_tensor(1.0)
    alpha = bar / before
    guess = model(x_t, types, times)
    mean = x_t / alpha.sqrt() - guess * (1 - alpha) / ((1 - bar).sqrt() * alpha.sqrt())
    if t == 0:
        return mean
    return mean + centre(noise) * ((1 - alpha) / (1 - bar) * (1 - before)).sqrt()


def langevin_step(model, x, types, alpha_bars, t, step, noise):
    if not step > 0:
        raise ValueError(f"step: {step}")
    times = torch.ones(len(x), dtype=torch.long, device=x.device) * t
    bar = fits(x, alpha_bars, times, noise)
    return x - step * model(x, types, times) * torch.rsqrt(1 - bar) + centre(noise).mul(math.sqrt(2 * step))


def sample(model, types, alpha_bars, n, generator=None):
    def fresh():
        return centre(torch.randn(n, types.shape[0], 3, generator=generator, dtype=alpha_bars.dtype).to(alpha_bars))

    x = fresh()
    for t in range(alpha_bars.shape[0])[::-1]:
        x = reverse_step(model, x, types, alpha_bars, t, fresh()).detach()
    return x


def train_diffusion(model, x, types, alpha_bars, steps, batch_size=64, lr=5e-3, generator=None, progress=False):
    model.train()
    optimiser = torch.optim.Adam(model.parameters(), lr=lr)
    rate = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda k: 0.02 + 0.98 * math.cos(math.pi * k / (2 * steps)) ** 2)
    losses = torch.zeros(steps)
    for k in range(steps):
        rows = (torch.rand(batch_size, generator=generator) * len(x)).long()
        t = (torch.rand(batch_size, generator=generator).to(x.device) * len(alpha_bars)).long()
        noise = torch.randn(batch_size, x.shape[1], 3, generator=generator, dtype=x.dtype).to(x)
        loss = denoising_loss(model, x[rows], types, alpha_bars, t, noise)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        rate.step()
        losses[k] = loss.detach()
    return {"loss": losses.tolist()}


def transport_pull(x, y, epsilon, strength=1.0, permutations=None, n_iterations=500):
    if epsilon <= 0 or not 0.0 <= strength <= 1.0:
        raise ValueError(f"epsilon, strength: {epsilon}, {strength}")
    rows = [align(one.expand(len(y), -1, -1), y, permutations) for one in x]
    aligned, cost = torch.stack([row[0] for row in rows]), torch.stack([row[1] for row in rows]).pow(2)
    n, m = cost.shape
    log_v = torch.full((m,), -math.log(m), dtype=x.dtype, device=x.device)
    for _ in range(n_iterations):
        log_u = -math.log(n) - torch.logsumexp(log_v - cost / epsilon, 1)
        log_v = -math.log(m) - torch.logsumexp(log_u[:, None] - cost / epsilon, 0)
    plan = (log_u[:, None] + log_v - cost / epsilon).exp()
    mean = (plan[:, :, None, None] * aligned).sum(1) * n
    mean = mean / (plan.sum(1) * n)[:, None, None]
    return x.lerp(mean, strength), plan
