# Differs: the neighbours as a matrix over all sites, vectors instead of lattices, many chains in few tensors, last theta.
import math
from functools import lru_cache

import torch


@lru_cache(maxsize=None)
def adjacency(H, W):
    A = torch.zeros(H * W, H * W, dtype=torch.float64)
    for a in range(H * W):
        i, j = divmod(a, W)
        for b in ((i + 1) % H * W + j, (i - 1) % H * W + j, i * W + (j + 1) % W, i * W + (j - 1) % W):
            A[a, b] = 1
    return A


def rows(x, even=False):
    if x.dim() != 3:
        raise ValueError("three axes")
    B, H, W = x.shape
    if H < 3 or W < 3 or (even and (H % 2 or W % 2)):
        raise ValueError(f"sides {H}, {W}")
    return x.reshape(B, H * W), adjacency(H, W).to(x)


def ising_energy(spins, coupling, field):
    s, A = rows(spins)
    return -coupling / 2 * ((s @ A) * s).sum(1) - field * s.sum(1)


def flip_energy_change(spins, coupling, field):
    s, A = rows(spins)
    return (2 * s * (coupling * s @ A + field)).view_as(spins)


def _colour(H, W):
    return torch.tensor([(a // W + a % W) % 2 == 0 for a in range(H * W)])


def _sweep(spins, uniform, rule):
    s, A = rows(spins, True)
    if uniform.shape != spins.shape:
        raise ValueError("uniform")
    u, even = uniform.reshape(s.shape), _colour(*spins.shape[1:])
    s = s.clone()
    for mask in (even, ~even):
        s[:, mask] = rule(s[:, mask], s @ A[:, mask], u[:, mask])
    return s.view_as(spins)


def metropolis_sweep(spins, coupling, field, uniform):
    def rule(s, near, u):
        change = 2 * s * (coupling * near + field)
        return s * torch.where((change <= 0) | (u < torch.exp(-change)), -1.0, 1.0).to(s)

    return _sweep(spins, uniform, rule)


def heat_bath_sweep(spins, coupling, field, uniform):
    def rule(s, near, u):
        up, down = torch.exp(coupling * near + field), torch.exp(-coupling * near - field)
        return torch.where(u * (up + down) < up, 1.0, -1.0).to(s)

    return _sweep(spins, uniform, rule)


def exact_ising(height, width, coupling, field):
    if height < 3 or width < 3:
        raise ValueError("sides")
    if height * width > 16:
        raise ValueError("too many sites")
    n = height * width
    s = torch.ones(1, n, dtype=torch.float64)
    for k in range(n):  # doubled site by site
        s = torch.cat([s, s.clone().index_fill_(1, torch.tensor([k]), -1)])
    states = s.view(-1, height, width)
    U = ising_energy(states, coupling, field)
    low = U.min()
    log_z = torch.log(torch.exp(low - U).sum()) - low
    return states, -U - log_z, log_z


def metropolis_matrix(energies, proposal):
    if tuple(proposal.shape) != (len(energies),) * 2:
        raise ValueError("proposal")
    q, n = proposal.double(), len(energies)
    U = energies.double()
    P = torch.zeros(n, n, dtype=torch.float64, device=proposal.device)
    for i in range(n):
        ok = (q[i] > 0) & (q[:, i] > 0)
        log_ratio = U[i] - U[ok] + q[ok, i].log() - q[i, ok].log()
        P[i, ok] = q[i, ok] * log_ratio.clamp(max=0).exp()
        P[i, i] = 0
        P[i, i] = 1 - P[i].sum()
    return P.to(proposal)


def log_likelihood_gradient(data, samples):
    (d, A), (m, _B) = rows(data), rows(samples)
    if data.shape[1:] != samples.shape[1:]:
        raise ValueError("sizes")
    second = torch.stack([(x.T @ x / len(x) * A).sum() / 2 for x in (d, m)])  # from the matrix of second moments
    first = torch.stack([x.mean(0).sum() for x in (d, m)])
    return torch.stack([second[0] - second[1], first[0] - first[1]])


def fit_ising(data, steps, lr=0.05, n_chains=200, n_sweeps=1, generator=None, progress=False):
    rows(data, True)
    if steps < 1 or n_chains < 1 or n_sweeps < 1:
        raise ValueError("counts")
    n, theta, kept = data[0].numel(), [0.0, 0.0], []
    s = torch.ones(n_chains, *data.shape[1:], dtype=data.dtype, device=data.device)
    for _ in range(steps):
        for _ in range(n_sweeps):
            s = heat_bath_sweep(s, theta[0], theta[1], torch.rand(s.shape, generator=generator, dtype=s.dtype).to(s))
        g = log_likelihood_gradient(data, s)
        theta = [theta[k] + lr * float(g[k]) / n for k in (0, 1)]
        kept.append(theta)
    return theta[0], theta[1], {"coupling": [t[0] for t in kept], "field": [t[1] for t in kept]}


def phi4_energy(phi, kappa, r, g):
    v, A = rows(phi)
    L = 4 * torch.eye(len(A), dtype=v.dtype, device=v.device) - A
    return kappa / 2 * torch.einsum("ba,ac,bc->b", v, L, v) + (r / 2 * v**2 + g / 4 * v**4).sum(1)


def phi4_gradient(phi, kappa, r, g):
    v, A = rows(phi)
    return (kappa * (4 * v - v @ A) + r * v + g * v**3).view_as(phi)


def mala_step(x, energy, gradient, step, noise, uniform):
    if step <= 0 or noise.shape != x.shape or uniform.shape != x.shape[:1]:
        raise ValueError("step, noise, uniform")
    flat = lambda v: v.reshape(len(x), -1)
    y = x - step * gradient(x) + math.sqrt(2) * math.sqrt(step) * noise
    # the noise that would lead back
    back = (x - y + step * gradient(y)) / math.sqrt(2 * step)
    log_ratio = energy(x) - energy(y) + (flat(noise) ** 2 - flat(back) ** 2).sum(1) / 2
    accepted = uniform.log() < log_ratio
    return torch.stack([b if yes else a for a, b, yes in zip(x, y, accepted)]), accepted


def sample_phi4(phi, kappa, r, g, step, n_steps, flip_probability=0.0, generator=None):
    rows(phi)
    if n_steps < 1 or step <= 0 or not 0 <= flip_probability <= 1:
        raise ValueError("arguments")
    x, frames, yes = phi.clone(), [phi.clone()], 0.0
    for _ in range(n_steps):
        noise, u = torch.randn(x.shape, generator=generator, dtype=x.dtype).to(x), torch.rand(len(x), generator=generator, dtype=x.dtype).to(x)
        y, a = mala_step(x, lambda v: phi4_energy(v, kappa, r, g), lambda v: phi4_gradient(v, kappa, r, g), step, noise, u)
        flips = torch.rand(len(x), generator=generator).to(x.device) < flip_probability
        x = y * torch.where(flips, -1, 1).to(y)[:, None, None]
        frames.append(x)
        yes += a.double().mean()
    return torch.stack(frames), yes / n_steps
