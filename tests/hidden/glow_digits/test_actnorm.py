"""ActNorm: its start from one batch, its state, its map, and its log-determinants."""

import math

import torch

from autograder.judge import check
from autograder.language import _

from .pairs import images_of, log_det_of


def hint_back():
    return _("`inverse` returns minus the log-determinant that `forward` returns for the same image.")


def sides(draw):
    """H ≠ W."""
    return draw.shuffle([2, 3, 4])[:2]


def batch(draw, channels, height, width, rows=None):
    """Images whose channels have means and deviations of their own, none of them near 0 and 1."""
    spread = (draw.uniform(channels, low=0.7, high=1.5) * draw.choice([-1, 1])).exp()
    centre = draw.uniform(channels, low=1, high=4) * torch.tensor([draw.choice([-1.0, 1.0]) for _c in range(channels)])
    x = draw.normal(rows or draw.integer(8, 12), channels, height, width)
    return spread[:, None, None] * x + centre[:, None, None]


def make(student, expect, channels):
    layer = expect.handle(student.ActNorm(channels), f"ActNorm({channels})")
    layer.double()
    return layer


def set_layer(student, probe, expect, draw, channels, x):
    """A layer set by the batch x, in training mode, and the scale and offset (C, 1, 1) that it then has."""
    what, found = "ActNorm.forward(x)", []
    for first in (2 * x + 1, x):  # of another batch comes another map, or none is set
        layer = make(student, expect, channels)
        probe.in_training(layer, True)
        found.append(map_of(first, images_of(expect, layer(first), first, what)))
    (other, elsewhere), (scale, offset) = found
    expect.true(  # a start that is only half right has a check of its own
        ((scale - other).abs() + (offset - elsewhere).abs() > 1e-3).any(),
        _("ActNorm.forward(x): the first batch in training mode sets nothing."),
        hint=_("It sets scale and shift so that each channel of z has mean 0 and variance 1."),
        mistake="actnorm_never_set" if ((scale - 1).abs() + offset.abs() < 1e-3).all() else None,
    )
    expect.true(
        scale.isfinite().all() and (scale.abs() > 1e-9).all(),
        _("ActNorm.forward(x): the first batch in training mode sets the scale of some channel to 0 or to no number."),
        hint=_("It sets scale and shift so that each channel of z has mean 0 and variance 1."),
    )
    return layer, scale, offset


def map_of(x, z):
    """Scale and offset (C, 1, 1) of z = scale x + offset, by each channel's two pixels that are farthest apart."""
    flat, image = (v.transpose(0, 1).flatten(1) for v in (x, z))  # (C, B H W)
    low, high = flat.argmin(1, keepdim=True), flat.argmax(1, keepdim=True)
    scale = (image.gather(1, high) - image.gather(1, low)) / (flat.gather(1, high) - flat.gather(1, low))
    return scale[:, :, None], (image.gather(1, low) - scale * flat.gather(1, low))[:, :, None]


def log_dets(scale, x):
    """H W Σ log|s| for each image of x."""
    return (x.shape[2] * x.shape[3] * scale.abs().log().sum()).expand(len(x))


@check(points=0.5, kind="exact", covers=("actnorm_start", "ActNorm"))
def test_actnorm_start(student, probe, expect, draw):
    """The first batch in training mode leaves ActNorm with mean 0 and variance 1 in each channel."""
    what = "ActNorm.forward(x)"
    for channels in (1, draw.integer(2, 5)):
        layer = make(student, expect, channels)
        probe.in_training(layer, True)
        x = batch(draw, channels, *sides(draw))
        z = images_of(expect, layer(x), x, what)
        n = x[:, 0].numel()
        variance = z.var(dim=(0, 2, 3), unbiased=False)
        expect.true(
            (z.mean(dim=(0, 2, 3)).abs() < 1e-4).all(),
            _("{what}: after the first batch in training mode, the channels of z have not mean 0.").format(what=what),
            hint=_("Mean and variance over batch and positions, dim=(0, 2, 3), for each channel by itself."),
        )
        expect.true(
            ((variance > (1 - 1 / n) * (1 - 1e-4)) & (variance < 1 + 1e-4)).all(),
            _("{what}: after the first batch in training mode, the channels of z have not variance 1.").format(
                what=what
            ),
            hint=_("Divide by the standard deviation over batch and positions, for each channel by itself."),
        )
    layer = make(student, expect, 3)
    x = batch(draw, 3, *sides(draw))
    x[:, draw.integer(0, 2)] = float(draw.normal(1))
    result = layer(x)
    name = _("ActNorm.forward of a batch with a constant channel")
    images_of(expect, result, x, name)
    log_det_of(expect, result, x, name)


@check(points=0.5, kind="exact", covers=("actnorm_once", "ActNorm"))
def test_actnorm_once(student, probe, expect, compare, draw):
    """Only the first batch in training mode sets ActNorm; before it, evaluation mode is the identity."""
    channels, size = draw.integer(2, 4), sides(draw)
    first, second, third = (batch(draw, channels, *size) for _i in range(3))
    layer, scale, offset = set_layer(student, probe, expect, draw, channels, first)
    for training in (True, False):
        probe.in_training(layer, training)
        z = images_of(expect, layer(second), second, "ActNorm.forward(x)")
        compare(
            z,
            scale * second + offset,
            what=_("ActNorm.forward of a later batch") if training else _("ActNorm.forward in evaluation mode"),
            rtol=1e-5,
            atol=1e-6,
            hint=_("Scale and shift are set by the first batch in training mode, and from then on only trained."),
        )
    fresh = make(student, expect, channels)
    probe.in_training(fresh, False)
    what = _("ActNorm.forward in evaluation mode, before the first batch")
    compare(images_of(expect, fresh(third), third, what), third, what=what, rtol=1e-5, atol=1e-6)
    for training in (False, True):
        probe.in_training(fresh, training)
        images_of(expect, fresh.inverse(third), third, "ActNorm.inverse(z)")
    z = images_of(expect, fresh(first), first, "ActNorm.forward(x)")
    compare(
        z,
        scale * first + offset,
        what=_("ActNorm.forward of the first batch in training mode, after evaluation mode and inverse"),
        rtol=1e-5,
        atol=1e-6,
        hint=_("Evaluation mode and `inverse` neither set scale and shift nor mark them as set."),
    )


@check(points=0.25, kind="exact", covers=("actnorm_restored", "ActNorm"))
def test_actnorm_restored(student, probe, expect, compare, draw):
    """A state that load_state_dict restores is not set again by the next batch."""
    channels, size = draw.integer(2, 4), sides(draw)
    first, second = (batch(draw, channels, *size) for _i in range(2))
    layer, scale, offset = set_layer(student, probe, expect, draw, channels, first)
    fresh = probe.restored(make(student, expect, channels), layer)
    compare(
        images_of(expect, fresh(second), second, _("ActNorm.forward after load_state_dict")),
        scale * second + offset,
        what=_("ActNorm.forward after load_state_dict"),
        rtol=1e-5,
        atol=1e-6,
        hint=_("Keep in a buffer (register_buffer) that the layer has been set: it is part of its state."),
        mistakes={"actnorm_flag_not_saved": second_start(second, scale)},
    )


def second_start(x, scale):
    """What a layer makes of x that is set anew."""
    centred = x - x.mean(dim=(0, 2, 3), keepdim=True)
    return centred / centred.square().mean(dim=(0, 2, 3), keepdim=True).sqrt() * scale.sign()


@check(points=0.25, kind="exact", covers=("actnorm", "ActNorm"))
def test_actnorm_map(student, probe, expect, compare, draw):
    """ActNorm has one trained scale and shift per channel, and its inverse undoes them."""
    channels, (height, width) = draw.integer(2, 4), sides(draw)
    x = batch(draw, channels, height, width)
    _before, scale, offset = set_layer(student, probe, expect, draw, channels, x)
    layer = probe.perturbed(make(student, expect, channels), x, 1.0, draw.seed())
    what = "ActNorm.forward(x)"
    y = batch(draw, channels, height, width)
    z = images_of(expect, layer(y), y, what)
    new_scale, new_offset = map_of(y, z)
    compare(z, new_scale * y + new_offset, what=what, hint=_("One scale and one shift for all pixels of a channel."))
    expect.true(
        ((new_scale - scale).abs() > 1e-6).all() and ((new_offset - offset).abs() > 1e-6).all(),
        _("ActNorm: scale and shift of some channel do not follow the parameters: they are not trained."),
        hint=_("Make them nn.Parameter, one number per channel each."),
    )
    for one, two in (("forward", "inverse"), ("inverse", "forward")):
        there = images_of(expect, getattr(layer, one)(y), y, f"ActNorm.{one}(x)")
        name = f"ActNorm.{two}(ActNorm.{one}(x)[0])[0]"
        compare(images_of(expect, getattr(layer, two)(there), y, name), y, what=name, rtol=1e-6, atol=1e-7)


@check(points=0.75, kind="exact", covers=("actnorm_log_det", "ActNorm"))
def test_actnorm_log_det(student, probe, expect, compare, draw):
    """ActNorm's log-determinants are H W Σ log|s| with their sign, in both directions."""
    for channels, size in ((draw.integer(2, 4), sides(draw)), (draw.integer(1, 3), (1, 1)), (2, sides(draw))):
        x = batch(draw, channels, *size)
        layer, scale, _offset = set_layer(student, probe, expect, draw, channels, x)
        result = layer(x)
        mistakes = {"actnorm_log_det_no_area": scale.abs().log().sum().expand(len(x))}
        name = _("the log-determinant of {what}").format(what=_("ActNorm.forward in training mode"))
        log_det = log_det_of(expect, result, x, "ActNorm.forward(x)")
        compare(log_det, log_dets(scale, x), what=name, rtol=1e-5, atol=1e-6, mistakes=mistakes)
        layer = probe.perturbed(make(student, expect, channels), x, 1.0, draw.seed())
        y = batch(draw, channels, *size, rows=draw.integer(1, 4))
        result, _z, jacobian = expect.sequence(probe.transform(layer, "forward", y), 3, "ActNorm.forward(x)")
        z = images_of(expect, result, y, "ActNorm.forward(x)")
        shape = (len(y), y[0].numel(), y[0].numel())
        jacobian = expect.tensor(jacobian, shape, _("the Jacobian of {what}").format(what="ActNorm.forward(x)"))
        right = torch.linalg.slogdet(jacobian.double())[1]
        hint = _("Every pixel of a channel is scaled: H · W · Σ log|s|, for each image; minus that in `inverse`.")
        for method, given, sign in (("forward", y, 1.0), ("inverse", z, -1.0)):
            what = f"ActNorm.{method}(x)"
            compare(
                log_det_of(expect, getattr(layer, method)(given), y, what),
                sign * right,
                what=_("the log-determinant of {what}").format(what=what),
                mistakes={"actnorm_log_det_no_area": sign * right / math.prod(size)},
                hint=hint if method == "forward" else hint_back(),
            )
        expect.true(
            probe.carries_gradient(layer, y, draw.seed()),
            _("{what}: the gradient of the log-determinant does not reach the weights.").format(
                what="ActNorm.forward(x)"
            ),
            hint=_("Training needs this gradient: no detach(), no item() and no torch.no_grad() on the way."),
            mistake="actnorm_log_det_detached",
        )
