"""Stationary distributions of irreducible chains, and what is refused."""

from __future__ import annotations

import torch

from autograder.judge import check
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


@check(points=1, covers=("stationary",))
def test_stationary_values(student, reference, compare, draw):
    """The stationary vector satisfies pi P = pi and sums to 1."""
    for n in (draw.integer(3, 4), draw.integer(5, 8)):
        P = mixing(draw, n)
        right = reference.stationary_distribution(P)
        compare(
            student.stationary_distribution(P),
            right,
            rtol=TOLERANCE,
            atol=TOLERANCE,
        )


@check(points=0.5, covers=("stationary",))
def test_stationary_periodic(student, reference, compare, draw):
    """A periodic chain has its stationary distribution too."""
    for period in (2, 3):
        P = periodic(draw, period)
        right = reference.stationary_distribution(P)
        what = f"stationary_distribution(P of period {period})"
        compare(
            student.stationary_distribution(P),
            right,
            what,
            rtol=TOLERANCE,
            atol=TOLERANCE,
            hint=_("Powers of a periodic P do not settle: solve the linear equations pi P = pi, sum(pi) = 1."),
        )


@check(points=0.5, covers=("reducible",))
def test_stationary_refused(student, draw, expect):
    """Reducible chains and rows of zeros are refused with a ValueError."""
    n = draw.integer(3, 4)
    P = mixing(draw, n)
    expect.tensor(student.stationary_distribution(P), (n,))
    two_classes = torch.block_diag(P, mixing(draw, 3))
    left_for_ever = torch.block_diag(P, mixing(draw, 3))
    left_for_ever[0, n:] = 0.2
    left_for_ever[0] /= left_for_ever[0].sum()
    zero_row = P.clone()
    zero_row[draw.integer(0, n - 1)] = 0
    absorbing = P.clone()
    k = draw.integer(0, n - 1)
    absorbing[k] = 0
    absorbing[k, k] = 1
    cases = {
        _("two classes that never meet"): relabelled(draw, two_classes),
        _("states that are left for ever"): relabelled(draw, left_for_ever),
        _("an absorbing state"): absorbing,
        _("a row of zeros"): zero_row,
    }
    for name, refused in cases.items():
        what = _("stationary_distribution(chain with {name})").format(name=name)
        expect.raises(ValueError, student.stationary_distribution, refused, what=what)
