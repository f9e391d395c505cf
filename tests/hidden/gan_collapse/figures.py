"""Figures of gan_collapse after a short training on digits: samples beside the data, and both losses."""

from __future__ import annotations

import torch

from autograder.judge.drawing import Curves, Images
from autograder.language import _


def _trained(student, expect, digits, once):
    def train(draw):
        generator = expect.handle(student.Generator(latent_dim=16, dim=64, hidden=64), "Generator")
        discriminator = expect.handle(student.Discriminator(dim=64, hidden=64), "Discriminator")
        data = 2 * digits("train", 1400, size=8).float() - 1
        history = student.train_gan(generator, discriminator, data, 400, generator_rng=draw.generator())
        return generator, history

    return once("figures", train)


def samples(student, expect, digits, once, draw):
    """Images that the generator draws."""
    generator, _history = _trained(student, expect, digits, once)
    x = expect.tensor(student.sample(generator, 40, generator_rng=draw.generator()), (40, 64), "sample")
    return Images(x.reshape(-1, 8, 8), low=-1.0)


def losses(student, expect, digits, once):
    """The losses of the discriminator and of the generator."""
    _generator, history = _trained(student, expect, digits, once)
    names = {_("discriminator"): "discriminator_loss", _("generator"): "generator_loss"}
    return Curves(
        {label: torch.tensor(expect.history(history, key, None, "train_gan")) for label, key in names.items()}
    )
