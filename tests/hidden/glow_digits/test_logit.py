"""The way from the box to all real numbers and back, with its log-determinants."""

import math

import torch

from autograder.judge import check
from autograder.language import _


def images(draw, alpha=0.0):
    """Images (B, C, H, W) of different sides in (0, 1), and nothing special about them."""
    sides = draw.shuffle([2, 3, 4])
    return draw.uniform(draw.integer(4, 7), draw.integer(1, 3), *sides[:2], low=0.02, high=0.98)


def margins(draw):
    """Margins: none, the usual one, two of the draw's."""
    return [0.0, 0.05, *(float(v) for v in draw.uniform(2, low=0.08, high=0.4))]


def slope(y, alpha):
    """Σ log dx/dy for each image."""
    p = alpha + (1 - 2 * alpha) * y
    return ((1 - 2 * alpha) / (p * (1 - p))).log().flatten(1).sum(1)


@check(points=0.5, kind="exact", covers=("logit", "logit_transform"))
def test_logit_value(student, expect, compare, draw):
    """The box is stretched by the logit of α + (1 - 2α) y."""
    for alpha in margins(draw):
        y = images(draw)
        what = f"logit_transform(y, alpha={alpha:.4g})"
        answer = expect.sequence(student.logit_transform(y, alpha=alpha), 2, what)
        p = alpha + (1 - 2 * alpha) * y
        compare(answer[0], (p / (1 - p)).log(), what=f"{what}[0]")
    edge = torch.tensor([0.0, 1.0, 0.25, 1.0], dtype=torch.float64).reshape(1, 1, 2, 2)
    x = expect.sequence(student.logit_transform(edge), 2, "logit_transform(y)")[0]
    p = 0.05 + 0.9 * edge
    compare(x, (p / (1 - p)).log(), what=_("logit_transform(y)[0] with y = 0 and y = 1, at the default alpha"))


@check(points=0.5, kind="exact", covers=("logit_log_det", "logit_transform"))
def test_logit_log_det(student, probe, expect, compare, draw):
    """The log-determinant of the logit is that of its Jacobian, one number per image."""
    for alpha in margins(draw):
        y = images(draw)
        what = f"logit_transform(y, alpha={alpha:.4g})"
        x, log_det = expect.sequence(student.logit_transform(y, alpha=alpha), 2, what)
        x = expect.tensor(x, y.shape, what)
        expect.true(float(x.std()) > 1e-6, _("{what}: the answer is the same for every y.").format(what=what))
        compare(
            log_det,
            slope(y, alpha),
            what=f"{what}[1]",
            hint=_("Σ log dx/dy over channels and pixels: with p = α + (1-2α) y it is Σ log((1-2α) / (p (1-p)))."),
        )


@check(points=0.25, kind="exact", covers=("inverse_logit", "inverse_logit_transform"))
def test_inverse_logit_value(student, expect, compare, draw):
    """The way back is (sigmoid(x) - α) / (1 - 2α), not clamped."""
    for alpha in margins(draw):
        x = 3 * draw.normal(*images(draw).shape)
        what = f"inverse_logit_transform(x, alpha={alpha:.4g})"
        answer = expect.sequence(student.inverse_logit_transform(x, alpha=alpha), 2, what)
        compare(answer[0], (x.sigmoid() - alpha) / (1 - 2 * alpha), what=f"{what}[0]")
    x = 5 * draw.normal(3, 1, 2, 2)
    answer = expect.sequence(student.inverse_logit_transform(x), 2, "inverse_logit_transform(x)")
    compare(answer[0], (x.sigmoid() - 0.05) / 0.9, what=_("inverse_logit_transform(x)[0] at the default alpha"))


@check(points=0.25, kind="exact", covers=("inverse_logit", "inverse_logit_transform"))
def test_inverse_logit_log_det(student, expect, compare, draw):
    """The log-determinant of the way back is minus that of the logit there."""
    for alpha in margins(draw):
        x = 2 * draw.normal(*images(draw).shape)
        what = f"inverse_logit_transform(x, alpha={alpha:.4g})"
        answer, log_det = expect.sequence(student.inverse_logit_transform(x, alpha=alpha), 2, what)
        answer = expect.tensor(answer, x.shape, what)
        expect.true(float(answer.std()) > 1e-6, _("{what}: the answer is the same for every x.").format(what=what))
        right = (x.sigmoid() * (-x).sigmoid()).log().flatten(1).sum(1) - x[0].numel() * math.log(1 - 2 * alpha)
        compare(log_det, right, what=f"{what}[1]")
