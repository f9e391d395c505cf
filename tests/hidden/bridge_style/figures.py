"""Figures of bridge_style: Schrödinger's coupling, its paths, and a cloud that a penalty pulls to a ring."""

from __future__ import annotations

import torch

from autograder.judge.drawing import Matrix, Paths, Points
from autograder.language import _


def _clouds(draw, n):
    source = 0.4 * draw.normal(n, 2) - torch.tensor([2.5, 0.0]).double()
    angles = draw.uniform(n, high=6.2832).sort().values
    return source[source[:, 1].argsort()], torch.stack([angles.cos(), angles.sin()], 1)


def _plan(student, expect, x, y, sigma):
    answer = expect.sequence(student.schrodinger_coupling(x, y, sigma, n_iterations=500), 3, "schrodinger_coupling")
    return expect.tensor(answer[0], (len(x), len(y)), "schrodinger_coupling")


def coupling(student, expect, draw, n=40):
    """Schrödinger's coupling of a blob and a ring."""
    x, y = _clouds(draw, n)
    return Matrix(_plan(student, expect, x, y, 0.4))


def bridge_paths(student, expect, draw, n=40):
    """Brownian bridges between pairs of the coupling, from the blob to the ring."""
    x, y = _clouds(draw, n)
    plan = _plan(student, expect, x, y, 0.4)
    pairs = expect.sequence(student.sample_coupling(plan, n, generator=draw.generator()), 2, "sample_coupling")
    i, j = (torch.tensor(expect.integers(v, "sample_coupling", length=n, low=0, high=n - 1)) for v in pairs)
    times = torch.linspace(0, 1, 41, dtype=torch.float64)
    path = student.bridge_path(x[i], y[j], times, 0.4, draw.normal(41, n, 2))
    return Paths(expect.tensor(path, (41, n, 2), "bridge_path").clamp(-10, 10))


def penalised_cloud(student, expect, draw, n=60):
    """A Gaussian cloud before and after 20 steps that are penalised by the divergence to a ring."""
    x, ring = draw.normal(n, 2), 1.5 * _clouds(draw, n)[1]
    start = x
    for _step in range(20):
        moved = student.penalised_step(x, -x, ring, 0.03, 20.0, 2.0, draw.normal(n, 2))
        x = expect.tensor(moved, (n, 2), "penalised_step").clamp(-10, 10)
    return Points({_("start"): start, _("end"): x}, half_width=4.0)
