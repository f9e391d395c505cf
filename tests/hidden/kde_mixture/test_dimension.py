"""High dimension: the law of the squared norm, and boxes covered."""

from __future__ import annotations

import numpy as np
import torch
from scipy import stats

from autograder.judge import check


def right_log_density(s, d, sigma):
    """||x||² is gamma distributed, of shape d/2 and scale 2σ²/d."""
    return torch.as_tensor(stats.gamma(d / 2, scale=2 * sigma**2 / d).logpdf(np.asarray(s)))


def draw_norms(draw, shape, d, sigma):
    """Squared norms around σ², within some standard deviations."""
    return sigma**2 * (1 + 2 * draw.normal(*shape) * (2 / d) ** 0.5).abs() + 1e-3


@check(points=0.5, kind="exact", covers=("shell", "squared_norm_log_density"))
def test_shell(student, compare, draw):
    """The log-density of the squared norm, from one dimension to thousands, for any sigma."""
    for d in (1, 2, draw.integer(3, 9), draw.integer(20, 60), draw.integer(2000, 5000)):
        sigma = round(
            float(draw.uniform(1, low=0.3, high=0.8)) if d % 2 else float(draw.uniform(1, low=1.5, high=3.0)), 2
        )
        s = draw_norms(draw, (3, 2) if d % 2 else (4,), d, sigma)
        right = right_log_density(s, d, sigma)
        # Its terms grow with d: a number that was in float32 for a moment moves the answer by some millionths of d.
        what = f"squared_norm_log_density(s, {d}, {sigma})"
        compare(student.squared_norm_log_density(s, d, sigma), right, what, atol=1e-6 * d)


@check(points=0.5, kind="exact", covers=("boxes", "covered_fraction"))
def test_boxes(student, compare, expect, draw):
    """The share of boxes that hold a point: repeats count once, 1 is in the last box, 25 dimensions work."""
    for d, bins, n in ((1, 10, 12), (2, draw.integer(3, 6), 40), (3, 4, 50), (2, 1, 3), (25, 10, 30)):
        # Half of the points stand in boxes that are taken already; one lies on the far edge of all axes.
        boxes = draw.integers(0, bins, n, d)
        boxes[n // 2 :] = boxes[: n - n // 2].clone()
        x = (boxes + draw.uniform(n, d, low=0.05, high=0.95)) / bins
        x[0], boxes[0] = 1.0, bins - 1
        right = len({tuple(box) for box in boxes.tolist()})
        what = f"covered_fraction(x ({n}, {d}), {bins})"
        compare(expect.number(student.covered_fraction(x, bins), what) * bins**d, right, what)
    # Boxes that differ along one axis alone: one number for each box, base `bins`, is too large for 64 bits.
    d, bins = 25, draw.choice((8, 16))
    boxes = draw.integers(0, bins - 1, d).repeat(d + 1, 1)
    boxes[1:] += torch.eye(d, dtype=boxes.dtype)
    x = (boxes + draw.uniform(d + 1, d, low=0.05, high=0.95)) / bins
    what = f"covered_fraction(x ({d + 1}, {d}), {bins})"
    compare(expect.number(student.covered_fraction(x, bins), what) * bins**d, d + 1, what)
