"""Coupling layers and the flow as maps: masks, round trips, log-determinants against the Jacobian."""

import torch

from autograder.judge import check
from autograder.language import _

NUDGE = 1e-12  # relative; thousands of times the rounding error of a float64
NUDGED_AT_MOST = 1e-7


def hint_pair():
    return _("Both directions return two values: the transformed points (B, dim) and the log-determinant (B,).")


def hint_jacobian():
    return _("Take the Jacobian at one point (torch.autograd.functional.jacobian) and its torch.linalg.slogdet.")


def random_masks(draw):
    """Both masks of the plane, and one with each value present at dimensions 3 and 5."""
    masks = [[1.0, 0.0], [0.0, 1.0]]
    for dim in (3, 5):
        ones = draw.integer(1, dim - 1)
        masks.append(draw.shuffle([1.0] * ones + [0.0] * (dim - ones)))
    return [torch.tensor(mask) for mask in draw.shuffle(masks)]


def make_coupling(student, probe, expect, draw, mask):
    what = "AffineCoupling(dim, mask)"
    layer = expect.handle(student.AffineCoupling(len(mask), mask, hidden=draw.integer(8, 16)), what)
    return expect.handle(probe.perturbed(layer, 0.2, draw.seed()), what)


def make_flow(student, probe, expect, draw, dim, n_layers):
    flow = expect.handle(student.RealNVP(dim=dim, n_layers=n_layers, hidden=draw.integer(8, 16)), "RealNVP(...)")
    return expect.handle(probe.perturbed(flow, 0.1, draw.seed()), "RealNVP(...)")


def flow_sizes(draw):
    """Sizes (dim, n_layers); beyond the plane with enough layers for any alternation of masks."""
    return [(2, draw.choice([2, 3])), (2, draw.integer(4, 6)), (3, 6)]


def points_of(expect, result, x, what):
    """The first value of an answer `y, log_det`."""
    pair = expect.sequence(result, 2, what, hint=hint_pair())
    return expect.tensor(pair[0], x.shape, what).double()


def log_det_of(expect, result, x, what):
    """The second value of an answer `y, log_det`."""
    pair = expect.sequence(result, 2, what, hint=hint_pair())
    return expect.tensor(
        pair[1], (len(x),), _("the log-determinant of {what}").format(what=what), hint=hint_pair()
    ).double()


def expect_moved(expect, y, x, what):
    """A map that changes nothing has nothing that could be judged."""
    expect.true(
        (y - x).abs().max() > 1e-6,
        _("{what}: the points come back as they were, even with perturbed weights.").format(what=what),
    )


def jacobian_log_det(expect, jacobian, x, what):
    jacobian = expect.tensor(jacobian, (*x.shape, x.shape[1]), _("the Jacobian of {what}").format(what=what)).double()
    return torch.linalg.slogdet(jacobian)[1], jacobian


@check(points=1.5, covers=("coupling",))
def test_coupling_mask(student, probe, expect, draw):
    """A coupling layer leaves one group unchanged; functions of it scale and shift the other."""
    what = "AffineCoupling.forward(x)"
    passes = None  # the value of the mask that marks the unchanged coordinates
    for mask in random_masks(draw):
        layer = make_coupling(student, probe, expect, draw, mask)
        x = draw.normal(8, len(mask))
        z = points_of(expect, layer(x), x, what)
        unchanged = (z - x).abs().amax(0) < 1e-9
        groups = {value: mask == value for value in (0.0, 1.0)}
        kept_values = [value for value, group in groups.items() if unchanged[group].all()]
        expect.true(
            kept_values,
            _("{what}: neither the coordinates where the mask is 1 nor those where it is 0 pass unchanged.").format(
                what=what
            ),
            hint=_("The mask that the layer is given decides: what passes has scale 1 and shift 0."),
            mistake="mask_ignored" if unchanged.any() else None,
        )
        expect.true(len(kept_values) == 1, _("{what}: no coordinate is transformed.").format(what=what))
        passes = kept_values[0] if passes is None else passes
        expect.true(
            passes == kept_values[0],
            _("{what}: with one mask the ones pass unchanged, with another the zeros.").format(what=what),
            hint=_("Which coordinates pass unchanged is decided by the mask that the layer is given."),
            mistake="mask_ignored",
        )
        moved = ~groups[passes]
        step = draw.uniform(*x.shape, low=0.5, high=1.5) * moved
        z1, z2 = (points_of(expect, layer(x + k * step), x, what) for k in (1, 2))
        scale = ((z1 - z) / step)[:, moved]
        again = ((z2 - z1) / step)[:, moved]
        expect.true(
            torch.allclose(scale, again, rtol=1e-6, atol=1e-8),
            _("{what}: the moved coordinates are not an affine function of themselves.").format(what=what),
            hint=_("Scale and shift may depend on the unchanged coordinates alone: mask the network's input."),
            mistake="network_sees_all",
        )
        varies = scale.amax(0) - scale.amin(0)
        constant_is_one = torch.allclose(scale, torch.ones_like(scale))
        expect.true(
            (varies > 1e-7).any(),
            _("{what}: the scale does not depend on the unchanged coordinates.").format(what=what),
            mistake="additive" if constant_is_one else "constant_scale",
        )
        shift = z[:, moved] - scale * x[:, moved]
        expect.true(
            (shift.amax(0) - shift.amin(0) > 1e-7).any(),
            _("{what}: the shift does not depend on the unchanged coordinates.").format(what=what),
        )


@check(points=1, covers=("coupling_inverse",))
def test_coupling_round_trip(student, probe, expect, compare, draw):
    """A coupling layer's inverse undoes its forward, and forward undoes its inverse."""
    for mask in random_masks(draw):
        layer = make_coupling(student, probe, expect, draw, mask)
        for first, second in (("forward", "inverse"), ("inverse", "forward")):
            x = draw.normal(7, len(mask))
            y = points_of(expect, getattr(layer, first)(x), x, f"AffineCoupling.{first}(x)")
            expect_moved(expect, y, x, f"AffineCoupling.{first}(x)")
            back = points_of(expect, getattr(layer, second)(y), x, f"AffineCoupling.{second}({first}(x))")
            compare(back, x, what=f"AffineCoupling.{second}({first}(x)[0])[0]", rtol=1e-6, atol=1e-7)


@check(points=1.5, covers=("coupling_log_det",))
def test_coupling_log_det(student, probe, expect, compare, draw):
    """A coupling layer's log-determinant is log|det| of the Jacobian of forward."""
    what = "AffineCoupling.forward(x)"
    for mask, rows in zip(random_masks(draw), (7, 7, 7, 1), strict=True):  # a batch may hold one point
        layer = make_coupling(student, probe, expect, draw, mask)
        x = draw.normal(rows, len(mask))
        result, jacobian = probe.transform(layer, "forward", x)
        expect_moved(expect, points_of(expect, result, x, what), x, what)
        right, jacobian = jacobian_log_det(expect, jacobian, x, what)
        scales = jacobian.diagonal(dim1=1, dim2=2)
        compare(
            log_det_of(expect, result, x, what),
            right,
            what=_("the log-determinant of {what}").format(what=what),
            mistakes={
                "log_det_sign": -right,
                "log_det_mean": right / len(mask),
                "log_det_not_log": (scales * (mask == 0)).sum(1),
            },
            hint=hint_jacobian(),
        )


@check(points=1, covers=("coupling_log_det",))
def test_coupling_inverse_log_det(student, probe, expect, compare, draw):
    """A coupling layer's inverse returns log|det| of the Jacobian of inverse."""
    what = "AffineCoupling.inverse(z)"
    for mask in random_masks(draw):
        layer = make_coupling(student, probe, expect, draw, mask)
        z = draw.normal(7, len(mask))
        result, right = inverse_with_log_det(probe, expect, layer, z, what)
        log_det = log_det_of(expect, result, z, what)
        if not torch.allclose(log_det, right, rtol=1e-6, atol=1e-8) and is_minus_forward(probe, expect, draw, layer, z):
            continue  # the points that inverse returns are wrong: the round trip has a check of its own
        compare(
            log_det,
            right,
            what=_("the log-determinant of {what}").format(what=what),
            mistakes={"log_det_same_sign": -right},
            hint=hint_jacobian(),
        )


def is_minus_forward(probe, expect, draw, layer, like):
    """Whether `inverse` at forward(x) returns minus log|det| of forward's Jacobian at x."""
    x = draw.normal(*like.shape)
    what = "AffineCoupling.forward(x)"
    result, jacobian = probe.transform(layer, "forward", x)
    y = points_of(expect, result, x, what)
    right = jacobian_log_det(expect, jacobian, x, what)[0]
    what = "AffineCoupling.inverse(forward(x))"
    return torch.allclose(log_det_of(expect, layer.inverse(y), x, what), -right, rtol=1e-6, atol=1e-8)


def inverse_with_log_det(probe, expect, module, z, what):
    """What `inverse` returns, and log|det| of its Jacobian.

    An inverse without a graph (under no_grad) is judged by the Jacobian of forward where it arrives.
    """
    result, jacobian = probe.transform(module, "inverse", z)
    x = points_of(expect, result, z, what)
    expect_moved(expect, x, z, what)
    if jacobian is not None:
        return result, jacobian_log_det(expect, jacobian, z, what)[0]
    jacobian = expect.sequence(probe.transform(module, "forward", x), 2, what)[1]
    return result, -jacobian_log_det(expect, jacobian, z, what)[0]


@check(points=1, covers=("flow_inverse",))
def test_flow_round_trip(student, probe, expect, compare, draw):
    """The flow's inverse undoes its forward, and forward undoes its inverse."""
    for dim, n_layers in flow_sizes(draw):
        flow = make_flow(student, probe, expect, draw, dim, n_layers)
        for first, second in (("forward", "inverse"), ("inverse", "forward")):
            x = draw.normal(7, dim)
            y = points_of(expect, getattr(flow, first)(x), x, f"RealNVP.{first}(x)")
            expect_moved(expect, y, x, f"RealNVP.{first}(x)")
            what = f"RealNVP.{second}({first}(x))"
            back = points_of(expect, getattr(flow, second)(y), x, what)
            nudged = points_of(expect, getattr(flow, second)(y * (1 + NUDGE * draw.normal(*y.shape))), x, what)
            # Where a scale happens to be nearly 0, rounding alone moves the point: such rows say nothing of the code.
            steady = ((nudged - back).abs() < NUDGED_AT_MOST * (1 + x.abs())).all(1)
            judged = steady if steady.sum() > len(x) // 2 else torch.ones_like(steady)
            compare(
                back[judged],
                x[judged],
                what=f"RealNVP.{second}({first}(x)[0])[0]",
                rtol=1e-6,
                atol=1e-6,
                hint=_("The inverse of a composition undoes the last layer first."),
            )


@check(points=1.5, covers=("flow_log_det",))
def test_flow_log_det(student, probe, expect, compare, draw):
    """The flow's log-determinants, in both directions, are those of the whole stack."""
    for dim, n_layers in flow_sizes(draw):
        flow = make_flow(student, probe, expect, draw, dim, n_layers)
        for method in ("forward", "inverse"):
            what = f"RealNVP.{method}(x)"
            x = draw.normal(7, dim)
            if method == "forward":
                result, jacobian = probe.transform(flow, method, x)
                expect_moved(expect, points_of(expect, result, x, what), x, what)
                right, jacobian = jacobian_log_det(expect, jacobian, x, what)
            else:
                result, right = inverse_with_log_det(probe, expect, flow, x, what)
            log_det = log_det_of(expect, result, x, what)
            if not torch.allclose(log_det, right, rtol=1e-6, atol=1e-7) and is_sum_of_layers(
                student, probe, flow, method, x, log_det, n_layers
            ):
                continue  # the stack adds up; what its layers return has checks of its own
            compare(
                log_det,
                right,
                what=_("the log-determinant of {what}").format(what=what),
                atol=1e-7,
                mistakes={"log_det_subtracted_in_flow": -right},
                hint=_("The log-determinants of the layers add up, each at the input of its own layer."),
            )


def is_sum_of_layers(student, probe, flow, method, x, log_det, n_layers):
    """Whether the flow's log-determinant is the sum of what its own (wrong) layers return."""
    layers = probe.layer_log_dets(flow, student.AffineCoupling, method, x)
    if not isinstance(layers, list) or len(layers) != n_layers:
        return False
    if not all(isinstance(v, torch.Tensor) and v.is_floating_point() for v in layers):
        return False
    if any(v.shape not in (log_det.shape, torch.Size([])) for v in layers):  # summed over the batch, too
        return False
    layers = torch.stack([v.double().expand(log_det.shape) for v in layers])  # (n_layers, B)
    return bool((layers.abs().amax(1) > 1e-9).all()) and torch.allclose(layers.sum(0), log_det, rtol=1e-6, atol=1e-7)


@check(points=1, covers=("transforms_all",))
def test_every_coordinate(student, probe, expect, draw):
    """The stack transforms every coordinate."""
    for dim, n_layers in flow_sizes(draw):
        flow = make_flow(student, probe, expect, draw, dim, n_layers)
        x = draw.normal(12, dim)
        what = "RealNVP.forward(x)"
        result, jacobian = probe.transform(flow, "forward", x)
        points_of(expect, result, x, what)
        jacobian = jacobian_log_det(expect, jacobian, x, what)[1]  # (B, d, d)
        # A coordinate that only passed has the same row of the Jacobian everywhere.
        varies = (jacobian.amax(0) - jacobian.amin(0)).amax(1)  # (d,)
        expect.true(
            (varies > 1e-7).all(),
            _(
                "{what}: with {n_layers} layers in dimension {dim}, {n} coordinate(s) of z are plain copies "
                "of coordinates of x."
            ).format(what=what, n_layers=n_layers, dim=dim, n=int((varies <= 1e-7).sum())),
            hint=_("The masks of the layers have to alternate, so that each coordinate is moved by some layer."),
            # In the plane one mask alone leaves a coordinate; beyond it masks that alternate may leave one, too.
            mistake="mask_never_alternates" if dim == 2 else None,
        )
