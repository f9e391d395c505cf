"""What several of the checks know of the Ornstein-Uhlenbeck process, and whose moments they accept."""

from __future__ import annotations

import torch

from autograder.judge import CheckFailed


def moments(t):
    """Decay and standard deviation at the times t."""
    return torch.exp(-t), torch.sqrt(-torch.expm1(-2 * t))


def draw_times(draw, n, low=0.05, high=2.0):
    """n times in random order, all distinct, small ones as often as large ones."""
    steps = torch.tensor(draw.shuffle(range(n))) + draw.uniform(n, low=0.1, high=0.9)
    return low * (high / low) ** (steps / n)


def moments_to_accept(student, expect, draw):
    """Functions of times (n,) that give decay and std: the right one, then the student's own where it follows that.

    A wrong ou_moments has its own check: what is built on it is right where it is consistent. It follows where, over
    times from early to late, what is left shrinks and the noise grows about as they should.
    """
    t = draw_times(draw, 24)

    def own(t):
        pair = expect.sequence(student.ou_moments(t), 2, "ou_moments")
        return tuple(expect.tensor(value, tuple(t.shape), "ou_moments") for value in pair)

    try:
        for found, right in zip(own(t), moments(t), strict=True):
            found, right = found - found.mean(), right - right.mean()
            alike = float((found * right).sum() / (found.norm() * right.norm()).clamp_min(1e-12))
            if alike < 0.8 or not 0.4 < float(found.norm() / right.norm()) < 2.5:
                return [moments]
    except CheckFailed:
        return [moments]
    return [moments, own]


def agree(expect, compare, answer, values, what, rtol=1e-6, atol=1e-8):
    """Compare with the first of the values, unless the answer is one of the others."""
    found = expect.tensor(answer, tuple(values[0].shape), what)
    if not any(torch.allclose(found, value, rtol=rtol, atol=atol) for value in values[1:]):
        compare(answer, values[0], what, rtol=rtol, atol=atol)


def batches(draw):
    """Sizes (B, d): several, as many rows as coordinates, one coordinate, one row."""
    square = draw.integer(2, 4)
    return (
        (draw.integer(5, 8), draw.integer(2, 4)),
        (square, square),
        (draw.integer(3, 6), 1),
        (1, draw.integer(2, 4)),
    )
