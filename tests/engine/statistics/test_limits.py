"""Limits in both directions: they refuse as rarely as stated, catch what is far enough off, or say so."""

import math

import numpy as np
import pytest

from autograder.statistics import place_limit


def test_the_next_correct_figure_is_refused_at_the_stated_rate():
    """8 seeds, false_fail 0.05, no mistakes: 20,000 next figures, standard error 0.003 with shared limits."""
    rng = np.random.default_rng(0)
    refused = []
    for _ in range(400):
        limit = place_limit({"reference": rng.normal(10, 1, 8)}, {}, "lower", 0.05)
        refused.append(np.mean([not limit.accepts(v) for v in rng.normal(10, 1, 50)]))
    assert np.mean(refused) == pytest.approx(0.05, abs=0.012)


@pytest.mark.parametrize("spread", [0.0, 0.7], ids=["equal deviations", "unequal deviations"])
def test_correct_solutions_lend_each_other_degrees_of_freedom(spread):
    """Seven solutions of 8 seeds: still refused as rarely as stated, with limits nearer than each alone would set."""
    rng = np.random.default_rng(7)
    refused, nearer = [], []
    for _ in range(300):
        deviations = np.exp(rng.normal(0, spread, 7))
        good = {f"solution {i}": rng.normal(0, s, 8) for i, s in enumerate(deviations)}
        limit = place_limit(good, {}, "lower", 0.01)
        alone = max(place_limit({"alone": figures}, {}, "lower", 0.01).high for figures in good.values())
        nearer.append(limit.high / alone)
        refused.append(np.mean([not limit.accepts(v) for s in deviations for v in rng.normal(0, s, 50)]))
    assert np.mean(refused) < 0.01
    assert np.mean(nearer) < 0.85


@pytest.mark.parametrize("better", ["lower", "higher"])
def test_a_mistake_far_enough_off_is_caught(better):
    """4.0 + 2.6 standard deviations at 20 seeds, says the docstring; 10 leave room for their spread."""
    rng = np.random.default_rng(1)
    sign = 1 if better == "lower" else -1
    passed, refused, overlapping = [], [], 0
    for _ in range(100):
        good, bad = {"reference": rng.normal(0, 1, 20)}, {"shifted": rng.normal(sign * 10, 1, 20)}
        limit = place_limit(good, bad, better, 5e-4)
        assert (limit.low is None) == (better == "lower")
        overlapping += limit.overlaps
        passed.append(np.mean([limit.accepts(v) for v in rng.normal(sign * 10, 1, 50)]))
        refused.append(np.mean([not limit.accepts(v) for v in rng.normal(0, 1, 50)]))
    assert overlapping == 0
    assert np.mean(passed) < 0.01
    assert np.mean(refused) < 5e-4


def test_a_mistake_too_near_is_reported_and_the_correct_solutions_are_kept():
    rng = np.random.default_rng(2)
    limit = place_limit({"reference": rng.normal(0, 1, 20)}, {"near": rng.normal(2, 1, 20)}, "lower", 1e-3)
    assert limit.overlaps
    assert limit.false_pass > 0.5
    assert limit.false_fail == pytest.approx(1e-3)
    assert limit.separation == pytest.approx(2 / math.sqrt(2), rel=0.3)


def test_the_limit_lies_between_the_worst_good_and_the_nearest_bad():
    rng = np.random.default_rng(3)
    good = {"reference": rng.normal(1, 0.1, 10), "loops": rng.normal(2, 0.1, 10)}
    bad = {
        "sign": rng.normal(8, 0.2, 10),
        "diverges": [math.nan, math.inf, 1e9],
        "far": rng.normal(50, 1, 10),
    }
    limit = place_limit(good, bad, "lower", 1e-3)
    assert 2.5 < limit.high < 7
    assert not limit.overlaps
    assert limit.bad["diverges"] is None
    assert not limit.accepts(math.nan)


def test_between_is_two_sided():
    """A likelihood that is too good is as wrong as one that is too bad."""
    rng = np.random.default_rng(4)
    good = {"reference": rng.normal(1.15, 0.02, 15)}
    bad = {"log_det_sign": rng.normal(0.2, 0.05, 15), "untrained": rng.normal(1.9, 0.02, 15)}
    limit = place_limit(good, bad, "between", 1e-3)
    assert 0.2 < limit.low < 1.1 < 1.2 < limit.high < 1.9
    assert not limit.accepts(0.2)
    assert not limit.accepts(1.9)
    assert limit.accepts(1.15)
    assert limit.false_fail <= 1e-3


def test_skewed_figures_are_judged_on_the_logarithmic_scale():
    """A log-normal spread of 1 at 1e-3: on the raw scale 3 % of correct figures would be refused."""
    rng = np.random.default_rng(5)
    rates, scales = [], []
    for _ in range(200):
        limit = place_limit({"reference": rng.lognormal(0, 1, 40)}, {}, "lower", 1e-3)
        scales.append(limit.good["reference"].scale)
        rates.append(np.mean(rng.lognormal(0, 1, 500) > limit.high))
    assert scales.count("log") > 160
    assert "raw" not in scales
    assert np.mean(rates) < 3e-3


@pytest.mark.parametrize("solutions", [1, 2])
def test_an_error_near_0_has_a_limit_near_its_largest_values(solutions):
    """|N(0, 1)| over 10 seeds exceeds 3.5 once in 2,000 runs; its logarithm has a long tail, below 0."""
    rng = np.random.default_rng(0)
    highs = []
    for _ in range(200):
        good = {f"solution {i}": np.abs(rng.normal(0, 1, 10)) for i in range(solutions)}
        highs.append(place_limit(good, {}, "lower", 5e-4).high / 3.5)
    assert 0.8 < np.median(highs) < 2
    assert np.quantile(highs, 0.95) < 10
    assert max(highs) < 100


def test_few_seeds_give_a_wide_limit():
    figures = [1.0, 1.1, 0.9, 1.05, 0.95]
    few = place_limit({"reference": figures}, {}, "lower", 1e-3)
    many = place_limit({"reference": figures * 6}, {}, "lower", 1e-3)
    assert few.high - 1 > 2 * (many.high - 1)


def test_a_figure_that_never_varies_keeps_a_margin_for_the_last_digits():
    limit = place_limit({"reference": [0.25] * 5}, {"wrong": [0.26] * 5}, "lower", 1e-4)
    assert limit.accepts(0.25 * (1 + 1e-9))
    assert not limit.accepts(0.26)
    zero = place_limit({"reference": [0.0] * 5}, {}, "lower", 1e-4)
    assert zero.accepts(0.0)
    assert not zero.accepts(1e-3)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (({"a": [1.0, 2.0]}, {}, "lower", 1e-3), "'a'"),
        (({"a": [1.0, 2.0, math.nan]}, {}, "lower", 1e-3), "'a'"),
        (({}, {}, "lower", 1e-3), "good"),
        (({"a": [1.0, 2.0, 3.0]}, {}, "smaller", 1e-3), "better"),
        (({"a": [1.0, 2.0, 3.0]}, {}, "lower", 0.0), "false_fail"),
    ],
)
def test_bad_arguments_are_named(arguments, named):
    with pytest.raises(ValueError, match=named):
        place_limit(*arguments)
