"""The density that a flow defines: its value, integral, mean over data, values on a grid, and its samples."""

import math

import torch

from autograder.judge import check
from autograder.language import _


def make_flow(student, probe, expect, draw, dim=2, n_layers=2, scale=0.1):
    flow = expect.handle(student.RealNVP(dim=dim, n_layers=n_layers, hidden=draw.integer(8, 16)), "RealNVP(...)")
    return expect.handle(probe.perturbed(flow, scale, draw.seed()), "RealNVP(...)")


def log_prior(z):
    return -0.5 * (z**2).sum(1) - 0.5 * z.shape[1] * math.log(2 * math.pi)


@check(points=1.5, covers=("log_prob",))
def test_log_prob_value(student, probe, expect, compare, draw):
    """The log-density is the log-prior of the latent plus the log-determinant."""
    for dim, n_layers in ((2, draw.integer(2, 5)), (3, 6)):
        flow = make_flow(student, probe, expect, draw, dim, n_layers)
        x = draw.normal(9, dim)
        result, jacobian = probe.transform(flow, "forward", x)
        z, log_det = expect.sequence(result, 2, "RealNVP.forward(x)")
        z = expect.tensor(z, (9, dim), "RealNVP.forward(x)").double()
        log_det = expect.tensor(log_det, (9,), "RealNVP.forward(x)").double()
        jacobian = expect.tensor(jacobian, (9, dim, dim), _("the Jacobian of RealNVP.forward(x)")).double()
        expect.true((z - x).abs().max() > 1e-6, _("RealNVP.forward(x): the points come back as they were."))
        log_prob = expect.tensor(
            flow.log_prob(x),
            (9,),
            "RealNVP.log_prob(x)",
            hint=_("One number per sample: the prior's log-density is a sum over the coordinates."),
        ).double()
        if torch.allclose(log_prob, log_prior(z) + torch.linalg.slogdet(jacobian)[1], rtol=1e-6, atol=1e-7):
            continue  # the right density, whatever sign convention log_det has: that has a check of its own
        compare(
            log_prob,
            log_prior(z) + log_det,
            what="RealNVP.log_prob(x)",
            atol=1e-7,
            mistakes={
                "prior_constant_dropped": log_prior(z) + log_det + 0.5 * dim * math.log(2 * math.pi),
                "log_det_left_out": log_prior(z),
                "log_det_subtracted": log_prior(z) - log_det,
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


@check(points=1, covers=("normalised",))
def test_density_integrates(student, probe, expect, draw):
    """The density exp(log_prob) integrates to 1 over the plane."""
    points, weights = plane(300)
    for _model in range(3):
        flow = make_flow(student, probe, expect, draw, scale=0.2)
        log_prob = expect.tensor(flow.log_prob(points), (len(points),), "RealNVP.log_prob(x)", finite=False).double()
        integral = integrate(log_prob, weights)
        right = abs(integral - 1) < 0.02
        if not right:
            # Scales close to 0 leave tails too narrow for the grid: it then has to err as it does for the density
            # of the student's own map.
            result, jacobian = probe.transform(flow, "forward", points)
            z = expect.tensor(
                expect.sequence(result, 2, "RealNVP.forward(x)")[0], points.shape, "RealNVP.forward(x)", finite=False
            ).double()
            jacobian = expect.tensor(jacobian, (*points.shape, 2), "RealNVP.forward(x)", finite=False).double()
            (a, b), (c, d) = jacobian.permute(1, 2, 0)
            on_grid = integrate(log_prior(z) + (a * d - b * c).abs().log(), weights)
            right = abs(on_grid - 1) < 0.5 and abs(integral - on_grid) < 0.01 * on_grid
        expect.true(
            right,
            _("exp(RealNVP.log_prob(x)) does not integrate to 1 over the plane."),
            hint=_("A log-determinant or a constant is wrong: check forward's log_det and the prior."),
        )


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


@check(points=0.5, covers=("nll",))
def test_nll_value(student, probe, expect, compare, draw):
    """The NLL is the mean of -log_prob over the samples."""
    for dim in (2, 3):
        flow = make_flow(student, probe, expect, draw, dim, 6)
        x = draw.normal(draw.integer(5, 20), dim)
        # A log_prob of another shape is the business of its own check.
        log_prob = expect.tensor(flow.log_prob(x), None, "RealNVP.log_prob(x)").double()
        expect.true(
            log_prob.numel() > 1 and log_prob.std() > 1e-6, _("RealNVP.log_prob(x) is the same for all points.")
        )
        mean = log_prob.mean()
        compare(
            student.nll(flow, x),
            -mean,
            mistakes={"nll_sum": -mean * len(x), "nll_per_dimension": -mean / dim, "nll_sign": mean},
        )


@check(points=0.5, covers=("density_grid",))
def test_density_grid(student, probe, expect, compare, draw):
    """The density grid covers the square with n² regular points and gives the density at each."""
    # Perturbed, so that the density is not symmetric: a flow may start as the identity.
    flow = make_flow(student, probe, expect, draw)
    flow.float()  # whether the grid follows the parameters' dtype is left open
    n, low = draw.integer(7, 15), float(draw.uniform(1, low=-3, high=-1))
    high = low + float(draw.uniform(1, low=3, high=5))
    what = "density_grid(model, low, high, n)"
    points, density = expect.sequence(student.density_grid(flow, low, high, n), 2, what)
    points = expect.tensor(points, (n * n, 2), _("the points of {what}").format(what=what)).double()
    density = expect.tensor(density, (n * n,), _("the density of {what}").format(what=what)).double()
    nodes = torch.linspace(low, high, n, dtype=torch.float64)
    centres = low + (high - low) * (torch.arange(n, dtype=torch.float64) + 0.5) / n
    expect.true(
        any(is_grid(points, side) for side in (nodes, centres)),
        _(
            "{what}: the points are not those of a regular n × n grid of the square (nodes from low to high, "
            "or centres of cells)."
        ).format(what=what),
        mistake="grid_diagonal" if torch.allclose(points[:, 0], points[:, 1]) else None,
    )
    log_prob, swapped = (
        expect.tensor(flow.log_prob(x.float()), (n * n,), "RealNVP.log_prob(points)").double()
        for x in (points, points.flip(1))
    )
    compare(
        density,
        log_prob.exp(),
        what=_("the density of {what}").format(what=what),
        rtol=1e-3,
        atol=1e-5,
        mistakes={"grid_log_density": log_prob, "grid_axes_swapped": swapped.exp()},
        hint=_("The density is the exponential of log_prob at the points returned, in the same order."),
    )


def is_grid(points, side):
    """Whether the points are all pairs of `side`, in any order."""
    n = len(side)
    tolerance = float(side[1] - side[0]) * 1e-3
    index = ((points - side[0]) / (side[1] - side[0])).round().clamp(0, n - 1).long()  # (n², 2)
    near = (points - side[index]).abs().max() < tolerance
    return bool(near) and len(torch.unique(index[:, 0] * n + index[:, 1])) == n * n


@check(points=1, kind="statistical", covers=("sampling",))
def test_sampling(student, probe, expect, draw):
    """Samples are the inverse of standard normal latents."""
    for dim, n_layers in ((2, 4), (3, 6)):
        flow = make_flow(student, probe, expect, draw, dim, n_layers)
        n = draw.integer(4000, 5000)
        flow.float()  # drawn in float32: other dtypes are the business of the conventions
        samples = expect.tensor(flow.sample(n, generator=draw.generator()), (n, dim), "RealNVP.sample(n)").double()
        flow.double()
        result = expect.sequence(flow(samples), 2, "RealNVP.forward(x)")
        z = expect.tensor(result[0], (n, dim), "RealNVP.forward(RealNVP.sample(n))", finite=False).double()
        p = standard_normal(z) if z.isfinite().all() else 0.0
        if p < 1e-6:
            # Where forward and inverse do not fit together, the samples may still be right for this inverse.
            result = expect.sequence(flow.inverse(draw.normal(n, dim)), 2, "RealNVP.inverse(z)")
            own = expect.tensor(result[0], (n, dim), "RealNVP.inverse(z)").double()
            p = same_law(samples, own)
        colder = bool(z.isfinite().all()) and bool((z.std(0) < 0.97).all())
        expect.p_value(
            p,
            "RealNVP.sample(n)",
            alpha=1e-6,
            hint=_("Draw z ~ N(0, I) with torch.randn, as it is, and return inverse(z)."),
            mistake="low_temperature" if colder and bool((z.mean(0).abs() < 0.1).all()) else None,
        )


def standard_normal(z):
    """p-value of the rows being independent draws of N(0, I): mean, covariance, each coordinate, radius."""
    from scipy.stats import chi2, norm

    from autograder.statistics.tests import covariance_test, kolmogorov_smirnov, mean_test

    dim = z.shape[1]
    identity = torch.eye(dim, dtype=torch.float64)
    p_values = [
        mean_test(z, torch.zeros(dim, dtype=torch.float64), identity),
        covariance_test(z, identity),
        kolmogorov_smirnov((z**2).sum(1), lambda r: chi2.cdf(r, dim)),
        *(kolmogorov_smirnov(z[:, i], norm.cdf) for i in range(dim)),
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
