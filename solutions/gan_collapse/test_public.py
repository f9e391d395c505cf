"""Public checks of gan_collapse: small examples that can be worked out by hand. They earn no points."""

from __future__ import annotations

import math

import torch

from autograder.judge import check
from autograder.language import _


def numbers(values):
    return torch.tensor(values, dtype=torch.float64)


@check()
def test_public_game(student, compare):
    """Densities 1 and 3: the best discriminator says 1/4. Two laws with nothing in common are log 2 apart."""
    log_p, log_q = numbers([0.0, -math.inf]), numbers([math.log(3.0), 0.0])
    compare(student.optimal_discriminator(log_p, log_q), numbers([0.25, 0.0]))
    compare(student.optimal_discriminator(log_p, log_q, smoothing=0.2), numbers([0.2, 0.0]))
    p, q = numbers([1.0, 0.0]), numbers([0.0, 1.0])
    compare(student.jensen_shannon(p, q), numbers(math.log(2)))
    compare(student.game_value(numbers([0.5, 0.5]), p, q), numbers(-math.log(4)))


@check()
def test_public_losses(student, compare):
    """Logits 0 mean D = 1/2: each mean is log 2. Logits of -1000 are no difficulty."""
    zero, low = numbers([0.0, 0.0]), numbers([-1000.0])
    compare(student.discriminator_loss(zero, zero), numbers(2 * math.log(2)))
    compare(student.generator_loss(zero), numbers(math.log(2)))
    compare(student.generator_loss(zero, loss="saturating"), numbers(-math.log(2)))
    compare(student.generator_loss(low), numbers(1000.0))
    compare(student.discriminator_loss(zero + 3, zero - 1, loss="wasserstein"), numbers(-4.0))


@check()
def test_public_batch_norm(student, expect, compare):
    """The rows -1 and 1 have mean 0 and variance 1 over B, 2 over B - 1."""
    layer = expect.handle(student.BatchNorm(1, momentum=0.5, eps=0.0), "BatchNorm(1, momentum=0.5, eps=0)")
    x = torch.tensor([[-1.0], [1.0]])
    compare(layer(x), x, "BatchNorm(1)([[-1], [1]])")
    compare(layer.running_var, torch.tensor([1.5]), "running_var after the rows -1 and 1")


@check()
def test_public_networks(student, expect, draw):
    """The generator maps (7, 3) to (7, 5), the discriminator (7, 5) to (7,)."""
    generator = expect.handle(student.Generator(latent_dim=3, dim=5, hidden=32), "Generator")
    discriminator = expect.handle(student.Discriminator(dim=5, hidden=32), "Discriminator")
    x = expect.tensor(generator(draw.normal(7, 3, dtype=torch.float32)), (7, 5), "Generator(...)(z)")
    expect.true(x.abs().max() <= 1, _("Generator(...)(z): pixels are in [-1, 1]."))
    expect.tensor(discriminator(x.float()), (7,), "Discriminator(...)(x)")


@check()
def test_public_training(student, expect, draw):
    """Three steps of training give a history of three values; four samples are drawn."""
    generator = expect.handle(student.Generator(latent_dim=3, dim=5, hidden=32), "Generator")
    discriminator = expect.handle(student.Discriminator(dim=5, hidden=32), "Discriminator")
    data = draw.uniform(20, 5, low=-1.0, high=1.0, dtype=torch.float32)
    history = student.train_gan(generator, discriminator, data, steps=3, batch_size=4)
    for key in ("discriminator_loss", "generator_loss"):
        expect.history(history, key, 3, "train_gan(..., steps=3)")
    expect.tensor(student.sample(generator, 4), (4, 5), "sample(generator, 4)")


@check()
def test_public_report(student, probe, expect, compare):
    """Distances 3, 4 and 5 have the mean 4; samples a quarter as varied as the data have collapsed."""
    x = numbers([[0.0, 0.0], [3.0, 0.0], [0.0, 4.0]])
    compare(student.diversity(x), numbers(4.0))
    one_mode = probe.constant(torch.zeros(3, dtype=torch.long))
    report = student.collapse_report(x, 4 * x, one_mode, n_modes=1)
    expect.true(isinstance(report, dict), _("collapse_report(...): expected a dict."))
    for key, value in (("covered", 1.0), ("kl", 0.0), ("diversity", 0.25)):
        compare(report.get(key), numbers(value), f'collapse_report(x, 4 x, classify, n_modes=1)["{key}"]')
    expect.true(
        expect.flag(report.get("collapsed"), 'collapse_report(...)["collapsed"]'),
        _('collapse_report(...)["collapsed"]: a quarter of the diversity is a collapse.'),
    )
