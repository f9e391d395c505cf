"""Figures of score_sde: the way back along the SDE and along the flow, and the score of a noised mixture."""

from __future__ import annotations

import torch

from autograder.judge.drawing import Curves, Paths
from autograder.language import _


def _wells(probe, draw, between):
    half = torch.tensor([1.2, 0.0], dtype=torch.float64)
    std, log_odds = torch.tensor(0.35).double(), torch.tensor([0.3]).double()
    return probe.wells(torch.zeros(2).double(), half, std, log_odds, between)


def _back(student, probe, expect, draw, eta):
    n, chains = 60, 40
    times = torch.cat([3 * (0.01 / 3) ** (torch.arange(n).double() / (n - 1)), torch.zeros(1).double()])
    answer = student.reverse_sample(_wells(probe, draw, (0.0, 4.0)), draw.normal(chains, 2), times, eta=eta)
    return Paths(expect.tensor(answer, (n + 1, chains, 2), "reverse_sample").clamp(-10, 10))


def reverse_sde(student, probe, expect, draw):
    """From noise to two wells along the reverse SDE."""
    return _back(student, probe, expect, draw, 1.0)


def probability_flow(student, probe, expect, draw):
    """The same along the probability flow, without noise."""
    return _back(student, probe, expect, draw, 0.0)


def noised_scores(student, expect):
    """The score of two Gaussians on a line, at three times."""
    x = torch.linspace(-3, 3, 61).double()[:, None]
    means, weights = torch.tensor([[-1.2], [1.2]]).double(), torch.tensor([0.4, 0.6]).double()
    series = {}
    for time in (0.05, 0.3, 1.0):
        answer = student.noised_score(x, torch.full((61,), time).double(), means, 0.35, weights)
        series[_("t = {time}").format(time=time)] = expect.tensor(answer, (61, 1), "noised_score")[:, 0].clamp(-30, 30)
    return Curves(series)
