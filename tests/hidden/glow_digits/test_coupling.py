"""The affine coupling of images: which channels pass, what the others see, round trips, log-determinants."""

import torch

from autograder.judge import CheckFailed, check
from autograder.language import _

from .pairs import images_of, log_det_of

TRIES = 5  # fresh layers until one is alive: in some, ReLUs all happen to be closed
ALIVE = 0.002  # spread of a log-determinant over the images, in nats


def jacobian_of(probe, expect, layer, x):
    """What forward gives at x, z, and the Jacobian (B, D, D)."""
    what = "AffineCoupling.forward(x)"
    result, _z, jacobian = expect.sequence(probe.transform(layer, "forward", x), 3, what)
    z = images_of(expect, result, x, what)
    shape = (len(x), x[0].numel(), x[0].numel())
    return result, z, expect.tensor(jacobian, shape, _("the Jacobian of {what}").format(what=what)).double()


def make(student, probe, expect, draw, channels, size):
    """A coupling with perturbed weights whose volume change varies: where it does not, there is nothing to be judged.

    It has to vary from image to image, and the map from weights to weights.
    """
    what, x, images, alive = f"AffineCoupling({channels})", draw.normal(12, channels, *size), [], None
    for turn in range(TRIES):
        layer = expect.handle(student.AffineCoupling(channels, hidden=draw.choice([32, 64])), what)
        louder = 1.5 * 2 ** (turn // 2)  # where a last layer that starts at zero hardly moves
        layer = expect.handle(probe.perturbed(layer, x, louder, draw.seed()), what)
        _result, z, jacobian = jacobian_of(probe, expect, layer, x)
        images.append(z)
        log_dets = torch.linalg.slogdet(jacobian)[1]
        alive = layer if float(log_dets.std()) > ALIVE else alive
        if alive is not None and any((image - images[0]).abs().max() > 1e-3 for image in images):
            return alive
    if alive is not None:
        message = _("AffineCoupling.forward(x): layers with other weights give the same.")
        raise CheckFailed(message, _("Scale and shift are computed by a network, whose weights are trained."))
    raise CheckFailed(
        _("AffineCoupling.forward(x): the volume changes by the same factor for every image."),
        _("The moved channels are scaled by a function of the others, computed by convolutions."),
        "coupling_additive" if float(log_dets.abs().max()) < 1e-9 else None,
    )


@check(points=0.5, kind="exact", covers=("coupling", "AffineCoupling"))
def test_coupling_halves(student, probe, expect, draw):
    """Half of the channels passes, the other is scaled and shifted, each pixel by itself, by functions of the first."""
    what = "AffineCoupling.forward(x)"
    for channels, size in ((4, draw.shuffle([2, 3])), (draw.choice([2, 6]), (2, 2)), (2, (1, 1))):
        layer = make(student, probe, expect, draw, channels, size)
        x = draw.normal(8, channels, *size)
        _result, z, jacobian = jacobian_of(probe, expect, layer, x)
        passes = (z - x).abs().amax(dim=(0, 2, 3)) < 1e-9  # (C,)
        expect.true(
            int(passes.sum()) == channels // 2,
            _("{what}: of {channels} channels {n} pass unchanged; half of them should.").format(
                what=what, channels=channels, n=int(passes.sum())
            ),
            hint=_("One half passes as it is, the other is scaled and shifted."),
            mistake="coupling_all_channels" if not passes.any() else None,
        )
        moved = (~passes)[:, None, None].expand(channels, *size).flatten()  # (D,)
        inside = jacobian[:, moved][:, :, moved]  # (B, D/2, D/2)
        off = inside - torch.diag_embed(inside.diagonal(dim1=1, dim2=2))
        expect.true(
            off.abs().max() < 1e-9 * (1 + inside.abs().max()),
            _("{what}: a moved pixel depends on other moved ones.").format(what=what),
            hint=_("The network sees the passing channels alone, and the scale acts on each pixel by itself."),
            mistake="coupling_sees_all",
        )
        step = draw.uniform(*x.shape, low=0.5, high=1.5) * (~passes)[:, None, None]
        z1, z2 = (images_of(expect, layer(x + k * step), x, what) for k in (1, 2))
        scale, again = (((b - a) / step)[:, ~passes] for a, b in ((z, z1), (z1, z2)))
        expect.true(
            torch.allclose(scale, again, rtol=1e-6, atol=1e-8),
            _("{what}: the moved channels are not an affine function of themselves.").format(what=what),
            hint=_("Scale and shift depend on the passing channels alone: z = σ(x_a) x_b + t(x_a)."),
            mistake="coupling_sees_all",
        )
        own_scales(expect, scale, what)
        shift = z[:, ~passes] - scale * x[:, ~passes]
        for name, values in ((_("scale"), scale), (_("shift"), shift)):
            expect.true(
                (values.amax(0) - values.amin(0)).max() > 1e-4,
                _("{what}: the {name} is the same for every image.").format(what=what, name=name),
            )


def own_scales(expect, scale, what):
    """Each pixel and each channel of the moved half has a scale of its own: (B, C/2, H, W)."""
    for axis, places, mistake in (
        ((2, 3), _("pixels of a channel"), "coupling_scale_per_channel"),
        ((1,), _("channels of a pixel"), "coupling_scale_per_pixel"),
    ):
        several = any(scale.shape[one] > 1 for one in axis)
        expect.true(
            not several or bool((scale.amax(axis) - scale.amin(axis)).max() > 1e-6 * scale.abs().max()),
            _("{what}: all {places} have the same scale.").format(what=what, places=places),
            hint=_("σ(x_a) has the shape of x_b: a scale for each channel and pixel that is moved."),
            mistake=mistake,
        )


@check(points=0.25, kind="exact", covers=("neighbours", "AffineCoupling"))
def test_coupling_neighbours(student, probe, expect, draw):
    """Scale and shift of a pixel depend on the 3×3 neighbourhood in the passing channels."""
    channels, (height, width) = 2, draw.shuffle([3, 4])
    layer = make(student, probe, expect, draw, channels, (height, width))
    x = draw.normal(6, channels, height, width)
    jacobian = jacobian_of(probe, expect, layer, x)[2].reshape(6, channels, height, width, channels, height, width)
    largest = centre = 0.0
    for one in range(channels):
        other = 1 - one  # in a coupling of two channels, one pixel sees the neighbours in the other channel
        seen = jacobian[:, one, 1, 1, other, :3, :3].abs().amax(0)  # (3, 3)
        largest = max(largest, float(seen.min() / (jacobian[:, one, :, :, other].abs().max() + 1e-30)))
        centre = max(centre, float(seen[1, 1]))
    expect.true(
        largest > 1e-6,
        _("AffineCoupling.forward(x): some of the 3×3 neighbours of a pixel change neither its scale nor its shift."),
        hint=_("The network is made of convolutions, at least one of them 3×3 with padding=1."),
        mistake="coupling_no_neighbours" if centre > 1e-9 else None,  # else it sees nothing at all
    )


@check(points=0.25, kind="exact", covers=("rows", "AffineCoupling"))
def test_coupling_rows(student, probe, expect, draw):
    """In training and in evaluation mode a coupling transforms each image by itself."""
    channels, size = draw.choice([2, 4]), draw.shuffle([2, 3])
    layer = make(student, probe, expect, draw, channels, size)
    for training in (True, False):
        probe.in_training(layer, training)
        for method in ("forward", "inverse"):
            x, what = draw.normal(5, channels, *size), f"AffineCoupling.{method}(x)"
            result = getattr(layer, method)(x)
            z, log_det = images_of(expect, result, x, what), log_det_of(expect, result, x, what)
            few = getattr(layer, method)(x[:2])
            same = torch.allclose(images_of(expect, few, x[:2], what), z[:2], rtol=1e-6, atol=1e-8)
            same = same and torch.allclose(log_det_of(expect, few, x[:2], what), log_det[:2], rtol=1e-6, atol=1e-8)
            expect.true(
                same,
                _("{what}: an image is transformed differently among other images.").format(what=what),
                hint=_("Batch normalisation mixes the images of a batch: leave it out."),
                mistake="coupling_batch_norm",
            )


@check(points=0.25, kind="exact", covers=("coupling_inverse", "AffineCoupling"))
def test_coupling_round_trip(student, probe, expect, compare, draw):
    """The coupling's inverse undoes its forward, and forward undoes its inverse."""
    for channels, size in ((draw.choice([2, 4, 6]), draw.shuffle([2, 3, 4])[:2]), (2, (1, 1))):
        layer = make(student, probe, expect, draw, channels, size)
        for one, two in (("forward", "inverse"), ("inverse", "forward")):
            x = draw.normal(draw.integer(1, 5), channels, *size)
            there = images_of(expect, getattr(layer, one)(x), x, f"AffineCoupling.{one}(x)")
            name = f"AffineCoupling.{two}(AffineCoupling.{one}(x)[0])[0]"
            back, wrong = images_of(expect, getattr(layer, two)(there), x, name), {}
            if one == "forward" and not torch.allclose(back, x, rtol=1e-5, atol=1e-6):
                jacobian = jacobian_of(probe, expect, layer, x)[2]
                scale = jacobian.diagonal(dim1=1, dim2=2).reshape(x.shape)
                wrong = {"coupling_inverse_order": there / scale - (there - scale * x)}
            compare(back, x, what=name, rtol=1e-5, atol=1e-6, mistakes=wrong)


@check(points=0.75, kind="exact", covers=("coupling_log_det", "AffineCoupling"))
def test_coupling_log_det(student, probe, expect, compare, draw):
    """The coupling's log-determinants are those of its Jacobian, in both directions, one number per image."""
    for channels, size in ((draw.choice([2, 4]), draw.shuffle([2, 3])), (draw.choice([2, 6]), (1, 1)), (2, (3, 3))):
        layer = make(student, probe, expect, draw, channels, size)
        x = draw.normal(draw.integer(1, 6), channels, *size)
        _result, z, jacobian = jacobian_of(probe, expect, layer, x)
        right = torch.linalg.slogdet(jacobian)[1]
        moved = (z - x).abs().amax(dim=(0, 2, 3)) > 1e-9
        scales = jacobian.diagonal(dim1=1, dim2=2).reshape(x.shape)[:, moved].flatten(1)
        for method, given, sign in (("forward", x, 1.0), ("inverse", z, -1.0)):
            what = f"AffineCoupling.{method}(x)"
            compare(
                log_det_of(expect, getattr(layer, method)(given), x, what),
                sign * right,
                what=_("the log-determinant of {what}").format(what=what),
                rtol=1e-6,
                atol=1e-7,
                mistakes={
                    "coupling_log_det_sign" if method == "forward" else "coupling_inverse_log_det_sign": -sign * right,
                    "coupling_log_det_mean": sign * right / scales.shape[1],
                    "coupling_log_det_not_log": sign * scales.sum(1),
                },
                hint=_("The sum of log|σ| over the moved channels and all pixels, for each image.")
                if method == "forward"
                else _("`inverse` returns minus the log-determinant that `forward` returns for the same image."),
            )
        for images, message in (
            (False, _("{what}: the gradient of the log-determinant does not reach the weights.")),
            (True, _("{what}: the gradient of the log-determinant does not reach the image.")),
        ):
            expect.true(
                probe.carries_gradient(layer, x, draw.seed(), images=images),
                message.format(what="AffineCoupling.forward(x)"),
                hint=_("Training needs this gradient: no detach(), no item() and no torch.no_grad() on the way."),
                mistake="coupling_log_det_detached",
            )
