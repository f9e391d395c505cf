"""Conventions of the course: tensors come back as tensors with the dtype of the input."""

from __future__ import annotations

import torch

from autograder.judge import check


@check(points=0.5, covers=("dtype",))
def test_conventions(student, draw, expect):
    """Answers are tensors and keep the dtype of the input, float32 and float64."""
    n = draw.integer(3, 5)  # shapes have checks of their own
    for dtype in (torch.float64, torch.float32):
        counts = draw.uniform(n, n, low=1.0, high=9.0).to(dtype)
        P = student.transition_matrix(counts)
        expect.tensor(P, None, f"transition_matrix({dtype} counts)", dtype=dtype, container="tensor")
        rows = (counts / counts.sum(-1, keepdim=True)).to(dtype)
        pi = student.stationary_distribution(rows)
        expect.tensor(pi, None, f"stationary_distribution({dtype} P)", dtype=dtype, container="tensor")
    for dtype in (torch.int64, torch.float64):
        x, y = draw.integers(0, 4, 30).to(dtype), draw.integers(0, 3, 30).to(dtype)
        values_x, values_y, P = expect.sequence(student.joint_probability(x, y), 3)
        expect.tensor(values_x, None, f"values of a {dtype} x", dtype=dtype, container="tensor")
        expect.tensor(values_y, None, f"values of a {dtype} y", dtype=dtype, container="tensor")
        P = expect.tensor(P, None, "the table from joint_probability(x, y)", container="tensor")
        expect.true(P.is_floating_point(), "joint_probability(x, y): the table is not floating point.")
