"""Tests that return a p-value: the probability, for a correct sampler, of a sample at least this unlikely.

A check that fails where `p < alpha` fails a correct solution with probability alpha: the false-fail rate.
Checks use alpha = 1e-5 or less, so every p-value here is meant to be right far out in its tail, not just
at 0.05; where it is approximate, the docstring says by how much. Each docstring also gives the smallest
difference detected: the one that fails with probability at least 0.99 at alpha = 1e-5. For a z statistic
that is 4.42 (the 1 - alpha/2 quantile) + 2.33 = 6.7 standard errors, the figure that recurs below.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from autograder.statistics.arrays import Floats, Values, as_array, as_covariance, as_points, as_vector

MINIMUM_EXPECTED = 5.0


def _pooled(counts: Floats, expected: Floats) -> tuple[Floats, Floats]:
    """Merge the cells with the smallest expectations until every cell expects at least MINIMUM_EXPECTED."""
    order = np.argsort(expected)
    counts, expected = counts[order], expected[order]
    small = int((expected < MINIMUM_EXPECTED).sum())
    while 0 < small < len(expected) and expected[:small].sum() < MINIMUM_EXPECTED:
        small += 1
    if small > 1:
        counts = np.concatenate([[counts[:small].sum()], counts[small:]])
        expected = np.concatenate([[expected[:small].sum()], expected[small:]])
    return counts, expected


def _g_statistic(counts: Floats, probabilities: Floats) -> tuple[float, int]:
    """Williams-corrected G statistic and its degrees of freedom; (inf, 1) where the impossible happened."""
    if counts[probabilities == 0].sum() > 0:
        return float("inf"), 1
    n = counts.sum()
    seen = probabilities > 0
    counts, expected = _pooled(counts[seen], n * probabilities[seen])
    cells = len(expected)
    if cells < 2 or expected.min() < MINIMUM_EXPECTED:
        return 0.0, 0
    positive = counts > 0
    g = 2.0 * float((counts[positive] * np.log(counts[positive] / expected[positive])).sum())
    williams = 1.0 + (float((n / expected).sum()) - 1.0) / (6.0 * n * (cells - 1))
    return max(g, 0.0) / williams, cells - 1


def _probabilities(values: Values, name: str) -> Floats:
    law = as_array(values, name)
    if law.size == 0 or law.min() < 0 or not np.allclose(law.sum(axis=-1), 1.0, atol=1e-6):
        raise ValueError(f"{name}: expected probabilities >= 0 that sum to 1")
    return law


def chi_square(observed_counts: Values, expected_probabilities: Values) -> float:
    """p-value of counts of independent draws against a known discrete law.

    The likelihood-ratio form (G) with Williams' correction, since Pearson's form is up to 20 times too
    generous with itself at alpha = 1e-5 when cells expect 5 draws. Cells that expect fewer than 5 are
    merged. A draw where the law is zero gives p = 0.

    False-fail rate: at most 2.5 alpha for alpha from 1e-3 to 1e-5 (simulated: 2 to 100 cells, flat and
    peaked, 5 expected draws or more per cell).

    Smallest difference: one cell's probability off by $6.7 sqrt(q (1 - q) / n)$; for n = 10,000 and q = 0.5
    that is 0.034. With k cells the noncentrality $n sum (p - q)^2 / q$ has to reach about 45 (k = 2) to 65
    (k = 10).

    Raises:
        ValueError: shapes, negative or fractional counts, no law, too few draws to fill two cells.
    """
    from scipy.stats import chi2

    counts = as_vector(observed_counts, "observed_counts")
    law = _probabilities(expected_probabilities, "expected_probabilities")
    if counts.shape != law.shape:
        raise ValueError(f"observed_counts {counts.shape} and expected_probabilities {law.shape} differ")
    if counts.min() < 0 or not np.array_equal(counts, np.round(counts)):
        raise ValueError("observed_counts: expected whole numbers >= 0")
    statistic, freedom = _g_statistic(counts, law)
    if freedom == 0:
        draws = f"{counts.sum():.0f} draws"
        raise ValueError(f"{draws} are too few: fewer than two cells expect {MINIMUM_EXPECTED:g}")
    return float(chi2.sf(statistic, freedom))


def chi_square_transitions(sequence: Sequence[int], P: Values) -> float:
    """p-value of one sequence of state indices against a Markov chain's transition law.

    Counts what follows every context and compares it with that context's row, context by context (given the
    contexts, successors are independent draws); contexts seen too rarely for two cells of 5 are left out.
    An impossible transition anywhere gives p = 0.

    False-fail rate: as `chi_square`.

    Smallest difference: as `chi_square`, n being the visits of the context. Sequences of some thousand
    steps see a row off by 0.1 (n = 500 visits: 0.15); a single step sees nothing.

    Args:
        sequence: state indices, context included.
        P: (n,)*order + (n,), the last axis sums to 1; rows of zeros (contexts without successor) are allowed.

    Raises:
        ValueError: shapes, an index out of range, too few transitions to judge any context.
    """
    from scipy.stats import chi2

    law = as_array(P, "P")
    n, order = law.shape[-1], law.ndim - 1
    if order < 1 or set(law.shape) != {n}:
        raise ValueError(f"P: expected shape (n,)*order + (n,), got {law.shape}")
    rows = law.reshape(-1, n)  # (contexts, n)
    alive = rows.sum(axis=1) > 0
    _probabilities(rows[alive], "P")
    states = np.asarray(sequence, dtype=np.int64)
    if states.ndim != 1 or (states.size and not 0 <= states.min() <= states.max() < n):
        raise ValueError(f"sequence: expected indices from 0 to {n - 1}")
    counts = np.zeros_like(law)
    if len(states) > order:
        np.add.at(counts, tuple(states[i : len(states) - order + i] for i in range(order + 1)), 1.0)
    total, freedom = 0.0, 0
    for row, probabilities in zip(counts.reshape(-1, n), rows, strict=True):
        if row.sum() > 0:
            statistic, cells = _g_statistic(row, probabilities)
            total, freedom = total + statistic, freedom + cells
    if total == float("inf"):
        return 0.0
    if freedom == 0:
        raise ValueError(f"a sequence of {len(states)} states is too short: no context can be judged")
    return float(chi2.sf(total, freedom))


def kolmogorov_smirnov(sample: Values, cdf_or_sample: Callable[[Floats], Values] | Values) -> float:
    """p-value of a sample on the line against a continuous law's cdf, or against a second sample (SciPy).

    False-fail rate: alpha (exact for a cdf; for two samples exact up to 10,000 points and asymptotic above);
    less where values are tied.

    Smallest difference: the two cdfs are $D = 3.5 / sqrt(n)$ apart somewhere (2.47 for alpha, the rest for
    the power), n m / (n + m) in place of n for two samples. For n = 2,000 that is D = 0.08: a normal law
    shifted by 0.2 standard deviations, or with 1.4 times the spread.

    Raises:
        ValueError: shapes, a cdf outside [0, 1].
    """
    from scipy.stats import ks_2samp, kstest

    values = as_vector(sample, "sample")
    if not callable(cdf_or_sample):
        other = as_vector(cdf_or_sample, "cdf_or_sample")
        method = "exact" if max(len(values), len(other)) <= 10_000 else "asymp"
        return float(ks_2samp(values, other, method=method).pvalue)
    cdf = as_vector(cdf_or_sample(np.sort(values)), "cdf_or_sample(sample)")
    if cdf.shape != values.shape or cdf.min() < 0 or cdf.max() > 1:
        raise ValueError("cdf_or_sample: expected one value in [0, 1] per point of the sample")
    return float(kstest(cdf, "uniform").pvalue)


def standard_normal_test(sample: Values) -> float:
    """p-value of independent numbers against N(0, 1): their cdf (Kolmogorov-Smirnov), and the largest of them.

    A bounded law of mean 0 and variance 1 has nearly the normal cdf; what it never has is a number beyond its bound.

    False-fail rate: alpha (the two are taken as independent, which from some ten numbers on they nearly are).

    Smallest difference: that of `kolmogorov_smirnov`, and for the law on $[-sqrt(3), sqrt(3)]$ some 180 numbers, where
    `kolmogorov_smirnov` alone needs 2,200.

    Raises:
        ValueError: shapes.
    """
    from scipy.stats import halfnorm, norm

    values = as_vector(sample, "sample")
    with np.errstate(divide="ignore"):
        below = len(values) * halfnorm.logcdf(np.abs(values).max())  # log P(the largest of n is no larger)
    largest = 2 * min(np.exp(below), -np.expm1(below))
    p = min(kolmogorov_smirnov(values, norm.cdf), largest, 1 - 1e-16)
    return float(-np.expm1(2 * np.log1p(-p)))


def mean_test(sample: Values, mean: Values, cov: Values) -> float:
    """p-value of independent points against a mean, their covariance being known: chi-square.

    False-fail rate: alpha for Gaussian points; for others nearly so from some hundred points on (200
    uniform or 2,000 exponential ones: within a factor of 3 at 1e-4). Points of one Markov chain are not
    independent: take the ends of many chains.

    Smallest difference: a shift of 6.7 standard errors, 6.7 sigma / sqrt(n), in one dimension; the
    Mahalanobis length $sqrt(45 / n)$ in one, $sqrt(50 / n)$ in two and $sqrt(66 / n)$ in ten dimensions.

    Args:
        sample: (n, d), or (n,) in one dimension.
        mean: (d,) or a number; cov: (d, d), the covariance of *one* point.

    Raises:
        ValueError: shapes, `cov` not positive definite.
    """
    from scipy.stats import chi2

    points = as_points(sample, "sample")
    n, d = points.shape
    centre = np.atleast_1d(as_array(mean, "mean"))
    if centre.shape != (d,):
        raise ValueError(f"mean: expected shape ({d},), got {centre.shape}")
    shift = points.mean(axis=0) - centre
    return float(chi2.sf(n * shift @ np.linalg.solve(as_covariance(cov, d, "cov"), shift), d))


def covariance_test(sample: Values, cov: Values) -> float:
    """p-value of independent *Gaussian* points against a covariance, by the corrected likelihood ratio.

    The mean is estimated; Bartlett's correction.

    False-fail rate: alpha within a factor of 1.5 at 1e-3 from n = 10 d points on, and only for Gaussian
    points: heavier tails (a mixture, pixels) fail far too often.

    Smallest difference: one variance off by the factor $1 ± 6.7 sqrt(2 / n)$ in one dimension (n = 2,000:
    1.21), a correlation of $7.1 / sqrt(n)$ in two (n = 2,000: 0.16).

    Raises:
        ValueError: shapes, n <= d, `cov` not positive definite.
    """
    from scipy.stats import chi2

    points = as_points(sample, "sample")
    n, d = points.shape
    target = as_covariance(cov, d, "cov")
    if n <= d:
        raise ValueError(f"sample: {n} points are too few to estimate a covariance in {d} dimensions")
    ratio = np.linalg.solve(target, np.atleast_2d(np.cov(points, rowvar=False)))
    sign, log_det = np.linalg.slogdet(ratio)
    if sign <= 0 or not np.isfinite(log_det):
        return 0.0  # points in a subspace: impossible under a positive definite covariance
    freedom = d * (d + 1) / 2
    bartlett = 1.0 - (2 * d + 1 - 2 / (d + 1)) / (6 * (n - 1))
    return float(chi2.sf(bartlett * (n - 1) * (float(np.trace(ratio)) - log_det - d), freedom))
