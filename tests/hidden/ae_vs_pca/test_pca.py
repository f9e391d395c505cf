"""PCA on fresh data, against NumPy's eigenvectors of the covariance; angles between subspaces."""

from __future__ import annotations

import math

import numpy as np
import torch

from autograder.judge import check
from autograder.language import _

FORBIDDEN = ("torch.pca_lowrank",)


def cloud(draw, n, D, centred=False):
    """Data with distinct variances in directions of no axis, far from the origin unless centred."""
    scales = torch.tensor(draw.shuffle([0.3 * 1.5**i for i in range(D)]), dtype=torch.float64)
    x = (draw.normal(n, D) * scales) @ basis(draw, D, D)
    x = x - x.mean(0)
    return x if centred else x + 20 * draw.normal(D).sign() + draw.normal(D)


def basis(draw, d, D):
    """d orthonormal rows, (d, D)."""
    return torch.linalg.qr(draw.normal(D, d))[0].T.contiguous()


def principal_axes(x):
    """Eigenvalues of the covariance (1/n) and its eigenvectors as rows, decreasing. Independent of the solution."""
    values, vectors = np.linalg.eigh(np.cov(x.numpy().T, bias=True))
    return torch.from_numpy(values[::-1].copy()), torch.from_numpy(vectors.T[::-1].copy())


def fitted(student, expect, x, d):
    what = f"pca_fit(x of shape {tuple(x.shape)}, d={d})"
    mean, components = expect.sequence(student.pca_fit(x, d), 2, what)
    return mean, components, what


def uncentred(x, d):
    """Projections on what an SVD of other data than x - mean gives; signs of components do not matter to them."""
    mean = x.mean(0)
    others = {"no_centring": x, "global_mean": x - x.mean(), "standardised": (x - mean) / x.std(0)}
    rows = {name: torch.linalg.svd(data, full_matrices=False)[2][:d] for name, data in others.items()}
    return {name: V.T @ V for name, V in rows.items()}


@check(points=0.25, covers=("mean", "pca_fit"), forbids=FORBIDDEN)
def test_pca_mean(student, compare, draw, expect):
    """pca_fit returns the mean of the rows."""
    x = cloud(draw, draw.integer(20, 40), draw.integer(5, 8))
    mean, _components, what = fitted(student, expect, x, 2)
    compare(mean, x.mean(0), f"the mean from {what}")


@check(points=1.75, covers=("subspace", "own_work", "pca_fit"), forbids=FORBIDDEN)
def test_pca_subspace(student, compare, draw, expect):
    """The components are orthonormal rows and span the directions of largest variance of the centred data."""
    for n, D in ((draw.integer(30, 50), draw.integer(5, 8)), (draw.integer(6, 8), draw.integer(10, 12))):
        x, d = cloud(draw, n, D), draw.integer(2, 4)
        _mean, components, what = fitted(student, expect, x, d)
        components = expect.tensor(components, (d, D), f"the components from {what}")
        compare(
            components @ components.T,
            torch.eye(d),
            _("products of the components from {what}").format(what=what),
            atol=1e-6,
            hint=_("The rows of components have length 1 and are orthogonal to each other."),
        )
        axes = principal_axes(x)[1]
        right = axes[:d]
        compare(
            components.T @ components,
            right.T @ right,
            _("the subspace of the components from {what}").format(what=what),
            rtol=1e-5,
            atol=1e-6,
            mistakes={"components_smallest": axes[-d:].T @ axes[-d:]} | uncentred(x, d),
        )


@check(points=0.5, covers=("order", "pca_fit"), forbids=FORBIDDEN)
def test_pca_order(student, compare, draw, expect):
    """The components come by decreasing variance; as many as the rows of wide data are orthonormal too."""
    x, d = cloud(draw, draw.integer(40, 60), draw.integer(6, 8), centred=True), draw.integer(3, 4)
    _mean, components, what = fitted(student, expect, x, d)
    components = expect.tensor(components, (d, x.shape[1]), f"the components from {what}")
    axes = principal_axes(x)[1]
    alike = (components @ axes.T).abs()  # (d, D): 1 where a row is that axis, up to its sign
    right, wrong = torch.eye(x.shape[1], dtype=alike.dtype), torch.eye(x.shape[1], dtype=alike.dtype).flip(0)
    compare(
        alike,
        right[:d],
        _("agreement of each component from {what}").format(what=what),
        rtol=1e-5,
        atol=1e-5,
        mistakes={"components_ascending": right[:d].flip(0), "components_smallest": wrong[:d]},
    )
    expect_as_many_as_rows(student, compare, expect, cloud(draw, draw.integer(5, 7), draw.integer(9, 11)))


def expect_as_many_as_rows(student, compare, expect, x):
    """With d = n < D the last component has no variance: any row of length 1 that is orthogonal to the others."""
    n, D = x.shape
    _mean, components, what = fitted(student, expect, x, n)
    components = expect.tensor(components, (n, D), f"the components from {what}", finite=False)
    what = _("products of the components from {what}").format(what=what)
    products, right = components @ components.T, torch.eye(n, dtype=torch.float64)
    others_right = torch.allclose(products[:-1, :-1], right[:-1, :-1], atol=1e-6)
    divided = others_right and not abs(float(products[-1, -1]) - 1) < 1e-3  # NaN too
    compare(
        products,
        right,
        what,
        atol=1e-6,
        hint=_("With d = n the last variance is 0: the last row has length 1 all the same, orthogonal to the others."),
        mistakes={"divided_by_zero_variance": products} if divided else {},
    )


@check(points=0.5, covers=("encode", "pca_encode"))
def test_pca_encode(student, compare, draw):
    """Codes are the coordinates of x - mean along the components."""
    n, D, d = draw.integer(5, 9), draw.integer(5, 8), draw.integer(2, 4)
    x, mean, components = draw.normal(n, D), draw.normal(D), basis(draw, d, D)
    right = torch.einsum("nk,dk->nd", x - mean, components)
    compare(student.pca_encode(x, mean, components), right, atol=1e-7)


@check(points=0.5, covers=("decode", "pca_decode"))
def test_pca_decode(student, compare, draw):
    """Reconstructions are the mean plus the components, weighted by the code."""
    n, D, d = draw.integer(5, 9), draw.integer(5, 8), draw.integer(2, 4)
    z, mean, components = draw.normal(n, d), draw.normal(D), basis(draw, d, D)
    right = mean + torch.einsum("nd,dk->nk", z, components)
    compare(student.pca_decode(z, mean, components), right, atol=1e-7)


@check(points=1, covers=("shares", "explained_variance_ratio"))
def test_explained_shares(student, compare, draw):
    """Each share is one variance over the total variance of all directions."""
    for n, D in ((draw.integer(30, 50), draw.integer(5, 8)), (draw.integer(6, 8), draw.integer(10, 12))):
        x, d = cloud(draw, n, D), draw.integer(2, 4)
        values = principal_axes(x)[0]
        what = f"explained_variance_ratio(x of shape {(n, D)}, d={d})"
        compare(student.explained_variance_ratio(x, d), values[:d] / values.sum(), what, rtol=1e-5)


def mixture(draw, d):
    """A well-conditioned matrix (d, d) that turns orthonormal rows into oblique ones."""
    return basis(draw, d, d) @ torch.diag(draw.uniform(d, low=0.6, high=3.0)) @ basis(draw, d, d)


def angles(student, expect, A, B):
    what = f"principal_angles(A of shape {tuple(A.shape)}, B of shape {tuple(B.shape)})"
    answer = expect.tensor(student.principal_angles(A, B), (min(len(A), len(B)),), what)
    return answer.sort().values, what


@check(points=0.5, covers=("angles", "principal_angles"))
def test_angles_values(student, compare, draw, expect):
    """Principal angles in radians, for rows that are not orthonormal and for different numbers of rows."""
    for _k in range(3):
        d_A, d_B = draw.shuffle((2, draw.integer(3, 4)))
        D = draw.integer(7, 9)
        right = draw.uniform(2, low=0.2, high=1.4).sort().values
        frame = basis(draw, D, D)
        # Two pairs of directions at the angles drawn, and further directions orthogonal to all others.
        A, B = frame[:2], right.cos()[:, None] * frame[:2] + right.sin()[:, None] * frame[2:4]
        rest = frame[4:]
        more = max(d_A, d_B) - 2
        A = torch.cat([A, rest[:more]]) if d_A > 2 else A
        B = torch.cat([B, rest[:more]]) if d_B > 2 else B
        A, B = (mixture(draw, len(M)) @ M for M in (A, B))
        answer, what = angles(student, expect, A, B)
        compare(answer, right, what, rtol=1e-5, atol=1e-6)


@check(points=0.5, covers=("extremes", "principal_angles"))
def test_angles_extremes(student, compare, draw, expect):
    """Equal and contained spaces have the angles 0, orthogonal ones pi/2; rounding gives no NaN."""
    for _k in range(12):
        D, d = draw.integer(9, 12), draw.integer(3, 4)
        frame = basis(draw, D, D)
        A = mixture(draw, d) @ frame[:d]
        other = mixture(draw, d) @ A
        answer, what = angles(student, expect, A, other)
        compare(answer, torch.zeros(d), _("{what} of one space").format(what=what), atol=1e-5)
        answer, what = angles(student, expect, A[:2], A)
        compare(answer, torch.zeros(2), _("{what} of a space and one in it").format(what=what), atol=1e-5)
    answer, what = angles(student, expect, A, 3 * frame[d : 2 * d])
    right = torch.full((d,), math.pi / 2)
    compare(answer, right, _("{what} of orthogonal spaces").format(what=what), atol=1e-5)
