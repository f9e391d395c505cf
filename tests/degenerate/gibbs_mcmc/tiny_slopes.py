"""A constant plus 1e-12 times what is asked for: all depends on its arguments, and nothing is right."""

import torch

TINY = 1e-12


def ising_energy(spins, coupling, field):
    return 1 + TINY * spins.sum((1, 2))


def flip_energy_change(spins, coupling, field):
    return 1 + TINY * spins


def metropolis_sweep(spins, coupling, field, uniform):
    return spins * (1 - 2 * (uniform < TINY).to(spins))


def heat_bath_sweep(spins, coupling, field, uniform):
    return torch.where(uniform < TINY, -1.0, 1.0).to(spins)


def exact_ising(height, width, coupling, field):
    n = height * width
    states = torch.ones(2**n, height, width).double() + TINY * torch.arange(2**n).double()[:, None, None]
    return states, TINY * torch.arange(2**n).double(), torch.tensor(TINY).double()


def metropolis_matrix(energies, proposal):
    return torch.eye(len(energies), dtype=proposal.dtype) + TINY * proposal


def log_likelihood_gradient(data, samples):
    return TINY * (data.sum((1, 2)).mean() - samples.sum((1, 2)).mean()) * data.new_ones(2)


def fit_ising(data, steps, lr=0.05, n_chains=200, n_sweeps=1, generator=None, progress=False):
    way = [TINY * k for k in range(1, steps + 1)]
    return TINY, TINY, {"coupling": way, "field": way}


def phi4_energy(phi, kappa, r, g):
    return 1 + TINY * phi.sum((1, 2))


def phi4_gradient(phi, kappa, r, g):
    return TINY * phi


def mala_step(x, energy, gradient, step, noise, uniform):
    return x + TINY * noise, uniform < 0.5


def sample_phi4(phi, kappa, r, g, step, n_steps, flip_probability=0.0, generator=None):
    noise = TINY * torch.randn(n_steps, *phi.shape, generator=generator, dtype=phi.dtype)
    return torch.cat([phi[None], phi + noise.cumsum(0)]), 1.0
