"""The flow as a map of the whole stack: round trips, log-determinants against the Jacobian, rows by themselves."""

import math

import torch

from autograder.judge import CheckFailed, check
from autograder.language import _

from .pairs import hint_pair, jacobian_log_det, log_det_of, points_of, say_changed, writes_back

NUDGE = 1e-12  # relative; thousands of times the rounding error of a float64
NUDGED_AT_MOST = 1e-7
TRIES = 6  # fresh flows until one is alive: in some, ReLUs all happen to be closed
ALIVE = 0.01  # spread of a log-determinant over the points, in nats


def louder(scale, turn):
    """Twice the noise at every second try: a last layer that starts at zero, behind a flat sigmoid, hardly moves."""
    return scale * 2 ** (turn // 2)


def make_flows(student, probe, expect, draw, dim, n_layers, n=1):
    """`n` flows with fresh weights whose volume change varies: where it does not, there is nothing to be judged.

    It has to vary from point to point, and the map from weights to weights.
    """
    x = 2 * draw.normal(32, dim)
    alive, images, changed = [], [], False
    for turn in range(TRIES + n):
        flow = student.RealNVP(dim=dim, n_layers=n_layers, hidden=draw.choice([32, 64]))
        scale = louder(0.4, turn)
        flow = probe.perturbed(expect.handle(flow, "RealNVP(...)"), x, scale, draw.seed())
        flow = expect.handle(flow, "RealNVP(...)")
        changed = changed if turn else writes_back(probe, expect, flow, x, "RealNVP.forward(x)")
        result, jacobian = probe.transform(flow, "forward", x)
        images.append(points_of(expect, result, x, "RealNVP.forward(x)"))
        if float(jacobian_log_det(expect, jacobian, x, "RealNVP.forward(x)")[0].std()) > ALIVE:
            alive.append(flow)
        if len(alive) >= n and any((image - images[0]).abs().max() > 1e-3 for image in images):
            return alive[:n]
    say_changed(expect, changed, "RealNVP.forward(x)")
    raise CheckFailed(
        _("RealNVP.forward(x): flows with other weights give the same.")
        if alive
        else _("RealNVP.forward(x): the volume changes by the same factor at every x."),
        _("A flow of affine couplings stretches each place by another factor, which depends on the weights."),
    )


def plane_sizes(draw):
    """Sizes (dim, n_layers) in the plane."""
    return [(2, draw.choice([2, 3])), (2, draw.integer(4, 6))]


@check(points=1, covers=("flow_inverse", "RealNVP", "AffineCoupling"))
def test_flow_round_trip(student, probe, expect, compare, draw):
    """The flow's inverse undoes its forward, and forward undoes its inverse."""
    for dim, n_layers in plane_sizes(draw):
        (flow,) = make_flows(student, probe, expect, draw, dim, n_layers)
        expect_round_trip(student, probe, expect, compare, draw, flow, dim)


def expect_round_trip(student, probe, expect, compare, draw, flow, dim):
    for first, second in (("forward", "inverse"), ("inverse", "forward")):
        x = draw.normal(7, dim)
        y = points_of(expect, getattr(flow, first)(x), x, f"RealNVP.{first}(x)")
        what = f"RealNVP.{second}({first}(x))"
        back = points_of(expect, getattr(flow, second)(y), x, what)
        nudged = points_of(expect, getattr(flow, second)(y * (1 + NUDGE * draw.normal(*y.shape))), x, what)
        # Where a scale happens to be nearly 0, rounding alone moves the point: such rows say nothing of the code.
        steady = ((nudged - back).abs() < NUDGED_AT_MOST * (1 + x.abs())).all(1)
        judged = steady if steady.sum() > len(x) // 2 else torch.ones_like(steady)
        wrong = {}
        if not torch.allclose(back[judged], x[judged], rtol=1e-6, atol=1e-6):
            there, here = (probe.layer_order(flow, student.AffineCoupling, m, x) for m in ("forward", "inverse"))
            if isinstance(there, list) and len(there) > 1 and there == here:
                wrong = {"inverse_layers_forward_order": back[judged]}
        compare(
            back[judged],
            x[judged],
            mistakes=wrong,
            what=f"RealNVP.{second}({first}(x)[0])[0]",
            rtol=1e-6,
            atol=1e-6,
            hint=_("The inverse of a composition undoes the last layer first."),
        )


@check(points=1, covers=("flow_log_det", "RealNVP", "AffineCoupling"))
def test_flow_log_det(student, probe, expect, compare, draw):
    """The flow's log-determinants, in both directions, are those of the whole stack."""
    for dim, n_layers in plane_sizes(draw):
        (flow,) = make_flows(student, probe, expect, draw, dim, n_layers)
        expect_log_dets(student, probe, expect, compare, draw, flow, dim, n_layers)


def expect_log_dets(student, probe, expect, compare, draw, flow, dim, n_layers):
    for method in ("forward", "inverse"):
        what = f"RealNVP.{method}(x)"
        x = draw.normal(7, dim)
        if method == "forward":
            result, jacobian = probe.transform(flow, method, x)
            points_of(expect, result, x, what)
            right, jacobian = jacobian_log_det(expect, jacobian, x, what)
        else:
            result, right = inverse_with_log_det(probe, expect, flow, x, what)
        log_det = log_det_of(expect, result, x, what)
        wrong = {}
        if not torch.allclose(log_det, right, rtol=1e-6, atol=1e-7):
            layers = probe.layer_log_dets(flow, student.AffineCoupling, method, x)
            layers = layers if isinstance(layers, list) else []
            if err_as_layers(layers, log_det, right, n_layers):
                continue  # the stack adds up; what its layers return has checks of its own
            wrong = wrong_sums(layers, right)
        compare(
            log_det,
            right,
            what=_("the log-determinant of {what}").format(what=what),
            atol=1e-7,
            mistakes=wrong,
            hint=_(
                "The log-determinants of the layers add up, each at the input of its own layer, and those of "
                "normalisations between them, too."
            ),
        )


def wrong_sums(layers, right):
    """What wrong stacks would return, from what the layers of this one do."""
    whole = [v for v, _j in layers if isinstance(v, torch.Tensor) and v.shape == right.shape]
    true = true_log_dets(layers, right)
    return {
        "log_det_subtracted_in_flow": -right,
        "inverse_log_det_zero": torch.zeros_like(right),
        "log_det_overwritten": whole[-1] if whole else None,
        "log_det_between_missing": true.sum(0) if true is not None else None,
    }


def true_log_dets(layers, like):
    """log|det| (n, B) of the layers' Jacobians; None where not all are known."""
    jacobians = [j for _v, j in layers]
    if not jacobians or not all(isinstance(j, torch.Tensor) and j.shape[:-2] == like.shape for j in jacobians):
        return None
    return torch.stack([torch.linalg.slogdet(j.double())[1] for j in jacobians])


def inverse_with_log_det(probe, expect, flow, z, what):
    """What `inverse` returns, and log|det| of its Jacobian.

    An inverse without a graph (under no_grad) is judged by the Jacobian of forward where it arrives.
    """
    result, jacobian = probe.transform(flow, "inverse", z)
    x = points_of(expect, result, z, what)
    if jacobian is not None:
        return result, jacobian_log_det(expect, jacobian, z, what)[0]
    jacobian = expect.sequence(probe.transform(flow, "forward", x), 2, what)[1]
    return result, -jacobian_log_det(expect, jacobian, z, what)[0]


def err_as_layers(layers, log_det, right, n_layers):
    """Whether the flow's log-determinant is wrong by as much as those of its own layers are, none of them constant."""
    true = true_log_dets(layers, right)
    if len(layers) != n_layers or true is None:
        return False
    returned = [v for v, _j in layers]
    if not all(isinstance(v, torch.Tensor) and v.is_floating_point() for v in returned):
        return False
    if any(v.shape not in (log_det.shape, torch.Size([])) for v in returned):  # summed over the batch, too
        return False
    returned = torch.stack([v.double().expand(log_det.shape) for v in returned])  # (n_layers, B)
    errors = (returned - true).sum(0)
    alive = bool((returned.abs().amax(1) > 1e-3).all())
    return alive and torch.allclose(right + errors, log_det, rtol=1e-6, atol=1e-7)


@check(points=0.5, covers=("transforms_all", "RealNVP", "AffineCoupling"))
def test_every_coordinate(student, probe, expect, draw):
    """The stack transforms every coordinate."""
    for dim, n_layers in plane_sizes(draw):
        expect_all_moved(student, probe, expect, draw, dim, n_layers)


def expect_all_moved(student, probe, expect, draw, dim, n_layers):
    x, what = 2 * draw.normal(24, dim), "RealNVP.forward(x)"
    varies = torch.zeros(dim, dtype=torch.bool)
    for flow in make_flows(student, probe, expect, draw, dim, n_layers, n=3):
        result, jacobian = probe.transform(flow, "forward", x)
        points_of(expect, result, x, what)
        jacobian = jacobian_log_det(expect, jacobian, x, what)[1]  # (B, d, d)
        # A coordinate that only passed has the same row of the Jacobian everywhere.
        varies |= (jacobian.amax(0) - jacobian.amin(0)).amax(1) > 1e-3  # (d,)
    # In the plane one mask alone leaves a coordinate; beyond it masks that alternate may leave one, too.
    name = None if varies.all() or dim != 2 else why_copied(student, probe, expect, draw)
    expect.true(
        varies.all(),
        _(
            "{what}: with {n_layers} layers in dimension {dim}, {n} coordinate(s) of z are plain copies "
            "of coordinates of x."
        ).format(what=what, n_layers=n_layers, dim=dim, n=int((~varies).sum())),
        hint=_("Do the masks alternate? They do not help where AffineCoupling does not use the mask it is given.")
        if name == "mask_ignored"
        else _("The masks of the layers have to alternate, so that each coordinate is moved by some layer."),
        mistake=name,
    )


def why_copied(student, probe, expect, draw):
    """The known mistake that leaves a coordinate of the plane: masks never alternate, or layers ignore them."""
    x, passes = 2 * draw.normal(16, 2), []
    for mask in ([1.0, 0.0], [0.0, 1.0]):
        layer = expect.handle(student.AffineCoupling(2, torch.tensor(mask), hidden=32), "AffineCoupling(dim, mask)")
        layer = expect.handle(probe.perturbed(layer, x, 0.8, draw.seed()), "AffineCoupling(dim, mask)")
        z = points_of(expect, layer(x), x, "AffineCoupling.forward(x)")
        passes.append(((z - x).abs().amax(0) < 1e-9).tolist())
    if sum(passes[0]) != 1 or sum(passes[1]) != 1:
        return None
    return "mask_ignored" if passes[0] == passes[1] else "mask_never_alternates"


@check(points=0.5, covers=("rows", "RealNVP", "AffineCoupling"))
def test_row_by_row(student, probe, expect, draw):
    """In evaluation mode each point is transformed by itself, whatever else is in its batch."""
    (flow,) = make_flows(student, probe, expect, draw, 2, draw.integer(2, 5))
    for method in ("forward", "inverse"):
        x, what = draw.normal(6, 2), f"RealNVP.{method}(x)"
        result = getattr(flow, method)(x)
        together = torch.cat([points_of(expect, result, x, what), log_det_of(expect, result, x, what)[:, None]], 1)
        alone = []
        for k in range(len(x)):
            result, what = getattr(flow, method)(x[k : k + 1]), f"RealNVP.{method}(one point)"
            point, log_det = points_of(expect, result, x[:1], what), log_det_of(expect, result, x[:1], what)
            alone.append(torch.cat([point, log_det[:, None]], 1))
        expect.true(
            torch.allclose(together, torch.cat(alone), rtol=1e-6, atol=1e-8),
            _(
                "RealNVP.{method}: a point's image or log-determinant changes with the other points of the batch."
            ).format(method=method),
            hint=_("After model.eval(), batch normalisation uses its running statistics, not those of the batch."),
            mistake="batch_statistics",
        )


@check(points=1, covers=("beyond_the_plane", "RealNVP", "AffineCoupling"))
def test_flow_beyond(student, each, probe, expect, compare, draw):
    """In three dimensions the flow moves every coordinate, comes back, and knows its log-determinants and density."""
    dim, n_layers = 3, 6  # enough layers for any alternation of masks
    (flow,) = make_flows(student, probe, expect, draw, dim, n_layers)
    with each("inverse"):
        expect_round_trip(student, probe, expect, compare, draw, flow, dim)
    with each("log_det"):
        expect_log_dets(student, probe, expect, compare, draw, flow, dim, n_layers)
    with each("masks"):
        expect_all_moved(student, probe, expect, draw, dim, n_layers)
    with each("log_prob"):
        x = draw.normal(5, dim)
        z, log_det = expect.sequence(flow(x), 2, "RealNVP.forward(x)", hint=hint_pair())
        z = expect.tensor(z, x.shape, "RealNVP.forward(x)").double()
        log_det = expect.tensor(log_det, (5,), "RealNVP.forward(x)").double()
        prior = -0.5 * (z**2).sum(1) - 0.5 * dim * math.log(2 * math.pi)
        compare(flow.log_prob(x), prior + log_det, what="RealNVP.log_prob(x)", atol=1e-7)
        expect.tensor(flow.sample(4), (4, dim), "RealNVP.sample(4)")
