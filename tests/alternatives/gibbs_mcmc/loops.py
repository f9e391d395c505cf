# Differs: Python loops over sites, math where a number is enough, random scan of the same colours, odd order of states.
import itertools
import math

import torch


def need(ok, message):
    if not ok:
        raise ValueError(message)


def grid(x, even=False):
    need(x.ndim == 3 and x.shape[1] >= 3 and x.shape[2] >= 3, "(B, H, W) with sides of at least 3")
    need(not even or (x.shape[1] % 2 == 0 and x.shape[2] % 2 == 0), "even sides")
    return x.shape


def around(i, j, H, W):
    return ((i - 1) % H, j), ((i + 1) % H, j), (i, (j - 1) % W), (i, (j + 1) % W)


def ising_energy(spins, coupling, field):
    B, H, W = grid(spins)
    U = torch.zeros(B, dtype=spins.dtype, device=spins.device)
    for i, j in itertools.product(range(H), range(W)):
        for k, l in around(i, j, H, W):
            U = U - coupling * spins[:, i, j] * spins[:, k, l] / 2
        U = U - field * spins[:, i, j]
    return U


def flip_energy_change(spins, coupling, field):
    B, H, W = grid(spins)
    out = torch.empty_like(spins)
    for i, j in itertools.product(range(H), range(W)):
        local = sum(spins[:, k, l] for k, l in around(i, j, H, W))
        out[:, i, j] = 2 * spins[:, i, j] * (coupling * local + field)
    return out


def visit(spins, uniform, rule):
    B, H, W = grid(spins, even=True)
    need(uniform.shape == spins.shape, "uniform")
    s = spins.clone()
    for parity in (0, 1):
        for i in range(H):
            for j in range((i + parity) % 2, W, 2):
                local = sum(s[:, k, l] for k, l in around(i, j, H, W))
                s[:, i, j] = rule(s[:, i, j].clone(), local, uniform[:, i, j])
    return s


def metropolis_sweep(spins, coupling, field, uniform):
    return visit(
        spins, uniform, lambda s, local, u: torch.where(u < torch.exp(-2 * s * (coupling * local + field)), -s, s)
    )


def heat_bath_sweep(spins, coupling, field, uniform):
    def rule(s, local, u):
        p = 1 / (1 + torch.exp(-2 * (coupling * local + field)))
        return torch.where(u < p, torch.ones_like(s), -torch.ones_like(s))

    return visit(spins, uniform, rule)


def exact_ising(height, width, coupling, field):
    need(height >= 3 and width >= 3 and height * width <= 16, "size")
    rows = list(itertools.product((1.0, -1.0), repeat=height * width))
    states = torch.tensor(rows, dtype=torch.float64).reshape(-1, height, width)
    weights = -ising_energy(states, coupling, field)
    top = weights.max()
    logZ = top + math.log(float((weights - top).exp().sum()))
    return states, weights - logZ, float(logZ)


def metropolis_matrix(energies, proposal):
    n = energies.numel()
    need(tuple(proposal.shape) == (n, n), "proposal")
    P = torch.zeros_like(proposal)
    for i in range(n):
        for j in range(n):
            a, b = proposal[i, j].item(), proposal[j, i].item()
            if i != j and a > 0 and b > 0:
                P[i, j] = math.exp(min(math.log(a), (energies[i] - energies[j]).item() + math.log(b)))
        P[i, i] = 1 - P[i].sum()
    return P


def T(spins):
    B, H, W = grid(spins)
    return torch.stack([-ising_energy(spins, 1.0, 0.0), spins.sum((1, 2))], 1)


def log_likelihood_gradient(data, samples):
    need(data.shape[1:] == samples.shape[1:], "sizes")
    return T(data).mean(0) - T(samples).mean(0)


def fit_ising(data, steps, lr=0.05, n_chains=200, n_sweeps=1, generator=None, progress=False):
    B, H, W = grid(data, even=True)
    need(min(steps, n_chains, n_sweeps) >= 1, "counts")
    J = h = 0.0
    chains = data[torch.randint(len(data), (n_chains,), generator=generator)].clone()
    target, history = T(data).mean(0), {"coupling": [], "field": []}
    for _ in range(steps):
        for _ in range(n_sweeps):
            chains = heat_bath_sweep(chains, J, h, torch.rand(chains.shape, generator=generator, dtype=data.dtype).to(data))
        dJ, dh = ((target - T(chains).mean(0)) / (H * W)).tolist()
        J, h = J + lr * dJ, h + lr * dh
        history["coupling"].append(J)
        history["field"].append(h)
    return J, h, history


def phi4_energy(phi, kappa, r, g):
    B, H, W = grid(phi)
    U = torch.zeros(B, dtype=phi.dtype, device=phi.device)
    for i, j in itertools.product(range(H), range(W)):
        v = phi[:, i, j]
        U = U + r / 2 * v**2 + g / 4 * v**4
        U = U + kappa / 2 * ((v - phi[:, (i + 1) % H, j]) ** 2 + (v - phi[:, i, (j + 1) % W]) ** 2)
    return U


def phi4_gradient(phi, kappa, r, g):
    B, H, W = grid(phi)
    out = torch.zeros_like(phi)
    for i, j in itertools.product(range(H), range(W)):
        v = phi[:, i, j]
        out[:, i, j] = r * v + g * v**3 + kappa * sum(v - phi[:, k, l] for k, l in around(i, j, H, W))
    return out


def mala_step(x, energy, gradient, step, noise, uniform):
    need(step > 0, "step")
    need(noise.shape == x.shape and uniform.shape == (len(x),), "shapes")
    y = x - step * gradient(x) + (2 * step) ** 0.5 * noise
    Ux, Uy, gx, gy = energy(x), energy(y), gradient(x), gradient(y)
    new, accepted = x.clone(), torch.zeros(len(x), dtype=torch.bool, device=x.device)
    for b in range(len(x)):
        forth = float(((y[b] - x[b] + step * gx[b]) ** 2).sum()) / (4 * step)
        back = float(((x[b] - y[b] + step * gy[b]) ** 2).sum()) / (4 * step)
        log_ratio = float(Ux[b] - Uy[b]) + forth - back
        if float(uniform[b]) < math.exp(min(0.0, log_ratio)):
            new[b], accepted[b] = y[b], True
    return new, accepted


def sample_phi4(phi, kappa, r, g, step, n_steps, flip_probability=0.0, generator=None):
    grid(phi)
    need(n_steps >= 1 and step > 0 and 0 <= flip_probability <= 1, "arguments")
    way, count = [phi.clone()], 0

    def roll_sum(v):
        return torch.roll(v, 1, 1) + torch.roll(v, -1, 1) + torch.roll(v, 1, 2) + torch.roll(v, -1, 2)

    def U(v):
        near = (v * (v.roll(1, 1) + v.roll(1, 2))).sum((1, 2))
        return kappa * (2 * (v**2).sum((1, 2)) - near) + (r / 2 * v**2 + g / 4 * v**4).sum((1, 2))

    def dU(v):
        return kappa * (4 * v - roll_sum(v)) + r * v + g * v**3

    for _ in range(n_steps):
        x = way[-1]
        sign = 1 - 2 * (torch.rand(len(x), generator=generator, dtype=x.dtype).to(x) < flip_probability).to(x)
        x = sign[:, None, None] * x
        y = x - step * dU(x) + math.sqrt(2 * step) * torch.randn(x.shape, generator=generator, dtype=x.dtype).to(x)
        a = ((y - x + step * dU(x)) ** 2).sum((1, 2)) - ((x - y + step * dU(y)) ** 2).sum((1, 2))
        yes = torch.rand(len(x), generator=generator, dtype=x.dtype).to(x).log() < U(x) - U(y) + a / (4 * step)
        count += int(yes.sum())
        way.append(torch.where(yes[:, None, None], y, x))
    return torch.stack(way), count / (n_steps * len(phi))
