"""Costs, plans, distances on the line and maps."""

from __future__ import annotations

import math
from functools import lru_cache

import torch
from scipy.optimize import linear_sum_assignment

from autograder.judge import check
from autograder.language import _
from autograder.statistics import distances
from autograder.statistics.transport import entropic_plan, sinkhorn_error, sinkhorn_iterations


def draw_weights(draw, n):
    """Positive weights of sum 1, far from equal."""
    weights = draw.uniform(n, low=0.3, high=1.7)
    return weights / weights.sum()


def squared_distances(x, y):
    return (x[:, None] - y).square().sum(-1)  # (n, m)


@check(points=1, covers=("cost", "cost_matrix"))
def test_cost_matrix(student, compare, draw):
    """Euclidean distances raised to p, for several p."""
    for p in (2, 1, 3, draw.choice((1.5, 2.5))):
        n, m, d = draw.integer(4, 7), draw.integer(8, 11), draw.integer(2, 4)
        x, y = draw.normal(n, d), draw.normal(m, d) + 0.5
        right = squared_distances(x, y) ** (p / 2)
        compare(student.cost_matrix(x, y, p=p), right, f"cost_matrix(x, y, p={p})")
        if p == 2:
            compare(student.cost_matrix(x, y), right)


def draw_problem(draw, *about, **options):
    """As `problem`, of a seed that is drawn."""
    return problem(type(draw), draw.seed(), *about, **options)


@lru_cache(maxsize=64)  # of one submission it is asked for again for each known mistake
def problem(kind, seed, n, m, epsilon, fewest, most, corner=None, uniform=False):
    """Weights, costs and the right plan of two clouds in the unit square: (a, b, C, plan).

    Drawn again until Sinkhorn needs between `fewest` and `most` iterations, so that a correct solution always has
    enough of them, and is still off after 1,000 where `fewest` is more than that. With `corner`, the clouds lie in
    opposite corners of this side, where rows of exp(-C/epsilon) are 0.
    """
    draw = kind(seed)
    for _k in range(1000):
        if uniform:
            a, b = (torch.full((k,), 1 / k, dtype=torch.float64) for k in (n, m))
        else:
            a, b = draw_weights(draw, n), draw_weights(draw, m)
        x, y = draw.uniform(n, 2, high=corner or 1.0), draw.uniform(m, 2, high=corner or 1.0)
        if corner:
            x[draw.integer(0, n - 1)] *= 0.1
            y = 1 - y
        C = squared_distances(x, y)
        plan = torch.from_numpy(entropic_plan(a, b, C, epsilon))
        if not fewest <= sinkhorn_iterations(a, b, plan) <= most:
            continue
        if fewest <= 1000 or sinkhorn_error(1000, a, b, C, epsilon, plan) > 3e-5:
            return a, b, C, plan
    raise RuntimeError(f"no problem that needs {fewest} to {most} iterations at epsilon {epsilon}")


def has_the_form(plan, C, epsilon):
    """Whether log P_ij is -C_ij / scale but for a term of each row and of each column, with about the right scale.

    Sign and scale are judged with the plan's values.
    """
    if not bool((plan > 0).all()):
        return False

    def centred(matrix):
        return matrix - matrix.mean(0) - matrix.mean(1, keepdim=True) + matrix.mean()

    logs, costs = centred(plan.log()), centred(C)
    slope = float((logs * costs).sum() / costs.square().sum())
    return 0.2 < abs(slope) * epsilon < 5 and float((logs - slope * costs).norm()) < 0.01 * float(logs.norm())


@check(points=0.5, covers=("marginals", "sinkhorn"))
def test_sinkhorn_marginals(student, expect, compare, draw):
    """The plan's rows sum to a and its columns to b, for square and other shapes, and it has Sinkhorn's form."""
    k = draw.integer(5, 8)
    for n, m in ((k, k), (draw.integer(5, 8), draw.integer(10, 13)), (draw.integer(10, 13), draw.integer(5, 8))):
        a, b, C, _plan = draw_problem(draw, n, m, 0.1, 0, 250)
        what = f"sinkhorn(a ({n},), b ({m},), C, 0.1)"
        plan = expect.tensor(student.sinkhorn(a, b, C, 0.1), (n, m), what)
        expect.true(bool((plan >= 0).all()), _("{what}: the plan has negative entries.").format(what=what))
        compare(plan.sum(1), a, _("row sums of {what}").format(what=what), rtol=0, atol=1e-6)
        compare(plan.sum(0), b, _("column sums of {what}").format(what=what), rtol=0, atol=1e-6)
        expect.true(
            has_the_form(plan, C, 0.1),
            _("{what}: the plan is not u_i exp(-C_ij / epsilon) v_j for any u and v.").format(what=what),
            _("The product of a and b has these marginals, too, and knows nothing of the cost."),
        )


def judge_plan(student, expect, compare, problem, epsilon, n_iterations):
    """Plan and cost against the independent solver."""
    a, b, C, right = problem
    what = f"sinkhorn(a, b, C, {epsilon:g}, n_iterations={n_iterations})"
    hint = _("Subtract the largest exponent first: torch.logsumexp.") if epsilon <= 1e-3 else None
    plan = expect.tensor(student.sinkhorn(a, b, C, epsilon, n_iterations=n_iterations), tuple(C.shape), what, hint=hint)
    compare(plan, right, rtol=1e-4, atol=1e-6)
    compare((plan * C).sum(), (right * C).sum(), _("the cost of {what}").format(what=what), rtol=1e-5)


@check(points=1.5, covers=("plan", "sinkhorn"))
def test_sinkhorn_plan(student, expect, compare, draw):
    """The plan and its cost agree with another solver's from large to small epsilon, n and m different."""
    for epsilon, fewest, most in ((draw.choice((5.0, 20.0)), 0, 50), (0.3, 0, 250), (0.04, 0, 500), (0.01, 300, 700)):
        n, m = draw.integer(6, 9), draw.integer(10, 13)
        judge_plan(student, expect, compare, draw_problem(draw, n, m, epsilon, fewest, most), epsilon, 5000)


@check(points=1, covers=("small_epsilon", "sinkhorn"))
def test_sinkhorn_small_epsilon(student, expect, compare, draw):
    """At epsilon = 1e-3, where exp(-C/epsilon) underflows, the plan is still right."""
    n, m = draw.integer(7, 9), draw.integer(10, 12)
    problem = draw_problem(draw, n, m, 1e-3, 2500, 8000, corner=0.3)
    judge_plan(student, expect, compare, problem, 1e-3, 20000)


@check(points=0.5, covers=("limit", "sinkhorn"))
def test_sinkhorn_limit(student, expect, draw):
    """As epsilon falls the cost comes down to exact transport, and never below.

    With uniform weights the cost lies within epsilon·log(n) of the exact one.
    """
    for _k in range(4):
        n = draw.integer(7, 10)
        a, _b, C, _plan = draw_problem(draw, n, n, 0.02, 0, 200, uniform=True)
        exact = float(C[linear_sum_assignment(C.numpy())].mean())
        last = math.inf
        for epsilon in (1.0, 0.1, 0.02):
            what = f"sinkhorn(a, a, C, {epsilon:g}, n_iterations=5000)"
            plan = expect.tensor(student.sinkhorn(a, a, C, epsilon, n_iterations=5000), (n, n), what)
            cost = float((plan * C).sum())
            # The exact digits are another check's business: here the plan may be a little unfinished.
            slack = 0.02 * exact
            expect.true(
                cost >= exact - slack,
                _("{what}: the plan costs less than exact transport: its marginals cannot be right.").format(what=what),
            )
            whole = bool(((plan.sum(1) - a).abs() + (plan.sum(0) - a).abs() < 0.02 / n).all())
            expect.true(
                cost <= min(exact + epsilon * math.log(n), last) + slack,
                _("{what}: the plan costs more than this epsilon allows.").format(what=what),
                _("epsilon is absolute: it is compared with C as it is.")
                if whole
                else _("Do the rows of your plan sum to a, and its columns to b?"),
            )
            last = cost


@check(points=0.5, covers=("transport_cost",))
def test_transport_cost(student, compare, draw):
    """The cost of a plan is the sum of mass times cost: no entropy, no root, no mean."""
    for _k in range(3):
        n, m = draw.integer(3, 6), draw.integer(7, 9)
        plan, C = draw.uniform(n, m), draw.uniform(n, m, low=0.5, high=3.0)
        plan = plan / plan.sum()
        compare(student.transport_cost(plan, C), (plan * C).sum())


def judge_line(student, compare, x, y, p):
    right = torch.tensor(distances.wasserstein_1d(x, y, p)).double()
    what = f"wasserstein_1d(x ({len(x)},), y ({len(y)},), p={p})"
    compare(student.wasserstein_1d(x, y, p=p), right, what)


@check(points=0.5, covers=("line", "wasserstein_1d"))
def test_wasserstein_line(student, compare, draw):
    """On the line, samples of one size, in any order, with ties: W_p with its root."""
    for p in (1, 2, draw.choice((3, 4)), draw.choice((1.5, 2.5))):
        n = draw.integer(6, 12)
        x, y = draw.normal(n), 2 * draw.normal(n) + 1
        x[1] = x[0]
        judge_line(student, compare, x, y, p)
    x, y = draw.normal(n), draw.normal(n)
    compare(student.wasserstein_1d(x, y), torch.tensor(distances.wasserstein_1d(x, y)).double())


@check(points=0.5, covers=("line_sizes", "wasserstein_1d"))
def test_wasserstein_line_sizes(student, compare, draw):
    """On the line, samples of different sizes: the quantile functions jump at different places."""
    k = draw.integer(3, 5)
    for n, m in ((draw.integer(5, 7), draw.integer(8, 11)), (2 * k, 3 * k), (draw.integer(9, 13), 4), (1, k)):
        x, y = draw.normal(n), draw.normal(m) + 0.5
        judge_line(student, compare, x, y, draw.choice((1, 2)))


@check(points=0.5, covers=("projection", "barycentric_projection"))
def test_barycentric_projection(student, compare, draw):
    """Each point goes to the mean of its destinations, whatever its own mass."""
    for _k in range(2):
        n, m, d = draw.integer(4, 6), draw.integer(7, 9), draw.integer(1, 3)
        plan, y = draw.uniform(n, m) ** 2, draw.normal(m, d)
        plan = plan / plan.sum()
        right = (plan / plan.sum(1, keepdim=True)) @ y
        compare(student.barycentric_projection(plan, y), right)


@check(points=0.5, covers=("displacement", "displacement_interpolation"))
def test_displacement(student, compare, draw):
    """Points move on straight lines from x at t = 0 to their image at t = 1."""
    n, d = draw.integer(4, 7), draw.integer(2, 3)
    x, mapped = draw.normal(n, d), draw.normal(n, d)
    for t in (0.0, 1.0, round(float(draw.uniform(1, low=0.1, high=0.4)), 3)):
        right = x + t * (mapped - x)
        compare(
            student.displacement_interpolation(x, mapped, t), right, f"displacement_interpolation(x, x_mapped, {t})"
        )
