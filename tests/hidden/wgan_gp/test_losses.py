"""The two losses and the interpolates, on fresh numbers in float64."""

import torch

from autograder.judge import check
from autograder.language import _


@check(points=0.5, kind="exact", covers=("losses", "critic_loss"))
def test_critic_loss_value(student, compare, draw):
    """The critic's loss is the mean score of the fakes minus the mean score of the real samples."""
    # Fakes above the real samples and below them, both asked for before either is judged: a sign reversed and an
    # absolute value then answer differently.
    cases, first = [], draw.choice((-1.5, 1.5))
    for side in (first, -first):
        n = draw.integer(3, 40)
        real, fake = side + draw.normal(n), draw.normal(n) - side
        cases.append((real, fake, student.critic_loss(real, fake)))
    for real, fake, answer in cases:
        compare(
            answer,
            fake.mean() - real.mean(),
            what="critic_loss(real_scores, fake_scores)",
            hint=_("The mean over the batch of each kind, and a difference of the two: a scalar, no logarithm."),
        )


@check(points=0.5, kind="exact", covers=("losses", "generator_loss"))
def test_generator_loss_value(student, compare, draw):
    """The generator's loss is minus the mean score of the fakes."""
    for _round in range(2):
        fake = 2 * draw.normal(draw.integer(3, 40)) + draw.choice((-3.0, 3.0))
        compare(
            student.generator_loss(fake),
            -fake.mean(),
            hint=_("Minus the mean of the scores: a scalar, no logarithm."),
        )


@check(points=1, kind="exact", covers=("interpolates",))
def test_interpolates_value(student, compare, draw):
    """Interpolates are eps·real + (1 - eps)·fake, with one eps per sample."""
    for dim in (2, draw.integer(3, 6)):
        n = draw.integer(4, 20)
        real, fake, eps = draw.normal(n, dim), 3 + draw.normal(n, dim), draw.uniform(n, 1)
        eps[0], eps[1] = 0.0, 1.0  # the ends belong to the line
        expected = fake + eps * (real - fake)
        compare(student.interpolates(real, fake, eps), expected)
    square = torch.stack([draw.normal(3), draw.normal(3), draw.normal(3)])  # as many samples as coordinates
    eps = draw.uniform(3, 1)
    compare(student.interpolates(square, -square, eps), (2 * eps - 1) * square)
