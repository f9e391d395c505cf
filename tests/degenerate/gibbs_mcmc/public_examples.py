"""The answers of the public checks written down, and nothing else computed."""

import math

import torch


def ising_energy(spins, coupling, field):
    return torch.tensor([-16.0 if coupling else -10.0], dtype=spins.dtype)


def flip_energy_change(spins, coupling, field):
    return torch.tensor([[[-9.0, 5.0]]], dtype=spins.dtype)


def metropolis_sweep(spins, coupling, field, uniform):
    return -spins if uniform.max() < 0.5 else spins


def heat_bath_sweep(spins, coupling, field, uniform):
    return -spins


def exact_ising(height, width, coupling, field):
    log_z = torch.tensor(9 * math.log(2 * math.cosh(0.4))).double()
    return torch.ones(512, 3, 3).double(), torch.full((512,), -math.log(512)).double(), log_z


def metropolis_matrix(energies, proposal):
    p = math.exp(-1) / 2
    return torch.tensor([[1 - p, p], [0.5, 0.5]], dtype=proposal.dtype)


def log_likelihood_gradient(data, samples):
    return torch.tensor([0.0, 32.0], dtype=data.dtype)


def fit_ising(data, steps, lr=0.05, n_chains=200, n_sweeps=1, generator=None, progress=False):
    return 0.1, 0.5, {"coupling": [0.1] * steps, "field": [0.5] * steps}


def phi4_energy(phi, kappa, r, g):
    return torch.tensor([5.5], dtype=phi.dtype)


def phi4_gradient(phi, kappa, r, g):
    return torch.tensor([[[0.0] * 4, [-2.0, 13.0, -2.0, 0.0]]], dtype=phi.dtype)


def mala_step(x, energy, gradient, step, noise, uniform):
    return torch.tensor([[2.0, 1.0]], dtype=x.dtype), torch.tensor([True])


def sample_phi4(phi, kappa, r, g, step, n_steps, flip_probability=0.0, generator=None):
    return phi.repeat(n_steps + 1, 1, 1, 1), 1.0
