"""Figures of vae_mnist after a short training: the decoded latent plane, samples, the rising bound."""

from __future__ import annotations

import torch

from autograder.judge.drawing import Curves, Images
from autograder.language import _

SIDE = 8


def _trained(student, probe, expect, digits, once):
    def train(draw):
        model = expect.handle(student.VAE(latent_dim=2, hidden=64), "VAE")
        history = student.train_vae(model, digits("train", 1000).float(), epochs=20, generator=draw.generator())
        probe.evaluation_mode(model)
        return model, history

    return once("figures", train)


def latent_plane(student, probe, expect, digits, once):
    """The decoded plane of latent points: every image has the same share of the prior."""
    model, _history = _trained(student, probe, expect, digits, once)
    quantiles = torch.special.ndtri((torch.arange(SIDE) + 0.5) / SIDE)
    grid = torch.cartesian_prod(quantiles.flip(0), quantiles).flip(1)
    logits = expect.tensor(probe.decode(model, grid.float()), (SIDE * SIDE, 784), "model.decoder")
    return Images(logits.sigmoid().reshape(-1, 28, 28), columns=SIDE)


def samples(student, probe, expect, digits, once, draw):
    """Images drawn from the model."""
    model, _history = _trained(student, probe, expect, digits, once)
    drawn = expect.tensor(student.sample(model, 32, generator=draw.generator()), (32, 784), "sample")
    return Images(drawn.reshape(-1, 28, 28))


def training_curve(student, probe, expect, digits, once):
    """The evidence lower bound over the epochs, in nats per image."""
    _model, history = _trained(student, probe, expect, digits, once)
    return Curves({_("ELBO"): torch.tensor(expect.history(history, "elbo", None, "train_vae"))})
