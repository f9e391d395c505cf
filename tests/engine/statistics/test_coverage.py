"""Coverage and memorisation: full for a good sampler, lost by a collapsed one and by one that copies."""

import numpy as np
import pytest
import torch

from autograder.statistics import memorised_fraction, mode_coverage

ANGLES = np.arange(8) * np.pi / 4
RING = 2 * np.column_stack([np.cos(ANGLES), np.sin(ANGLES)])


def ring(rng, n, modes=8):
    return RING[rng.integers(modes, size=n)] + 0.05 * rng.normal(size=(n, 2))


def test_modes_are_all_covered_by_a_good_sampler_and_not_by_a_collapsed_one():
    rng = np.random.default_rng(0)
    assert mode_coverage(torch.tensor(ring(rng, 400)), RING, 0.25) == (8, 1.0)
    assert mode_coverage(ring(rng, 400, modes=3), RING, 0.25) == (3, 1.0)
    covered, quality = mode_coverage(np.concatenate([ring(rng, 300), np.zeros((100, 2))]), RING, 0.25)
    assert (covered, quality) == (8, 0.75)


def test_the_edge_of_a_ball_belongs_to_it():
    assert mode_coverage([[1.0, 0.0]], [[0.0, 0.0], [3.0, 0.0]], 1.0) == (1, 1.0)
    assert mode_coverage([[1.0, 0.0]], [[0.0, 0.0], [3.0, 0.0]], 0.999) == (0, 0.0)


def test_new_samples_are_not_memorised_and_copies_are():
    """Over 40 repeats the mean is 0 within 5 of its errors, blurred samples included; copies give 1."""
    rng = np.random.default_rng(1)
    fresh, blurred, copies, half = [], [], [], []
    for _ in range(40):
        training, held_out = rng.normal(size=(400, 8)), rng.normal(size=(100, 8))
        fresh.append(memorised_fraction(rng.normal(size=(200, 8)), training, held_out))
        blurred.append(memorised_fraction(0.3 * rng.normal(size=(200, 8)), training, held_out))
        copied = training[rng.integers(400, size=200)]
        copies.append(memorised_fraction(copied, training, held_out))
        half.append(memorised_fraction(np.concatenate([copied[:100], rng.normal(size=(100, 8))]), training, held_out))
    for values in (fresh, blurred):
        assert abs(np.mean(values)) < 5 * np.std(values) / np.sqrt(40)
    # The docstring's error, for samples that share few neighbours.
    assert np.std(fresh) < 1.6 * np.sqrt(0.8 / (0.2 * 200))
    assert min(copies) == 1.0
    assert np.mean(half) == pytest.approx(0.5, abs=0.1)


def test_a_point_in_both_sets_tells_nothing():
    points = np.arange(10.0)[:, None]
    assert memorised_fraction(points, points, points) == 0.0


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="radius"):
        mode_coverage(RING, RING, 0)
    with pytest.raises(ValueError, match="samples and centres"):
        mode_coverage(RING, np.zeros((3, 3)), 1.0)
    with pytest.raises(ValueError, match="samples and held_out"):
        memorised_fraction(RING, RING, np.zeros((3, 3)))
