"""Two denoisers: Tweedie's formula, and the Wiener filter.

Where `denoise` builds on `ou_moments`, it may follow the student's own one, if that follows the right one: wrong
moments cost their own points and no others.
"""

from __future__ import annotations

import numpy as np
import torch

from autograder.judge import check
from autograder.language import _

from .moments import agree, batches, draw_times, moments_to_accept


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
