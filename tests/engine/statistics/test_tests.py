"""Every p-value in both directions: uniform for a correct sampler, tiny for the stated difference.

False-fail rate of this file: the seeds are fixed, so none; a change that breaks the calibration shows as a
Kolmogorov-Smirnov distance from the uniform law that has probability below 1e-4.
"""

import numpy as np
import pytest
import torch
from scipy import stats

from autograder.statistics import (
    chi_square,
    chi_square_transitions,
    covariance_test,
    kolmogorov_smirnov,
    mean_test,
    standard_normal_test,
)

ALPHA = 1e-5  # of the checks


def chain(P, length, rng):
    """A sequence of a Markov chain of any order, by inverse transform."""
    order = P.ndim - 1
    states, uniforms = [0] * order, rng.uniform(size=length)
    cumulative = P.cumsum(-1)
    for u in uniforms:
        states.append(int((cumulative[tuple(states[-order:])] < u).sum()))
    return states


def random_chain(rng, n, order):
    return rng.dirichlet(np.full(n, 2.0), size=(n,) * order)


ROWS = random_chain(np.random.default_rng(0), 4, 1)
PAIRS = random_chain(np.random.default_rng(1), 3, 2)
LAW = np.array([0.5, 0.25, 0.1, 0.1, 0.04, 0.01])
COV = np.array([[2.0, 0.6], [0.6, 1.0]])
ROOT = np.linalg.cholesky(COV)

NULLS = {
    "chi_square": (lambda r: chi_square(r.multinomial(600, LAW), LAW), 1500),
    "chi_square_transitions": (lambda r: chi_square_transitions(chain(ROWS, 400, r), ROWS), 150),
    "chi_square_transitions of order 2": (lambda r: chi_square_transitions(chain(PAIRS, 600, r), PAIRS), 150),
    "kolmogorov_smirnov, cdf": (lambda r: kolmogorov_smirnov(r.normal(size=50), stats.norm.cdf), 400),
    "kolmogorov_smirnov, samples": (
        lambda r: kolmogorov_smirnov(r.normal(size=300), r.normal(size=350)),
        400,
    ),
    "standard_normal_test": (lambda r: standard_normal_test(r.normal(size=200)), 1500),
    "mean_test": (lambda r: mean_test(r.normal(size=(40, 2)) @ ROOT.T + 3, [3, 3], COV), 1500),
    "covariance_test": (lambda r: covariance_test(r.normal(size=(40, 2)) @ ROOT.T, COV), 1500),
}


@pytest.mark.parametrize("name", NULLS)
def test_p_values_of_a_correct_sampler_are_uniform(name):
    draw, repeats = NULLS[name]
    rng = np.random.default_rng(7)
    p_values = [draw(rng) for _ in range(repeats)]
    assert stats.kstest(p_values, "uniform").pvalue > 1e-4
    assert min(p_values) > ALPHA


def bent(law, by):
    """The law with its first cell off by `by`."""
    other = np.array(law) * (1 - by / (1 - law[0]))
    other[0] = law[0] + by
    return other


DIFFERENCES = {
    "chi_square: 0.034 in a half, 10,000 draws": lambda r: chi_square(
        [n := r.binomial(10_000, 0.534), 10_000 - n], [0.5, 0.5]
    ),
    "chi_square: noncentrality 65, ten cells": lambda r: chi_square(
        r.multinomial(2_000, np.full(10, 0.1) + np.sqrt(65 / 200_000) * np.array([1, -1] * 5)),
        np.full(10, 0.1),
    ),
    "chi_square_transitions: a row off by 0.15, 500 visits": lambda r: chi_square_transitions(
        chain(np.array([bent([0.5, 0.5], 0.15), [0.5, 0.5]]), 1_300, r), np.full((2, 2), 0.5)
    ),
    "kolmogorov_smirnov: a shift of 0.2": lambda r: kolmogorov_smirnov(r.normal(0.2, 1, 2_000), stats.norm.cdf),
    "kolmogorov_smirnov: a spread of 1.4": lambda r: kolmogorov_smirnov(r.normal(0, 1.4, 2_000), stats.norm.cdf),
    "kolmogorov_smirnov: two samples": lambda r: kolmogorov_smirnov(r.normal(0.2, 1, 4_000), r.normal(0, 1, 4_000)),
    "standard_normal_test: a shift of 0.2": lambda r: standard_normal_test(r.normal(0.2, 1, 2_000)),
    "standard_normal_test: uniform of variance 1": lambda r: standard_normal_test(r.uniform(-(3**0.5), 3**0.5, 180)),
    "mean_test: 6.7 standard errors": lambda r: mean_test(r.normal(6.7 / np.sqrt(500), 1, 500), 0.0, 1.0),
    "mean_test: Mahalanobis length sqrt(50 / n)": lambda r: mean_test(
        r.normal(size=(500, 2)) @ ROOT.T + ROOT @ [np.sqrt(50 / 500), 0], [0, 0], COV
    ),
    "covariance_test: a variance of 1.21": lambda r: covariance_test(r.normal(0, np.sqrt(1.21), 2_000), 1.0),
    "covariance_test: a variance of 0.81": lambda r: covariance_test(r.normal(0, 0.9, 2_000), 1.0),
    "covariance_test: a correlation of 0.16": lambda r: covariance_test(
        r.multivariate_normal([0, 0], [[1, 0.16], [0.16, 1]], 2_000), np.eye(2)
    ),
}


@pytest.mark.parametrize("name", DIFFERENCES)
def test_the_stated_difference_is_detected(name):
    """Detected with probability 0.99: of 60 repeats, 5 misses or more have probability 3e-4."""
    rng = np.random.default_rng(11)
    misses = sum(DIFFERENCES[name](rng) >= ALPHA for _ in range(60))
    assert misses <= 4, f"{misses} of 60 missed"


def test_chi_square_stays_honest_in_its_tail():
    """Few draws per cell and a peaked law: Pearson's form would fail 2.8 times too often at 1e-3 here."""
    law = np.array([0.0025, 0.0025, 0.0025, 0.0025, 0.99])
    rng = np.random.default_rng(5)
    counts, times = np.unique(rng.multinomial(2_000, law, size=60_000)[:, :4], axis=0, return_counts=True)
    counts = np.column_stack([counts, 2_000 - counts.sum(axis=1)])
    # Only the counts that any form might refuse need their p-value.
    suspects = np.abs(counts[:, :4] - 5).sum(axis=1) >= 10
    refused = sum(n for c, n in zip(counts[suspects], times[suspects], strict=True) if chi_square(c, law) < 1e-3)
    assert refused / 60_000 < 2.5e-3
    assert refused > 0


def test_what_cannot_happen_gives_zero():
    assert chi_square([99, 1, 0], [0.5, 0.0, 0.5]) == 0.0
    P = np.array([[0.0, 1.0], [0.5, 0.5]])
    assert chi_square_transitions([0, 1, 1, 0, 0] + [1, 1] * 30, P) == 0.0
    assert covariance_test(np.random.default_rng(0).normal(size=(50, 1)) * [1.0, 1.0], np.eye(2)) == 0.0


def test_rows_without_successor_are_allowed_and_order_two_is_not_transposed():
    P = PAIRS.copy()
    sequence = chain(P, 4_000, np.random.default_rng(2))
    assert chi_square_transitions(torch.tensor(sequence), torch.tensor(P)) > ALPHA
    assert chi_square_transitions(sequence, P.swapaxes(0, 1)) < ALPHA
    absorbing = np.array([[0.5, 0.5, 0.0], [0.5, 0.4, 0.1], [0.0, 0.0, 0.0]])
    assert chi_square_transitions([0, 1] * 3 + [0, 0, 1, 1] * 20, absorbing) > ALPHA


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: chi_square([1, 2], [0.5, 0.25, 0.25]), "observed_counts"),
        (lambda: chi_square([100.5, 2], [0.5, 0.5]), "observed_counts"),
        (lambda: chi_square([50, 50], [0.5, 0.6]), "expected_probabilities"),
        (lambda: chi_square([3, 3], [0.5, 0.5]), "6 draws are too few"),
        (lambda: chi_square_transitions([0, 2], np.eye(2)), "sequence"),
        (lambda: chi_square_transitions([0, 1], np.full((2, 2), 0.5)), "too short"),
        (lambda: chi_square_transitions([0, 1], np.full((2, 3), 1 / 3)), "P"),
        (lambda: kolmogorov_smirnov([0.5, 2.0], lambda x: x), "cdf_or_sample"),
        (lambda: mean_test(np.zeros((5, 2)), [0], np.eye(2)), "mean"),
        (lambda: mean_test(np.zeros((5, 1)), [0], -1.0), "cov"),
        (lambda: covariance_test(np.zeros((2, 2)), np.eye(2)), "too few"),
        (lambda: mean_test([0.0, float("inf")], 0.0, 1.0), "sample"),
    ],
)
def test_bad_arguments_are_named(call, named):
    with pytest.raises(ValueError, match=named):
        call()
