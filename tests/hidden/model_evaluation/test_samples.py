"""Kernel inception distance, inception score, precision and recall.

Clouds of different sizes, real and fake told apart by every measure, no ties.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
from scipy import stats

from autograder.judge import check
from autograder.language import _


def right_kid(real, fake):
    """The unbiased estimate, pair by pair of different samples."""

    def kernel(x, y):
        return (x @ y.T / x.shape[1] + 1) ** 3

    def within(x):
        off = ~torch.eye(len(x), dtype=torch.bool)
        return kernel(x, x)[off].mean()

    return within(real) + within(fake) - 2 * kernel(real, fake).mean()


@check(points=1, kind="exact", covers=("kid", "kernel_inception_distance"))
def test_kid(student, compare, draw):
    """The unbiased squared discrepancy with the cubic kernel: sets of different sizes, negative values too."""
    n, m, f = draw.integer(8, 12), draw.integer(4, 6), draw.integer(3, 5)
    real, fake = draw.normal(n, f), draw.normal(m, f) + 0.5
    compare(
        student.kernel_inception_distance(real, fake), right_kid(real, fake), f"kernel_inception_distance, n {n}, m {m}"
    )
    for _try in range(200):  # equal laws: half of the values are negative
        real, fake = draw.normal(n, f), draw.normal(m, f)
        if float(right_kid(real, fake)) < -0.05:
            break
    compare(
        student.kernel_inception_distance(real, fake), right_kid(real, fake), "kernel_inception_distance of equal laws"
    )


def right_scores(probabilities, splits):
    """exp of the mean Kullback-Leibler divergence of each part, by SciPy's entropy."""
    parts = np.split(probabilities.numpy(), splits)
    return [float(np.exp(np.mean([stats.entropy(row, part.mean(0)) for row in part]))) for part in parts]


def draw_probabilities(draw, n, k):
    """Rows between sure and unsure, one class rarer than the others, some exact zeros."""
    p = torch.softmax(3 * draw.normal(n, k) - torch.arange(k) / 2, 1)
    p[0] = 0.0
    p[0, draw.integer(0, k - 1)] = 1.0
    return p


@check(points=1, kind="exact", covers=("score", "inception_score"))
def test_score(student, expect, compare, draw):
    """The score of one part, zeros included; 1 for constant rows and the number of classes for one-hot rows."""
    n, k = draw.integer(8, 14), draw.integer(3, 5)
    constant = torch.softmax(draw.normal(k), 0).expand(n, k).clone()
    one_hot = torch.eye(k, dtype=torch.float64).repeat(3, 1)
    cases = (
        (draw_probabilities(draw, n, k), None, "inception_score(probabilities)"),
        (constant, 1.0, "inception_score of constant rows"),
        (one_hot, float(k), "inception_score of one-hot rows"),
    )
    for p, right, what in cases:
        mean, std = expect.sequence(student.inception_score(p), 2, what)
        compare(mean, right_scores(p, 1)[0] if right is None else right, f"the mean of {what}")
        compare(std, 0.0, f"the std of {what}", atol=1e-7)


@check(points=0.5, kind="exact", covers=("splits", "inception_score"))
def test_score_splits(student, expect, compare, draw):
    """Consecutive parts, each with its own marginal; mean and population deviation over the parts."""
    k, splits, size = draw.integer(3, 5), draw.integer(2, 4), draw.integer(4, 6)
    # The parts favour different classes, so that a common marginal shows.
    p = torch.cat([torch.softmax(2 * draw.normal(size, k) + 3 * torch.eye(k)[i % k], 1) for i in range(splits)])
    what = f"inception_score(probabilities ({splits * size}, {k}), splits={splits})"
    mean, std = expect.sequence(student.inception_score(p, splits=splits), 2, what)
    scores = right_scores(p, splits)
    try_mean, try_std = float(np.mean(scores)), float(np.std(scores))
    compare(mean, try_mean, f"the mean of {what}")
    compare(std, try_std, f"the std of {what}")


def right_measures(real, fake, k):
    """Precision, recall, density and coverage, point by point."""

    def radius(x, i):
        return sorted(float((x[i] - x[j]).norm()) for j in range(len(x)) if j != i)[k - 1]

    real_radii = [radius(real, i) for i in range(len(real))]
    fake_radii = [radius(fake, i) for i in range(len(fake))]
    between = torch.cdist(real, fake, compute_mode="donot_use_mm_for_euclid_dist")
    in_real = between <= torch.tensor(real_radii, dtype=torch.float64)[:, None]
    in_fake = between <= torch.tensor(fake_radii, dtype=torch.float64)[None, :]
    return {
        "precision": float(in_real.any(0).double().mean()),
        "recall": float(in_fake.any(1).double().mean()),
        "density": float(in_real.double().sum(0).mean() / k),
        "coverage": float(in_real.any(1).double().mean()),
    }


def draw_clouds(draw, k):
    """Two clouds that overlap in part, of different sizes, whose four measures are all different."""
    for _try in range(200):
        n, m, f = draw.integer(28, 36), draw.integer(18, 24), 2
        real = draw.normal(n, f) * torch.tensor([1.0, 2.0]).double()
        fake = draw.normal(m, f) * torch.tensor([1.6, 0.6]).double() + torch.tensor([0.8, 0.0]).double()
        right = right_measures(real, fake, k)
        values = sorted(right.values())
        if min(b - a for a, b in pairwise(values)) > 0.02 and values[0] > 0.2 and values[-1] < 0.98:
            break
    return real, fake, right


def measured(student, expect, compare, draw, keys):
    """Compare some of the four measures, for two values of k."""
    for k, options in ((5, {}), (3, {"k": 3})):
        real, fake, right = draw_clouds(draw, k)
        answer = student.precision_recall(real, fake, **options)
        what = f"precision_recall(real ({len(real)}, 2), fake ({len(fake)}, 2), k={k})"
        for key in keys:
            expect.true(
                isinstance(answer, dict) and key in answer, _("{what}: no key {key!r}.").format(what=what, key=key)
            )
            got = expect.number(answer[key], f'{what}["{key}"]')
            compare(got, right[key], f'{what}["{key}"]')


@check(points=1, kind="exact", covers=("manifolds", "precision_recall"))
def test_precision_recall(student, expect, compare, draw):
    """Precision and recall: balls to the k-th other point of the own cloud."""
    measured(student, expect, compare, draw, ("precision", "recall"))


@check(points=1, kind="exact", covers=("density", "precision_recall"))
def test_density_coverage(student, expect, compare, draw):
    """Density and coverage: both with the balls of the reals."""
    measured(student, expect, compare, draw, ("density", "coverage"))
