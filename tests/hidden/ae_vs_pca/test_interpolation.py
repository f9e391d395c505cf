"""Interpolation between codes, with a model made for the check."""

from __future__ import annotations

import torch

from autograder.judge import check
from autograder.language import _


def curved(probe, draw):
    """A curved model, its two halves as the judge computes them, and two samples."""
    D, d = draw.integer(5, 9), draw.integer(2, 4)
    encoder, decoder = 0.5 * draw.normal(d, D), draw.normal(D, d)
    x1, x2 = draw.normal(D), draw.normal(D)
    right = [torch.tanh(encoder @ x) for x in (x1, x2)], lambda z: torch.sin(z @ decoder.T)
    return probe.curved(encoder, decoder), x1, x2, right


@check(points=0.5, covers=("interpolation", "interpolate"))
def test_interpolation_values(student, probe, compare, draw):
    """Row k decodes alpha_k z1 + (1 - alpha_k) z2: x1's reconstruction at 1, x2's at 0."""
    for _k in range(2):
        model, x1, x2, ((z1, z2), decode) = curved(probe, draw)
        alphas = torch.cat([torch.tensor([0.0, 1.0]).double(), draw.uniform(draw.integer(2, 5))])
        right = decode(alphas[:, None] * z1 + (1 - alphas[:, None]) * z2)
        answer = student.interpolate(model, x1, x2, alphas)
        compare(answer, right, rtol=1e-5, atol=1e-7)


@check(points=0.5, covers=("forms", "interpolate"))
def test_interpolation_forms(student, probe, compare, draw):
    """Samples of shape (D,) and (1, D), alphas as a list and as a tensor give the same rows."""
    model, x1, x2, ((z1, z2), decode) = curved(probe, draw)
    alphas = [k / 100 for k in draw.shuffle(range(1, 100))[: draw.integer(3, 6)]]  # all different
    at = torch.tensor(alphas, dtype=torch.float64)[:, None]
    right = decode(at * z1 + (1 - at) * z2)
    for rows in (False, True):
        for as_list in (False, True):
            a, b = (x1[None], x2[None]) if rows else (x1, x2)
            weights = alphas if as_list else torch.tensor(alphas, dtype=torch.float64)
            what = _("interpolate with samples of shape {shape}, alphas as a {kind}").format(
                shape=tuple(a.shape), kind="list" if as_list else "tensor"
            )
            compare(student.interpolate(model, a, b, weights), right, what, rtol=1e-4, atol=1e-6)
    one = student.interpolate(model, x1, x2, alphas[:1])
    compare(one, right[:1], _("interpolate with one alpha"), rtol=1e-4, atol=1e-6)
