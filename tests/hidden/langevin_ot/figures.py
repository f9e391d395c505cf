"""Figures of langevin_ot: a transport plan, and the ways of points that follow it."""

from __future__ import annotations

import torch

from autograder.judge.drawing import Matrix, Paths, Points
from autograder.language import _


def _clouds(draw, n):
    source = draw.uniform(n, 2, low=-1.0, high=1.0)
    angles = draw.uniform(n, high=6.2832).sort().values
    return source[source[:, 0].argsort()], 3 * torch.stack([angles.cos(), angles.sin()], 1)


def _plan(student, expect, draw, n=40):
    x, y = _clouds(draw, n)
    cost = expect.tensor(student.cost_matrix(x, y), (n, n), "cost_matrix")
    weights = torch.full((n,), 1 / n, dtype=torch.float64)
    plan = student.sinkhorn(weights, weights, cost, 0.1, n_iterations=500)
    return x, y, expect.tensor(plan, (n, n), "sinkhorn")


def transport_plan(student, expect, draw):
    """The entropic plan from a square to a circle."""
    return Matrix(_plan(student, expect, draw)[2])


def trajectories(student, expect, draw):
    """The straight ways of displacement interpolation, from the square to the circle."""
    x, y, plan = _plan(student, expect, draw)
    image = expect.tensor(student.barycentric_projection(plan, y), tuple(x.shape), "barycentric_projection")
    frames = [
        expect.tensor(student.displacement_interpolation(x, image, t), tuple(x.shape), "displacement_interpolation")
        for t in (0.0, 0.25, 0.5, 0.75, 1.0)
    ]
    return Paths(torch.stack(frames))


def langevin_step(student, expect, draw):
    """A cloud before and after 30 steps towards the origin."""
    start = x = 3 + draw.normal(300, 2)
    for _step in range(30):
        x = expect.tensor(student.langevin_step(x, -x, 0.05, draw.normal(300, 2)), (300, 2), "langevin_step")
    return Points({_("start"): start, _("end"): x.clamp(-10, 10)}, half_width=7.0)
