"""Right shapes and dtypes, every refusal, and zeros everywhere else."""

import torch


def refuse(wrong):
    if wrong:
        raise ValueError("arguments that do not fit")


def lattice(x, even=False):
    refuse(x.dim() != 3 or min(x.shape[1:]) < 3 or (even and (x.shape[1] % 2 or x.shape[2] % 2)))


def ising_energy(spins, coupling, field):
    lattice(spins)
    return spins.new_zeros(len(spins))


def flip_energy_change(spins, coupling, field):
    lattice(spins)
    return torch.zeros_like(spins)


def metropolis_sweep(spins, coupling, field, uniform):
    lattice(spins, True)
    refuse(uniform.shape != spins.shape)
    return torch.zeros_like(spins)


def heat_bath_sweep(spins, coupling, field, uniform):
    lattice(spins, True)
    refuse(uniform.shape != spins.shape)
    return torch.zeros_like(spins)


def exact_ising(height, width, coupling, field):
    refuse(min(height, width) < 3 or height * width > 16)
    n = height * width
    return torch.zeros(2**n, height, width).double(), torch.zeros(2**n).double(), torch.tensor(0.0).double()


def metropolis_matrix(energies, proposal):
    refuse(proposal.shape != (len(energies), len(energies)))
    return torch.zeros_like(proposal)


def log_likelihood_gradient(data, samples):
    lattice(data)
    lattice(samples)
    refuse(data.shape[1:] != samples.shape[1:])
    return data.new_zeros(2)


def fit_ising(data, steps, lr=0.05, n_chains=200, n_sweeps=1, generator=None, progress=False):
    lattice(data, True)
    refuse(min(steps, n_chains, n_sweeps) < 1)
    return 0.0, 0.0, {"coupling": [0.0] * steps, "field": [0.0] * steps}


def phi4_energy(phi, kappa, r, g):
    lattice(phi)
    return phi.new_zeros(len(phi))


def phi4_gradient(phi, kappa, r, g):
    lattice(phi)
    return torch.zeros_like(phi)


def mala_step(x, energy, gradient, step, noise, uniform):
    refuse(step <= 0 or noise.shape != x.shape or uniform.shape != x.shape[:1])
    return torch.zeros_like(x), torch.zeros(len(x), dtype=torch.bool)


def sample_phi4(phi, kappa, r, g, step, n_steps, flip_probability=0.0, generator=None):
    lattice(phi)
    refuse(n_steps < 1 or step <= 0 or not 0 <= flip_probability <= 1)
    return torch.cat([phi[None], phi.new_zeros(n_steps, *phi.shape)]), 0.5
