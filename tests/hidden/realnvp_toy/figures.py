"""Figures of realnvp_toy after a short training: samples beside the two moons, density, loss."""

from __future__ import annotations

import math

import torch

from autograder.judge.drawing import Curves, Matrix, Points
from autograder.language import _

SIDE = 60


def _moons(draw, n):
    angles = draw.uniform(n, high=math.pi)
    upper = torch.stack([angles.cos(), angles.sin()], 1)
    lower = torch.stack([1 - angles.cos(), 0.5 - angles.sin()], 1)
    return (torch.where((draw.integers(0, 2, n) == 0)[:, None], upper, lower) + 0.1 * draw.normal(n, 2)).float()


def _trained(student, expect, once):
    def train(draw):
        flow = expect.handle(student.RealNVP(), "RealNVP")
        history = student.train_flow(flow, _moons(draw, 2000), 250, lr=3e-3, generator=draw.generator())
        return flow, history

    return once("figures", train)


def two_moons(student, expect, once, draw):
    """Samples of the flow beside the data."""
    flow, _history = _trained(student, expect, once)
    samples = expect.tensor(flow.sample(500, generator=draw.generator()), (500, 2), "sample")
    return Points({_("data"): _moons(draw, 500), _("samples"): samples.clamp(-5, 5)}, half_width=3.5)


def density(student, expect, once):
    """The flow's density over the square from -2 to 3."""
    flow, _history = _trained(student, expect, once)
    points, values = expect.sequence(student.density_grid(flow, -2.0, 3.0, SIDE), 2, "density_grid")
    points = expect.tensor(points, (SIDE * SIDE, 2), "density_grid")
    values = expect.tensor(values, (SIDE * SIDE,), "density_grid")
    # Whatever the order of the points: rows from top to bottom, columns from left to right.
    order = sorted(range(SIDE * SIDE), key=lambda k: (-round(float(points[k, 1]), 6), round(float(points[k, 0]), 6)))
    return Matrix(values[torch.tensor(order)].reshape(SIDE, SIDE))


def training_loss(student, expect, once):
    """The negative log-likelihood of the mini-batches."""
    _flow, history = _trained(student, expect, once)
    return Curves({_("NLL"): torch.tensor(expect.history(history, "nll", None, "train_flow"))})
