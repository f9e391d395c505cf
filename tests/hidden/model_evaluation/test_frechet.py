"""Fréchet distances, against SciPy's root of a matrix.

Diagonal or commuting covariances hide a wrong root, equal sizes a wrong divisor: none is used alone.
"""

from __future__ import annotations

import numpy as np
import torch
from scipy.linalg import sqrtm

from autograder.judge import check
from autograder.judge.verdicts import CheckFailed, StudentError


def draw_covariance(draw, d):
    """A full covariance, its axes turned and its widths unequal."""
    turned = torch.linalg.qr(draw.normal(d, d)).Q
    covariance = turned @ torch.diag(draw.uniform(d, low=0.2, high=4.0)) @ turned.T
    return (covariance + covariance.T) / 2


def right_frechet(mean1, cov1, mean2, cov2):
    """By SciPy's root of the product."""
    root = np.real(np.trace(sqrtm((cov1 @ cov2).numpy())))
    return (mean1 - mean2).square().sum() + cov1.trace() + cov2.trace() - 2 * float(root)


def moments(x):
    """Mean and covariance over n - 1."""
    return x.mean(0), torch.cov(x.T).reshape(x.shape[1], x.shape[1])


def right_fid(real, fake):
    """Fréchet distance of the moments, by the symmetric roots."""
    (mean1, cov1), (mean2, cov2) = moments(real), moments(fake)
    values, vectors = torch.linalg.eigh(cov1)
    root = vectors * values.clamp_min(0).sqrt() @ vectors.T
    between = torch.linalg.eigvalsh(root @ cov2 @ root).clamp_min(0).sqrt().sum()
    return ((mean1 - mean2).square().sum() + cov1.trace() + cov2.trace() - 2 * between).clamp_min(0)


@check(points=1.5, kind="exact", covers=("frechet", "frechet_distance"))
def test_frechet_value(student, compare, draw):
    """The distance of Gaussians whose covariances do not commute, squared; also of commuting ones, in closed form."""
    for d in (3, draw.integer(4, 6), 1):
        mean1, mean2, cov1, cov2 = draw.normal(d), draw.normal(d), draw_covariance(draw, d), draw_covariance(draw, d)
        right = right_frechet(mean1, cov1, mean2, cov2)
        compare(student.frechet_distance(mean1, cov1, mean2, cov2), right, f"frechet_distance of {d} features")
    # Commuting ones: the roots of Σ and 4Σ are S and 2S, their difference has the trace of Σ.
    compare(
        student.frechet_distance(mean1, cov1, mean1, 4 * cov1), cov1.trace(),
        "frechet_distance(mean, cov, mean, 4 * cov)",
    )  # fmt: skip


@check(points=0.5, kind="exact", covers=("singular", "frechet_distance"), requires=("frechet_value",))
def test_frechet_singular(student, expect, compare, draw):
    """Singular covariances need nothing added, and equal arguments are at distance 0."""
    d = draw.integer(5, 7)
    thin, other = draw.normal(3, d), draw.normal(2, d)
    (mean1, cov1), (mean2, cov2) = moments(thin), moments(other)
    scale = float(cov1.trace() + cov2.trace())
    right = right_fid(thin, other)
    got = expect.number(student.frechet_distance(mean1, cov1, mean2, cov2), "frechet_distance of singular covariances")
    compare(got, right, "frechet_distance of singular covariances", rtol=0, atol=2e-6 * scale)
    got = expect.number(
        student.frechet_distance(mean1, cov1, mean1, cov1), "frechet_distance of equal arguments", low=0
    )
    compare(got, 0.0, "frechet_distance(mean, cov, mean, cov)", rtol=0, atol=2e-6 * scale)


@check(points=1, kind="exact", covers=("fid",))
def test_fid_value(student, expect, compare, draw):
    """The distance of the two sets' means and covariances over n - 1; the sets have different sizes."""
    for n, m, f in ((9, 6, 3), (draw.integer(6, 12), draw.integer(14, 20), 4), (4, 3, 5)):
        real, fake = draw.normal(n, f) @ draw.normal(f, f), 0.5 + draw.normal(m, f) @ draw.normal(f, f)
        got, right = student.fid(real, fake), right_fid(real, fake)
        try:  # a fault of frechet_distance has cost its points: the moments are judged here
            own = expect.number(student.frechet_distance(*moments(real), *moments(fake)))
            if 0.2 < own / float(right) < 5 and abs(expect.number(got) - own) <= 1e-6 * abs(own):
                continue
        except (CheckFailed, StudentError):
            pass
        compare(got, right, f"fid(real ({n}, {f}), fake ({m}, {f}))", rtol=1e-6, atol=1e-6)


@check(points=1, kind="exact", covers=("infinity", "fid_infinity"))
def test_fid_infinity(student, expect, compare, draw):
    """The FIDs of the first n rows, and the intercept of their line in 1/n."""
    for sizes in ([12, 20, 33, 40], (40, 12, 25)):
        real, fake = draw.normal(30, 3) @ draw.normal(3, 3), draw.normal(40, 3) @ draw.normal(3, 3) + 0.3
        limit, values = expect.sequence(student.fid_infinity(real, fake, sizes), 2, "fid_infinity(real, fake, sizes)")
        right = torch.stack([right_fid(real, fake[:n]) for n in sizes])
        accepted = [right]
        try:
            own = torch.tensor([expect.number(student.fid(real, fake[:n])) for n in sizes], dtype=torch.float64)
            if bool(((own / right > 0.2) & (own / right < 5)).all()):
                accepted.append(own)
        except (CheckFailed, StudentError):
            pass
        got = expect.tensor(values, (len(sizes),), "the values of fid_infinity")
        right = min(accepted, key=lambda wanted: float((got - wanted).abs().max()))
        compare(got, right, f"the values of fid_infinity(real, fake, {sizes})")
        line = np.polyfit([1 / n for n in sizes], got.double().numpy(), 1)  # of their own values, which cancel in it
        what, atol = f"the limit of fid_infinity(real, fake, {sizes})", 1e-5 * float(right.abs().max())
        compare(limit, float(line[1]), what, atol=atol)
