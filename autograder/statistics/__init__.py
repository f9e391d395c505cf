"""Distances between samples, tests that return p-values, coverage of a distribution, and calibrated limits.

Used by the judge alone. Everything takes torch tensors or array-likes, computes in float64 and returns
plain Python numbers. POT, SciPy and scikit-learn are imported where they are used.
"""

from autograder.statistics.coverage import memorised_fraction, mode_coverage
from autograder.statistics.distances import (
    energy_distance,
    gaussian_wasserstein,
    mmd,
    sliced_wasserstein,
    wasserstein_1d,
    wasserstein_exact,
)
from autograder.statistics.limits import Limit, place_limit
from autograder.statistics.tests import (
    chi_square,
    chi_square_transitions,
    covariance_test,
    kolmogorov_smirnov,
    mean_test,
    permutation_test,
)

__all__ = [
    "Limit",
    "chi_square",
    "chi_square_transitions",
    "covariance_test",
    "energy_distance",
    "gaussian_wasserstein",
    "kolmogorov_smirnov",
    "mean_test",
    "memorised_fraction",
    "mmd",
    "mode_coverage",
    "permutation_test",
    "place_limit",
    "sliced_wasserstein",
    "wasserstein_1d",
    "wasserstein_exact",
]
