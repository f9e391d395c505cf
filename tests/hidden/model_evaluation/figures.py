"""Figures of model_evaluation: the bias of FID, and the affinities of three clusters."""

from __future__ import annotations

import torch

from autograder.judge.drawing import Matrix, Points
from autograder.language import _


def affinities(student, expect, draw):
    """t-SNE's affinities of three clusters of different widths, one after the other."""
    widths = torch.tensor([0.1, 0.5, 2.0], dtype=torch.float64).repeat_interleave(12)
    centres = torch.tensor([[0.0, 0.0], [6.0, 0.0], [0.0, 8.0]], dtype=torch.float64).repeat_interleave(12, 0)
    x = centres + widths[:, None] * draw.normal(36, 2)
    return Matrix(expect.tensor(student.tsne_affinities(x, perplexity=8.0), (36, 36), "tsne_affinities"))


def copies(student, expect, draw):
    """New points and near copies of a training cloud; those with a ratio below 1/3 apart."""
    train = draw.normal(60, 2)
    samples = torch.cat([draw.normal(40, 2), train[:20] + 0.03 * draw.normal(20, 2)])
    ratios = expect.tensor(student.memorisation_ratio(samples, train), (60,), "memorisation_ratio")
    kept = ratios < 1 / 3
    return Points({_("training"): train, _("new"): samples[~kept], _("memorised"): samples[kept]}, half_width=3.5)
