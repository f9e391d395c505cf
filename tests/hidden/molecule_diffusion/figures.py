"""Figures of molecule_diffusion: molecules on their way to noise, and two sets of molecules pulled together."""

from __future__ import annotations

import torch

from autograder.judge.drawing import Curves, Points
from autograder.language import _


def _bent(draw, n, bond=1.0, angle=1.8, std=0.08):
    """Three atoms in a plane, (n, 3, 3)."""
    angles, zero = angle + std * draw.normal(n), torch.zeros(n, dtype=torch.float64)
    first = torch.stack([zero + bond, zero, zero], 1)
    last = bond * torch.stack([angles.cos(), angles.sin(), zero], 1)
    return torch.stack([first, torch.zeros_like(first), last], 1)


def forward_process(student, expect, draw):
    """Distances of neighbouring atoms from no noise to much noise, in ångström."""
    n, bars = 400, torch.linspace(0.999, 0.01, 30, dtype=torch.float64)
    x, series = _bent(draw, n), {_("bonds"): [], _("ends"): []}
    for t in range(30):
        noise = draw.normal(n, 3, 3)
        answer = student.q_sample(x, bars, torch.full((n,), t), noise)
        noisy = expect.tensor(answer, (n, 3, 3), "q_sample").double()
        series[_("bonds")].append((noisy[:, 1] - noisy[:, 0]).norm(dim=1).mean())
        series[_("ends")].append((noisy[:, 2] - noisy[:, 0]).norm(dim=1).mean())
    return Curves({label: torch.stack(values) for label, values in series.items()})


def pulled(student, expect, draw):
    """Bond length and distance of the ends, of molecules, their target, and the molecules pulled onto it."""
    x, y = _bent(draw, 60, 1.0, 1.8, 0.3) + 0.1 * draw.normal(60, 3, 3), _bent(draw, 60, 1.1, 1.5, 0.08)
    answer = expect.sequence(student.transport_pull(x, y, 0.002), 2, "transport_pull")
    moved = expect.tensor(answer[0], (60, 3, 3), "transport_pull").double()

    def lengths(z):
        return torch.stack([(z[:, 1] - z[:, 0]).norm(dim=1), (z[:, 2] - z[:, 0]).norm(dim=1)], 1).clamp(-5, 5)

    return Points({_("molecules"): lengths(x), _("target"): lengths(y), _("pulled"): lengths(moved)})
