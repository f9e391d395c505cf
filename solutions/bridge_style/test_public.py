"""Public checks of bridge_style: small examples that can be worked out by hand. They earn no points."""

from __future__ import annotations

import math

import torch

from autograder.judge import check


def numbers(values):
    return torch.tensor(values, dtype=torch.float64)


@check()
def test_public_coupling(student, compare, expect):
    """Points 0, 1 and 0, 3 on a line: the plan, its potentials, and masses that are not uniform."""
    x, y = numbers([[0.0], [1.0]]), numbers([[0.0], [3.0]])
    C = numbers([[0.0, 9.0], [1.0, 4.0]])
    for sigma in (3.0, 1.0):
        # The plan is ((s, 1/2 - s), (1/2 - s, s)) with s / (1/2 - s) = exp((1 + 9 - 0 - 4) / (2 · 2σ²)).
        s = 0.5 / (1 + math.exp(-3 / (2 * sigma**2)))
        plan, f, g = expect.sequence(student.schrodinger_coupling(x, y, sigma), 3)
        right = numbers([[s, 0.5 - s], [0.5 - s, s]])
        compare(plan, right, f"plan of schrodinger_coupling([[0], [1]], [[0], [3]], {sigma})", atol=1e-7)
        f, g = expect.tensor(f, (2,), "f"), expect.tensor(g, (2,), "g")
        compare(f[:, None] + g, C + 2 * sigma**2 * (4 * right).log(), "f_i + g_j", atol=1e-5)
    plan = expect.sequence(student.schrodinger_coupling(x, y, 1.0, a=numbers([0.2, 0.8]), b=numbers([0.6, 0.4])), 3)[0]
    plan = expect.tensor(plan, (2, 2), "plan with masses")
    compare(plan.sum(1), numbers([0.2, 0.8]), "row sums of the plan", atol=1e-7)
    compare(plan.sum(0), numbers([0.6, 0.4]), "column sums of the plan", atol=1e-7)


@check()
def test_public_penalty(student, compare):
    """Single points: the divergence is the squared distance, and the pull the way between them."""
    x, y, zero = numbers([[0.0, 0.0]]), numbers([[3.0, 4.0]]), numbers([[0.0, 0.0]])
    compare(student.sinkhorn_divergence(x, y, 2.0), numbers(25.0), "sinkhorn_divergence([[0, 0]], [[3, 4]], 2)")
    moved = student.penalised_step(x, zero, y, 0.1, 2.0, 1.0, zero)
    compare(moved, numbers([[0.6, 0.8]]), "penalised_step([[0, 0]], 0, [[3, 4]], 0.1, 2, 1, 0)")


@check()
def test_public_gaussian(student, compare, expect):
    """On the line, from N(0, 1) to N(4, 4) with σ = 1, half way."""
    one, four, zero = numbers([[1.0]]), numbers([[4.0]]), numbers([0.0])
    answer = student.gaussian_bridge(zero, one, numbers([4.0]), four, 1.0, 0.5)
    mean, covariance = expect.sequence(answer, 2)
    compare(mean, numbers([2.0]), "the mean")
    compare(covariance, numbers([[(5 + math.sqrt(17)) / 4]]), "the covariance")


@check()
def test_public_bridges(student, compare, expect):
    """A bridge from 0 to 2 by hand: at one time, and as a path of three steps."""
    x0, x1 = numbers([[0.0]]), numbers([[2.0]])
    compare(student.bridge_interpolate(x0, x1, 0.5, 3.0, numbers([[1.0]])), numbers([[2.5]]), "bridge_interpolate")
    noise = numbers([[[1.0]], [[2.0]], [[5.0]]])
    path = student.bridge_path(x0, x1, numbers([0.5, 0.75, 1.0]), 2.0, noise)
    # 1 + 2 · 1/2 = 2, then 2 + 0 + 2 sqrt(1/8) · 2, then x1.
    compare(path, numbers([[[2.0]], [[2 + math.sqrt(2)]], [[2.0]]]), "bridge_path")
    i, j = expect.sequence(student.sample_coupling(numbers([[0.0, 0.0], [1.0, 0.0]]), 3), 2)
    expect.true(expect.integers(i) == [1, 1, 1] and expect.integers(j) == [0, 0, 0], "one pair has all the mass.")


@check()
def test_public_drift(student, probe, compare):
    """One target: the drift leads straight to it. Two targets, half way between them: it leads nowhere."""
    one = numbers([1.0])
    drift = student.bridge_drift(numbers([[1.0]]), 0.5, numbers([[3.0]]), one, numbers([0.0]), 1.0)
    compare(drift, numbers([[4.0]]), "bridge_drift to one target")
    half, zero = numbers([0.5, 0.5]), numbers([0.0, 0.0])
    drift = student.bridge_drift(numbers([[0.0]]), 0.2, numbers([[-1.0], [1.0]]), half, zero, 1.0)
    compare(drift, numbers([[0.0]]), "bridge_drift between two targets")
    way = student.simulate_bridge(probe.constant(numbers([[1.0]])), numbers([[0.0]]), 2.0, numbers([[[0.0]], [[1.0]]]))
    compare(way, numbers([[[0.0]], [[0.5]], [[1.0 + math.sqrt(2)]]]), "simulate_bridge")


@check()
def test_public_network(student, expect):
    """The network's answer has the shape of x."""
    network = student.EndpointNet(3, hidden=32)
    expect.tensor(network(torch.zeros(4, 3), torch.full((4,), 0.5)), (4, 3), "EndpointNet(3, hidden=32)(x (4, 3), t)")


@check()
def test_public_loss(student, probe, compare):
    """A model that always guesses 1: its loss, and its drift."""
    x0, x1, zero = numbers([[0.0, 0.0]]), numbers([[1.0, 4.0]]), numbers([[0.0, 0.0]])
    model = probe.constant(numbers([[1.0, 1.0]]))
    compare(student.endpoint_loss(model, x0, x1, numbers([0.3]), 1.0, zero), numbers(4.5), "endpoint_loss")
    compare(student.endpoint_drift(model, x0, 0.75), numbers([[4.0, 4.0]]), "endpoint_drift at t = 0.75")


@check()
def test_public_neighbours(student, compare):
    """Four points on a line: as they are, and with two of them exchanged."""
    x = numbers([[0.0], [1.0], [3.0], [7.0]])
    compare(student.neighbours_kept(x, 2 * x, 1), numbers(1.0), "neighbours_kept(x, 2 x, 1)")
    # Nearest others of x: 1, 0, 1, 2; of the images: 2, 3, 0, 2.
    moved = numbers([[0.0], [7.0], [1.0], [2.5]])
    compare(student.neighbours_kept(x, moved, 1), numbers(0.25), "neighbours_kept(x, moved, 1)")
