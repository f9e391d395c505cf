"""The density that a flow defines: its value, integral, mean over data, values on a grid, and its samples."""

import math

import torch

from autograder.judge import CheckFailed, check
from autograder.judge.verdicts import StudentError
from autograder.language import _

from .pairs import say_changed, writes_back

PART = 9000  # points of the plane asked for at once: deep networks that keep their graph take much memory
TRIES = 6  # fresh flows until one is alive: in some, ReLUs all happen to be closed
ALIVE = 0.01  # spread of a log-determinant over the points, in nats


def make_flow(student, probe, expect, draw, n_layers=2, scale=0.4):
    """A flow of the plane with fresh weights whose volume change varies: otherwise there is nothing to be judged.

    It has to vary from point to point, and the map from weights to weights.
    """
    x, images, alive, changed = 2 * draw.normal(32, 2), [], None, False
    for turn in range(TRIES):
        flow = expect.handle(student.RealNVP(n_layers=n_layers, hidden=draw.choice([32, 64])), "RealNVP(...)")
        louder = scale * 2 ** (turn // 2)  # a last layer that starts at zero, behind a flat sigmoid, hardly moves
        flow = expect.handle(probe.perturbed(flow, x, louder, draw.seed()), "RealNVP(...)")
        changed = changed if turn else writes_back(probe, expect, flow, x, "RealNVP.forward(x)")
        z, log_det, _own = law(probe, expect, flow, x)
        images.append(z)
        alive = flow if float(log_det.std()) > ALIVE else alive
        if alive is not None and any((image - images[0]).abs().max() > 1e-3 for image in images):
            return alive
    say_changed(expect, changed, "RealNVP.forward(x)")
    raise CheckFailed(
        _("RealNVP.forward(x): flows with other weights give the same.")
        if alive is not None
        else _("RealNVP.forward(x): the volume changes by the same factor at every x."),
        _("A flow of affine couplings stretches each place by another factor, which depends on the weights."),
    )


def law(probe, expect, flow, x):
    """Latents (B, 2) at x, log|det| (B,) of the Jacobian there, and the second value that `forward` returns."""
    what = "RealNVP.forward(x)"
    result, jacobian = probe.transform(flow, "forward", x)
    z, own = expect.sequence(result, 2, what)
    z = expect.tensor(z, x.shape, what).double()
    jacobian = expect.tensor(jacobian, (*x.shape, x.shape[1]), _("the Jacobian of {what}").format(what=what)).double()
    return z, torch.linalg.slogdet(jacobian)[1], own


def log_prior(z):
    return -0.5 * (z**2).sum(1) - 0.5 * z.shape[1] * math.log(2 * math.pi)


@check(points=1, covers=("log_prob", "RealNVP", "AffineCoupling"))
def test_log_prob_value(student, probe, expect, compare, draw):
    """The log-density is the log-prior of the latent plus the log-determinant."""
    flow = make_flow(student, probe, expect, draw, draw.integer(2, 5))
    x = draw.normal(9, 2)
    z, log_det, own = law(probe, expect, flow, x)
    answer = flow.log_prob(x)
    if isinstance(answer, torch.Tensor) and answer.shape == z.shape:  # one number per coordinate
        each = -0.5 * z**2 - 0.5 * math.log(2 * math.pi)
        compare(
            answer.double(),
            each.sum(1),
            what="RealNVP.log_prob(x)",
            atol=1e-7,
            mistakes={"prior_not_summed": each + log_det[:, None]},
            hint=_("One number per sample: the prior's log-density is a sum over the coordinates."),
        )
    log_prob = expect.tensor(
        answer,
        (9,),
        "RealNVP.log_prob(x)",
        hint=_("One number per sample: the prior's log-density is a sum over the coordinates."),
    ).double()
    if not torch.allclose(log_prob, log_prior(z) + log_det, rtol=1e-6, atol=1e-7):
        # A log-determinant of another sign or size has a check of its own; one that is the same everywhere is none.
        own = expect.tensor(own, (9,), _("the log-determinant of {what}").format(what="RealNVP.forward(x)")).double()
        own = own if float(own.std()) > 1e-3 else log_det
        compare(
            log_prob,
            log_prior(z) + own,
            what="RealNVP.log_prob(x)",
            atol=1e-7,
            mistakes={
                "prior_constant_dropped": log_prior(z) + own + math.log(2 * math.pi),
                "prior_constant_once": log_prior(z) + own + 0.5 * math.log(2 * math.pi),
                "log_det_left_out": log_prior(z),
                "log_det_subtracted": log_prior(z) - own,
            },
            hint=_("log p(x) = log N(f(x); 0, I) + log|det J_f(x)|."),
        )
    one = expect.tensor(flow.log_prob(x[:1]), None, _("RealNVP.log_prob of one point"))
    expect.true(
        one.shape == (1,),
        _("RealNVP.log_prob of one point: expected shape (1,), got {shape}.").format(shape=tuple(one.shape)),
        hint=_("A batch of one point has one log-density: `squeeze()` takes its axis away, too."),
        mistake="one_point_squeezed",
    )


@check(points=1, covers=("normalised", "RealNVP", "AffineCoupling"))
def test_density_integrates(student, probe, expect, draw):
    """The density exp(log_prob) integrates to 1 over the plane."""
    points, weights = plane(300)
    for _model in range(3):
        flow = make_flow(student, probe, expect, draw, scale=0.8)
        log_prob = torch.cat(
            [
                expect.tensor(flow.log_prob(part), (len(part),), "RealNVP.log_prob(x)", finite=False).double()
                for part in points.split(PART)
            ]
        )
        integral = integrate(log_prob, weights)
        right = abs(integral - 1) < 0.02
        if not right:
            # Scales close to 0 leave tails too narrow for the grid: it then has to err as it does for the density
            # of the student's own map.
            own = torch.cat([own_log_density(probe, expect, flow, part) for part in points.split(PART)])
            on_grid = integrate(own, weights)
            right = abs(on_grid - 1) < 0.5 and abs(integral - on_grid) < 0.01 * on_grid
        expect.true(
            right,
            _("exp(RealNVP.log_prob(x)) does not integrate to 1 over the plane."),
            hint=_("A log-determinant or a constant is wrong: check forward's log_det and the prior."),
        )


def own_log_density(probe, expect, flow, x):
    """The log-density (B,) that the map of the flow defines, by its Jacobian."""
    what = "RealNVP.forward(x)"
    result, jacobian = probe.transform(flow, "forward", x)
    z = expect.tensor(expect.sequence(result, 2, what)[0], x.shape, what, finite=False).double()
    jacobian = expect.tensor(jacobian, (*x.shape, 2), what, finite=False).double()
    (a, b), (c, d) = jacobian.permute(1, 2, 0)
    return log_prior(z) + (a * d - b * c).abs().log()


def plane(n):
    """Points (n², 2) over the plane and their weights: centres of n² cells in u, where x = 2 tan(π(u - 1/2)).

    The tails of a flow can be as heavy as Cauchy's (where scales come close to 0); in u they are bounded.
    """
    u = (torch.arange(n, dtype=torch.float64) + 0.5) / n
    side = 2 * torch.tan(math.pi * (u - 0.5))
    weight = 2 * math.pi * (1 + (side / 2) ** 2) / n
    return torch.cartesian_prod(side, side), (weight[:, None] * weight).flatten()


def integrate(log_density, weights):
    """Weighted sum of the densities; 0 where a scale overflowed far out."""
    return float((log_density.nan_to_num(nan=-math.inf, neginf=-math.inf).exp() * weights).sum())


def on_flow(student, probe, draw, judge):
    """Judge a function of a model on a Gaussian flow of ours, whose density is known: `judge(model, log_density)`.

    One that uses parts of the student's own class gets an object of that class, with the methods of ours.
    """
    mean, weight = draw.normal(2), torch.eye(2, dtype=torch.float64) + 0.3 * draw.normal(2, 2).clamp(-1, 1)
    weight = weight + 0.4 * torch.eye(2, dtype=torch.float64)

    def log_density(x):
        return log_prior((x - mean) @ weight.T) + torch.linalg.slogdet(weight)[1]

    try:
        judge(probe.gaussian_flow(mean, weight), log_density)
    except StudentError as error:
        if "AttributeError" not in error.bases:
            raise
        own = student.RealNVP(n_layers=2, hidden=32).double()
        judge(probe.gaussian_flow(mean, weight, own), log_density)


@check(points=0.5, covers=("nll",))
def test_nll_value(student, probe, expect, compare, draw):
    """The NLL is the mean of -log_prob over the samples."""
    for _model in range(2):
        x = draw.normal(draw.integer(5, 20), 2)

        def judge(model, log_density, x=x):
            mean = log_density(x).mean()
            compare(
                student.nll(model, x),
                -mean,
                mistakes={"nll_sum": -mean * len(x), "nll_per_dimension": -mean / 2, "nll_sign": mean},
            )

        on_flow(student, probe, draw, judge)


@check(points=0.5, covers=("density_grid",))
def test_density_grid(student, probe, expect, compare, draw):
    """The density grid covers the square with n² regular points and gives the density at each."""
    n, low = draw.integer(7, 15), float(draw.uniform(1, low=-3, high=-1))
    high = low + float(draw.uniform(1, low=3, high=5))
    what = "density_grid(model, low, high, n)"
    nodes = torch.linspace(low, high, n, dtype=torch.float64)
    centres = low + (high - low) * (torch.arange(n, dtype=torch.float64) + 0.5) / n

    def judge(model, log_density):
        model.float()  # whether the grid follows the parameters' dtype is left open
        answer = student.density_grid(model, low, high, n)
        model.double()
        points, density = expect.sequence(answer, 2, what)
        points = expect.tensor(points, (n * n, 2), _("the points of {what}").format(what=what)).double()
        density = expect.tensor(density, (n * n,), _("the density of {what}").format(what=what)).double()
        expect.true(
            any(is_grid(points, side) for side in (nodes, centres)),
            _(
                "{what}: the points are not those of a regular n × n grid of the square (nodes from low to high, "
                "or centres of cells)."
            ).format(what=what),
            mistake="grid_diagonal" if torch.allclose(points[:, 0], points[:, 1]) else None,
        )
        log_prob, swapped = (log_density(x) for x in (points, points.flip(1)))
        # In the unit of the largest density: whoever is far out may be small.
        size = float(log_prob.max().exp())
        compare(
            density / size,
            log_prob.exp() / size,
            what=_("the density of {what}").format(what=what),
            rtol=1e-3,
            atol=1e-4,
            mistakes={"grid_log_density": log_prob / size, "grid_axes_swapped": swapped.exp() / size},
            hint=_("The density is the exponential of log_prob at the points returned, in the same order."),
        )

    on_flow(student, probe, draw, judge)


def is_grid(points, side):
    """Whether the points are all pairs of `side`, in any order."""
    n = len(side)
    tolerance = float(side[1] - side[0]) * 1e-3
    index = ((points - side[0]) / (side[1] - side[0])).round().clamp(0, n - 1).long()  # (n², 2)
    near = (points - side[index]).abs().max() < tolerance
    return bool(near) and len(torch.unique(index[:, 0] * n + index[:, 1])) == n * n


@check(points=1, kind="statistical", covers=("sampling", "RealNVP", "AffineCoupling"))
def test_sampling(student, probe, expect, draw):
    """Samples are the inverse of standard normal latents."""
    for n_layers in (2, 4):
        flow = make_flow(student, probe, expect, draw, n_layers)
        n = draw.integer(4000, 5000)
        flow.float()  # drawn in float32: other dtypes are the business of the conventions
        samples = expect.tensor(flow.sample(n, generator=draw.generator()), (n, 2), "RealNVP.sample(n)").double()
        expect.tensor(flow.sample(1, generator=draw.generator()), (1, 2), "RealNVP.sample(1)")
        flow.double()
        result = expect.sequence(flow(samples), 2, "RealNVP.forward(x)")
        z = expect.tensor(result[0], (n, 2), "RealNVP.forward(RealNVP.sample(n))", finite=False).double()
        p = standard_normal(z) if z.isfinite().all() else 0.0
        mistake = None
        if p < 1e-6:
            # Where forward and inverse do not fit together, the samples may still be right for this inverse.
            result, jacobian = expect.sequence(probe.transform(flow, "inverse", draw.normal(n, 2)), 2, "inverse(z)")
            own = expect.tensor(expect.sequence(result, 2, "RealNVP.inverse(z)")[0], (n, 2), "RealNVP.inverse(z)")
            if isinstance(jacobian, torch.Tensor) and float((jacobian.amax(0) - jacobian.amin(0)).max()) > 0.01:
                p = same_law(samples, own.double())
        if p < 1e-6:
            back = expect.sequence(flow.inverse(samples), 2, "RealNVP.inverse(z)")[0]
            back = expect.tensor(back, (n, 2), "RealNVP.inverse(z)", finite=False).double()
            if back.isfinite().all() and standard_normal(back) > 1e-6:
                mistake = "sample_by_forward"
        colder = bool(z.isfinite().all()) and bool((z.std(0) < 0.97).all())
        expect.p_value(
            p,
            "RealNVP.sample(n)",
            alpha=1e-6,
            hint=_("Draw z ~ N(0, I) with torch.randn, as it is, and return inverse(z)."),
            mistake="low_temperature" if colder and bool((z.mean(0).abs() < 0.1).all()) else mistake,
        )


def standard_normal(z):
    """p-value of the rows being independent draws of N(0, I): mean, covariance, each coordinate, radius."""
    from scipy.stats import chi2

    from autograder.statistics import covariance_test, kolmogorov_smirnov, mean_test, standard_normal_test

    dim = z.shape[1]
    identity = torch.eye(dim, dtype=torch.float64)
    p_values = [
        mean_test(z, torch.zeros(dim, dtype=torch.float64), identity),
        covariance_test(z, identity),
        kolmogorov_smirnov((z**2).sum(1), lambda r: chi2.cdf(r, dim)),
        *(standard_normal_test(z[:, i]) for i in range(dim)),
    ]
    return min(1.0, min(p_values) * len(p_values))


def same_law(x, y):
    """p-value of two samples having one law: coordinates by Kolmogorov-Smirnov, spreads by a z-test."""
    from scipy.stats import norm

    from autograder.statistics.tests import kolmogorov_smirnov

    p_values = []
    for i in range(x.shape[1]):
        p_values.append(kolmogorov_smirnov(x[:, i], y[:, i]))
        a, b = (v[:, i].clamp(*torch.quantile(y[:, i], torch.tensor([0.005, 0.995]).double())) for v in (x, y))
        squares = [((v - b.mean()) ** 2) for v in (a, b)]
        error = math.sqrt(sum(float(s.var()) / len(s) for s in squares)) + 1e-12
        p_values.append(2 * float(norm.sf(abs(float(squares[0].mean() - squares[1].mean())) / error)))
    return min(1.0, min(p_values) * len(p_values))
