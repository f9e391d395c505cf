"""Public checks of langevin_ot: small examples that can be worked out by hand. They earn no points."""

from __future__ import annotations

import math

import torch

from autograder.judge import check


def numbers(values):
    return torch.tensor(values, dtype=torch.float64)


@check()
def test_public_mixture(student, compare):
    """Two Gaussians at -1 and 1: at 0 the score vanishes, at 1 it pulls towards -1 a little."""
    means, weights = numbers([[-1.0], [1.0]]), numbers([0.5, 0.5])
    x = numbers([[0.0], [1.0]])
    # At 0 both components have the density exp(-1/2) / sqrt(2 pi).
    near = 0.5 * (1 + math.exp(-2)) / math.sqrt(2 * math.pi)
    compare(
        student.gaussian_mixture_log_prob(x, means, 1.0, weights),
        numbers([-0.5 - 0.5 * math.log(2 * math.pi), math.log(near)]),
        "gaussian_mixture_log_prob([[0], [1]], [[-1], [1]], 1, [0.5, 0.5])",
    )
    compare(
        student.gaussian_mixture_score(x, means, 1.0, weights),
        numbers([[0.0], [-2 / (1 + math.exp(2))]]),
        "gaussian_mixture_score([[0], [1]], [[-1], [1]], 1, [0.5, 0.5])",
    )


@check()
def test_public_langevin(student, probe, compare, expect):
    """One step by hand, and the shape of a trajectory."""
    step = student.langevin_step(numbers([[1.0]]), numbers([[-1.0]]), 0.5, numbers([[2.0]]))
    compare(step, numbers([[2.5]]), "langevin_step([[1]], [[-1]], 0.5, [[2]])")
    score = probe.linear(numbers([[-1.0, 0.0], [0.0, -1.0]]))
    x0 = numbers([[3.0, 0.0], [0.0, 3.0], [1.0, 1.0]])
    answer = student.langevin_sample(score, x0, 0.1, 5)
    frames = expect.tensor(answer, (6, 3, 2), "langevin_sample(score_fn, x0 (3, 2), 0.1, 5)")
    compare(frames[0], x0, "the first frame of langevin_sample(score_fn, x0, 0.1, 5)")


@check()
def test_public_matching(student, probe, compare):
    """A model that is zero everywhere: the loss is the mean of (noise / sigma)²."""
    zero, noise = probe.linear(numbers([[0.0, 0.0], [0.0, 0.0]])), numbers([[1.0, -1.0], [2.0, 0.0]])
    loss = student.denoising_score_matching_loss(zero, numbers([[0.0, 1.0], [1.0, 0.0]]), 0.5, noise)
    compare(loss, numbers(6.0), "denoising_score_matching_loss(zero, x, 0.5, noise)")


@check()
def test_public_transport(student, compare, expect):
    """Points 0, 1 and 0, 3 on a line: costs, plans for several epsilon, the map."""
    x, y, half = numbers([[0.0], [1.0]]), numbers([[0.0], [3.0]]), numbers([0.5, 0.5])
    C = numbers([[0.0, 9.0], [1.0, 4.0]])
    compare(student.cost_matrix(x, y), C, "cost_matrix([[0], [1]], [[0], [3]])")
    compare(student.cost_matrix(x, y, p=1), numbers([[0.0, 3.0], [1.0, 2.0]]), "cost_matrix(..., p=1)")
    # The plan is ((s, 1/2 - s), (1/2 - s, s)) with s / (1/2 - s) = exp((1 + 9 - 0 - 4) / (2 epsilon)).
    for epsilon in (100.0, 3.0, 1.0):
        s = 0.5 / (1 + math.exp(-3 / epsilon))
        what = f"sinkhorn([0.5, 0.5], [0.5, 0.5], C, {epsilon:g})"
        compare(student.sinkhorn(half, half, C, epsilon), numbers([[s, 0.5 - s], [0.5 - s, s]]), what, atol=1e-7)
    plan = numbers([[0.5, 0.0], [0.25, 0.25]])
    compare(student.transport_cost(plan, C), numbers(1.25), "transport_cost([[0.5, 0], [0.25, 0.25]], C)")
    mapped = student.barycentric_projection(plan, y)
    compare(mapped, numbers([[0.0], [1.5]]), "barycentric_projection([[0.5, 0], [0.25, 0.25]], [[0], [3]])")
    between = student.displacement_interpolation(x, numbers([[0.0], [1.5]]), 0.5)
    compare(between, numbers([[0.0], [1.25]]), "displacement_interpolation([[0], [1]], [[0], [1.5]], 0.5)")


@check()
def test_public_line(student, compare):
    """On the line: sizes 2 and 2, then 1 and 2."""
    x = numbers([3.0, 0.0])
    compare(student.wasserstein_1d(x, numbers([1.0, 2.0])), numbers(1.0), "wasserstein_1d([3, 0], [1, 2])")
    root = numbers(math.sqrt(4.5))
    compare(student.wasserstein_1d(numbers([0.0]), x, p=2), root, "wasserstein_1d([0], [3, 0], p=2)")


@check()
def test_public_morph(student, probe, compare, expect):
    """A morph without score and almost without noise ends at the target."""
    still = probe.linear(numbers([[0.0, 0.0], [0.0, 0.0]]))
    source = numbers([[0.0, 0.0], [0.0, 1.0]])
    target = numbers([[5.0, 1.0], [5.0, 0.0]])
    answer = student.morph(source, target, still, 20, 1e-6, 5e5, 0.05)
    frames = expect.tensor(answer, (21, 2, 2), "morph(x_source (2, 2), x_target, score_fn, 20, 1e-6, 5e5, 0.05)")
    compare(frames[0], source, "the first frame of morph(...)")
    off = float((frames[-1] - target.flip(0)).abs().max())
    expect.true(off < 0.05, "morph(...): each point should end at the target point nearest to it.")
