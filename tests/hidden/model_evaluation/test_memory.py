"""Memory and generalisation: ratios of distances, agreement of two models.

More than 25 training images, so that the matrix form of torch.cdist shows; training sets of different sizes, so that a
wrong centre does.
"""

from __future__ import annotations

import torch

from autograder.judge import check
from autograder.language import _


@check(points=1, kind="exact", covers=("ratio", "memorisation_ratio"))
def test_ratio(student, expect, compare, draw):
    """Nearest over second nearest distance; exactly 0 for a copy, also of an image that is there twice."""
    d, n = draw.integer(6, 12), draw.integer(40, 55)
    train = 3 + draw.normal(n, d)
    train[1] = train[0]
    new = 3 + draw.normal(draw.integer(30, 40), d)
    near = train[5:9] + 0.05 * draw.normal(4, d)
    copies = train[[0, 1, *range(9, 34)]]  # so many that a matrix product is not 0 for all of them by chance
    samples = torch.cat([new, near, copies])
    rows = (samples[:, None] - train).norm(dim=2).sort(dim=1).values
    right = rows[:, 0] / rows[:, 1]
    right[-len(copies) :] = 0.0
    what = f"memorisation_ratio(samples ({len(samples)}, {d}), train ({n}, {d}))"
    got = expect.tensor(student.memorisation_ratio(samples, train), (len(samples),), what, finite=False)
    of_copies = got[-len(copies) :]
    nearly = bool(((of_copies != 0) & (of_copies.abs() < 1e-3)).any())
    expect.true(
        bool((of_copies == 0).all()),
        _("{what}: the ratio of a copy is not exactly 0.").format(what=what),
        hint=_("Equal rows have the distance 0 only where differences are squared, not in |x|² + |y|² - 2 x·y; and a "
               "copy of an image that is there twice is 0/0, which is 0 here."),
        mistake="ratio_nan_for_copies" if bool(of_copies.isnan().any()) else "ratio_by_matrix_form" if nearly else None,
    )  # fmt: skip
    compare(got, right, what)


def right_agreement(a, b, train_a, train_b):
    """Mean cosines, after the mean of all training rows is subtracted."""
    centre = torch.cat([train_a, train_b]).mean(0)

    def cosines(x, y):
        return torch.nn.functional.cosine_similarity(x[:, None] - centre, y - centre, dim=2)

    agreement = cosines(a, b).diagonal().mean()
    memory = (cosines(a, train_a).max(1).values.mean() + cosines(b, train_b).max(1).values.mean()) / 2
    return float(agreement), float(memory)


def agreed(student, expect, draw, turned=False):
    """What came, and the right pair, for two small models."""
    d = draw.integer(4, 7)
    train_a, train_b = 2 + draw.normal(draw.integer(9, 12), d), 1.5 + draw.normal(draw.integer(4, 6), d)
    n = draw.integer(5, 8)
    a = train_a[:n].repeat(2, 1)[:n] + 0.4 * draw.normal(n, d)
    b = 0.6 * a + 0.4 * train_b[:n].repeat(2, 1)[:n] + 0.3 * draw.normal(n, d)
    if turned:  # a pair that looks away from each other
        b[0] = 2 * torch.cat([train_a, train_b]).mean(0) - b[0]
    answer = student.model_agreement(a, b, train_a, train_b)
    got = [
        expect.number(v) for v in expect.sequence(answer, 2, "model_agreement(samples_a, samples_b, train_a, train_b)")
    ]
    return got, right_agreement(a, b, train_a, train_b)


@check(points=0.5, kind="exact", covers=("agreement", "model_agreement"))
def test_agreement(student, expect, compare, draw):
    """The mean cosine of pairs that come from one noise, around the mean of both training sets."""
    for turned in (False, True):
        got, right = agreed(student, expect, draw, turned)
        compare(got[0], right[0], "the agreement of model_agreement(...)")


@check(points=0.5, kind="exact", covers=("memory", "model_agreement"))
def test_memory(student, expect, compare, draw):
    """The mean cosine to the nearest image of the model's own training set, over both models."""
    for turned in (False, True):
        got, right = agreed(student, expect, draw, turned)
        compare(got[1], right[1], "the memory of model_agreement(...)")
