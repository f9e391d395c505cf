"""Schrödinger's coupling against a solver that is not Sinkhorn: plans, masses, potentials, small and large sigma."""

from __future__ import annotations

import math
from functools import lru_cache, partial

import torch
from scipy.optimize import linear_sum_assignment

from autograder.judge import check
from autograder.language import _
from autograder.statistics.transport import entropic_plan, sinkhorn_error, sinkhorn_iterations


def squared_distances(x, y):
    return (x[:, None] - y).square().sum(-1)  # (n, m)


def draw_masses(draw, n):
    """Positive masses of sum 1, far from equal."""
    masses = draw.uniform(n, low=0.3, high=1.7)
    return masses / masses.sum()


def uniform(n):
    return torch.full((n,), 1 / n, dtype=torch.float64)


def draw_problem(draw, *about):
    """As `problem`, of a seed that is drawn."""
    return problem(type(draw), draw.seed(), *about)


@lru_cache(maxsize=64)  # of one submission it is asked for again for each known mistake
def problem(kind, seed, n, m, sigma, most, masses=draw_masses):
    """Clouds, masses and the right plan, which `most` iterations find: (x, y, a, b, C, plan)."""
    draw = kind(seed)
    for _k in range(3000):
        d = draw.integer(2, 3)
        x, y = draw.normal(n, d), draw.normal(m, d) + 0.5
        a, b = (masses(draw, k) if masses is draw_masses else masses(k) for k in (n, m))
        C = squared_distances(x, y)
        plan = torch.from_numpy(entropic_plan(a, b, C, 2 * sigma**2))
        if sinkhorn_iterations(a, b, plan) <= most:
            return x, y, a, b, C, plan
    raise RuntimeError(f"no problem that needs {most} iterations or fewer at sigma {sigma}")


def plan_of(student, expect, x, y, sigma, what, hint=None, **options):
    """The student's plan, safe to compute with."""
    answer = expect.sequence(student.schrodinger_coupling(x, y, sigma, **options), 3, what)
    return expect.tensor(answer[0], (len(x), len(y)), _("plan of {what}").format(what=what), hint=hint)


@check(points=1.25, covers=("plan", "schrodinger_coupling"))
def test_coupling_plan(student, expect, compare, draw):
    """With uniform masses the plan is Schrödinger's, for several sigma, clouds of different sizes."""
    for sigma in (0.4, 1.0, round(float(draw.uniform(1, low=1.5, high=3.0)), 2)):
        n, m = draw.integer(6, 9), draw.integer(10, 13)
        x, y, _a, _b, _C, right = draw_problem(draw, n, m, sigma, 700, uniform)
        what = f"schrodinger_coupling(x ({n}, {x.shape[1]}), y ({m}, {x.shape[1]}), {sigma})"
        plan = plan_of(student, expect, x, y, sigma, what, n_iterations=5000)
        compare(plan, right, _("plan of {what}").format(what=what), rtol=1e-5, atol=1e-7)


@check(points=1, covers=("weights", "schrodinger_coupling"))
def test_coupling_weights(student, expect, compare, draw):
    """Masses that are not uniform are the plan's row and column sums, and enter the plan; one alone may be given."""
    sigma = round(float(draw.uniform(1, low=0.5, high=1.2)), 2)
    for given in (("a", "b"), ("a",), ("b",)):
        n, m = draw.integer(6, 9), draw.integer(10, 13)
        x, y, a, b, C, right = draw_problem(draw, n, m, sigma, 400)
        masses = {"a": a, "b": b}
        if len(given) == 1:
            a, b = (masses[key] if key in given else uniform(k) for key, k in (("a", n), ("b", m)))
            right = torch.from_numpy(entropic_plan(a, b, C, 2 * sigma**2))
        options = {key: masses[key] for key in given}
        what = f"schrodinger_coupling(x, y, {sigma}, {', '.join(f'{key}={key}' for key in given)})"
        plan = plan_of(student, expect, x, y, sigma, what, n_iterations=5000, **options)
        compare(plan, right, _("plan of {what}").format(what=what), rtol=1e-5, atol=1e-7)


@check(points=0.75, covers=("potentials", "schrodinger_coupling"))
def test_coupling_potentials(student, expect, compare, draw):
    """f + g is in the units of the cost and relative to a ⊗ b; a constant may go from one to the other."""
    for masses in (uniform, draw_masses):
        sigma = round(float(draw.uniform(1, low=0.6, high=1.4)), 2)
        n, m = draw.integer(6, 9), draw.integer(10, 13)
        x, y, a, b, C, plan = draw_problem(draw, n, m, sigma, 400, masses)
        options = {"a": a, "b": b} if masses is draw_masses else {}
        what = f"schrodinger_coupling(x, y, {sigma}{', a=a, b=b' if options else ''})"
        answer = expect.sequence(student.schrodinger_coupling(x, y, sigma, n_iterations=5000, **options), 3, what)
        f = expect.tensor(answer[1], (n,), _("f of {what}").format(what=what))
        g = expect.tensor(answer[2], (m,), _("g of {what}").format(what=what))
        right = C + 2 * sigma**2 * (plan / (a[:, None] * b)).log()
        compare(f[:, None] + g, right, _("f_i + g_j of {what}").format(what=what), rtol=1e-5, atol=1e-6)


@lru_cache(maxsize=64)
def far_problem(kind, seed, n, m, sigma):
    """Two unit squares so far apart that exp(-C / 2σ²) is 0 everywhere: (x, y, a, b, plan).

    The distance between them only adds what the potentials take up. 20,000 iterations are enough for these clouds, and
    1,000 are not.
    """
    draw = kind(seed)
    for _k in range(300):
        a, b = draw_masses(draw, n), draw_masses(draw, m)
        angle = float(draw.uniform(1, high=2 * math.pi))
        away = 4.3 * torch.tensor([math.cos(angle), math.sin(angle)], dtype=torch.float64)
        x, y = draw.uniform(n, 2), draw.uniform(m, 2) + away
        plan = torch.from_numpy(entropic_plan(a, b, squared_distances(x, y - away), 2 * sigma**2))
        if not 1500 <= sinkhorn_iterations(a, b, plan) <= 4000:
            continue
        after = partial(sinkhorn_error, a=a, b=b, C=squared_distances(x, y), epsilon=2 * sigma**2, plan=plan)
        if after(1000) > 1e-5 and after(8000) < 1e-7:
            return x, y, a, b, plan
    raise RuntimeError(f"no clouds at sigma {sigma}")


@check(points=0.75, covers=("small_sigma", "schrodinger_coupling"))
def test_coupling_small_sigma(student, expect, compare, draw):
    """At sigma = 0.06, where exp(-C / 2σ²) underflows, the plan is still right."""
    n, m = draw.integer(7, 9), draw.integer(10, 12)
    x, y, a, b, right = far_problem(type(draw), draw.seed(), n, m, 0.06)
    what = "schrodinger_coupling(x, y, 0.06, a=a, b=b, n_iterations=20000)"
    hint = _("Keep the logarithms: torch.logsumexp subtracts the largest exponent first.")
    plan = plan_of(student, expect, x, y, 0.06, what, hint, a=a, b=b, n_iterations=20000)
    whole = abs(float(plan.sum()) - 1) < 0.1  # else something has underflown
    name = _("plan of {what}").format(what=what)
    compare(plan, right, name, rtol=1e-5, atol=1e-6, hint=None if whole else hint)


@check(points=0.5, covers=("limits", "schrodinger_coupling"))
def test_coupling_limits(student, expect, draw):
    """Large sigma forgets where a particle came from, small sigma is exact transport."""
    n = draw.integer(7, 9)
    sigma = 0.2
    x, y, a, b, C, _plan = draw_problem(draw, n, n, sigma, 6000, uniform)
    exact = float(C[linear_sum_assignment(C.numpy())].mean())
    what = f"schrodinger_coupling(x, y, {sigma}, n_iterations=20000)"
    plan = plan_of(student, expect, x, y, sigma, what, n_iterations=20000)
    cost = float((plan * C).sum())
    sums = (plan.sum(1) - a).abs().max() + (plan.sum(0) - b).abs().max()
    expect.true(float(sums) < 1e-4, _("{what}: the plan's sums are not the masses.").format(what=what))
    # With uniform masses the cost of the right plan lies within 2σ² log(n) of the exact one.
    expect.true(
        exact - 1e-6 <= cost <= exact + 2 * sigma**2 * math.log(n) + 1e-6,
        _("{what}: the plan costs more than this sigma allows.").format(what=what),
        _("Is the cost the squared distance, and is it divided by 2σ²?"),
    )
    a, b = draw_masses(draw, n), draw_masses(draw, n)
    what = "schrodinger_coupling(x, y, 100, a=a, b=b)"
    plan = plan_of(student, expect, x, y, 100.0, what, a=a, b=b)
    # Of its own sums: whether these are a and b is the business of `coupling_weights`.
    off = float((plan / (plan.sum(1)[:, None] * plan.sum(0)) - 1).abs().max())
    expect.true(off < 0.02, _("{what}: the ends are not independent.").format(what=what))
