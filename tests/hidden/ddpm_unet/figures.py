"""Figures of ddpm_unet: the two schedules, and digits on their way to noise."""

from __future__ import annotations

import torch

from autograder.judge.drawing import Curves, Images
from autograder.language import _

T = 200
SIZE = 16


def schedules(student, expect):
    """What is left of the image, √ᾱ, under the two schedules."""
    series = {}
    for label, name in ((_("linear"), "linear_beta_schedule"), (_("cosine"), "cosine_beta_schedule")):
        betas = expect.tensor(getattr(student, name)(T), (T,), name)
        series[label] = (1 - betas).clamp(0, 1).cumprod(0).sqrt()
    return Curves(series)


def forward_process(student, expect, digits, draw):
    """Digits after more and more steps of the forward process."""
    images = digits("train", 4, SIZE).float().reshape(4, 1, SIZE, SIZE) * 2 - 1
    diffusion = expect.handle(student.Diffusion(torch.linspace(1e-3, 0.05, T)), "Diffusion")
    noise = draw.normal(4, 1, SIZE, SIZE, dtype=torch.float32)
    rows = [
        expect.tensor(student.q_sample(diffusion, images, torch.full((4,), t), noise), (4, 1, SIZE, SIZE), "q_sample")
        for t in (0, 10, 20, 40, 60, 90, 130, 199)
    ]
    return Images(torch.stack(rows, 1).reshape(-1, SIZE, SIZE), columns=8, low=-1.5, high=1.5)
