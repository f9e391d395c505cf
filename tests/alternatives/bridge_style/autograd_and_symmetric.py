# Differs: the drift is a gradient of log h, the pull one of the divergence, symmetric updates, a residual network.
import torch
from torch import nn


def _reject(wrong, what):
    if wrong:
        raise ValueError(what)


def _masses(given, cloud):
    if given is None:
        return torch.full((len(cloud),), 1 / len(cloud)).to(cloud)
    _reject(given.shape != cloud.shape[:1], "masses and points have different lengths")
    return given


def _potentials(C, log_a, log_b, epsilon, n_iterations, tolerance):
    """Potentials over epsilon."""
    K = -C / epsilon
    u, v = torch.zeros_like(log_a), torch.zeros_like(log_b)
    for step in range(n_iterations):
        u = -torch.logsumexp(K + (log_b + v), -1)
        v = -torch.logsumexp(K + (log_a + u)[:, None], 0)
        if step % 5 == 0:
            log_rows = u + torch.logsumexp(K + (log_b + v), -1)
            if (log_a.exp() * log_rows.expm1().abs()).sum() < tolerance / 2:
                break
    return u, v


def _self_potential(C, log_a, epsilon, steps=3000):
    """One potential for a cloud and itself: the mean of the old one and of its update (Feydy et al.)."""
    u = torch.zeros_like(log_a)
    for _ in range(steps):
        new = 0.5 * (u - torch.logsumexp(-C / epsilon + log_a + u, -1))
        done = (new - u).abs().max() < 1e-13
        u = new
        if done:
            break
    return u


def schrodinger_coupling(x, y, sigma, a=None, b=None, n_iterations=1000, tolerance=1e-9):
    _reject(not sigma > 0, "sigma")
    _reject(x.ndim != 2 or y.ndim != 2 or x.size(1) != y.size(1), "x, y")
    a, b = _masses(a, x), _masses(b, y)
    C, epsilon = (x.unsqueeze(1) - y.unsqueeze(0)).pow(2).sum(-1), 2 * sigma * sigma
    u, v = _potentials(C, a.log(), b.log(), epsilon, n_iterations, tolerance)
    plan = torch.outer(a, b) * torch.exp(u[:, None] + v[None, :] - C / epsilon)
    return plan, epsilon * u + 0.7, epsilon * v - 0.7  # the constant is free


def sinkhorn_divergence(x, y, epsilon, n_iterations=1000, tolerance=1e-9):
    _reject(not epsilon > 0, "epsilon")
    _reject(x.size(1) != y.size(1), "x, y")
    a, b = _masses(None, x).log(), _masses(None, y).log()
    u, v = _potentials((x[:, None] - y).pow(2).sum(-1), a, b, epsilon, n_iterations, tolerance)
    p = _self_potential((x[:, None] - x).pow(2).sum(-1), a, epsilon)
    q = _self_potential((y[:, None] - y).pow(2).sum(-1), b, epsilon)
    return epsilon * ((u - p).mean() + (v - q).mean())


def penalised_step(x, score, y, step, weight, epsilon, noise):
    _reject(not epsilon > 0, "epsilon")
    _reject(x.size(1) != y.size(1) or x.shape != score.shape or x.shape != noise.shape, "shapes")
    n, m = len(x), len(y)
    a, b = _masses(None, x).log(), _masses(None, y).log()
    with torch.no_grad():
        C = (x[:, None] - y).pow(2).sum(-1)
        u, v = _potentials(C, a, b, epsilon, 3000, 1e-11)
        to_y = (u[:, None] + v - C / epsilon + a[:, None] + b).exp()
        D = (x[:, None] - x).pow(2).sum(-1)
        p = _self_potential(D, a, epsilon)
        to_x = (p[:, None] + p - D / epsilon + a[:, None] + a).exp()
    # Envelope theorem: the plans are held fixed.
    z = x.detach().clone().requires_grad_()
    energy = (to_y * (z[:, None] - y).pow(2).sum(-1)).sum() - (to_x * (z[:, None] - x).pow(2).sum(-1)).sum()
    (slope,) = torch.autograd.grad(energy, z)
    _ = m
    return x + step * (score - weight * n / 2 * slope) + torch.sqrt(torch.tensor(2.0 * step).to(x)) * noise


def gaussian_bridge(mean0, cov0, mean1, cov1, sigma, t):
    _reject(not sigma > 0, "sigma")
    _reject(mean0.shape != mean1.shape or cov0.shape != cov1.shape, "shapes")
    L = torch.linalg.cholesky(cov0)
    # L^-1 (Σ0 Σ1) L = Lᵀ Σ1 L is symmetric.
    w, V = torch.linalg.eigh(L.mT @ cov1 @ L)
    roots = torch.sqrt(4 * w + sigma**4) - sigma**2
    K = 0.5 * L @ V @ torch.diag(roots) @ V.mT @ torch.linalg.inv(L)
    one = torch.eye(len(w), dtype=cov0.dtype, device=cov0.device)
    ends = torch.stack([cov0, cov1, K + K.mT + sigma**2 * one])
    return mean0 + t * (mean1 - mean0), torch.einsum(
        "k,kij->ij", torch.tensor([(1 - t) ** 2, t**2, t * (1 - t)]).to(ends), ends
    )


def _rows(t, like, last):
    t = torch.as_tensor(t, dtype=like.dtype, device=like.device).expand(len(like))
    _reject(not bool(((t >= 0) & (t <= 1)).all()) or (last and bool((t == 1).any())), "t")
    return t[:, None]


def bridge_interpolate(x0, x1, t, sigma, noise):
    t = _rows(t, x0, last=False)
    return torch.distributions.Normal(x0 + t * (x1 - x0), 1.0).mean + sigma * (t.sqrt() * (1 - t).sqrt()) * noise


def bridge_path(x0, x1, times, sigma, noise):
    _reject(noise.shape != times.shape + x0.shape, "noise")
    _reject(bool((times[1:] <= times[:-1]).any()) or bool((times < 0).any()) or bool((times > 1).any()), "times")
    # B_t = (1 - t) x0 + t x1 + (1 - t) Σ of independent increments of W_{t/(1-t)}, but for the end.
    path, inside = x1.expand(len(times), *x1.shape).clone(), times < 1
    s, increments = torch.zeros((), dtype=times.dtype, device=times.device), []
    for t, z in zip(times[inside], noise[inside]):
        increments.append(sigma * ((t - s) / ((1 - t) * (1 - s))).sqrt() * z)
        s = t
    if increments:
        t = times[inside].to(x0)[:, None, None]
        path[inside] = ((1 - t) * x0 + t * x1 + (1 - t) * torch.stack(increments).cumsum(0)).to(x0)
    return path


def sample_coupling(plan, n, generator=None):
    flat = torch.multinomial(plan.flatten(), n, replacement=True, generator=generator)
    return torch.div(flat, plan.size(1), rounding_mode="floor"), flat.remainder(plan.size(1))


def bridge_drift(x, t, y, b, g, sigma):
    t = _rows(t, x, last=True)
    _reject(y.size(1) != x.size(1) or len(b) != len(y) or len(g) != len(y), "lengths")
    with torch.enable_grad():
        z = x.detach().clone().requires_grad_()
        log_h = torch.logsumexp(
            b.log() + g / (2 * sigma**2) - (z[:, None] - y).pow(2).sum(-1) / (2 * sigma**2 * (1 - t)), 1
        )
        return sigma**2 * torch.autograd.grad(log_h.sum(), z)[0]


def simulate_bridge(drift_fn, x0, sigma, noise):
    h, frames = 1.0 / noise.size(0), [x0.detach()]
    for k in range(noise.size(0)):
        with torch.no_grad():
            u = drift_fn(frames[-1], k / noise.size(0))
        frames.append(frames[-1] + h * u.detach() + sigma * h**0.5 * noise[k])
    return torch.stack(frames).detach()


class EndpointNet(nn.Module):
    def __init__(self, dim, hidden=128):
        super().__init__()
        self.enter = nn.Linear(dim, hidden)
        self.gates = nn.ModuleList(nn.Linear(2, 2 * hidden) for _ in range(2))
        self.blocks = nn.ModuleList(nn.Linear(hidden, hidden) for _ in range(2))
        self.leave = nn.Linear(hidden, dim)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)

    def forward(self, x, t):
        t = t.to(x)
        clock = torch.stack([t, t * t], -1)
        h = self.enter(x)
        for gate, block in zip(self.gates, self.blocks):
            scale, shift = gate(clock).chunk(2, -1)
            h = h + torch.tanh(block(torch.nn.functional.silu(h) * (1 + scale) + shift))
        return x + self.leave(h)


def endpoint_loss(model, x0, x1, t, sigma, noise):
    gap = model(bridge_interpolate(x0, x1, t, sigma, noise), t) - x1
    return gap.norm() ** 2 / gap.numel()


def endpoint_drift(model, x, t):
    t = _rows(t, x, last=True)
    return torch.div(model(x, t[:, 0].clone()) - x, 1 - t)


def train_bridge(model, x, y, plan, sigma, steps, batch_size=256, lr=1e-3, generator=None, progress=False):
    _reject(plan.shape != (len(x), len(y)), "plan")
    optimiser = torch.optim.Adam(model.parameters(), lr)
    every = sample_coupling(plan, batch_size * steps, generator)
    history = []
    for step in range(steps):
        i, j = (v[step * batch_size : (step + 1) * batch_size] for v in every)
        t = torch.empty(batch_size, dtype=x.dtype, device=x.device).uniform_(generator=generator)
        noise = torch.empty(batch_size, x.size(1), dtype=x.dtype, device=x.device).normal_(generator=generator)
        loss = endpoint_loss(model, x[i], y[j], t, sigma, noise)
        model.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        history.append(loss.detach())
    return {"loss": history}


def neighbours_kept(x, mapped, k):
    _reject(x.size(0) != mapped.size(0), "lengths")
    _reject(not 1 <= k <= x.size(0) - 1, "k")
    hits = []
    for cloud in (x, mapped):
        D = torch.cdist(cloud, cloud, compute_mode="donot_use_mm_for_euclid_dist") + torch.diag(
            torch.full((len(cloud),), torch.inf).to(cloud)
        )
        hits.append(D.argsort(1)[:, :k])
    same = (hits[0][:, :, None] == hits[1][:, None, :]).any(-1)
    return same.double().mean().item()
