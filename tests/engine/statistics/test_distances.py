"""Distances against POT and SciPy, on unequal sizes, and against closed forms."""

import numpy as np
import ot
import pytest
from scipy import stats
from scipy.spatial.distance import cdist

from autograder.statistics import sliced_wasserstein, wasserstein_1d, wasserstein_exact


@pytest.fixture
def rng():
    return np.random.default_rng(20)


@pytest.mark.parametrize("sizes", [(40, 40), (40, 25)])
def test_wasserstein_exact_is_pots(rng, sizes):
    x, y = rng.normal(size=(sizes[0], 3)), rng.normal(size=(sizes[1], 3)) + 1
    for p in (1, 2, 3):
        expected = ot.emd2([], [], cdist(x, y) ** p) ** (1 / p)
        assert wasserstein_exact(x, y, p=p) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("sizes", [(17, 17), (17, 5), (1, 30), (12, 18)])
def test_wasserstein_1d_against_scipy_and_pot(rng, sizes):
    x, y = rng.normal(size=sizes[0]), rng.exponential(size=sizes[1])
    assert wasserstein_1d(x, y) == pytest.approx(stats.wasserstein_distance(x, y), rel=1e-9)
    for p in (1, 2, 3):
        assert wasserstein_1d(x, y, p) == pytest.approx(ot.wasserstein_1d(x, y, p=p) ** (1 / p), rel=1e-9)


@pytest.mark.parametrize(
    ("distance", "floor"),
    [
        (lambda x, y: wasserstein_1d(x[:, 0], y[:, 0]), 1.3 * np.sqrt(2 / 200)),
        (lambda x, y: sliced_wasserstein(x, y, n_projections=20), 2 * np.sqrt(2 / 200)),
    ],
)
def test_the_floor_is_the_stated_one(rng, distance, floor):
    """Mean over 60 pairs of clouds of one law; twice as far for a shift of eight floors."""
    pairs = [(rng.normal(size=(200, 3)), rng.normal(size=(200, 3))) for _ in range(60)]
    assert np.mean([distance(x, y) for x, y in pairs]) == pytest.approx(floor, rel=0.25)
    x, y = pairs[0]
    assert distance(x + np.array([8 * floor, 0, 0]), y) > 2 * floor


def test_a_shift_on_the_line_is_measured_as_itself(rng):
    x = rng.normal(size=400)
    assert wasserstein_1d(x, x + 0.7) == pytest.approx(0.7)


def test_sliced_wasserstein_against_pot_and_the_shift_of_a_cloud(rng):
    x, y = rng.normal(size=(60, 4)), rng.normal(size=(45, 4)) * 2
    theta = np.random.default_rng(0).normal(size=(4, 200))
    theta /= np.linalg.norm(theta, axis=0)
    assert sliced_wasserstein(x, y) == pytest.approx(ot.sliced_wasserstein_distance(x, y, projections=theta))
    shift = np.array([3.0, 0, 0, 4.0])
    assert sliced_wasserstein(x, x + shift, n_projections=4000) == pytest.approx(5 / np.sqrt(4), rel=0.05)
    assert sliced_wasserstein(x, x) == 0


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: wasserstein_exact(np.zeros((3, 2)), np.zeros((3, 3))), "x and y"),
        (lambda: wasserstein_exact(np.zeros((3, 2)), np.full((3, 2), np.nan)), "y"),
        (lambda: wasserstein_exact(np.zeros(3), np.zeros(3), p=0.5), "p"),
        (lambda: wasserstein_1d(np.zeros((3, 1)), np.zeros(3)), "x"),
        (lambda: sliced_wasserstein(np.zeros(3), np.zeros(3), n_projections=0), "n_projections"),
        (lambda: sliced_wasserstein(np.zeros((0, 2)), np.zeros((3, 2))), "x"),
    ],
)
def test_bad_arguments_are_named(call, named):
    with pytest.raises(ValueError, match=rf"\b{named}\b"):
        call()
