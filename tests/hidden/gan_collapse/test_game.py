"""The game on paper: best discriminator, Jensen-Shannon divergence and value, on fresh numbers in float64."""

from __future__ import annotations

import math

import torch

from autograder.judge import check
from autograder.language import _

INF = float("inf")


def draw_law(draw, n, *empty):
    """A law on n points, far from uniform, with nothing at some of them."""
    law = draw.uniform(n, low=0.05, high=1.0) ** 2
    for i in empty:
        law[i] = 0.0
    return law / law.sum()


def entropy(law):
    """-Σ p log p."""
    return torch.special.entr(law).sum()


@check(points=0.5, covers=("optimum", "optimal_discriminator"))
def test_optimum_value(student, compare, draw):
    """The best discriminator is (1 - s) p_data / (p_data + p_g)."""
    for smoothing in (0.0, float(draw.uniform(1, low=0.05, high=0.4))):
        n = draw.integer(5, 9)
        p, q = draw.uniform(n, low=0.05, high=2.0), draw.uniform(n, low=0.05, high=2.0)
        expected = (1 - smoothing) * p / (p + q)
        compare(student.optimal_discriminator(p.log(), q.log(), smoothing=smoothing), expected)
        if not smoothing:
            compare(student.optimal_discriminator(p.log(), q.log()), expected)


@check(points=0.25, covers=("optimum_far", "optimal_discriminator"))
def test_optimum_far(student, compare, draw):
    """The same where both densities underflow, and where one of them is zero."""
    n, smoothing = draw.integer(5, 9), float(draw.uniform(1, low=0.05, high=0.4))
    gap = draw.uniform(n, low=0.5, high=4.0) * torch.tensor([draw.choice((-1.0, 1.0)) for _i in range(n)])
    for middle in (-1000.0 - 50 * draw.uniform(n), 800.0 + 50 * draw.uniform(n)):
        expected = (1 - smoothing) / (1 + gap.exp())
        hint = _("Only the difference of the two log-densities counts: divide above and below by p_data.")
        compare(
            student.optimal_discriminator(middle, middle + gap, smoothing=smoothing), expected, rtol=1e-5, hint=hint
        )
    log_p, log_q = -3 * draw.uniform(4), -3 * draw.uniform(4)
    log_p[0], log_q[1] = -INF, -INF
    expected = (1 - smoothing) * log_p.exp() / (log_p.exp() + log_q.exp())
    compare(student.optimal_discriminator(log_p, log_q, smoothing=smoothing), expected)


@check(points=0.5, covers=("divergence", "jensen_shannon"))
def test_divergence_value(student, compare, draw):
    """The Jensen-Shannon divergence is the mean of two divergences from the middle, in nats."""
    for _round in range(2):
        n = draw.integer(4, 8)
        p, q = draw_law(draw, n), draw_law(draw, n).flip(0)
        compare(student.jensen_shannon(p, q), entropy((p + q) / 2) - (entropy(p) + entropy(q)) / 2)


@check(points=0.25, covers=("divergence", "jensen_shannon"))
def test_divergence_zeros(student, compare, draw):
    """The same where some probabilities are 0; two laws with nothing in common are log 2 apart."""
    n = draw.integer(5, 8)
    for p, q in ((draw_law(draw, n, 0, 2), draw_law(draw, n, 1, 2)), (draw_law(draw, n), draw_law(draw, n, 3))):
        expected = entropy((p + q) / 2) - (entropy(p) + entropy(q)) / 2
        compare(student.jensen_shannon(p, q), expected, hint=_("0 log 0 = 0: torch.xlogy knows it."))
    apart = torch.cat([p, torch.zeros_like(p)]), torch.cat([torch.zeros_like(q), q])
    compare(student.jensen_shannon(*apart), torch.tensor(math.log(2), dtype=torch.float64))


@check(points=0.5, covers=("value", "game_value"))
def test_value_of_the_game(student, compare, draw):
    """The value of the game is Σ p log d + Σ q log(1 - d)."""
    for _round in range(2):
        n = draw.integer(4, 8)
        p, q, d = draw_law(draw, n), draw_law(draw, n).flip(0), draw.uniform(n, low=0.05, high=0.95)
        compare(student.game_value(d, p, q), (p * d.log() + q * (1 - d).log()).sum())


@check(points=0.25, covers=("value", "game_value"))
def test_value_zeros(student, compare, draw):
    """The same with 0 log 0 = 0, and minus infinity where the discriminator excludes what happens."""
    n = draw.integer(5, 8)
    p, q, d = draw_law(draw, n, 0), draw_law(draw, n, 1), draw.uniform(n, low=0.05, high=0.95)
    sure = d.clone()
    sure[0], sure[1] = 0.0, 1.0  # rightly: there are no data at the first point, and no fakes at the second
    right = (p[1:] * sure[1:].log()).sum() + q[0] * 0 + (q[2:] * (1 - sure[2:]).log()).sum()
    hint = _("0 log 0 = 0: torch.xlogy knows it.")
    compare(student.game_value(sure, p, q), right, hint=hint)
    wrong = d.clone()
    wrong[draw.choice((2, 3))] = draw.choice((0.0, 1.0))
    compare(student.game_value(wrong, p, q), torch.tensor(-INF, dtype=torch.float64), hint=hint)
