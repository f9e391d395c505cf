"""Distances between samples, tests that return p-values, and calibrated limits.

Used by the judge alone. Everything takes torch tensors or array-likes, computes in float64 and returns
plain Python numbers. POT and SciPy are imported where they are used.
"""

from autograder.statistics.distances import sliced_wasserstein, wasserstein_1d, wasserstein_exact
from autograder.statistics.limits import place_limit
from autograder.statistics.tests import (
    chi_square,
    chi_square_transitions,
    covariance_test,
    kolmogorov_smirnov,
    mean_test,
    standard_normal_test,
)
from autograder.statistics.transport import entropic_plan, sinkhorn_error, sinkhorn_iterations

__all__ = [
    "chi_square", "chi_square_transitions", "covariance_test", "entropic_plan", "kolmogorov_smirnov", "mean_test",
    "place_limit", "sinkhorn_error", "sinkhorn_iterations", "sliced_wasserstein", "standard_normal_test",
    "wasserstein_1d", "wasserstein_exact",
]  # fmt: skip
