"""Diversity and the report on collapse, on crafted samples whose mode stands in their first coordinate."""

from __future__ import annotations

import math

import torch

from autograder.judge import check
from autograder.language import _

INF = float("inf")


def cloud(draw, counts, spread, dim):
    """Rows of each mode as often as counted, in any order; the mode in the first coordinate."""
    modes = torch.tensor(draw.shuffle([k for k, n in enumerate(counts) for _row in range(n)]), dtype=torch.float64)
    x = spread * draw.normal(len(modes), dim)
    x[:, 0] = modes + 0.2 * (draw.uniform(len(modes)) - 0.5)
    return x


def mean_distance(x):
    """Of the pairs of rows."""
    return (x[:, None] - x[None]).norm(dim=2).sum() / (len(x) * (len(x) - 1))


def reported(expect, report, key):
    """An entry of the report."""
    expect.true(
        isinstance(report, dict) and key in report,
        _("collapse_report(...): expected a dict with the key {key!r}.").format(key=key),
    )
    return report[key]


@check(points=0.25, covers=("diversity",))
def test_diversity_value(student, compare, draw):
    """Diversity is the mean Euclidean distance of the pairs of different rows."""
    for n in (2, draw.integer(5, 9), draw.integer(30, 40)):
        x = draw.normal(n, draw.integer(2, 6)) * 3 + 1
        compare(student.diversity(x), mean_distance(x))


@check(points=0.5, covers=("report", "callable", "collapse_report"))
def test_report_covered_callable(student, probe, expect, draw):
    """A mode of the data is covered when its share in the samples reaches the threshold, with any classifier."""
    dim, classify = draw.integer(3, 5), probe.first_coordinate()
    # 200 rows of data and 400 samples. Each mistake counts another number of modes already in the first case.
    data = [60, 50, 40, 30, 20, 0]
    for threshold, samples, due in (
        (0.1, [200, 148, 2, 2, 0, 48], 2),
        (0.1, [200, 130, 20, 20, 0, 30], 4),
        (0.8, [200, 70, 90, 0, 10, 30], 2),
        (0.0, [200, 190, 6, 4, 0, 0], 4),
    ):
        order = draw.shuffle(range(6))
        shares = [[counts[k] for k in order] for counts in (data, samples)]
        real, fake = (cloud(draw, counts, 1.0, dim) for counts in shares)
        options = {} if threshold == 0.1 and draw.choice((True, False)) else {"threshold": threshold}
        report = student.collapse_report(fake, real, classify, 6, **options)
        covered = expect.number(reported(expect, report, "covered"), 'collapse_report(...)["covered"]')
        expect.true(
            covered == due,
            _('collapse_report(...)["covered"]: the number of covered modes is not right.'),
            hint=_("Modes with r_k > 0, s_k > 0 and s_k ≥ threshold · r_k, all three."),
        )


@check(points=0.25, covers=("report", "collapse_report"))
def test_report_divergence(student, probe, compare, draw, expect):
    """The divergence is Σ s_k log(s_k / r_k) of samples and data, finite where modes are missing."""
    dim, classify = draw.integer(3, 5), probe.first_coordinate()
    for missing, outside in ((True, False), (False, False), (False, True)):
        m = draw.integer(4, 6)
        data = [draw.integer(8, 40) for _k in range(m)] + [0]
        samples = [draw.integer(5, 60) for _k in range(m)] + [draw.integer(3, 9) if outside else 0]
        if missing:
            samples[draw.integer(0, m - 1)] = 0
        real, fake = cloud(draw, data, 1.0, dim), cloud(draw, samples, 1.0, dim)
        s, r = (torch.tensor(counts, dtype=torch.float64) / sum(counts) for counts in (samples, data))
        due = INF if outside else float(sum(a * math.log(a / b) for a, b in zip(s, r, strict=True) if a > 0))
        report = student.collapse_report(fake, real, classify, m + 1)
        compare(
            reported(expect, report, "kl"), torch.tensor(due, dtype=torch.float64),
            what='collapse_report(...)["kl"]', rtol=1e-5, atol=1e-6,
            hint=_("Shares of samples over shares of data; a mode without samples adds nothing."),
        )  # fmt: skip


@check(points=0.5, covers=("report", "collapse_report"))
def test_report_verdict(student, probe, expect, draw):
    """Diversity is relative to the data's; collapsed is fewer than half of the modes, or diversity below 0.5."""
    dim, classify = draw.integer(3, 5), probe.first_coordinate()
    cases = (
        ([30, 30, 30, 30, 0], [30, 35, 25, 30, 0], 1.0, False),  # fine
        ([30, 30, 30, 30, 0], [60, 60, 0, 0, 0], 1.0, False),  # exactly half
        ([30, 30, 30, 30, 0], [120, 0, 0, 0, 0], 1.0, True),  # one mode, as varied as the data
        ([30, 30, 30, 30, 0], [30, 35, 25, 30, 0], 0.05, True),  # all modes, each shrunk
        ([30, 30, 30, 30, 0], [120, 0, 0, 0, 0], 0.05, True),  # both
    )
    for data, samples, spread, due in draw.shuffle(cases):
        order = draw.shuffle(range(5))
        real, fake = (
            cloud(draw, [counts[k] for k in order], 20 * width, dim)
            for counts, width in ((data, 1.0), (samples, spread))
        )
        report = student.collapse_report(fake, real, classify, 5)
        ratio = expect.number(reported(expect, report, "diversity"), 'collapse_report(...)["diversity"]')
        accepted = [float(mean_distance(fake) / mean_distance(real))]
        try:  # what the student's own function says is right here
            own = [expect.number(student.diversity(x), "diversity", low=1e-9, high=1e9) for x in (fake, real)]
            if abs(own[0] - own[1]) > 1e-6 * own[1]:
                accepted.append(own[0] / own[1])
        except AssertionError:
            pass
        expect.true(
            any(abs(ratio - value) < 1e-5 * (1 + value) for value in accepted),
            _('collapse_report(...)["diversity"]: this is not the diversity of samples over that of data.'),
        )
        verdict = expect.flag(reported(expect, report, "collapsed"), 'collapse_report(...)["collapsed"]')
        expect.true(
            verdict == due,
            _('collapse_report(...)["collapsed"]: the verdict is not right.'),
            hint=_("Fewer than half of the modes that the data have, or diversity below 0.5: one of both is enough."),
        )
