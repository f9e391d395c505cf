"""Figures of glow_digits after a short training: images at two temperatures, the mean image, the falling bits."""

from __future__ import annotations

import torch

from autograder.judge.drawing import Curves, Images
from autograder.language import _

LEVELS = 17


def _digits():
    from sklearn.datasets import load_digits

    return torch.from_numpy(load_digits().images).round().long()[:, None]  # (1797, 1, 8, 8)


def _trained(student, probe, expect, once):
    def train(draw):
        flow = expect.handle(student.Glow(), "Glow")
        settings = {"batch_size": 64, "lr": 5e-3, "generator": draw.generator()}
        history = student.train_glow(flow, _digits(), 200, LEVELS, **settings)
        probe.in_training(flow, False)
        return flow, history

    return once("figures", train)


def _images(student, expect, flow, n, temperature, draw):
    drawn = student.sample_images(flow, n, LEVELS, temperature=temperature, generator=draw.generator())
    images = expect.tensor(drawn, (n, 1, 8, 8), "sample_images").double().clamp(0, LEVELS - 1)
    return images[:, 0] / (LEVELS - 1)


def images(student, probe, expect, once, draw):
    """Images drawn from the flow: two rows at temperature 1, two at 0.7."""
    flow, _history = _trained(student, probe, expect, once)
    return Images(torch.cat([_images(student, expect, flow, 16, t, draw) for t in (1.0, 0.7)]))


def mean_image(student, probe, expect, once, draw):
    """The mean of the digits, and of images drawn from the flow."""
    flow, _history = _trained(student, probe, expect, once)
    digits = _digits().double().mean(0) / (LEVELS - 1)
    return Images(torch.cat([digits, _images(student, expect, flow, 400, 1.0, draw).mean(0, keepdim=True)]), columns=2)


def training_curve(student, probe, expect, once):
    """The bits per dimension of the mini-batches."""
    _flow, history = _trained(student, probe, expect, once)
    values = torch.tensor(expect.history(history, "bpd", None, "train_glow"))
    return Curves({_("bits per dimension"): values})
