"""t-SNE's affinities, loss and gradient, and trustworthiness.

Rows of unequal scale, so that one bandwidth for all does not pass; the entropy of each row is measured again.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from scipy.optimize import brentq
from sklearn.manifold import trustworthiness as sklearn_trustworthiness

from autograder.judge import check
from autograder.language import _


def right_affinities(x, perplexity):
    """Each row's precision by Brent's method, in float64."""
    n = len(x)
    conditional = np.zeros((n, n))
    squared = ((x[:, None] - x[None]) ** 2).sum(2).numpy()
    for i in range(n):
        others = np.arange(n) != i
        gaps = squared[i, others] - squared[i, others].min()
        gaps = gaps / gaps[gaps > 0].min()

        def weights(log_beta, gaps=gaps):
            p = np.exp(-np.exp(log_beta) * gaps)
            return p / p.sum()

        def excess(log_beta, weights=weights):
            p = weights(log_beta)
            p = p[p > 0]
            return float(-(p * np.log(p)).sum()) - math.log(perplexity)

        low = -1.0
        while excess(low) < 0:
            low -= 5
        high = low + 1
        while excess(high) > 0:
            high += 5
        conditional[i, others] = weights(brentq(excess, low, high, xtol=1e-13))
    return torch.tensor((conditional + conditional.T) / (2 * n))


def draw_points(draw, n, d):
    """Clusters of very different widths."""
    widths = torch.tensor([0.05, 1.0, 10.0], dtype=torch.float64)[torch.arange(n) % 3]
    return widths[:, None] * draw.normal(n, d) + 3 * draw.normal(3, d)[torch.arange(n) % 3]


@check(points=1, kind="exact", covers=("affinities", "tsne_affinities"))
def test_affinities(student, compare, draw):
    """Every row meets the perplexity with a precision of its own; symmetric, diagonal 0, sum 1."""
    for n, d, perplexity in ((draw.integer(18, 24), 3, draw.integer(4, 7)), (40, 2, 30.0)):
        x = draw_points(draw, n, d)
        options = {} if perplexity == 30.0 else {"perplexity": float(perplexity)}
        what = f"tsne_affinities(x ({n}, {d}), perplexity={perplexity})"
        compare(student.tsne_affinities(x, **options), right_affinities(x, float(perplexity)), what, atol=1e-9)


@check(points=0.5, kind="exact", covers=("units", "tsne_affinities"))
def test_affinities_units(student, expect, draw):
    """The affinities are the same in any unit of x, and right with a point far off."""
    n, perplexity = draw.integer(15, 20), 5.0
    x = draw_points(draw, n, 3)
    base = expect.tensor(student.tsne_affinities(x, perplexity=perplexity), (n, n), "tsne_affinities(x)")
    expect.true(
        float(base[~torch.eye(n, dtype=torch.bool)].std()) > 0.1 * float(base.mean()) > 0,
        _("tsne_affinities(x): all affinities are alike."),
    )
    for unit in (1e4, 1e-4):
        got = expect.tensor(
            student.tsne_affinities(unit * x, perplexity=perplexity), (n, n), f"tsne_affinities({unit:g} x)"
        )
        expect.true(
            bool(torch.allclose(got, base, rtol=1e-5, atol=1e-8)),
            _("tsne_affinities: the answer depends on the unit of x."),
            hint=_("The range in which a precision is looked for must follow the distances: widen it until "
                   "it holds the solution."),
            mistake="tsne_fixed_range",
        )  # fmt: skip
    x[0] = 1e3 * (1 + draw.uniform(3))
    got = expect.tensor(
        student.tsne_affinities(x, perplexity=perplexity), (n, n), "tsne_affinities with a point far off"
    )
    expect.true(
        abs(float(got.sum()) - 1) < 1e-6 and float(got[0].sum()) > 0.49 / n,
        _("tsne_affinities: a point far off has lost its neighbours."),
        hint=_("Subtract the smallest distance of a row before the exponential: all of them underflow otherwise."),
        mistake="tsne_fixed_range",
    )


def draw_affinities(draw, n):
    """Symmetric, diagonal 0, sum 1, with some exact zeros off the diagonal."""
    p = draw.uniform(n, n) ** 3
    p[draw.uniform(n, n) < 0.15] = 0.0
    p = p + p.T
    i, j = draw.shuffle(range(n))[:2]
    p[i, j] = p[j, i] = 0.0
    p.fill_diagonal_(0)
    return p / p.sum()


def right_loss(p, y):
    """KL divergence, by pairs i != j."""
    off = ~torch.eye(len(y), dtype=torch.bool)
    student = 1 / (1 + (y[:, None] - y).square().sum(2))
    q = student[off] / student[off].sum()
    return (torch.xlogy(p[off], p[off]) - torch.xlogy(p[off], q)).sum()


@check(points=0.5, kind="exact", covers=("loss", "tsne_loss"))
def test_map_loss(student, expect, compare, draw):
    """The divergence of the map's affinities, over all pairs together, zeros included."""
    for n, d in ((draw.integer(6, 9), 2), (7, draw.integer(3, 4)), (5, 1)):
        p, y = draw_affinities(draw, n), 1.5 * draw.normal(n, d)
        answer = expect.sequence(student.tsne_loss(p, y), 2, "tsne_loss(affinities, y)")
        compare(answer[0], right_loss(p, y), f"the loss of tsne_loss(P, y ({n}, {d}))")


@check(points=0.5, kind="exact", covers=("gradient", "tsne_loss"))
def test_map_gradient(student, expect, compare, draw):
    """The gradient of the divergence in the points of the map."""
    for n, d in ((draw.integer(6, 9), 2), (7, draw.integer(3, 4)), (5, 1)):
        p, y = draw_affinities(draw, n), (1.5 * draw.normal(n, d)).requires_grad_()
        (right,) = torch.autograd.grad(right_loss(p, y), y)
        answer = expect.sequence(student.tsne_loss(p, y.detach()), 2, "tsne_loss(affinities, y)")
        compare(answer[1], right, f"the gradient of tsne_loss(P, y ({n}, {d}))")


@check(points=1, kind="exact", covers=("trust", "trustworthiness"))
def test_trust(student, expect, compare, draw):
    """Neighbours of the map are charged by their ranks in the data; 1 where the map is the data."""
    for k, options in ((5, {}), (3, {"k": 3})):
        n = draw.integer(20, 30)
        x = draw.normal(n, 4)
        y = x[:, :2] + 0.7 * draw.normal(n, 2)
        right = float(sklearn_trustworthiness(x.numpy(), y.numpy(), n_neighbors=k))
        got = expect.number(student.trustworthiness(x, y, **options), f"trustworthiness(x, y, k={k})")
        compare(got, right, f"trustworthiness(x ({n}, 4), y ({n}, 2), k={k})")
        compare(expect.number(student.trustworthiness(x, 3 * x, **options)), 1.0, f"trustworthiness(x, 3 x, k={k})")
