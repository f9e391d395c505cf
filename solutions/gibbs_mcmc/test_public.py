"""Public checks of gibbs_mcmc: small lattices that can be worked out by hand. They earn no points."""

from __future__ import annotations

import math

import torch

from autograder.judge import check


def numbers(values):
    return torch.tensor(values, dtype=torch.float64)


def one_down(height, width):
    """All spins up but the first one."""
    s = torch.ones(1, height, width, dtype=torch.float64)
    s[0, 0, 0] = -1
    return s


@check()
def test_public_energies(student, compare):
    """A 3 x 4 lattice with one spin down: 24 bonds, four of them broken."""
    s = one_down(3, 4)
    compare(student.ising_energy(s, 1.0, 0.0), numbers([-16.0]), "ising_energy(one of 12 down, 1, 0)")
    compare(student.ising_energy(s, 0.0, 1.0), numbers([-10.0]), "ising_energy(one of 12 down, 0, 1)")
    change = torch.as_tensor(student.flip_energy_change(s, 1.0, 0.5))
    compare(change[0, 0, 0], numbers(-9.0), "the change where the spin that is down is turned")
    compare(change[0, 0, 1], numbers(5.0), "the change where its neighbour is turned")


@check()
def test_public_sweeps(student, compare):
    """All spins up: with u = 0 Metropolis turns them all, with u near 1 none; heat bath sets them."""
    s = torch.ones(1, 4, 6, dtype=torch.float64)
    zero, one = torch.zeros_like(s), torch.full_like(s, 0.999999)
    compare(student.metropolis_sweep(s, 0.3, 0.1, zero), -s, "metropolis_sweep(all up, 0.3, 0.1, u = 0)")
    compare(student.metropolis_sweep(s, 0.3, 0.1, one), s, "metropolis_sweep(all up, 0.3, 0.1, u near 1)")
    compare(student.heat_bath_sweep(-s, 0.3, 0.1, zero), s, "heat_bath_sweep(all down, 0.3, 0.1, u = 0)")
    compare(student.heat_bath_sweep(s, 0.3, 0.1, one), -s, "heat_bath_sweep(all up, 0.3, 0.1, u near 1)")


@check()
def test_public_exact(student, compare, expect):
    """Without coupling the spins are independent: log Z = N log(2 cosh h)."""
    states, log_prob, log_partition = expect.sequence(student.exact_ising(3, 3, 0.0, 0.4), 3)
    expect.tensor(states, (512, 3, 3), "the states from exact_ising(3, 3, 0, 0.4)")
    log_prob = expect.tensor(log_prob, (512,), "log_prob from exact_ising(3, 3, 0, 0.4)")
    compare(log_partition, numbers(9 * math.log(2 * math.cosh(0.4))), "log_partition from exact_ising(3, 3, 0, 0.4)")
    compare(log_prob.exp().sum(), numbers(1.0), "the sum of the probabilities")
    # From state 0 to 1 always proposed and accepted with exp(-1); from 1 to 0 proposed half of the time.
    P = student.metropolis_matrix(numbers([0.0, 1.0]), numbers([[0.0, 1.0], [0.5, 0.5]]))
    p = math.exp(-1) / 2
    compare(P, numbers([[1 - p, p], [0.5, 0.5]]), "metropolis_matrix([0, 1], [[0, 1], [0.5, 0.5]])")


@check()
def test_public_likelihood(student, compare, expect):
    """Data all up against samples all down: the bonds agree, the spins do not; a fit sees the field."""
    up = torch.ones(2, 4, 4, dtype=torch.float64)
    compare(student.log_likelihood_gradient(up, -up), numbers([0.0, 32.0]), "log_likelihood_gradient(up, down)")
    data = torch.where(torch.arange(160).reshape(10, 4, 4) % 4 == 0, -1.0, 1.0).double()
    _coupling, _field, history = expect.sequence(student.fit_ising(data, 5), 3, "fit_ising(data, 5)")
    field = expect.history(history, "field", 5)
    expect.true(field[-1] > 0, "fit_ising(data with three of four spins up, 5): the field should grow.")


@check()
def test_public_field(student, compare, expect):
    """A field of zeros with a single 1: four bonds, and its own potential; a chain starts where it is told."""
    phi = torch.zeros(1, 3, 4, dtype=torch.float64)
    phi[0, 1, 1] = 1
    compare(student.phi4_energy(phi, 2.0, 1.0, 4.0), numbers([5.5]), "phi4_energy(a single 1, 2, 1, 4)")
    gradient = torch.as_tensor(student.phi4_gradient(phi, 2.0, 1.0, 4.0))
    compare(gradient[0, 1], numbers([-2.0, 13.0, -2.0, 0.0]), "a row of phi4_gradient(a single 1, 2, 1, 4)")
    way, acceptance = expect.sequence(student.sample_phi4(phi, 2.0, 1.0, 4.0, 0.01, 5), 2)
    way = expect.tensor(way, (6, 1, 3, 4), "the trajectory from sample_phi4(phi, 2, 1, 4, 0.01, 5)")
    compare(way[0], phi, "the first frame of sample_phi4(phi, 2, 1, 4, 0.01, 5)")
    expect.number(acceptance, "the acceptance from sample_phi4(phi, 2, 1, 4, 0.01, 5)", low=0, high=1)


@check()
def test_public_mala(student, probe, compare, expect):
    """A flat energy: every proposal is accepted, whatever u."""
    x, noise = numbers([[1.0, 2.0]]), numbers([[1.0, -1.0]])
    flat, zero = probe.constant(numbers([0.0])), probe.constant(numbers([[0.0, 0.0]]))
    new, accepted = expect.sequence(student.mala_step(x, flat, zero, 0.5, noise, numbers([0.9])), 2)
    compare(new, numbers([[2.0, 1.0]]), "x_new from mala_step(x, a flat energy, ...)")
    expect.true(bool(torch.as_tensor(accepted).all()), "mala_step with a flat energy: the proposal is accepted.")
