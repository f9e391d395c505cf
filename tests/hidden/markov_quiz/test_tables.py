"""Joint and conditional tables of fresh pairs."""

from __future__ import annotations

import torch

from autograder.judge import check


def pairs(draw, kind=torch.int64):
    """Pairs over some distinct values, negative ones too, each of which occurs."""
    tables = []
    n = draw.integer(25, 45)
    for size in (draw.integer(2, 4), draw.integer(3, 5)):
        values = torch.tensor(draw.shuffle(range(-12, 13))[:size])
        index = torch.tensor(draw.shuffle([*range(size), *(draw.integer(0, size - 1) for _ in range(n - size))]))
        tables.append((values[index] / 2 if kind is torch.float64 else values[index]).to(kind))
    return tables


def aligned(answer, x, y, expect, what):
    """The table with its rows and columns in ascending order of the values that came back with it."""
    values_x, values_y, P = expect.sequence(answer, 3, what)
    n_x, n_y = len(x.unique()), len(y.unique())
    values_x = expect.tensor(values_x, (n_x,), f"the values of x from {what}")
    values_y = expect.tensor(values_y, (n_y,), f"the values of y from {what}")
    P = expect.tensor(P, (n_x, n_y), f"the table from {what}")
    return P[values_x.argsort()][:, values_y.argsort()]


@check(points=0.5, covers=("joint", "joint_probability"))
def test_joint_values(student, reference, compare, draw, expect):
    """The joint table holds the share of each pair (x, y)."""
    for _ in range(2):
        x, y = pairs(draw)
        P = aligned(student.joint_probability(x, y), x, y, expect, "joint_probability(x, y)")
        compare(
            P,
            reference.joint_probability(x, y)[2].double(),
            "the table from joint_probability(x, y)",
            rtol=1e-5,
        )


@check(points=1, covers=("conditional", "conditional_probability"))
def test_conditional_values(student, reference, compare, draw, expect):
    """The conditional table holds P(Y | X): each row sums to 1."""
    for _ in range(2):
        x, y = pairs(draw)
        P = aligned(student.conditional_probability(x, y), x, y, expect, "conditional_probability(x, y)")
        right = reference.conditional_probability(x, y)[2].double()
        compare(P, right, "the table from conditional_probability(x, y)", rtol=1e-5)


@check(
    points=0.5,
    covers=("values", "joint_probability", "conditional_probability"),
    substance={"joint_probability": ("joint_values",), "conditional_probability": ("conditional_values",)},
)
def test_values_sorted(student, each, compare, draw, expect):
    """The values of x and y come back sorted ascending, each once."""
    for name, kind in (("joint_probability", torch.int64), ("conditional_probability", torch.float64)):
        x, y = pairs(draw, kind)
        with each(name):
            values_x, values_y, _ = expect.sequence(getattr(student, name)(x, y), 3)
            compare(values_x, x.unique(), f"the values of x from {name}(x, y)")
            compare(values_y, y.unique(), f"the values of y from {name}(x, y)")
