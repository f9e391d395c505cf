"""Hidden checks of the toy."""

import torch

from autograder.judge import check

from .samples import sampled


@check(points=2, covers="mean")
def test_mean_value(student, reference, compare, draw):
    """The mean of each row is right."""
    n = draw.integer(3, 6)
    x = draw.normal(n, n + 1)
    compare(student.mean(x), reference.mean(x))


@check(points=1, covers="mean")
def test_mean_refuses(student, expect, draw):
    """A tensor of another dimension is refused."""
    expect.raises(ValueError, student.mean, draw.normal(4), what="mean of a vector")


@check(points=2, requires=("mean_value",), covers="spread")
def test_spread_value(student, reference, compare, draw):
    """The spread of each row is right."""
    x = draw.normal(4, 5)
    compare(student.spread(x), reference.spread(x))


@check(points=2)
def test_line(student, probe, expect, compare, draw):
    """The line is affine."""
    line = student.Line()
    line = line.double()
    x, y = draw.normal(5), draw.normal(5)
    f = [expect.tensor(line(v), (5,), what="Line()(x)") for v in (x, y, x + y, 0 * x)]
    compare(f[0] + f[1], f[2] + f[3], what="f(x) + f(y) against f(x + y) + f(0)")
    compare(probe.twice(line, x), 2 * f[0], what="twice Line()(x)")


@check(points=1, kind="statistical", covers="law")
def test_sample_law(student, expect, draw):
    """Samples follow N(0, 1)."""
    from scipy import stats

    x = sampled(student, expect, draw)
    expect.p_value(float(stats.kstest(x.numpy(), "norm").pvalue), "sample(500)", hint="Look at its law.")


@check(points=1, kind="statistical")
def test_sample_spread(student, expect, calibrated, draw):
    """Samples are spread as they should."""
    x = sampled(student, expect, draw)
    calibrated("sample_mean", float(x.mean().abs()), "lower", what="the mean of 500 samples")
