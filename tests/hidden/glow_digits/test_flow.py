"""The whole flow as a map: latents, blocks and steps, round trips, log-determinants, images by themselves."""

import math

import torch

from autograder.judge import CheckFailed, check
from autograder.language import _

from .latents import images, latent_shapes

TRIES = 6  # fresh flows until one is alive: in some, ReLUs all happen to be closed
ALIVE = 0.002  # spread of a log-determinant over the images, in nats
NUDGE = 1e-12  # relative; thousands of times the rounding error of a float64
NUDGED_AT_MOST = 1e-7
ABOUT = ("Glow", "ActNorm", "InvertibleConv1x1", "AffineCoupling")


def hint_pair():
    return _("Glow.forward returns two values: the list of latents zs and the log-determinant (B,).")


def sizes(draw):
    """Arguments of small flows: several scales, several channels."""
    return [
        {"channels": 1, "size": 4, "n_scales": 2, "n_steps": 2},
        {"channels": draw.integer(2, 3), "size": draw.choice([2, 4]), "n_scales": 1, "n_steps": draw.integer(1, 3)},
        {"channels": 1, "size": 8, "n_scales": 3, "n_steps": 1},
    ]


def named(arguments):
    return "Glow({})".format(", ".join(f"{name}={value}" for name, value in arguments.items()))


def latents_of(expect, result, arguments, n, what="Glow.forward(x)", in_order=False):
    """The latents and the log-determinant of an answer `zs, log_det`; their order has a check of its own."""
    zs, log_det = expect.sequence(result, 2, what, hint=hint_pair())
    shapes = latent_shapes(arguments["channels"], arguments["size"], arguments["n_scales"])
    try:
        zs = expect.sequence(zs, len(shapes), _("the latents of {what}").format(what=what), hint=hint_pair())
    except CheckFailed as failed:
        one = zs[0] if isinstance(zs, list | tuple) and len(zs) == 1 else None
        whole = n * sum(math.prod(shape) for shape in shapes)
        failed.mistake = "flow_no_split" if isinstance(one, torch.Tensor) and one.numel() == whole else None
        raise
    given = [tuple(getattr(z, "shape", ())[1:]) for z in zs]
    if not in_order and sorted(given) == sorted(shapes):
        shapes = given
    hint = _("At each scale but the last, half of the channels leaves; the list is in the order in which they leave.")
    zs = [
        expect.tensor(z, (n, *shape), _("latents {k} of {what}").format(k=k, what=what), hint=hint).double()
        for k, (z, shape) in enumerate(zip(zs, shapes, strict=True))
    ]
    name = _("the log-determinant of {what}").format(what=what)
    return zs, expect.tensor(log_det, (n,), name, hint=hint_pair()).double()


def flat(zs):
    """Latents as one matrix (B, D)."""
    return torch.cat([z.flatten(1) for z in zs], 1)


def law_of(probe, expect, flow, arguments, x):
    """Latents, log|det| (B,) of the Jacobian, the Jacobian (B, D, D), and the log-determinant that is returned."""
    result, _z, jacobian = expect.sequence(probe.transform(flow, "forward", x), 3, "Glow.forward(x)")
    zs, own = latents_of(expect, result, arguments, len(x))
    shape = (len(x), x[0].numel(), x[0].numel())
    jacobian = expect.tensor(jacobian, shape, _("the Jacobian of {what}").format(what="Glow.forward(x)")).double()
    return zs, torch.linalg.slogdet(jacobian)[1], jacobian, own


def make(student, probe, expect, draw, arguments, scale=0.7):
    """A flow with perturbed weights whose volume change varies: where it does not, there is nothing to be judged.

    It has to vary from image to image, and the map from weights to weights.
    """
    what, x, found, alive = named(arguments), images(draw, arguments, 5), [], None
    for turn in range(TRIES):
        flow = expect.handle(student.Glow(**arguments, hidden=32), what)
        given, louder = 1.5 * images(draw, arguments, 24), scale * 2 ** (turn // 2)  # a last layer may start at zero
        flow = expect.handle(probe.perturbed(flow, given, louder, draw.seed()), what)
        zs, log_dets, _jacobian, _own = law_of(probe, expect, flow, arguments, x)
        found.append(flat(zs))
        alive = flow if float(log_dets.std()) > ALIVE else alive
        if alive is not None and any((one - found[0]).abs().max() > 1e-3 for one in found):
            return alive
    raise CheckFailed(
        _("Glow.forward(x): flows with other weights give the same.")
        if alive is not None
        else _("Glow.forward(x): the volume changes by the same factor for every image."),
        _("Each step ends with an affine coupling, whose scale depends on the image and on the weights."),
        None if alive is not None or float(log_dets.std()) > 1e-9 else "coupling_additive",
    )


@check(points=0.25, kind="exact", covers=("latents", *ABOUT))
def test_flow_latents(student, probe, expect, draw):
    """The latents come in the order in which they leave, with their shapes."""
    for arguments in sizes(draw):
        if arguments["n_scales"] < 3:
            flow = make(student, probe, expect, draw, arguments)
        else:  # many pixels: that flows of this student are alive has been seen
            flow = expect.handle(student.Glow(**arguments), named(arguments))
            flow.double()
        n = draw.integer(2, 4)
        latents_of(expect, flow(images(draw, arguments, n)), arguments, n, named(arguments), in_order=True)
    flow = expect.handle(student.Glow(), "Glow()")
    x = draw.normal(4, 1, 8, 8, dtype=torch.float32)
    latents_of(expect, flow(x), {"channels": 1, "size": 8, "n_scales": 2}, 4, "Glow()", in_order=True)


@check(points=0.5, kind="exact", covers=("steps", *ABOUT))
def test_flow_steps(student, probe, expect, compare, draw):
    """Blocks of 2×2 pixels become channels, each step begins with ActNorm, and every step has weights of its own."""
    arguments = {"channels": 1, "size": 8, "n_scales": 1, "n_steps": 1}
    flow, x = make(student, probe, expect, draw, arguments), images(draw, arguments, 3)
    jacobian = law_of(probe, expect, flow, arguments, x)[2].reshape(3, 4, 4, 4, 4, 2, 4, 2)  # z: c i j, x: (i 2) (j 2)
    reach = jacobian.abs().amax(dim=(0, 5, 7))  # (c, i, j, i', j'): which block's pixels a latent depends on
    own = torch.einsum("cijij->cij", reach)
    others = reach * (1 - torch.einsum("ik,jl->ijkl", torch.eye(4), torch.eye(4)))
    local = others.flatten(3).amax(3) < 1e-9 * (1 + own)  # a channel that passes depends on its own block alone
    expect.true(
        int(local.all(dim=2).all(dim=1).sum()) >= 2,
        _(
            "{what}: the channels that pass through the coupling are not made of the 2×2 pixels of their position."
        ).format(what=named(arguments)),
        hint=_("Begin each scale with squeeze(x); a 1×1 convolution mixes the channels of one position only."),
        mistake="flow_reshape",
    )
    mixed = (jacobian.abs() > 1e-6 * jacobian.abs().max()).any(0)  # (c, i, j, i', 2, j', 2)
    blocks = torch.stack([mixed[:, i, j, i, :, j, :] for i in range(4) for j in range(4)])  # (16, c, 2, 2)
    expect.true(
        blocks.all(),
        _("{what}: a latent does not depend on all pixels of its block.").format(what=named(arguments)),
        hint=_("An invertible 1×1 convolution stands before each coupling, so that no channel passes untouched."),
        mistake="flow_no_conv",
    )
    expect_own_weights(student, probe, expect)
    expect_actnorm_first(student, probe, expect, compare, draw)


def expect_actnorm_first(student, probe, expect, compare, draw):
    """The first batch in training mode takes out a factor and an offset of the images."""
    arguments = {"channels": draw.integer(1, 2), "size": 4, "n_scales": 1, "n_steps": 2}
    what = named(arguments)
    flow = expect.handle(student.Glow(**arguments, hidden=32), what)
    factor, offset = float(draw.uniform(1, low=2, high=4)), float(draw.normal(1)) + 3
    pair = expect.sequence(probe.after_sums(flow, images(draw, arguments, 20), factor, offset), 2, what)
    one, two = (expect.tensor(v, (20, None), _("the latents of {what}").format(what=what)).double() for v in pair)
    alike = one.shape == two.shape and torch.allclose(one, two, rtol=1e-3, atol=1e-3)
    if not alike:  # a layer that sets itself to something else has a check of its own: here it has to be in its place
        pair = probe.after_sums(flow, images(draw, arguments, 20), factor, offset, student.ActNorm)
        if isinstance(pair, list) and len(pair) == 2 and all(isinstance(v, torch.Tensor) for v in pair):
            alike = pair[0].shape == pair[1].shape and torch.allclose(*pair, rtol=1e-3, atol=1e-3)
    expect.true(
        alike,
        _("{what}: in the first batch in training mode, images and a multiple of them get different latents.").format(
            what=what
        ),
        hint=_("Each step begins with ActNorm, which the first batch sets to mean 0 and variance 1."),
        mistake="flow_no_actnorm",
    )


def expect_own_weights(student, probe, expect):
    """More steps, more scales and wider networks have more weights."""

    def count(**arguments):
        what = named(arguments)
        flow = expect.handle(student.Glow(**arguments), what)
        return expect.tensor(probe.weights(flow), (None,), _("the weights of {what}").format(what=what)).numel()

    base = {"size": 8, "n_scales": 1, "n_steps": 2, "hidden": 32}
    small = count(**base)
    for name, value, factor, mistake in (
        ("n_steps", 4, 1.8, "flow_shared_steps"),
        ("n_scales", 2, 1.5, None),
        ("hidden", 64, 1.2, "flow_hidden_ignored"),
    ):
        expect.true(
            count(**base | {name: value}) >= factor * small,
            _("Glow: with {name} doubled, the flow has too few more weights.").format(name=name),
            hint=_("Every step of every scale has layers of its own, with networks of width `hidden`."),
            mistake=mistake,
        )


@check(points=0.5, kind="exact", covers=("flow_inverse", *ABOUT))
def test_flow_round_trip(student, probe, expect, compare, draw):
    """The flow's inverse undoes its forward, and forward undoes its inverse."""
    for arguments in sizes(draw):
        flow, n = make(student, probe, expect, draw, arguments), 5
        x = images(draw, arguments, n)
        zs, _log_det = latents_of(expect, flow(x), arguments, n)
        name = "Glow.inverse(Glow.forward(x)[0])[0]"
        back = image_of(expect, flow.inverse(zs), x, name)
        if not torch.allclose(back, x, rtol=1e-5, atol=1e-5):
            # A layer whose own inverse is wrong has checks of its own: with right ones, the flow must come back.
            classes = [student.ActNorm, student.InvertibleConv1x1, student.AffineCoupling]
            mended = probe.mended_round_trip(flow, classes, x)
            if (
                isinstance(mended, torch.Tensor)
                and mended.shape == x.shape
                and torch.allclose(mended.double(), x, rtol=1e-5, atol=1e-5)
            ):
                continue
        nudged = [z * (1 + NUDGE * draw.normal(*z.shape)) for z in zs]
        moved = (image_of(expect, flow.inverse(nudged), x, name) - back).abs().flatten(1).amax(1)
        # Where a scale happens to be nearly 0, rounding alone moves the image: such rows say nothing of the code.
        judged = moved < NUDGED_AT_MOST
        judged = judged if judged.sum() > n // 2 else torch.ones_like(judged)
        hint = _("The inverse of a composition undoes the last layer first; what left last comes back first.")
        wrong = {}
        if not torch.allclose(back[judged], x[judged], rtol=1e-5, atol=1e-5):
            classes = [student.ActNorm, student.InvertibleConv1x1, student.AffineCoupling]
            there, here = (probe.layer_order(flow, classes, *a) for a in (("forward", x), ("inverse", zs)))
            forwards = isinstance(there, list) and isinstance(here, list) and sorted(there) == sorted(here)
            wrong = {"flow_inverse_forward_order": back[judged]} if forwards and here != there[::-1] else {}
        compare(back[judged], x[judged], what=name, rtol=1e-5, atol=1e-5, hint=hint, mistakes=wrong)
        other, again, judged = from_latents(expect, draw, flow, arguments, x, zs)
        compare(
            again[judged],
            other[judged],
            what=_("the latents of Glow.forward(Glow.inverse(zs)[0])"),
            rtol=1e-4,
            atol=1e-4,
        )


def from_latents(expect, draw, flow, arguments, x, zs):
    """Latents of ours, what comes back of them by way of an image, (B, D) each, and the rows that say something.

    Divided by a scale that is nearly 0 a pixel is so large that rounding alone moves the latents of its neighbours.
    Nearer to the latents of images that is rarer; where it is common even there, all rows are judged.
    """
    n, shares = len(x), (0.0, 0.5, 0.9, 0.99)
    for share in shares:
        other = [share * z + (1 - share) * 0.7 * draw.normal(*z.shape) for z in zs]
        try:
            there = image_of(expect, flow.inverse(other), x, "Glow.inverse(zs)")
            again, _log_det = latents_of(expect, flow(there), arguments, n)
            nudged, _log_det = latents_of(expect, flow(there * (1 + NUDGE * draw.normal(*x.shape))), arguments, n)
        except CheckFailed:  # a pixel may even be infinite
            if share == shares[-1]:
                raise
            continue
        judged = (flat(nudged) - flat(again)).abs().amax(1) < NUDGED_AT_MOST
        if judged.sum() > n // 2:
            return flat(other), flat(again), judged
    return flat(other), flat(again), torch.ones_like(judged)


def image_of(expect, result, x, what):
    pair = expect.sequence(result, 2, what)
    return expect.tensor(pair[0], x.shape, what).double()


@check(points=0.75, kind="exact", covers=("flow_log_det", *ABOUT))
def test_flow_log_det(student, probe, expect, compare, draw):
    """The flow's log-determinants, in both directions, are those of the whole map."""
    classes = [student.ActNorm, student.InvertibleConv1x1, student.AffineCoupling]
    for arguments in sizes(draw):
        flow, n = make(student, probe, expect, draw, arguments), draw.integer(2, 5)
        x = images(draw, arguments, n)
        zs, right, _jacobian, own = law_of(probe, expect, flow, arguments, x)
        pair = expect.sequence(flow.inverse(zs), 2, "Glow.inverse(zs)")
        name = _("the log-determinant of {what}").format(what="Glow.inverse(zs)")
        back = expect.tensor(pair[1], (n,), name).double()
        for method, given, value, sign in (("forward", x, own, 1.0), ("inverse", zs, back, -1.0)):
            last = None
            if not torch.allclose(value, sign * right, rtol=1e-6, atol=1e-6):
                layers = probe.layer_log_dets(flow, classes, method, given)
                if is_sum(layers, value, 3 * arguments["n_scales"] * arguments["n_steps"]):
                    continue  # the flow adds up; what its layers return has checks of its own
                last = layers[-1] if isinstance(layers, list) and layers else None
            compare(
                value,
                sign * right,
                what=_("the log-determinant of {what}").format(what=f"Glow.{method}(...)"),
                rtol=1e-6,
                atol=1e-6,
                mistakes={"flow_log_det_subtracted": -sign * right, "flow_log_det_overwritten": last},
                hint=_("The log-determinants of the layers add up, each at the input of its own layer."),
            )
        expect.true(
            probe.sum_carries_gradient(flow, classes, x),
            _("Glow.forward(x): the gradient of the log-determinant does not reach the layers."),
            hint=_("Training needs this gradient: no detach(), no item() and no torch.no_grad() on the way."),
            mistake="flow_log_det_detached",
        )


def is_sum(layers, value, n):
    """Whether the flow's log-determinant is the sum of what its own (wrong) layers return."""
    if not isinstance(layers, list) or len(layers) != n:
        return False
    if not all(isinstance(v, torch.Tensor) and v.is_floating_point() for v in layers):
        return False
    if any(v.shape not in (value.shape, torch.Size([])) for v in layers):
        return False
    layers = torch.stack([v.double().expand(value.shape) for v in layers])  # (n, B)
    alive = float(layers.abs().max()) > 1e-3 and float(layers.sum(0).std()) > 1e-6
    return alive and torch.allclose(layers.sum(0), value, rtol=1e-6, atol=1e-6)


@check(points=0.25, kind="exact", covers=("rows", *ABOUT))
def test_flow_rows(student, probe, expect, draw):
    """In training and in evaluation mode a flow that has been set transforms each image by itself."""
    arguments = sizes(draw)[0]
    flow, x = make(student, probe, expect, draw, arguments), images(draw, arguments, 5)
    for training in (True, False):
        probe.in_training(flow, training)
        zs, log_det = latents_of(expect, flow(x), arguments, 5)
        few, few_log_det = latents_of(expect, flow(x[:2]), arguments, 2)
        expect.true(
            torch.allclose(flat(few), flat(zs)[:2], rtol=1e-6, atol=1e-8)
            and torch.allclose(few_log_det, log_det[:2], rtol=1e-6, atol=1e-8),
            _("Glow.forward: an image's latents or log-determinant change with the other images of the batch."),
            hint=_("Nothing in a flow may look at the other images, once ActNorm has been set."),
        )
