"""Likelihoods and bits per dimension, against torch.distributions."""

from __future__ import annotations

import math

import torch
from torch.distributions import MultivariateNormal

from autograder.judge import check


def draw_covariance(draw, d, low=0.3, high=3.0):
    """A full covariance, its axes turned and its widths unequal."""
    turned = torch.linalg.qr(draw.normal(d, d)).Q
    covariance = turned @ torch.diag(draw.uniform(d, low=low, high=high)) @ turned.T
    return (covariance + covariance.T) / 2


@check(points=1, kind="exact", covers=("gaussian", "gaussian_log_likelihood"))
def test_gaussian_value(student, compare, draw):
    """The log-density of a Gaussian with a full covariance, normalised."""
    for d, batch in ((1, 4), (3, draw.integer(4, 7)), (6, 1)):
        mean, cov = 2 * draw.normal(d), draw_covariance(draw, d)
        x = mean + 2 * draw.normal(batch, d)
        right = MultivariateNormal(mean, cov, validate_args=False).log_prob(x)
        what = f"gaussian_log_likelihood(x ({batch}, {d}), mean, cov)"
        compare(student.gaussian_log_likelihood(x, mean, cov), right, what)


@check(points=0.5, kind="exact", covers=("many_coordinates", "gaussian_log_likelihood"))
def test_gaussian_many(student, compare, expect, draw):
    """With 200 coordinates of variance about 1e-4 the determinant underflows, and the log-density is right."""
    d, batch = 200, draw.integer(2, 4)
    mean, cov = draw.normal(d), 1e-4 * draw_covariance(draw, d, 0.5, 2.0)
    x = mean + 1e-2 * draw.normal(batch, d)
    right = MultivariateNormal(mean, cov, validate_args=False).log_prob(x)
    got = expect.tensor(student.gaussian_log_likelihood(x, mean, cov), (batch,), "200 coordinates of variance 1e-4")
    # A wrong share of the constants costs its points in the other check: 200 times a little is 200 here.
    if not torch.allclose(got, right, rtol=0.5):
        compare(got, right, "gaussian_log_likelihood(x, mean, cov) with 200 coordinates of variance 1e-4")


@check(points=1, kind="exact", covers=("bits", "bits_per_dim"))
def test_bits(student, probe, compare, draw):
    """Bits per dimension: log2 of the levels for the uniform density, and right for a Gaussian."""
    for levels, options in ((256, {}), (draw.integer(3, 40), None)):
        options = {"levels": levels} if options is None else options
        batch, d = draw.integer(2, 5), draw.integer(3, 8)
        x, noise = draw.integers(0, levels, batch, d), draw.uniform(batch, d)
        x[0, 0], noise[0, 0], x[-1, -1] = levels - 1, 1.0, 0
        shown = f", levels={levels}" if options else ""
        uniform = probe.normal_log_prob(torch.zeros(d).double(), torch.full((d,), torch.inf).double())
        got = student.bits_per_dim(uniform, x, noise, **options)
        right = torch.full((batch,), math.log2(levels), dtype=torch.float64)
        compare(got, right, f"bits_per_dim(uniform density, x, noise{shown})")
        mean, std = draw.uniform(d), draw.uniform(d, low=0.2, high=0.6)
        points = (x + noise) / levels
        nats = torch.distributions.Normal(mean, std).log_prob(points).sum(1)
        right = -nats / math.log(2) / d + math.log2(levels)
        for given in (x, x.double(), x.int()):  # in uint8 a comparison with 256 would overflow
            got = student.bits_per_dim(probe.normal_log_prob(mean, std), given, noise, **options)
            compare(got, right, f"bits_per_dim(log_prob, x, noise{shown})")
