"""Public checks of kde_mixture: small examples that can be worked out by hand. They earn no points."""

from __future__ import annotations

import math

import torch

from autograder.judge import check


def numbers(values):
    return torch.tensor(values, dtype=torch.float64)


PEAK = -0.5 * math.log(2 * math.pi)  # log-density of N(0, 1) at 0


@check()
def test_public_kernel(student, compare):
    """Two data points at -1 and 1, bandwidth 1: at 0 both bumps have the density exp(-1/2) / sqrt(2 pi)."""
    data = numbers([[-1.0], [1.0]])
    compare(
        student.kde_log_prob(numbers([[0.0]]), data, 1.0), numbers([PEAK - 0.5]), "kde_log_prob([[0]], [[-1], [1]], 1)"
    )
    # Each point is two away from the other one.
    got = student.leave_one_out_log_likelihood(data, 1.0)
    compare(got, numbers(PEAK - 2), "leave_one_out_log_likelihood([[-1], [1]], 1)")
    got = student.select_bandwidth(data, [0.1, 2.0, 30.0])
    compare(got, 2.0, "select_bandwidth([[-1], [1]], [0.1, 2, 30])")


@check()
def test_public_mixture(student, compare):
    """Weights 1/4 and 3/4 of N(0, 1) and N(2, 1): in the middle the weights alone decide."""
    x, weights = numbers([[1.0]]), numbers([0.25, 0.75])
    means, covariances = numbers([[0.0], [2.0]]), numbers([[[1.0]], [[1.0]]])
    what = "(x = [[1]], weights = [0.25, 0.75], means = [[0], [2]], covariances = 1)"
    both = student.component_log_prob(x, means, covariances)
    compare(both, numbers([[PEAK - 0.5, PEAK - 0.5]]), "component_log_prob([[1]], [[0], [2]], [[[1]], [[1]]])")
    compare(student.mixture_log_prob(x, weights, means, covariances), numbers([PEAK - 0.5]), f"mixture_log_prob{what}")
    compare(
        student.responsibilities(x, weights, means, covariances), numbers([[0.25, 0.75]]), f"responsibilities{what}"
    )
    compare(student.classify(x, weights, means, covariances), torch.tensor([1]), f"classify{what}")


@check()
def test_public_draws(student, expect):
    """Shapes of draws; with `component` every label is that component."""
    data = numbers([[0.0, 0.0], [1.0, 1.0], [2.0, 0.0]])
    expect.tensor(student.kde_sample(data, 0.1, 5), (5, 2), "kde_sample(data (3, 2), 0.1, 5)")
    covariances = torch.eye(2, dtype=torch.float64).repeat(3, 1, 1)
    answer = student.mixture_sample(numbers([0.2, 0.3, 0.5]), data, covariances, 4, component=1)
    x, labels = expect.sequence(answer, 2, "mixture_sample(weights, means (3, 2), covariances, 4, component=1)")
    expect.tensor(x, (4, 2), "the points of mixture_sample")
    expect.true(
        expect.integers(labels, length=4) == [1] * 4, "mixture_sample(..., component=1): every label should be 1."
    )


@check()
def test_public_fits(student, expect, compare):
    """Points 0, 2 of class 0 and 10, 14 of class 1."""
    x, labels = numbers([[0.0], [2.0], [10.0], [14.0]]), torch.tensor([0, 0, 1, 1])
    right = numbers([0.5, 0.5]), numbers([[1.0], [12.0]]), numbers([[[1.0]], [[4.0]]])
    names = ("weights", "means", "covariances")
    for name, got, wanted in zip(names, expect.sequence(student.fit_classes(x, labels), 3), right, strict=True):
        compare(got, wanted, f"{name} of fit_classes([[0], [2], [10], [14]], [0, 0, 1, 1])")
    # The classes lie so far apart that EM changes nothing of it.
    for name, got, wanted in zip(names, expect.sequence(student.em_step(x, *right), 3), right, strict=True):
        compare(got, wanted, f"{name} of em_step([[0], [2], [10], [14]], ...)", atol=1e-3)
    answer = expect.sequence(student.fit_mixture(x, 2, 3, start=right), 4, "fit_mixture(x, 2, 3, start=...)")
    expect.history(answer[3], "log_likelihood", 3, "the history of fit_mixture(x, 2, 3, start=...)")


@check()
def test_public_dimension(student, compare):
    """In two dimensions with sigma = 1 the squared norm is exponential; three points in two of four boxes."""
    s = numbers([0.5, 1.0, 2.0])
    compare(student.squared_norm_log_density(s, 2, 1.0), -s, "squared_norm_log_density([0.5, 1, 2], 2, 1)")
    x = numbers([[0.1, 0.1], [0.2, 0.3], [1.0, 0.9]])
    compare(student.covered_fraction(x, 2), 0.5, "covered_fraction([[0.1, 0.1], [0.2, 0.3], [1, 0.9]], 2)")
