"""The latent space: principal components against scikit-learn's, one scale, and the way there and back."""

from __future__ import annotations

import torch
from sklearn.decomposition import PCA

from autograder.judge import check
from autograder.language import _


def cloud(draw, n, D):
    """Data with distinct variances in directions of no axis, far from the origin."""
    scales = torch.tensor(draw.shuffle([0.3 * 1.5**i for i in range(D)]), dtype=torch.float64)
    turn = torch.linalg.qr(draw.normal(D, D))[0]
    return (draw.normal(n, D) * scales) @ turn + 10 * draw.normal(D).sign() + draw.normal(D)


def draw_space(draw, d, D):
    """A mean, orthonormal components and a scale, of no data."""
    components = torch.linalg.qr(draw.normal(D, d))[0].T.contiguous()
    scale = draw.choice((float(draw.uniform(1, low=0.1, high=0.4)), float(draw.uniform(1, low=2.5, high=6.0))))
    return draw.normal(D), components, scale


def cases(draw):
    """Data and d: more rows than pixels, fewer, all components, a single one."""
    D = draw.integer(5, 8)
    return (
        (cloud(draw, draw.integer(30, 50), D), draw.integer(2, 4)),
        (cloud(draw, draw.integer(7, 9), draw.integer(11, 13)), draw.integer(2, 4)),
        (cloud(draw, draw.integer(30, 50), D), D),
        (cloud(draw, draw.integer(30, 50), D), 1),
    )


@check(points=0.75, covers=("space", "fit_latent_space"))
def test_latent_space(student, expect, compare, draw):
    """The latent space has the mean of the data and their directions of largest variance, the largest first."""
    for x, d in cases(draw):
        what = f"fit_latent_space(x of shape {tuple(x.shape)}, d={d})"
        mean, components, _scale = expect.sequence(student.fit_latent_space(x, d), 3, what)
        right = PCA(d, svd_solver="full").fit(x.numpy())
        compare(mean, torch.from_numpy(right.mean_), f"{what}[0]")
        axes = torch.from_numpy(right.components_)
        rows = expect.tensor(components, tuple(axes.shape), f"{what}[1]")
        compare(
            rows @ rows.T, torch.eye(d), _("products of the components from {what}").format(what=what), atol=1e-6,
            hint=_("The rows of components have length 1 and are orthogonal to each other."),
        )  # fmt: skip
        compare(
            rows.T @ rows, axes.T @ axes, _("the subspace of the components from {what}").format(what=what),
            rtol=1e-5, atol=1e-6, hint=_("Principal components are directions of the data minus their mean."),
        )  # fmt: skip
        compare(
            (rows @ axes.T).abs(), torch.eye(d), _("agreement of each component from {what}").format(what=what),
            rtol=1e-5, atol=1e-5, hint=_("The direction of largest variance comes first."),
        )  # fmt: skip


def own_scale(x, mean, components, variance):
    """The scale that belongs to a student's own mean and components, where those are of some use."""
    if not all(isinstance(v, torch.Tensor) and v.is_floating_point() for v in (mean, components)):
        return None
    if mean.shape != x.shape[1:] or components.dim() != 2 or components.shape[1] != x.shape[1]:
        return None
    codes = (x - mean.double()) @ components.double().T
    size = float(codes.square().mean())
    return size**-0.5 if 0.01 * variance < size < 100 * variance else None


@check(points=0.5, covers=("scale", "fit_latent_space"))
def test_latent_scale(student, expect, compare, draw):
    """One number scales the latent space so that the mean square of all codes is 1."""
    for x, d in cases(draw):
        what = f"fit_latent_space(x of shape {tuple(x.shape)}, d={d})"
        mean, components, scale = expect.sequence(student.fit_latent_space(x, d), 3, what)
        codes = torch.from_numpy(PCA(d, svd_solver="full").fit_transform(x.numpy()))
        variance = float(codes.square().mean())
        hint = _("One number for the whole space: 1 over the root of the mean of the squares of all n·d codes.")
        number = expect.number(scale, f"{what}[2]", hint=hint)
        own = own_scale(x, mean, components, variance)
        if own is None or abs(number - own) > 1e-6 * own:
            compare(number, variance**-0.5, f"{what}[2]", hint=hint)


@check(points=0.5, covers=("encode",))
def test_encode(student, compare, draw):
    """Latents are scale (x - mean) Cᵀ."""
    for n in (1, draw.integer(3, 6)):
        d, D = draw.integer(2, 3), draw.integer(5, 8)
        mean, components, scale = draw_space(draw, d, D)
        x = draw.normal(n, D)
        right = scale * (x - mean) @ components.T
        compare(student.encode(x, (mean, components, scale)), right, "encode(x, space)")
        space = mean, components, torch.tensor(scale, dtype=torch.float64)
        compare(student.encode(x, space), right, _("encode(x, space), the scale as a tensor"))


@check(points=0.5, covers=("decode",))
def test_decode(student, compare, draw):
    """Images of latents are mean + (z / scale) C, and not clipped."""
    for n in (1, draw.integer(3, 6)):
        d, D = draw.integer(2, 3), draw.integer(5, 8)
        mean, components, scale = draw_space(draw, d, D)
        z = 3 * draw.normal(n, d)
        right = mean + z / scale @ components
        compare(student.decode(z, (mean, components, scale)), right, "decode(z, space)")
        space = mean, components, torch.tensor(scale, dtype=torch.float64)
        compare(student.decode(z, space), right, _("decode(z, space), the scale as a tensor"))
