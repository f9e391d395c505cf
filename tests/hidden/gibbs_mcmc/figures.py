"""Figures of gibbs_mcmc: spins under heat bath at a large coupling, and the way of a fit."""

from __future__ import annotations

import torch

from autograder.judge.drawing import Curves, Matrix
from autograder.language import _


def spins(student, expect, draw):
    """A lattice after 60 heat-bath sweeps at J = 0.5."""
    s = 2.0 * draw.integers(0, 2, 1, 24, 24).double() - 1
    for _sweep in range(60):
        s = expect.tensor(student.heat_bath_sweep(s, 0.5, 0.0, draw.uniform(1, 24, 24)), (1, 24, 24), "heat_bath_sweep")
    return Matrix(s[0])


def fit(student, expect, draw):
    """Coupling and field on their way, fitted to random lattices with more spins up than down."""
    data = torch.where(draw.uniform(300, 4, 4) < 0.6, 1.0, -1.0).double()
    _coupling, _field, history = expect.sequence(student.fit_ising(data, 60, generator=draw.generator()), 3)
    series = {key: torch.tensor(expect.history(history, key, 60)).double() for key in ("coupling", "field")}
    return Curves({_("coupling"): series["coupling"], _("field"): series["field"]})
