"""Public checks of score_sde: small examples that can be worked out by hand. They earn no points."""

from __future__ import annotations

import math

import torch

from autograder.judge import check


def numbers(values):
    return torch.tensor(values, dtype=torch.float64)


@check()
def test_public_forward(student, compare, expect):
    """At t = log 2 half of the data is left; one Euler step by hand."""
    t = math.log(2)
    decay, std = expect.sequence(student.ou_moments(numbers([0.0, t])), 2, "ou_moments([0, log 2])")
    compare(decay, numbers([1.0, 0.5]), "decay, ou_moments([0, log 2])")
    compare(std, numbers([0.0, math.sqrt(0.75)]), "std, ou_moments([0, log 2])")
    x0, noise = numbers([[2.0], [2.0]]), numbers([[0.0], [1.0]])
    right = numbers([[1.0], [2.0]])
    compare(student.ou_sample(x0, numbers([t, 0.0]), noise), right, "ou_sample([[2], [2]], [log 2, 0], [[0], [1]])")
    step = student.ou_step(x0, 0.5, noise)
    compare(step, numbers([[1.0], [2.0]]), "ou_step([[2], [2]], 0.5, [[0], [1]])")


@check()
def test_public_score(student, compare):
    """Two Gaussians of variance 1 at -1 and 1 keep their variance; their centres move to -1/2 and 1/2 by t = log 2."""
    x, means, t = numbers([[0.0], [1.0]]), numbers([[-1.0], [1.0]]), numbers([math.log(2)] * 2)
    right = numbers([[0.0], [0.5 * math.tanh(0.5) - 1]])
    what = "noised_score([[0], [1]], log 2, [[-1], [1]], 1, [0.5, 0.5])"
    compare(student.noised_score(x, t, means, 1.0, numbers([0.5, 0.5])), right, what)


@check()
def test_public_fields(student, probe, compare):
    """The divergence of a linear field is its trace; that of x -> -x² is -2x."""
    field = probe.linear(numbers([[2.0, 5.0], [7.0, -3.0]]))
    x = numbers([[1.0, 0.0], [3.0, 1.0]])
    compare(student.divergence(field, x), numbers([-1.0, -1.0]), "divergence(x -> [[2, 5], [7, -3]] x, x)")
    bowl = probe.quadratic(numbers([-1.0]), numbers([0.0]))
    compare(student.divergence(bowl, x[:, :1]), numbers([-2.0, -6.0]), "divergence(x -> -x², [[1], [3]])")


@check()
def test_public_back(student, probe, compare, expect):
    """One step back by hand, with all of the noise, with none, and with eta = 1/2."""
    x, score, noise = numbers([[1.0]]), numbers([[-2.0]]), numbers([[1.0]])
    compare(student.reverse_step(x, score, 0.5, noise), numbers([[0.5]]), "reverse_step([[1]], [[-2]], 0.5, [[1]])")
    still = student.reverse_step(x, score, 0.5, noise, eta=0.0)
    compare(still, numbers([[0.5]]), "reverse_step([[1]], [[-2]], 0.5, [[1]], eta=0)")
    half = student.reverse_step(x, score, 0.5, noise, eta=0.5)
    compare(half, numbers([[0.75]]), "reverse_step([[1]], [[-2]], 0.5, [[1]], eta=0.5)")


@check()
def test_public_loss(student, probe, compare):
    """A model that answers 1: at t = log 2 / 2 the loss is the mean of (sqrt(1/2) + noise)²."""
    model = probe.constant(numbers([[1.0, 1.0]]))
    root = math.sqrt(0.5)
    loss = student.score_matching_loss(
        model, numbers([[0.0, 3.0]]), numbers([0.5 * math.log(2)]), numbers([[root, -root]])
    )
    compare(loss, numbers(1.0), "score_matching_loss(1, [[0, 3]], [log 2 / 2], [[√½, -√½]])")


@check()
def test_public_network(student, expect):
    """The network gives a score for each row."""
    network = expect.handle(student.ScoreNetwork(dim=3, hidden=32), "ScoreNetwork(dim=3, hidden=32)")
    answer = network(torch.zeros(5, 3), torch.full((5,), 0.5))
    expect.tensor(answer, (5, 3), "ScoreNetwork(dim=3)(x (5, 3), t (5,))")


@check()
def test_public_denoisers(student, compare):
    """For one Gaussian of variance 1 both denoisers are one."""
    x, t = numbers([[2.0, -1.0]]), numbers([math.log(2)])
    compare(student.denoise(x, t, -x), numbers([[1.0, -0.5]]), "denoise([[2, -1]], [log 2], [[-2, 1]])")
    guess = student.wiener_filter(2 * x, numbers([0.0, 0.0]), torch.eye(2).double(), math.sqrt(3))
    compare(guess, numbers([[1.0, -0.5]]), "wiener_filter([[4, -2]], 0, I, √3)")
