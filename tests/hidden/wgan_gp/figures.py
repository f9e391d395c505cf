"""Figures of wgan_gp after a short training on the ring: samples beside the data, the two losses."""

from __future__ import annotations

import math

import torch

from autograder.judge.drawing import Curves, Points
from autograder.language import _


def _ring(draw, n):
    angles = 2 * math.pi * draw.integers(0, 8, n) / 8
    return 2 * torch.stack([angles.cos(), angles.sin()], 1).float() + 0.05 * draw.normal(n, 2, dtype=torch.float32)


def _trained(student, expect, once):
    def train(draw):
        generator = expect.handle(student.Generator(latent_dim=2, dim=2), "Generator")
        critic = expect.handle(student.Critic(dim=2), "Critic")
        settings = {"n_critic": 3, "lr": 2.5e-3, "gp_weight": 1.0, "batch_size": 64}
        history = student.train_wgan_gp(
            generator, critic, _ring(draw, 2000), 200, generator_rng=draw.generator(), **settings
        )
        return generator, history

    return once("figures", train)


def ring(student, expect, once, draw):
    """Samples of the generator beside the data."""
    generator, _history = _trained(student, expect, once)
    samples = expect.tensor(student.sample(generator, 500, generator_rng=draw.generator()), (500, 2), "sample")
    return Points({_("data"): _ring(draw, 500), _("samples"): samples}, half_width=3.0)


def losses(student, expect, once):
    """The losses of the critic and of the generator."""
    _generator, history = _trained(student, expect, once)
    names = {_("critic"): "critic_loss", _("generator"): "generator_loss"}
    return Curves(
        {label: torch.tensor(expect.history(history, key, None, "train_wgan_gp")) for label, key in names.items()}
    )
