# Differs: circular padding and conv2d for neighbours, Metropolis in the fit, chains restarted at data points, log-domain acceptance.
import math

import torch
import torch.nn.functional as F

CROSS = torch.tensor([[0.0, 1.0, 0.0], [1.0, 0.0, 1.0], [0.0, 1.0, 0.0]])


def sides(x, even=False):
    if x.dim() != 3 or x.size(1) < 3 or x.size(2) < 3 or (even and (x.size(1) % 2 or x.size(2) % 2)):
        raise ValueError(f"a lattice of shape {tuple(x.shape)} does not fit")


def nn(x):
    padded = F.pad(x[:, None], (1, 1, 1, 1), mode="circular")
    return F.conv2d(padded, CROSS.to(x)[None, None])[:, 0]


def ising_energy(spins, coupling, field):
    sides(spins)
    return -(spins * (0.5 * coupling * nn(spins) + field)).flatten(1).sum(1)


def flip_energy_change(spins, coupling, field):
    sides(spins)
    return spins.mul(2).mul(nn(spins).mul(coupling).add(field))


def black(x):
    return (torch.arange(x.size(1))[:, None] + torch.arange(x.size(2)))[None].to(x.device) % 2 == 0


def metropolis_sweep(spins, coupling, field, uniform):
    sides(spins, True)
    if uniform.shape != spins.shape:
        raise ValueError("uniform")
    even = black(spins)
    for mask in (even, ~even):
        yes = (uniform.log() < -flip_energy_change(spins, coupling, field)) & mask
        spins = spins * (1 - 2 * yes.to(spins))
    return spins


def heat_bath_sweep(spins, coupling, field, uniform):
    sides(spins, True)
    if uniform.shape != spins.shape:
        raise ValueError("uniform")
    even = black(spins)
    for mask in (even, ~even):
        p = (torch.tanh(coupling * nn(spins) + field) + 1) / 2
        spins = torch.where(mask, torch.sign(p - uniform).masked_fill(p == uniform, -1), spins)
    return spins


def exact_ising(height, width, coupling, field):
    if height < 3 or width < 3 or height * width > 16:
        raise ValueError("height, width")
    bits = torch.cartesian_prod(*[torch.tensor([-1.0, 1.0], dtype=torch.float64)] * (height * width))
    states = bits.view(-1, height, width)
    log_prob = F.log_softmax(-ising_energy(states, coupling, field), 0)
    log_partition = (-ising_energy(states[:1], coupling, field) - log_prob[:1])[0]
    return states, log_prob, log_partition


def metropolis_matrix(energies, proposal):
    n = len(energies)
    if proposal.shape != (n, n):
        raise ValueError("proposal")
    # min(q_ij, q_ji e^{U_i - U_j}), the second factor in logarithms; log 0 = -inf is right in it
    other = (proposal.T.log() + energies[:, None] - energies[None]).clamp(max=50).exp()
    P = torch.minimum(proposal, other).fill_diagonal_(0)
    return P + torch.diag(1 - P.sum(1))


def log_likelihood_gradient(data, samples):
    sides(data), sides(samples)
    if data.shape[1:] != samples.shape[1:]:
        raise ValueError("lattices of two sizes")
    parts = []
    for x in (data, samples):
        parts.append(torch.stack([(x * nn(x)).sum((1, 2)).mean() / 2, x.sum((1, 2)).mean()]))
    return parts[0] - parts[1]


def fit_ising(data, steps, lr=0.05, n_chains=200, n_sweeps=1, generator=None, progress=False):
    sides(data, True)
    if min(steps, n_chains, n_sweeps) < 1:
        raise ValueError("steps, n_chains, n_sweeps")
    theta, history = torch.zeros(2, dtype=data.dtype, device=data.device), {"coupling": [], "field": [], "gap": []}
    chains = 2.0 * torch.randint(2, (n_chains, *data.shape[1:]), generator=generator).to(data) - 1
    for k in range(steps):
        for _ in range(n_sweeps):
            u = torch.rand(chains.shape, generator=generator, dtype=data.dtype).to(data)
            # Metropolis turns everything at (0, 0): the first sweep is heat bath
            sweep = heat_bath_sweep if k == 0 else metropolis_sweep
            chains = sweep(chains, theta[0].item(), theta[1].item(), u)
        gradient = log_likelihood_gradient(data, chains)
        theta = theta + lr / data[0].numel() * gradient
        history["coupling"].append(theta[0])
        history["field"].append(theta[1])
        history["gap"].append(gradient.norm())
    tail = max(1, steps // 4)
    return torch.stack(history["coupling"][-tail:]).mean(), torch.stack(history["field"][-tail:]).mean(), history


def phi4_energy(phi, kappa, r, g):
    sides(phi)
    # Σ_<ij> (a - b)² = Σ_i (4 φ_i² - φ_i Σ_j φ_j) / ... each pair once
    return (kappa / 2 * (4 * phi**2 - phi * nn(phi)) + r / 2 * phi**2 + g / 4 * phi**4).sum(dim=[1, 2])


def phi4_gradient(phi, kappa, r, g):
    sides(phi)
    x = phi.detach()
    return (4 * kappa + r) * x - kappa * nn(x) + g * x * x * x


def mala_step(x, energy, gradient, step, noise, uniform):
    if not step > 0:
        raise ValueError("step")
    if noise.shape != x.shape or uniform.shape != (x.shape[0],):
        raise ValueError("noise, uniform")
    axes = tuple(range(1, x.dim()))
    gx = gradient(x)
    y = torch.add(x, gx, alpha=-step) + math.sqrt(2 * step) * noise
    gy = gradient(y)
    # log q(x|y) - log q(y|x), multiplied out
    quotient = ((y - x) * (gx + gy)).sum(axes) / 2 + step * (gx.square() - gy.square()).sum(axes) / 4
    yes = uniform < torch.exp((energy(x) - energy(y) + quotient).clamp(max=0))
    return torch.where(yes.view(-1, *(1,) * len(axes)), y, x), yes


def sample_phi4(phi, kappa, r, g, step, n_steps, flip_probability=0.0, generator=None):
    sides(phi)
    if n_steps < 1 or step <= 0 or flip_probability < 0 or flip_probability > 1:
        raise ValueError("n_steps, step, flip_probability")
    B = len(phi)
    noises = torch.randn(n_steps, *phi.shape, generator=generator, dtype=phi.dtype).to(phi)
    uniforms = torch.rand(n_steps, 2, B, generator=generator, dtype=phi.dtype).to(phi)
    out, yes = torch.empty(n_steps + 1, *phi.shape, dtype=phi.dtype, device=phi.device), torch.empty(n_steps, B)
    out[0] = phi
    for t in range(n_steps):
        flip = uniforms[t, 1] < flip_probability
        x = torch.where(flip[:, None, None], -out[t], out[t])
        out[t + 1], yes[t] = mala_step(
            x, lambda v: phi4_energy(v, kappa, r, g), lambda v: phi4_gradient(v, kappa, r, g), step, noises[t], uniforms[t, 0]
        )
    return out, yes.mean()
