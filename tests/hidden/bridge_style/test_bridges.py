"""The bridge of two Gaussians, Brownian bridges between points, and pairs drawn from a plan.

False-fail rate: each p-value below fails a correct solution with probability ALPHA. Smallest differences: a covariance
of two times off by 8 % of its own scale; a pair's probability off by 0.02.
"""

from __future__ import annotations

import math

import torch

from autograder.judge import check
from autograder.language import _
from autograder.statistics import tests

ALPHA = 1e-6


def root_of(matrix):
    """Symmetric root of a positive definite matrix."""
    values, vectors = torch.linalg.eigh(matrix)
    return vectors @ torch.diag(values.sqrt()) @ vectors.T


def draw_covariances(draw, d):
    """Two positive definite matrices that do not commute."""
    while True:
        bases = [torch.linalg.qr(draw.normal(d, d)).Q for _k in range(2)]
        first, second = (q @ torch.diag(draw.uniform(d, low=0.3, high=3.0)) @ q.T for q in bases)
        if float((first @ second - second @ first).norm()) > 0.3:
            return first, second


def cross_covariance(cov0, cov1, sigma):
    """Cov(X_0, X_1), held against what characterises it: the joint precision's off-diagonal block is -I/σ²."""
    d, root = len(cov0), root_of(cov0)
    eye = torch.eye(d, dtype=torch.float64)
    inner = root_of(4 * root @ cov1 @ root + sigma**4 * eye)
    cross = 0.5 * (root @ inner @ torch.linalg.inv(root) - sigma**2 * eye)
    if sigma > 0.3:
        joint = torch.cat([torch.cat([cov0, cross], 1), torch.cat([cross.T, cov1], 1)])
        block = torch.linalg.inv(joint)[:d, d:]
        if not torch.allclose(block, -eye / sigma**2, rtol=1e-6, atol=1e-6):
            raise RuntimeError("the oracle's joint law is not the bridge's")
    return cross


@check(points=1.25, covers=("gaussian", "gaussian_bridge"))
def test_gaussian_bridge(student, expect, compare, draw):
    """Means and covariances of the bridge of two Gaussians, at its ends and between, for small and large sigma."""
    for sigma in (round(float(draw.uniform(1, low=0.7, high=1.6)), 2), 0.05, 4.0):
        d = draw.integer(2, 4)
        cov0, cov1 = draw_covariances(draw, d)
        mean0, mean1 = draw.normal(d), draw.normal(d)
        cross = cross_covariance(cov0, cov1, sigma)
        for t in (round(float(draw.uniform(1, low=0.2, high=0.8)), 2), 0.0, 1.0):
            what = f"gaussian_bridge(mean0, cov0, mean1, cov1, {sigma}, {t})"
            answer = expect.sequence(student.gaussian_bridge(mean0, cov0, mean1, cov1, sigma, t), 2, what)
            compare(answer[0], (1 - t) * mean0 + t * mean1, _("mean of {what}").format(what=what))
            spread = cross + cross.T + sigma**2 * torch.eye(d, dtype=torch.float64)
            right = (1 - t) ** 2 * cov0 + t**2 * cov1 + t * (1 - t) * spread
            compare(answer[1], right, _("covariance of {what}").format(what=what), rtol=1e-5, atol=1e-6)


def ends(draw, rows, d):
    return draw.normal(rows, d), 2 * draw.normal(rows, d) + 1


@check(points=0.5, covers=("bridge", "bridge_interpolate"))
def test_bridge_interpolate(student, compare, draw):
    """Brownian bridges at one time for all rows, and at a time for each."""
    rows, d, sigma = draw.integer(4, 7), draw.integer(2, 3), round(float(draw.uniform(1, low=0.4, high=2.5)), 2)
    x0, x1 = ends(draw, rows, d)
    noise, each_time = draw.normal(rows, d), draw.uniform(rows, low=0.05, high=0.95)
    each_time[:2] = torch.tensor([0.0, 1.0])
    for t in (round(float(draw.uniform(1, low=0.1, high=0.9)), 3), 0.0, 1.0, each_time):
        column = t[:, None] if isinstance(t, torch.Tensor) else torch.tensor(t).double()
        right = (1 - column) * x0 + column * x1 + sigma * (column * (1 - column)).sqrt() * noise
        what = "t (B,)" if isinstance(t, torch.Tensor) else f"{t}"
        compare(
            student.bridge_interpolate(x0, x1, t, sigma, noise), right,
            f"bridge_interpolate(x0, x1, {what}, {sigma}, noise)", rtol=1e-5,
        )  # fmt: skip


def right_path(x0, x1, times, sigma, noise):
    x, s, frames = x0, 0.0, []
    for t, xi in zip(times.tolist(), noise, strict=True):
        x = x + (t - s) / (1 - s) * (x1 - x) + sigma * math.sqrt((t - s) * (1 - t) / (1 - s)) * xi
        frames.append(x1 if t == 1 else x)
        s = t
    return torch.stack(frames)


@check(points=0.75, covers=("path", "bridge_path"))
def test_path_value(student, compare, draw):
    """Each row is one bridge, drawn step by step with the noise of each step; it meets both ends."""
    for pinned in ((), (0.0,), (1.0,), (0.0, 1.0)):
        rows, d, sigma = draw.integer(3, 5), draw.integer(2, 3), round(float(draw.uniform(1, low=0.4, high=2.5)), 2)
        x0, x1 = ends(draw, rows, d)
        inner = draw.uniform(draw.integer(2, 5), low=0.05, high=0.95)
        times = torch.cat([inner, torch.tensor(pinned).double()]).sort().values
        noise = draw.normal(len(times), rows, d)
        listed = ", ".join(f"{t:.3g}" for t in times.tolist())
        what = f"bridge_path(x0, x1, [{listed}], {sigma}, noise)"
        answer = student.bridge_path(x0, x1, times, sigma, noise)
        compare(answer, right_path(x0, x1, times, sigma, noise), what, rtol=1e-5, atol=1e-6)


@check(points=0.25, kind="statistical", covers=("path_law", "bridge_path"))
def test_path_covariance(student, expect, draw):
    """Over two times the values of a path have the covariance σ² s (1 - t)."""
    rows, sigma = 2000, round(float(draw.uniform(1, low=0.5, high=2.0)), 2)
    times = torch.tensor([0.2, 0.45, 0.8], dtype=torch.float64) + draw.uniform(3, low=-0.05, high=0.05)
    x0, x1 = ends(draw, 1, 2)
    what = f"bridge_path(x0, x1, times (3,), {sigma}, noise)"
    answer = student.bridge_path(x0.repeat(rows, 1), x1.repeat(rows, 1), times, sigma, draw.normal(3, rows, 2))
    path = expect.tensor(answer, (3, rows, 2), what)
    residual = path - (1 - times)[:, None, None] * x0 - times[:, None, None] * x1  # (3, rows, 2)
    flat = residual.permute(1, 2, 0).reshape(-1, 3)  # coordinates are bridges by themselves
    earlier = torch.minimum(times[:, None], times)
    right = sigma**2 * earlier * (1 - torch.maximum(times[:, None], times))
    independent = torch.diag(right.diag())
    alone = tests.covariance_test(flat, independent) > 1e-4
    expect.p_value(
        tests.covariance_test(flat, right),
        _("values of {what} at three times").format(what=what),
        alpha=ALPHA,
        hint=_("Draws that are right at each time are no path yet: what comes next starts where the path is."),
        mistake="path_of_independent_points" if alone else None,
    )
    expect.p_value(tests.mean_test(flat, torch.zeros(3), right), _("mean of {what}").format(what=what), alpha=ALPHA)


def draw_plan(draw, n, m):
    """A plan far from a product, rows and columns far from uniform, with an entry that is 0."""
    plan = draw.uniform(n, m, low=0.05, high=1.0) ** 2 * draw.uniform(n, 1, low=0.3, high=3.0)
    plan[draw.integer(0, n - 1), draw.integer(0, m - 1)] = 0.0
    return plan / plan.sum()


@check(points=0.75, kind="statistical", covers=("pairs", "sample_coupling"))
def test_pairs_law(student, expect, draw):
    """Pairs of indices are independent draws with the plan's probabilities."""
    n, m, size = draw.integer(3, 5), draw.integer(6, 8), 6000
    plan = draw_plan(draw, n, m)
    for scale in (1.0, 1.02):
        what = f"sample_coupling(plan ({n}, {m}), {size})"
        answer = expect.sequence(student.sample_coupling(scale * plan, size, generator=draw.generator()), 2, what)
        i, j = (
            torch.tensor(expect.integers(v, f"{what}[{k}]", length=size, low=0, high=top - 1))
            for k, (v, top) in enumerate(zip(answer, (n, m), strict=True))
        )
        counts = torch.bincount(i * m + j, minlength=n * m)
        mistake = None
        largest = plan.argmax(1)
        if bool((j == largest[i]).all()):
            mistake = "pairs_are_the_argmax"
        elif tests.chi_square(torch.bincount(i, minlength=n), torch.full((n,), 1 / n)) > 1e-4:
            mistake = "pairs_rows_uniform"
        elif tests.chi_square(counts, (plan.sum(1)[:, None] * plan.sum(0)).flatten()) > 1e-4:
            mistake = "pairs_independent_ends"
        expect.p_value(
            tests.chi_square(counts, plan.flatten()), _("pairs of {what}").format(what=what), alpha=ALPHA,
            mistake=mistake,
        )  # fmt: skip
        # Independent: neighbours in the answer have the product of their laws, and the counts are not too even.
        rows = plan.sum(1)
        lag = torch.bincount(i[:-1:2] * n + i[1::2], minlength=n * n)
        expect.p_value(
            tests.chi_square(lag, (rows[:, None] * rows).flatten()),
            _("neighbours among the pairs of {what}").format(what=what),
            alpha=ALPHA,
            hint=_("Each pair is drawn by itself: they are neither sorted nor dealt out in turn."),
            mistake="pairs_sorted",
        )
    # As many draws as there are pairs: all of them, once each, come less than once in 60 times.
    few, distinct = draw_plan(draw, 2, 3), []
    for _k in range(6):
        i, j = expect.sequence(student.sample_coupling(few, 6, generator=draw.generator()), 2, what)
        pairs = zip(expect.integers(i, what, length=6), expect.integers(j, what, length=6), strict=True)
        distinct.append(len(set(pairs)))
    expect.true(
        min(distinct) < 6,
        _("sample_coupling(plan (2, 3), 6): the same pair never comes twice."),
        hint=_("Each pair is drawn by itself, with replacement."),
        mistake="pairs_without_repeats",
    )
