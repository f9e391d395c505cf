"""Distances between two samples, or between a sample's law and a known one.

A distance is not a test: it has no false-fail rate of its own. A check compares it with a calibrated limit
(`limits.place_limit`) or turns it into a p-value (`tests.permutation_test`). What each docstring states
instead is the *floor*: the value that two samples of one law give, below which nothing can be seen.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograder.statistics.arrays import Array, as_array, as_clouds, as_vector

_EMD_ITERATIONS = 5_000_000


def _weights(values: Any, n: int, name: str) -> Array:
    if values is None:
        return np.full(n, 1.0 / n)
    weights = as_vector(values, name)
    if len(weights) != n or weights.min() < 0 or weights.sum() <= 0:
        raise ValueError(f"{name}: expected {n} weights >= 0 with a positive sum, got {weights.shape}")
    return np.asarray(weights / weights.sum())


def wasserstein_exact(x: Any, y: Any, p: float = 2, a: Any = None, b: Any = None) -> float:
    r"""Wasserstein distance $W_p = (\min_P \sum_{ij} P_{ij} \|x_i - y_j\|_2^p)^{1/p}$, solved exactly.

    Network simplex of POT (`ot.lp.emd2`): 0.04 s for 500 points against 500, 0.2 s for 1,000 against 1,000.
    As many points on both sides without weights are an assignment, which SciPy solves without the two
    seconds that `import ot` takes: 0.07 and 0.4 s.

    Floor: two clouds of n points of one law in d dimensions lie about $n^{-1/d}$ apart (d > 2p) and not much
    less in d = 2 ($n^{-1/2}$ up to logarithms); random numbers of points per mode add far more, so compare
    clouds that are balanced by construction where modes are apart.

    Args:
        x, y: (n, d) and (m, d).
        p: order, >= 1.
        a, b: weights (n,) and (m,), normalised here; uniform where None.

    Raises:
        ValueError: shapes, p < 1.
        RuntimeError: the solver stopped before its optimum.
    """
    from scipy.optimize import linear_sum_assignment
    from scipy.spatial.distance import cdist

    if p < 1:
        raise ValueError(f"p: expected at least 1, got {p}")
    first, second = as_clouds(x, y)
    cost = cdist(first, second) ** p
    if a is None and b is None and len(first) == len(second):
        return float(cost[linear_sum_assignment(cost)].mean() ** (1.0 / p))
    from ot.lp import emd2

    left, right = _weights(a, len(first), "a"), _weights(b, len(second), "b")
    total, log = emd2(left, right, cost, numItermax=_EMD_ITERATIONS, log=True)
    if log["warning"] is not None:
        raise RuntimeError(f"exact transport of {cost.shape} did not finish: {log['warning']}")
    return float(max(float(total), 0.0) ** (1.0 / p))


def _quantile_power(x: Array, y: Array, p: float) -> Array:
    """Integral over u of |F_x^-1(u) - F_y^-1(u)|^p, column by column: (n, k), (m, k) -> (k,)."""
    x, y = np.sort(x, axis=0), np.sort(y, axis=0)
    n, m = len(x), len(y)
    # Both quantile functions are constant between the knots i/n and j/m. In units of 1/(n m) the knots are
    # whole numbers, so that no round-off picks the wrong point.
    knots = np.union1d(np.arange(1, n + 1) * m, np.arange(1, m + 1) * n)
    widths = np.diff(knots, prepend=0) / (n * m)
    difference = x[(knots - 1) // m] - y[(knots - 1) // n]
    return np.asarray(widths @ np.abs(difference) ** p)


def wasserstein_1d(x: Any, y: Any, p: float = 1) -> float:
    r"""$W_p$ of two samples on the line, of any sizes: $(\int_0^1 |F_x^{-1}(u) - F_y^{-1}(u)|^p du)^{1/p}$.

    Floor: about $1.3\,\sigma\sqrt{1/n + 1/m}$ for normal samples and p = 1.

    Raises:
        ValueError: not vectors, p < 1.
    """
    if p < 1:
        raise ValueError(f"p: expected at least 1, got {p}")
    first, second = as_vector(x, "x"), as_vector(y, "y")
    return float(_quantile_power(first[:, None], second[:, None], p)[0] ** (1.0 / p))


def sliced_wasserstein(x: Any, y: Any, n_projections: int = 200, p: float = 2, seed: int = 0) -> float:
    r"""Sliced Wasserstein distance $(\frac1L \sum_l W_p^p(\theta_l^\top x, \theta_l^\top y))^{1/p}$.

    The directions are drawn from `seed`, so that two figures of one check use the same ones.

    Floor: about $2\,\sigma\sqrt{1/n + 1/m}$ for normal samples and p = 2, whatever the dimension.
    In d dimensions a shift $\delta$ is seen as $\|\delta\|/\sqrt d$ (p = 2).

    Raises:
        ValueError: shapes, fewer than one projection, p < 1.
    """
    if n_projections < 1 or p < 1:
        raise ValueError(f"n_projections and p: expected at least 1, got {n_projections} and {p}")
    first, second = as_clouds(x, y)
    directions = np.random.default_rng(seed).normal(size=(first.shape[1], n_projections))
    directions /= np.linalg.norm(directions, axis=0)
    return float(_quantile_power(first @ directions, second @ directions, p).mean() ** (1.0 / p))


def gaussian_wasserstein(mean1: Any, cov1: Any, mean2: Any, cov2: Any) -> float:
    r"""$W_2$ of two Gaussians, from their means and covariances (Bures).

    $W_2^2 = \|m_1 - m_2\|^2 + \mathrm{tr}(S_1 + S_2 - 2 (S_1^{1/2} S_2 S_1^{1/2})^{1/2})$.

    Exact for Gaussians and a lower bound on $W_2$ for laws with these two moments (Gelbrich). With moments of
    n points its floor is about $\sqrt{(d + d(d+1)/4)/n}$ standard deviations.

    Raises:
        ValueError: shapes.
    """
    first, second = as_vector(np.atleast_1d(as_array(mean1, "mean1")), "mean1"), as_array(mean2, "mean2")
    d = len(first)
    s1, s2 = np.atleast_2d(as_array(cov1, "cov1")), np.atleast_2d(as_array(cov2, "cov2"))
    if second.reshape(-1).shape != (d,) or s1.shape != (d, d) or s2.shape != (d, d):
        shapes = f"{second.shape}, {s1.shape} and {s2.shape}"
        raise ValueError(f"mean2, cov1, cov2: expected {(d,)}, {(d, d)} and {(d, d)}, got {shapes}")
    values, vectors = np.linalg.eigh(s1)
    root = vectors * np.sqrt(np.clip(values, 0.0, None)) @ vectors.T
    cross = np.sqrt(np.clip(np.linalg.eigvalsh(root @ s2 @ root), 0.0, None)).sum()
    squared = float(((first - second.reshape(-1)) ** 2).sum() + np.trace(s1) + np.trace(s2) - 2.0 * cross)
    return float(np.sqrt(max(squared, 0.0)))


def energy_distance(x: Any, y: Any) -> float:
    r"""Energy distance $\sqrt{2E\|X-Y\| - E\|X-X'\| - E\|Y-Y'\|}$ (Székely and Rizzo 2013).

    SciPy's on the line, in d dimensions.

    Floor: about $\sqrt{E\|X-X'\|\,(1/n + 1/m)}$, since the pairs of a point with itself are counted.

    Raises:
        ValueError: shapes.
    """
    from scipy.spatial.distance import cdist

    first, second = as_clouds(x, y)
    squared = 2.0 * cdist(first, second).mean() - cdist(first, first).mean() - cdist(second, second).mean()
    return float(np.sqrt(max(float(squared), 0.0)))


def median_bandwidth(x: Array, y: Array) -> float:
    """The median distance between distinct points of the pooled sample: the usual kernel width."""
    from scipy.spatial.distance import pdist

    distances = pdist(np.concatenate([x, y]))
    positive = distances[distances > 0]
    return float(np.median(positive)) if positive.size else 1.0


def mmd(x: Any, y: Any, bandwidth: float | None = None) -> float:
    r"""Maximum mean discrepancy, kernel $\exp(-\|u-v\|^2 / 2h^2)$ (Gretton et al. 2012), biased form, rooted.

    Floor: about $\sqrt{1/n + 1/m}$, at most; pairs of a point with itself are counted.

    Args:
        x, y: (n, d) and (m, d).
        bandwidth: h > 0; the median distance of the pooled sample where None.

    Raises:
        ValueError: shapes, bandwidth.
    """
    from scipy.spatial.distance import cdist

    first, second = as_clouds(x, y)
    h = median_bandwidth(first, second) if bandwidth is None else float(bandwidth)
    if not h > 0:
        raise ValueError(f"bandwidth: expected a positive number, got {bandwidth}")

    def kernel(u: Array, v: Array) -> float:
        return float(np.exp(cdist(u, v, "sqeuclidean") / (-2.0 * h * h)).mean())

    squared = kernel(first, first) + kernel(second, second) - 2.0 * kernel(first, second)
    return float(np.sqrt(max(squared, 0.0)))
