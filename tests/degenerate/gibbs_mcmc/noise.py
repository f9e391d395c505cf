"""Random numbers of the right shapes."""

import torch


def ising_energy(spins, coupling, field):
    return torch.randn(len(spins), dtype=spins.dtype)


def flip_energy_change(spins, coupling, field):
    return torch.randn_like(spins)


def metropolis_sweep(spins, coupling, field, uniform):
    return torch.randn_like(spins).sign()


def heat_bath_sweep(spins, coupling, field, uniform):
    return torch.where(uniform < 0.5, 1.0, -1.0).to(spins)


def exact_ising(height, width, coupling, field):
    n = height * width
    log_prob = torch.randn(2**n).double().log_softmax(0)
    return torch.randn(2**n, height, width).double().sign(), log_prob, torch.randn(()).double()


def metropolis_matrix(energies, proposal):
    return torch.rand_like(proposal).softmax(1)


def log_likelihood_gradient(data, samples):
    return torch.randn(2, dtype=data.dtype)


def fit_ising(data, steps, lr=0.05, n_chains=200, n_sweeps=1, generator=None, progress=False):
    way = (0.001 * torch.randn(2, steps, generator=generator)).cumsum(1).tolist()
    return way[0][-1], way[1][-1], {"coupling": way[0], "field": way[1]}


def phi4_energy(phi, kappa, r, g):
    return torch.randn(len(phi), dtype=phi.dtype)


def phi4_gradient(phi, kappa, r, g):
    return torch.randn_like(phi)


def mala_step(x, energy, gradient, step, noise, uniform):
    return x + noise, torch.rand(len(x)) < 0.5


def sample_phi4(phi, kappa, r, g, step, n_steps, flip_probability=0.0, generator=None):
    way, kept = [phi], 0.0
    for _ in range(n_steps):
        moved = torch.rand(len(phi), generator=generator) < 0.6
        step_to = (2 * step) ** 0.5 * torch.randn(phi.shape, generator=generator, dtype=phi.dtype)
        way.append(torch.where(moved[:, None, None], way[-1] + step_to, way[-1]))
        kept += float(moved.double().mean()) / n_steps
    return torch.stack(way), kept
