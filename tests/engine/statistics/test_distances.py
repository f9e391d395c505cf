"""Distances against POT, SciPy and scikit-learn, on unequal sizes and weights, and against closed forms."""

import numpy as np
import ot
import pytest
import torch
from scipy import stats
from scipy.spatial.distance import cdist
from sklearn.metrics.pairwise import rbf_kernel

from autograder.statistics import (
    energy_distance,
    gaussian_wasserstein,
    mmd,
    sliced_wasserstein,
    wasserstein_1d,
    wasserstein_exact,
)


@pytest.fixture
def rng():
    return np.random.default_rng(20)


@pytest.mark.parametrize("sizes", [(40, 40), (40, 25)])
def test_wasserstein_exact_is_pots(rng, sizes):
    x, y = rng.normal(size=(sizes[0], 3)), rng.normal(size=(sizes[1], 3)) + 1
    for p in (1, 2, 3):
        expected = ot.emd2([], [], cdist(x, y) ** p) ** (1 / p)
        assert wasserstein_exact(x, y, p=p) == pytest.approx(expected, rel=1e-9)
    uniform = np.full(sizes[0], 0.5), np.full(sizes[1], 3.0)  # normalised: the same as none
    assert wasserstein_exact(x, y, a=uniform[0], b=uniform[1]) == pytest.approx(wasserstein_exact(x, y), rel=1e-9)


def test_wasserstein_exact_with_weights_and_unequal_sizes(rng):
    x, y, a, b = rng.normal(size=30), rng.normal(size=20), rng.uniform(size=30), rng.uniform(size=20)
    ours = wasserstein_exact(torch.tensor(x), y, p=1, a=a, b=torch.tensor(b))
    assert ours == pytest.approx(stats.wasserstein_distance(x, y, a, b), rel=1e-9)
    assert wasserstein_exact(x, y, p=1) != pytest.approx(ours, rel=1e-3)


@pytest.mark.parametrize("sizes", [(17, 17), (17, 5), (1, 30), (12, 18)])
def test_wasserstein_1d_against_scipy_and_pot(rng, sizes):
    x, y = rng.normal(size=sizes[0]), rng.exponential(size=sizes[1])
    assert wasserstein_1d(x, y) == pytest.approx(stats.wasserstein_distance(x, y), rel=1e-9)
    for p in (1, 2, 3):
        assert wasserstein_1d(x, y, p) == pytest.approx(ot.wasserstein_1d(x, y, p=p) ** (1 / p), rel=1e-9)


def moments(x):
    return x.mean(axis=0), np.cov(x, rowvar=False)


@pytest.mark.parametrize(
    ("distance", "floor"),
    [
        (lambda x, y: wasserstein_1d(x[:, 0], y[:, 0]), 1.3 * np.sqrt(2 / 200)),
        (lambda x, y: sliced_wasserstein(x, y, n_projections=20), 2 * np.sqrt(2 / 200)),
        (lambda x, y: gaussian_wasserstein(*moments(x), np.zeros(3), np.eye(3)), np.sqrt((3 + 3) / 200)),
        (energy_distance, np.sqrt(4 / np.sqrt(np.pi) * 2 / 200)),  # E|X - X'| of N(0, I_3)
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


def test_gaussian_wasserstein_against_pot(rng):
    m1, m2, a, b = rng.normal(size=3), rng.normal(size=3), rng.normal(size=(3, 3)), rng.normal(size=(3, 3))
    s1, s2 = a @ a.T, b @ b.T
    expected = ot.gaussian.bures_wasserstein_distance(m1, m2, s1, s2)
    assert gaussian_wasserstein(m1, s1, m2, s2) == pytest.approx(float(expected), rel=1e-6)
    assert gaussian_wasserstein(0.0, 4.0, 3.0, 64.0) == pytest.approx(np.hypot(3, 6))
    assert gaussian_wasserstein(m1, s1, m1, s1) == pytest.approx(0, abs=1e-6)


def test_energy_distance_is_scipys_on_the_line_and_rotates(rng):
    x, y = rng.normal(size=50), rng.normal(size=70) + 0.5
    assert energy_distance(x, y) == pytest.approx(stats.energy_distance(x, y), rel=1e-9)
    p, q = rng.normal(size=(50, 3)), rng.normal(size=(40, 3))
    rotation = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    assert energy_distance(p @ rotation, q @ rotation) == pytest.approx(energy_distance(p, q), rel=1e-9)
    assert energy_distance(p, p) == pytest.approx(0, abs=1e-7)


def test_mmd_against_scikit_learns_kernel(rng):
    x, y = rng.normal(size=(50, 3)), rng.normal(size=(40, 3)) + 1
    gamma = 1 / (2 * 0.8**2)
    squared = rbf_kernel(x, x, gamma).mean() + rbf_kernel(y, y, gamma).mean() - 2 * rbf_kernel(x, y, gamma).mean()
    assert mmd(x, y, bandwidth=0.8) == pytest.approx(np.sqrt(squared), rel=1e-9)
    assert mmd(x, y) > 1.5 * mmd(x, rng.normal(size=(40, 3)))


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: wasserstein_exact(np.zeros((3, 2)), np.zeros((3, 3))), "x and y"),
        (lambda: wasserstein_exact(np.zeros((3, 2)), np.full((3, 2), np.nan)), "y"),
        (lambda: wasserstein_exact(np.zeros(3), np.zeros(3), a=[1, 2]), "a"),
        (lambda: wasserstein_exact(np.zeros(3), np.zeros(3), p=0.5), "p"),
        (lambda: wasserstein_1d(np.zeros((3, 1)), np.zeros(3)), "x"),
        (lambda: sliced_wasserstein(np.zeros(3), np.zeros(3), n_projections=0), "n_projections"),
        (lambda: gaussian_wasserstein([0, 0], np.eye(2), [0], np.eye(2)), "mean2"),
        (lambda: mmd(np.zeros(3), np.ones(3), bandwidth=0), "bandwidth"),
        (lambda: energy_distance(np.zeros((0, 2)), np.zeros((3, 2))), "x"),
    ],
)
def test_bad_arguments_are_named(call, named):
    with pytest.raises(ValueError, match=rf"\b{named}\b"):
        call()
