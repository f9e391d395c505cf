"""Figures of ae_vs_pca: what two numbers keep of a digit, and the loss of a short training."""

from __future__ import annotations

import torch

from autograder.judge.drawing import Curves, Images
from autograder.language import _

SIZE = 16


def pca_reconstructions(student, expect, digits):
    """Digits (top) and their reconstructions through 2 and 16 components."""
    x = digits("train", 400, SIZE).double()
    rows = [x[:8]]
    for d in (2, 16):
        mean, components = expect.sequence(student.pca_fit(x, d), 2, "pca_fit")
        z = student.pca_encode(x[:8], mean, components)
        rows.append(expect.tensor(student.pca_decode(z, mean, components), (8, SIZE * SIZE), "pca_decode"))
    return Images(torch.cat(rows).reshape(24, SIZE, SIZE))


def training_loss(student, expect, digits, draw):
    """The loss of a small auto-encoder on digits."""
    x = digits("train", 400, SIZE).float()
    model = expect.handle(student.Autoencoder(SIZE * SIZE, (64, 32), 2), "Autoencoder")
    history = student.train_autoencoder(model, x, epochs=15, batch_size=50, lr=2e-3, generator=draw.generator())
    losses = expect.history(history, "loss", None, "train_autoencoder")
    return Curves({_("loss"): torch.tensor(losses)})
