"""The entropic plan against POT's Sinkhorn, and the iterations that this one takes against those foretold."""

from __future__ import annotations

import numpy as np
import ot
import pytest

from autograder.statistics import entropic_plan, sinkhorn_error, sinkhorn_iterations


@pytest.fixture
def problem():
    rng = np.random.default_rng(3)
    a, b = (masses / masses.sum() for masses in (rng.uniform(0.3, 1.7, n) for n in (7, 9)))
    return a, b, ((rng.normal(size=(7, 1, 2)) - rng.normal(size=(9, 2))) ** 2).sum(-1)


@pytest.mark.parametrize("epsilon", [0.3, 1.0, 10.0])
def test_the_plan_is_the_one_that_sinkhorn_finds(problem, epsilon):
    plan = entropic_plan(*problem, epsilon)
    assert np.allclose(plan, ot.sinkhorn(*problem, epsilon, stopThr=1e-13, numItermax=200_000), rtol=1e-8, atol=1e-12)
    assert np.allclose(plan.sum(0), problem[1], atol=1e-10)


def test_a_small_epsilon_is_near_the_exact_plan(problem):
    a, b, C = problem
    exact = ot.emd2(a, b, C)
    assert exact <= (entropic_plan(a, b, C, 0.01) * C).sum() <= exact + 0.01 * np.log(63)


@pytest.mark.parametrize("epsilon", [0.5, 2.0])
def test_sinkhorn_takes_about_as_many_iterations_as_foretold(problem, epsilon):
    a, b, C = problem
    plan, K, v = entropic_plan(a, b, C, epsilon), np.exp(-C / epsilon), np.ones(9)
    needed, taken = sinkhorn_iterations(a, b, plan), 0
    while np.abs((u := a / (K @ v))[:, None] * K * v - plan).max() > 1e-9 * plan.max():
        v, taken = b / (K.T @ u), taken + 1
    assert 0.6 * needed < taken < 1.4 * needed


def test_what_sinkhorn_is_off_by_falls_as_foretold(problem):
    """Also where exp(-C / epsilon) is 0 everywhere: a distance between the clouds costs nothing."""
    a, b, C = problem
    plan = entropic_plan(a, b, C, 0.2)
    needed = int(sinkhorn_iterations(a, b, plan))
    for costs in (C, C + 200):
        assert sinkhorn_error(1, a, b, costs, 0.2, plan) > 1e-3
        assert sinkhorn_error(needed // 2, a, b, costs, 0.2, plan) > 1e-8
        assert sinkhorn_error(2 * needed, a, b, costs, 0.2, plan) < 1e-8


def test_shapes_are_held(problem):
    a, b, C = problem
    with pytest.raises(ValueError, match="C: expected shape"):
        entropic_plan(a, b, C.T, 1.0)
