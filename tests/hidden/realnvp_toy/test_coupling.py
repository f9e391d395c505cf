"""Coupling layers as maps: the mask, round trips, log-determinants against the Jacobian."""

import torch

from autograder.judge import CheckFailed, check
from autograder.language import _

from .pairs import hint_jacobian, hint_pair, jacobian_log_det, log_det_of, points_of, say_changed, writes_back

TRIES = 6  # fresh layers until one is alive: some are not, such as ReLUs that all happen to be closed
ALIVE = 0.01  # spread of a log-determinant over the points, in nats


def plane_masks(draw):
    """Both masks of the plane."""
    return [torch.tensor(mask) for mask in draw.shuffle([[1.0, 0.0], [0.0, 1.0]])]


def odd_mask(draw, dim):
    """A mask with each value present."""
    ones = draw.integer(1, dim - 1)
    return torch.tensor(draw.shuffle([1.0] * ones + [0.0] * (dim - ones)))


def make_couplings(student, probe, expect, draw, mask, n=1):
    """`n` layers with fresh weights whose volume change varies: where it does not, there is nothing to be judged.

    It has to vary from point to point, and the map from weights to weights.
    """
    what = "AffineCoupling(dim, mask)"
    x = 2 * draw.normal(32, len(mask))
    alive, images, logs, changed = [], [], [], False
    for turn in range(TRIES + n):
        layer = student.AffineCoupling(len(mask), mask, hidden=draw.choice([32, 64]))
        scale = 0.8 * 2 ** (turn // 2)  # a last layer that starts at zero, behind a flat sigmoid, hardly moves
        layer = expect.handle(probe.perturbed(expect.handle(layer, what), x, scale, draw.seed()), what)
        changed = changed if turn else writes_back(probe, expect, layer, x, "AffineCoupling.forward(x)")
        result, jacobian = probe.transform(layer, "forward", x)
        images.append(points_of(expect, result, x, "AffineCoupling.forward(x)"))
        logs.append(jacobian_log_det(expect, jacobian, x, "AffineCoupling.forward(x)")[0])
        if float(logs[-1].std()) > ALIVE:
            alive.append(layer)
        differ = any((image - images[0]).abs().max() > 1e-3 for image in images)
        if len(alive) >= n and differ:
            return alive[:n]
    if alive and differ:  # perturbed weights saturate many scales: those that are left serve again
        return (alive * n)[:n]
    say_changed(expect, changed, "AffineCoupling.forward(x)")
    if alive:
        message = _("AffineCoupling.forward(x): layers with other weights give the same.")
        raise CheckFailed(message, _("Scale and shift are computed by a network, whose weights are trained."))
    one = max(float(log.abs().max()) for log in logs) < 1e-9
    raise CheckFailed(
        _("AffineCoupling.forward(x): the volume changes by the same factor at every x."),
        _("An affine coupling scales the moved coordinates by a function of the others, computed by a network."),
        "additive" if one else "constant_scale",
    )


@check(points=1, covers=("coupling", "AffineCoupling"))
def test_coupling_mask(student, probe, expect, draw):
    """A coupling layer leaves one group unchanged; functions of it scale and shift the other."""
    passes = None  # the value of the mask that marks the unchanged coordinates
    for mask in plane_masks(draw):
        passes = expect_mask(student, probe, expect, draw, mask, passes)


def expect_mask(student, probe, expect, draw, mask, passes):
    """One group passes, the other is an affine function of itself; returns the mask's value of the first."""
    what = "AffineCoupling.forward(x)"
    layers = make_couplings(student, probe, expect, draw, mask, n=3)
    x = 2 * draw.normal(16, len(mask))
    z = points_of(expect, layers[0](x), x, what)
    unchanged = (z - x).abs().amax(0) < 1e-9
    groups = {value: mask == value for value in (0.0, 1.0)}
    kept_values = [value for value, group in groups.items() if unchanged[group].all()]
    expect.true(
        kept_values,
        _("{what}: neither the coordinates where the mask is 1 nor those where it is 0 pass unchanged.").format(
            what=what
        ),
        hint=_("The mask that the layer is given decides: what passes has scale 1 and shift 0."),
        mistake="mask_ignored"
        if unchanged.any()
        else "shift_not_masked"
        if is_shifted(probe, expect, layers[0], x, groups)
        else None,
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
    scales, shifts = [], []  # how far each varies over the points, in any of the layers
    for layer in layers:
        z = points_of(expect, layer(x), x, what)
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
        shift = z[:, moved] - scale * x[:, moved]
        scales.append(scale.amax(0) - scale.amin(0))
        shifts.append(shift.amax(0) - shift.amin(0))
    for name, spreads in (("scale", scales), ("shift", shifts)):
        expect.true(
            (torch.stack(spreads).amax(0) > 1e-3).all(),
            _("{what}: the {name} does not depend on the unchanged coordinates.").format(what=what, name=name),
        )
    return passes


def is_shifted(probe, expect, layer, x, groups):
    """Whether one group should have passed, but for a shift that depends on it alone."""
    result, jacobian = expect.sequence(probe.transform(layer, "forward", x), 2, "AffineCoupling.forward(x)")
    jacobian = jacobian_log_det(expect, jacobian, x, "AffineCoupling.forward(x)")[1]
    log_det = log_det_of(expect, result, x, "AffineCoupling.forward(x)")
    scales = jacobian.diagonal(dim1=1, dim2=2).abs().log()  # (B, dim)
    return any(
        bool((jacobian[:, group][:, :, ~group].abs() < 1e-9).all())
        and torch.allclose(log_det, scales[:, ~group].sum(1), rtol=1e-6, atol=1e-8)
        for group in groups.values()
    )


@check(points=1, covers=("coupling_inverse", "AffineCoupling"))
def test_coupling_round_trip(student, probe, expect, compare, draw):
    """A coupling layer's inverse undoes its forward, and forward undoes its inverse."""
    for mask in plane_masks(draw):
        (layer,) = make_couplings(student, probe, expect, draw, mask)
        expect_round_trip(probe, expect, compare, draw, layer, mask)


def expect_round_trip(probe, expect, compare, draw, layer, mask):
    for first, second in (("forward", "inverse"), ("inverse", "forward")):
        x = draw.normal(7, len(mask))
        y = points_of(expect, getattr(layer, first)(x), x, f"AffineCoupling.{first}(x)")
        back = points_of(expect, getattr(layer, second)(y), x, f"AffineCoupling.{second}({first}(x))")
        wrong = {}
        if first == "forward" and not torch.allclose(back, x, rtol=1e-6, atol=1e-7):
            wrong = wrong_inverses(probe, expect, layer, x, y)
        compare(back, x, what=f"AffineCoupling.{second}({first}(x)[0])[0]", rtol=1e-6, atol=1e-7, mistakes=wrong)


def wrong_inverses(probe, expect, layer, x, y):
    """Where wrong inverses of this layer would arrive, with the scales and shifts of its own `forward`."""
    what = "AffineCoupling.forward(x)"
    jacobian = expect.sequence(probe.transform(layer, "forward", x), 2, what)[1]
    scale = jacobian_log_det(expect, jacobian, x, what)[1].diagonal(dim1=1, dim2=2)  # (B, dim)
    shift = y - scale * x
    moved = (y - x).abs().amax(0) > 1e-9
    return {
        "inverse_order": y / scale - shift,
        "inverse_scale_negated": torch.where(moved, (y - shift) * -scale, x),
    }


@check(points=1, covers=("coupling_log_det", "AffineCoupling"))
def test_coupling_log_det(student, probe, expect, compare, draw):
    """A coupling layer's log-determinant is log|det| of the Jacobian of forward."""
    for mask, rows in zip(plane_masks(draw), (7, 1), strict=True):  # a batch may hold one point
        (layer,) = make_couplings(student, probe, expect, draw, mask)
        expect_log_det(probe, expect, compare, layer, mask, draw.normal(rows, len(mask)))


def expect_log_det(probe, expect, compare, layer, mask, x):
    what = "AffineCoupling.forward(x)"
    result, jacobian = probe.transform(layer, "forward", x)
    points_of(expect, result, x, what)
    right, jacobian = jacobian_log_det(expect, jacobian, x, what)
    scales = jacobian.diagonal(dim1=1, dim2=2)
    total = expect.sequence(result, 2, what, hint=hint_pair())[1]
    for_all = isinstance(total, torch.Tensor) and total.ndim == 0
    compare(
        total if for_all else log_det_of(expect, result, x, what),
        right,
        what=_("the log-determinant of {what}").format(what=what),
        mistakes={
            "log_det_sign": -right,
            "log_det_mean": right / len(mask),
            "log_det_mean_of_moved": right / (scales != 1).any(dim=0).sum().clamp(min=1),
            "log_det_not_log": (scales * (mask == 0)).sum(1),
            "log_det_over_batch": right.sum(),
        },
        hint=hint_jacobian(),
    )


@check(points=1, covers=("coupling_log_det", "AffineCoupling"))
def test_coupling_inverse_log_det(student, probe, expect, compare, draw):
    """A coupling layer's inverse returns log|det| of the Jacobian of inverse."""
    for mask in plane_masks(draw):
        (layer,) = make_couplings(student, probe, expect, draw, mask)
        expect_inverse_log_det(probe, expect, compare, draw, layer, draw.normal(7, len(mask)))


def expect_inverse_log_det(probe, expect, compare, draw, layer, z):
    what = "AffineCoupling.inverse(z)"
    result, right = inverse_with_log_det(probe, expect, layer, z, what)
    log_det = log_det_of(expect, result, z, what)
    if not torch.allclose(log_det, right, rtol=1e-6, atol=1e-8) and is_minus_forward(probe, expect, draw, layer, z):
        return  # the points that inverse returns are wrong: the round trip has a check of its own
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
    if jacobian is not None:
        return result, jacobian_log_det(expect, jacobian, z, what)[0]
    jacobian = expect.sequence(probe.transform(module, "forward", x), 2, what)[1]
    return result, -jacobian_log_det(expect, jacobian, z, what)[0]


@check(points=0.5, covers=("beyond_the_plane", "AffineCoupling"))
def test_coupling_beyond(student, probe, expect, compare, draw):
    """In three and five dimensions a coupling layer keeps one group, comes back, and knows its log-determinants."""
    passes = None
    for dim in (3, 5):
        mask = odd_mask(draw, dim)
        passes = expect_mask(student, probe, expect, draw, mask, passes)
        (layer,) = make_couplings(student, probe, expect, draw, mask)
        expect_round_trip(probe, expect, compare, draw, layer, mask)
        expect_log_det(probe, expect, compare, layer, mask, draw.normal(7, dim))
        expect_inverse_log_det(probe, expect, compare, draw, layer, draw.normal(7, dim))
