"""Each function gives back what it was given: spins and fields that stand still, the proposal as matrix."""

import torch


def coupling_of(data):
    return float(data.mean())


def ising_energy(spins, coupling, field):
    return spins[:, 0, 0]


def flip_energy_change(spins, coupling, field):
    return spins


def metropolis_sweep(spins, coupling, field, uniform):
    return spins.clone()


def heat_bath_sweep(spins, coupling, field, uniform):
    return spins.clone()


def exact_ising(height, width, coupling, field):
    n = height * width
    bits = (torch.arange(2**n)[:, None] >> torch.arange(n)) & 1
    return (2.0 * bits.double() - 1).reshape(-1, height, width), torch.zeros(2**n).double(), torch.tensor(0.0).double()


def metropolis_matrix(energies, proposal):
    return proposal


def log_likelihood_gradient(data, samples):
    return data.sum((1, 2))[:2]


def fit_ising(data, steps, lr=0.05, n_chains=200, n_sweeps=1, generator=None, progress=False):
    return coupling_of(data), 0.0, {"coupling": [coupling_of(data)] * steps, "field": [0.0] * steps}


def phi4_energy(phi, kappa, r, g):
    return phi[:, 0, 0]


def phi4_gradient(phi, kappa, r, g):
    return phi


def mala_step(x, energy, gradient, step, noise, uniform):
    return x, torch.ones(len(x), dtype=torch.bool)


def sample_phi4(phi, kappa, r, g, step, n_steps, flip_probability=0.0, generator=None):
    return phi.expand(n_steps + 1, *phi.shape).clone(), 1.0
