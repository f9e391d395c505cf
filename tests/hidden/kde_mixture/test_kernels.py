"""Kernel density estimates: values, leaving one out, the bandwidth, draws.

In one dimension, with bandwidth 1 or one datum, many mistakes are right: no check uses these alone.
"""

from __future__ import annotations

import math

import torch
from scipy import stats

from autograder.judge import CheckFailed, check
from autograder.judge.verdicts import StudentError
from autograder.language import _
from autograder.statistics import tests

ALPHA = 1e-6
SIZES = ((1, 6, 9), (2, 7, 5), (3, 1, 8), (5, 4, 1))  # d, B, n


def right_log_prob(x, data, bandwidth):
    """The kernel estimate from torch.distributions."""
    bumps = torch.distributions.Normal(data, bandwidth).log_prob(x[:, None, :]).sum(-1)
    return torch.logsumexp(bumps, 1) - math.log(len(data))


def draw_bandwidth(draw):
    """Far from 1, where a variance is a standard deviation."""
    return round(float(draw.choice([draw.uniform(1, low=0.3, high=0.7), draw.uniform(1, low=1.5, high=2.5)])), 3)


@check(points=1, kind="exact", covers=("kernel", "kde_log_prob"))
def test_kernel_value(student, compare, draw):
    """The log-density of the kernel estimate, normalised, in any dimension."""
    for d, batch, n in SIZES:
        h = draw_bandwidth(draw)
        x, data = draw.normal(batch, d), draw.normal(n, d)
        what = f"kde_log_prob(x ({batch}, {d}), data ({n}, {d}), {h})"
        compare(student.kde_log_prob(x, data, h), right_log_prob(x, data, h), what)


@check(points=0.5, kind="exact", covers=("kernel_far", "kde_log_prob"))
def test_kernel_far(student, compare, expect, draw):
    """Hundreds of bandwidths away from all data the log-density is finite, and of the right size.

    Only the size is judged, so that a wrong constant, which another check sees, costs nothing here.
    """
    d, batch, h = draw.integer(2, 3), draw.integer(3, 5), draw_bandwidth(draw)
    data, way = draw.normal(draw.integer(4, 8), d), draw.normal(batch, d)
    x = (150 + 150 * draw.uniform(batch, 1)) * h * way / way.norm(dim=1, keepdim=True)
    what = f"kde_log_prob(x, data, {h}) hundreds of bandwidths away"
    got = expect.tensor(
        student.kde_log_prob(x, data, h), (batch,), what,
        hint=_("There every bump is 0 in floating point, and log(0) is -inf: use torch.logsumexp."),
    )  # fmt: skip
    right = right_log_prob(x, data, h)
    if not torch.allclose(got, right, rtol=2e-3):
        compare(got, right, what)


def own_leave_one_out(student, expect, data, others, h):
    """The same from the student's own kde_log_prob, whose fault has cost its points, or None."""
    try:
        answers = [student.kde_log_prob(data[j : j + 1], others[j], h) for j in range(len(data))]
        own = torch.stack([expect.tensor(answer, (1,), "kde_log_prob(...)", finite=False)[0] for answer in answers])
    except (CheckFailed, StudentError):
        return None
    right = torch.stack([right_log_prob(data[j : j + 1], others[j], h)[0] for j in range(len(data))])
    columns = torch.stack([own, right])[:, own.isfinite()]  # far from all others it may underflow
    columns = columns - columns.mean(1, keepdim=True)
    # Two points are as far from each other as from each other: nothing to follow there.
    follows = columns.shape[1] > 2 and float(columns.prod(0).sum()) > 0.5 * float(columns.norm(dim=1).prod())
    return float(own.mean()) if follows else None


@check(points=1, kind="exact", covers=("leave_one_out", "leave_one_out_log_likelihood"))
def test_leave_one_out(student, expect, compare, draw):
    """Each point is judged by the others alone, and the mean runs over the points; one may be far from all others."""
    for d, n, away in ((1, 7, 0), (2, draw.integer(5, 9), 0), (4, 3, 0), (2, 6, 60)):
        h, data = draw_bandwidth(draw), draw.normal(n, d)
        if away:  # bandwidths, where every other bump underflows
            data[0] = data[1:].mean(0) + away * h * torch.nn.functional.normalize(draw.normal(d), dim=0)
        others = [data[[i for i in range(n) if i != j]] for j in range(n)]
        right = torch.stack([right_log_prob(data[j : j + 1], others[j], h)[0] for j in range(n)]).mean()
        got = expect.number(student.leave_one_out_log_likelihood(data, h))
        own = own_leave_one_out(student, expect, data, others, h)
        if own is not None and math.isclose(got, own, rel_tol=1e-6):
            continue
        compare(got, right, f"leave_one_out_log_likelihood(data ({n}, {d}), {h})")


def right_leave_one_out(data, bandwidth):
    """The leave-one-out likelihood, all points at once."""
    bumps = torch.distributions.Normal(data, bandwidth).log_prob(data[:, None, :]).sum(-1)
    bumps.fill_diagonal_(-math.inf)
    return float(torch.logsumexp(bumps, 1).mean())


def own_best(student, expect, data, scores):
    """The best candidate by the student's own leave-one-out values, and whether these follow the right ones."""
    try:
        own = {h: expect.number(student.leave_one_out_log_likelihood(data, h)) for h in scores}
    except (CheckFailed, StudentError):
        return None, False
    columns = torch.tensor([list(own.values()), list(scores.values())])
    columns = columns - columns.mean(1, keepdim=True)
    follows = float(columns.prod(0).sum()) > 0.5 * float(columns.norm(dim=1).prod())
    return max(own, key=own.__getitem__), follows


@check(points=0.5, kind="exact", covers=("bandwidth", "select_bandwidth"))
def test_bandwidth(student, expect, draw):
    """The candidate with the largest leave-one-out likelihood, wherever it stands among them, list or tensor."""
    for as_tensor in (False, True):
        for scale in (1.0, 20.0):
            data = scale * draw.normal(draw.integer(25, 40), draw.integer(1, 2))
            start = scale * float(draw.uniform(1, low=0.02, high=0.04))
            # A factor 2 apart: the curve is flat at its top.
            candidates = draw.shuffle([start * 2**k for k in range(9)])
            scores = {h: right_leave_one_out(data, h) for h in candidates}
            best = max(scores, key=scores.__getitem__)
            if sorted(scores.values())[-1] - sorted(scores.values())[-2] < 1e-6:
                continue
            own, follows = own_best(student, expect, data, scores)
            given = torch.tensor(candidates, dtype=torch.float64) if as_tensor else candidates
            got = expect.number(student.select_bandwidth(data, given), "select_bandwidth(data, bandwidths)")
            expect.true(
                any(abs(got - h) <= 1e-6 * h for h in candidates),
                _("select_bandwidth(data, bandwidths): the answer is none of the candidates."),
            )
            as_own = own is not None and abs(got - own) <= 1e-6 * own
            expect.true(
                abs(got - best) <= 1e-6 * best or (as_own and follows),
                _("select_bandwidth(data, bandwidths): another candidate has a larger leave-one-out likelihood."),
                hint=_("It is the best one by your own leave_one_out_log_likelihood: look there first.")
                if as_own
                else None,
            )


def two_sided(statistic, freedom):
    """p-value of a chi-square statistic that may be too large or too small."""
    return min(1.0, 2 * min(stats.chi2.sf(statistic, freedom), stats.chi2.cdf(statistic, freedom)))


@check(points=1, kind="statistical", covers=("kernel_draws", "kde_sample"))
def test_kernel_draws(student, expect, draw):
    """Draws are data points, chosen with replacement, plus independent normal noise of standard deviation h."""
    d, k, n = draw.integer(2, 3), 40, 3000
    h = draw_bandwidth(draw)
    # Tens of bandwidths apart, so that the point behind each draw can be read off.
    corners = torch.cartesian_prod(*[torch.arange(7.0)] * d).double()
    data = 40 * h * (corners[torch.randperm(len(corners), generator=draw.generator())[:k]] + draw.normal(d))
    what = f"kde_sample(data, {h}, {n})"
    x = expect.tensor(student.kde_sample(data, h, n, generator=draw.generator()), (n, d), what)
    distances, rows = torch.cdist(x, data).min(1)
    expect.true(
        bool((distances < 12 * h * math.sqrt(d)).all()),
        _("{what}: some draws lie far from every data point.").format(what=what),
    )
    expect.true(
        bool((distances > 1e-9 * h).all()),
        _("{what}: some draws are data points themselves.").format(what=what),
        hint=_("Add normal noise of standard deviation h: a draw from one bump, not its centre."),
        mistake="sample_is_resampling",
    )
    noise = (x - data[rows]) / h
    counts = torch.bincount(rows, minlength=k).double()
    expect.p_value(
        two_sided(float(((counts - n / k) ** 2).sum() / (n / k)), k - 1),
        _("how often {what} chooses each data point").format(what=what),
        alpha=ALPHA,
        hint=_("Each draw chooses its point by itself, with replacement: neither in turn nor without repeats."),
    )
    spread = noise.square().mean().sqrt()
    p = min(
        tests.mean_test(noise, torch.zeros(d), torch.eye(d)),
        tests.covariance_test(noise, torch.eye(d)),
        tests.standard_normal_test(noise.reshape(-1)),
        # Neighbouring rows, and neighbouring choices, are independent.
        tests.mean_test((noise[1:] * noise[:-1]).mean(1) * math.sqrt(d), 0.0, 1.0),
    )
    expect.p_value(
        min(1.0, 4 * p),
        _("the noise of {what}").format(what=what),
        alpha=ALPHA,
        mistake="sample_noise_variance" if abs(float(spread) / h - 1) < 0.05 else None,
    )
    what = f"kde_sample(data ({k}, {d}), h, {k})"
    few = expect.tensor(student.kde_sample(data, h, k, generator=draw.generator()), (k, d), what)
    chosen = len(torch.cdist(few, data).min(1).indices.unique())
    expect.true(
        chosen < k,  # of right samples, one in 10^16 has every point once
        _("{what} chooses every data point exactly once: points are drawn with replacement.").format(what=what),
        mistake="sample_without_replacement",
    )
