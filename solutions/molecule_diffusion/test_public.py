"""Public checks of molecule_diffusion: small examples that can be worked out by hand. They earn no points."""

from __future__ import annotations

import math

import torch

from autograder.judge import check


def numbers(values):
    return torch.tensor(values, dtype=torch.float64)


@check()
def test_public_centre(student, compare):
    """Two atoms on a line; one pair at ±1 has ‖x‖² = 2 and lives in three dimensions."""
    x = numbers([[[1.0, 0.0, 0.0], [3.0, 0.0, 0.0]]])
    centred = numbers([[[-1.0, 0.0, 0.0], [1.0, 0.0, 0.0]]])
    compare(student.centre(x), centred, "centre([[[1, 0, 0], [3, 0, 0]]])")
    right = numbers([-1.0 - 1.5 * math.log(2 * math.pi)])
    compare(student.zero_mean_log_prob(centred), right, "zero_mean_log_prob([[[-1, 0, 0], [1, 0, 0]]])")


@check()
def test_public_align(student, expect, compare):
    """An L of three atoms, shifted and turned by 90 degrees, with its atoms in another order."""
    x = numbers([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 2.0, 0.0]])
    y = numbers([[5.0, 5.0, 5.0], [5.0, 6.0, 5.0], [3.0, 5.0, 5.0]])
    aligned, rmsd = expect.sequence(student.align(x, y), 2, "align(x, y)")
    compare(aligned, x, "aligned of align(x, y)")
    compare(rmsd, numbers(0.0), "rmsd of align(x, y)", atol=1e-6)
    # In the order [1, 2, 0], atom 1 of z lies on atom 0 of x.
    z, orders = y[[2, 0, 1]], torch.tensor([[0, 1, 2], [1, 2, 0]])
    aligned, rmsd = expect.sequence(student.align(x, z, permutations=orders), 2, "align(x, z, permutations)")
    compare(aligned, x, "aligned of align(x, z, permutations=[[0, 1, 2], [1, 2, 0]])")
    compare(rmsd, numbers(0.0), "rmsd of align(x, z, permutations=...)", atol=1e-6)


@check()
def test_public_network(student, expect, compare):
    """Two atoms, w_01 = 1 and w_10 = 2; the shape of the network's answer."""
    x = numbers([[[0.0, 0.0, 0.0], [1.0, 0.0, 0.0]]])
    got = student.coordinate_update(x, numbers([[[0.0, 1.0], [2.0, 0.0]]]))
    compare(got, numbers([[[-1.0, 0.0, 0.0], [3.0, 0.0, 0.0]]]), "coordinate_update(x, [[[0, 1], [2, 0]]])")
    network = expect.handle(student.EGNN(n_types=2, n_times=5, hidden=32, n_layers=1), "EGNN(...)")
    answer = network(torch.ones(4, 3, 3), torch.tensor([0, 1, 0]), torch.tensor([0, 1, 2, 4]))
    expect.tensor(answer, (4, 3, 3), "EGNN(x (4, 3, 3), types (3,), t (4,))")


@check()
def test_public_steps(student, probe, expect, compare):
    """One molecule of two atoms at ᾱ = 0.64, then 0.16, and a model that always answers 0."""
    x0, noise = numbers([[[0.0, 0.0, 0.0], [2.0, 0.0, 0.0]]]), numbers([[[1.0, 1.0, 0.0], [1.0, -1.0, 0.0]]])
    bars, types, t = numbers([0.64, 0.16]), torch.tensor([0, 0]), torch.tensor([0])
    noisy = numbers([[[-0.8, 0.6, 0.0], [0.8, -0.6, 0.0]]])
    compare(student.q_sample(x0, bars, t, noise), noisy, "q_sample(x0, [0.64, 0.16], [0], noise)")
    zero = probe.constant(torch.zeros(1, 2, 3, dtype=torch.float64))
    compare(student.denoising_loss(zero, x0, types, bars, t, noise), numbers(2 / 6), "denoising_loss(zero model, ...)")
    # At t = 1 one step shrinks by sqrt(0.16 / 0.64) = 1/2.
    back = student.reverse_step(zero, noisy, types, bars, 1, torch.zeros_like(noise))
    compare(back, 2 * noisy, "reverse_step(zero model, x_t, types, [0.64, 0.16], 1, noise = 0)")
    moved = student.langevin_step(zero, noisy, types, bars, 0, 0.5, noise)
    wanted = numbers([[[-0.8, 1.6, 0.0], [0.8, -1.6, 0.0]]])
    compare(moved, wanted, "langevin_step(zero model, x, types, [0.64, 0.16], 0, 0.5, noise)")
    expect.tensor(student.sample(zero, types, bars, 1), (1, 2, 3), "sample(zero model, types, alpha_bars, 1)")


@check()
def test_public_transport(student, expect, compare):
    """One molecule, and a target of one: everything is sent there, and it lies aligned already."""
    x = numbers([[[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 2.0, 0.0]]])
    y = x + numbers([4.0, -3.0, 1.0])
    moved, plan = expect.sequence(student.transport_pull(x, y, 0.1), 2, "transport_pull(x, x shifted, 0.1)")
    compare(plan, numbers([[1.0]]), "the plan of transport_pull(x, x shifted, 0.1)")
    compare(moved, x, "the molecule of transport_pull(x, x shifted, 0.1)", atol=1e-6)
