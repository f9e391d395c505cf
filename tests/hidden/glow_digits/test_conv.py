"""The invertible 1×1 convolution: its start, its matrix, and its log-determinants for both signs of the determinant."""

import math

import torch

from autograder.judge import check
from autograder.language import _

from .pairs import images_of, log_det_of

LEAST, MOST = 8, 20  # convolutions that are tried, until both signs of the determinant were seen


def is_nan(answer):
    """Whether the second value of an answer is NaN for every image, as the logarithm of a negative number is."""
    pair = isinstance(answer, list | tuple) and len(answer) == 2
    return pair and isinstance(answer[1], torch.Tensor) and bool(answer[1].isnan().all())


def basis(channels):
    """The unit vectors as images of one pixel, (C, C, 1, 1)."""
    return torch.eye(channels, dtype=torch.float64)[:, :, None, None]


def make(student, probe, expect, draw, channels, scale=0.6):
    """A convolution with perturbed weights, and its matrix W."""
    what = f"InvertibleConv1x1({channels})"
    layer = expect.handle(student.InvertibleConv1x1(channels), what)
    layer = expect.handle(probe.perturbed(layer, draw.normal(6, channels, 2, 3), scale, draw.seed()), what)
    units = basis(channels)
    matrix = images_of(expect, layer(units), units, "InvertibleConv1x1.forward(x)")[:, :, 0, 0].T
    expect.true(
        float(torch.linalg.slogdet(matrix)[1].abs()) > 1e-6,
        _("InvertibleConv1x1: with other weights its matrix still keeps all volumes: it is not trained."),
        hint=_("Make W an nn.Parameter: it only starts as an orthogonal matrix."),
        mistake="conv_not_learnt",
    )
    return layer, matrix


@check(points=0.25, kind="exact", covers=("conv_start", "InvertibleConv1x1"))
def test_conv_start(student, probe, expect, draw):
    """The convolution starts as a random orthogonal matrix, and as no permutation."""
    what = "InvertibleConv1x1.forward(x)"
    for channels in draw.shuffle([3, 4, 6, 8])[:2]:
        found = probe.built(student.InvertibleConv1x1, [channels], [draw.seed(), draw.seed()], basis(channels))
        one, two = (
            expect.tensor(v, (channels, channels, 1, 1), what)[:, :, 0, 0].T.double()
            for v in expect.sequence(found, 2, what)
        )
        for matrix in (one, two):
            expect.true(
                torch.allclose(matrix @ matrix.T, torch.eye(channels, dtype=torch.float64), atol=1e-4),
                _("InvertibleConv1x1: its first matrix W is not orthogonal."),
                hint=_("torch.linalg.qr(torch.randn(C, C)).Q is a random orthogonal matrix."),
            )
            expect.true(
                float(matrix.abs().amax(1).min()) < 0.9999,
                _("InvertibleConv1x1: its first matrix W only exchanges channels: it is to be a random rotation."),
            )
        expect.true(
            (one - two).abs().max() > 1e-3,
            _("InvertibleConv1x1: two layers start with the same matrix W."),
            hint=_("Draw it from torch's global generator, and seed nothing."),
        )


@check(points=0.5, kind="exact", covers=("conv", "InvertibleConv1x1"))
def test_conv_map(student, probe, expect, compare, draw):
    """The convolution applies one matrix at every position, and its inverse undoes it."""
    for channels, size in ((draw.integer(2, 4), draw.shuffle([2, 3, 5])[:2]), (draw.integer(5, 8), (1, 1))):
        layer, matrix = make(student, probe, expect, draw, channels)
        x, what = draw.normal(draw.integer(1, 4), channels, *size), "InvertibleConv1x1.forward(x)"
        z = images_of(expect, layer(x), x, what)
        compare(z, torch.einsum("dc,bchw->bdhw", matrix, x), what=what)
        name = "InvertibleConv1x1.inverse(z)"
        compare(
            images_of(expect, layer.inverse(z), x, name),
            x,
            what=f"InvertibleConv1x1.inverse({what}[0])[0]",
            rtol=1e-5,
            atol=1e-6,
            mistakes={"conv_transposed": torch.einsum("cd,bchw->bdhw", matrix, z)},
            hint=_("The inverse applies W⁻¹ (torch.linalg.inv or solve): W does not stay orthogonal."),
        )


@check(points=0.75, kind="exact", covers=("conv_log_det", "InvertibleConv1x1"))
def test_conv_log_det(student, probe, expect, compare, draw):
    """The convolution's log-determinants are H W log|det W| in both directions, whatever the sign of det W."""
    signs = set()
    for k in range(MOST):
        channels = (2, 3, 4, 5, 8, 3, 1, 6)[k % LEAST]
        size = (1, 1) if k % 4 == 3 else tuple(draw.shuffle([2, 3, 4])[:2])
        layer, matrix = make(student, probe, expect, draw, channels)
        sign, log_abs = torch.linalg.slogdet(matrix)
        signs.add(float(sign))
        area, rows = math.prod(size), draw.integer(1, 4)
        x = draw.normal(rows, channels, *size)
        z = images_of(expect, layer(x), x, "InvertibleConv1x1.forward(x)")
        for method, given, factor in (("forward", x, 1.0), ("inverse", z, -1.0)):
            what = f"InvertibleConv1x1.{method}(x)"
            right = (factor * area * log_abs).expand(rows)
            answer = getattr(layer, method)(given)
            of_negative = float(sign) < 0 and is_nan(answer)
            compare(
                torch.full_like(right, torch.nan) if of_negative else log_det_of(expect, answer, x, what),
                right,
                what=_("the log-determinant of {what}").format(what=what),
                rtol=1e-6,
                atol=1e-7,
                mistakes={
                    "conv_log_det_no_area": right / area,
                    "conv_log_det_sign" if method == "forward" else "conv_inverse_log_det_sign": -right,
                    "conv_log_of_det": torch.full_like(right, torch.nan),
                },
                hint=_("W acts at each of the H · W positions: H · W · log|det W|, for each image.")
                if method == "forward"
                else _("`inverse` returns minus the log-determinant that `forward` returns for the same image."),
            )
        expect.true(
            probe.carries_gradient(layer, x, draw.seed()),
            _("{what}: the gradient of the log-determinant does not reach the weights.").format(
                what="InvertibleConv1x1.forward(x)"
            ),
            hint=_("Training needs this gradient: no detach(), no item() and no torch.no_grad() on the way."),
            mistake="conv_log_det_detached",
        )
        if k + 1 >= LEAST and len(signs) == 2:
            break
