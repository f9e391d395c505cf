"""Two denoisers: Tweedie's formula, and the Wiener filter.

Where `denoise` builds on `ou_moments`, it may follow the student's own one, if that follows the right one: wrong
moments cost their own points and no others.
"""

from __future__ import annotations

import numpy as np
import torch

from autograder.judge import CheckFailed, check
from autograder.language import _


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


@check(points=0.75, covers=("tweedie", "denoise"))
def test_denoise(student, expect, compare, draw):
    """The best guess of the data is (x_t + std² score) / decay, each row at its own time."""
    accepted = moments_to_accept(student, expect, draw)

    def judge(x, t, score, given, what, **near):
        pairs = [law(t) for law in accepted]
        values = [(x + std[:, None] ** 2 * score) / decay[:, None] for decay, std in pairs]
        agree(expect, compare, student.denoise(x, given, score), values, what, **near)

    for B, d in batches(draw):
        t, x, score = draw_times(draw, B), draw.normal(B, d), draw.normal(B, d)
        judge(x, t, score, t, _("denoise(x_t, t, score), x_t of shape {shape}").format(shape=(B, d)))
    number = round(float(draw.uniform(1, low=0.2, high=0.9)), 3)
    t = torch.full((B,), number, dtype=torch.float64)
    judge(x, t, score, number, f"denoise(x_t, {number}, score)", rtol=1e-5, atol=1e-5)


def filtered(y, mean, covariance, sigma):
    """By NumPy, from the covariance's eigenvectors: each is shrunk by its own gain."""
    values, vectors = np.linalg.eigh(covariance.numpy())
    gains = values / (values + sigma**2)
    return mean + torch.from_numpy(((y - mean).numpy() @ vectors * gains) @ vectors.T)


def draw_covariance(draw, d, rank):
    """A covariance of this rank, far from diagonal where d > 1."""
    root = draw.normal(d, rank) * draw.uniform(rank, low=0.7, high=1.5)
    return root @ root.T


@check(points=0.75, covers=("wiener", "wiener_filter"))
def test_wiener(student, compare, draw):
    """The Wiener filter shrinks towards the mean, by Σ (Σ + sigma² I)⁻¹."""
    for B, d in batches(draw):
        sigma = draw.choice((0.3, 0.5, 1.5, 2.0))
        y, mean, covariance = 2 * draw.normal(B, d), draw.normal(d), draw_covariance(draw, d, d + 1)
        what = _("wiener_filter(y, mean, covariance, {sigma}), y of shape {shape}").format(sigma=sigma, shape=(B, d))
        compare(
            student.wiener_filter(y, mean, covariance, sigma), filtered(y, mean, covariance, sigma), what, atol=1e-7
        )


@check(points=0.25, covers=("singular", "wiener_filter"), substance={"wiener_filter": ("wiener",)})
def test_wiener_singular(student, each, compare, draw):
    """The Wiener filter works where the data lie in a subspace, whose covariance has no inverse."""
    with each("wiener_filter"):
        B, d = draw.integer(4, 6), draw.integer(3, 5)
        for rank in (1, d - 1):
            y, mean, covariance = 2 * draw.normal(B, d), draw.normal(d), draw_covariance(draw, d, rank)
            # One coordinate is known beforehand: a row and a column of zeros.
            covariance[0], covariance[:, 0] = 0.0, 0.0
            what = _("wiener_filter(y, mean, covariance of lower rank, 0.5)")
            right = filtered(y, mean, covariance, 0.5)
            compare(student.wiener_filter(y, mean, covariance, 0.5), right, what, atol=1e-7)
