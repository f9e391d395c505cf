"""Stationary distributions of irreducible chains, periodic ones too."""

from __future__ import annotations

import torch

from autograder.judge import check
from autograder.judge.answers import as_tensor
from autograder.language import _

TOLERANCE = 1e-4  # generous to iterative solutions


def relabelled(draw, P):
    order = torch.tensor(draw.shuffle(range(len(P))))
    return P[order][:, order]


def periodic(draw, period):
    """States in `period` classes; each class leads to the next one only."""
    label = [c for c in range(period) for _ in range(draw.integer(1, 3))] + [0]
    P = torch.zeros(len(label), len(label), dtype=torch.float64)
    for i, a in enumerate(label):
        for j, b in enumerate(label):
            if b == (a + 1) % period:
                P[i, j] = draw.uniform(1).item() + 0.1
    return relabelled(draw, P / P.sum(-1, keepdim=True))


def mixing(draw, n):
    """An aperiodic irreducible chain with some zeros."""
    P = draw.uniform(n, n) + 0.05
    for i in range(n):
        P[i, (i + draw.integer(2, n - 1)) % n] = 0
    return P / P.sum(-1, keepdim=True)


def with_a_rare_state(draw, n):
    """Such a chain in which one state is hardly ever entered, and soon left: rare is not unreachable."""
    P, rare = mixing(draw, n), draw.integer(0, n - 1)
    others = torch.arange(n) != rare
    P[others, rare] = 10 ** -draw.uniform(n - 1, low=2.7, high=4.0)
    return P / P.sum(-1, keepdim=True)


@check(points=1, covers=("stationary", "stationary_distribution"))
def test_stationary_values(student, reference, compare, draw):
    """The stationary vector satisfies pi P = pi and sums to 1."""
    for P in (mixing(draw, draw.integer(3, 4)), mixing(draw, draw.integer(5, 8)), with_a_rare_state(draw, 5)):
        right = reference.stationary_distribution(P)
        compare(
            student.stationary_distribution(P),
            right,
            rtol=TOLERANCE,
            atol=TOLERANCE,
        )


def hint_of(answer, P, period):
    """What to look at, where the answer is a law that `period` steps leave as it is and one step does not."""
    pi = as_tensor(answer)
    if pi is None or pi.shape != P.shape[:1] or not pi.is_floating_point():
        return None
    pi = pi.double()
    whole_round = torch.linalg.matrix_power(P, period)
    if (pi @ whole_round - pi).abs().max() < TOLERANCE < (pi @ P - pi).abs().max() and abs(pi.sum() - 1) < TOLERANCE:
        return _("Powers of a periodic P do not settle: solve the linear equations pi P = pi, sum(pi) = 1.")
    return None


@check(points=0.5, covers=("stationary", "stationary_distribution"))
def test_stationary_periodic(student, reference, expect, compare, draw):
    """A periodic chain has its stationary distribution too."""
    expect.tensor(student.stationary_distribution(mixing(draw, 4)), (4,))  # who refuses this refuses not the period
    for period in (2, 3):
        P = periodic(draw, period)
        right = reference.stationary_distribution(P)
        what = f"stationary_distribution(P of period {period})"
        answer = student.stationary_distribution(P)
        compare(answer, right, what, rtol=TOLERANCE, atol=TOLERANCE, hint=hint_of(answer, P, period))
