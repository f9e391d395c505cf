"""The density that the flow defines: its value, its integral over all small images, and its samples."""

import math

import torch

from autograder.judge import CheckFailed, check
from autograder.language import _

from .latents import images, latent_shapes

TRIES = 6
ALIVE = 0.002
FREE = 5
ABOUT = ("Glow", "ActNorm", "InvertibleConv1x1", "AffineCoupling")


def law_of(probe, expect, flow, x):
    """All latents (B, D), log|det| (B,) of the Jacobian, and what `forward` says it is."""
    what = "Glow.forward(x)"
    result, z, jacobian = expect.sequence(probe.transform(flow, "forward", x), 3, what)
    shape = (len(x), x[0].numel())
    z = expect.tensor(z, shape, _("the latents of {what}").format(what=what)).double()
    jacobian = expect.tensor(jacobian, (*shape, shape[1]), _("the Jacobian of {what}").format(what=what)).double()
    return z, torch.linalg.slogdet(jacobian)[1], expect.sequence(result, 2, what)[1]


def make(student, probe, expect, draw, arguments, scale=0.7, x=None, least=ALIVE):
    """A flow with perturbed weights whose volume change varies: where it does not, there is nothing to be judged."""
    found, alive, some = [], None, images(draw, arguments, 6)
    for turn in range(TRIES):
        flow = expect.handle(student.Glow(**arguments, hidden=32), "Glow(...)")
        given = 1.5 * images(draw, arguments, 24) if x is None else x
        louder = scale * 2 ** (turn // 2)  # where a last layer that starts at zero hardly moves
        flow = expect.handle(probe.perturbed(flow, given, louder, draw.seed()), "Glow(...)")
        z, log_det, _own = law_of(probe, expect, flow, some)
        found.append(z)
        alive = flow if float(log_det.std()) > least else alive
        if alive is not None and any((one - found[0]).abs().max() > 1e-3 for one in found):
            return alive
    raise CheckFailed(
        _("Glow.forward(x): flows with other weights give the same.")
        if alive is not None
        else _("Glow.forward(x): the volume changes by the same factor for every image."),
        _("Each step ends with an affine coupling, whose scale depends on the image and on the weights."),
    )


def is_law(value, z, own):
    """Whether the density is the prior plus the log-determinant that `forward` returns."""
    fits = isinstance(own, torch.Tensor) and own.shape == value.shape
    return fits and torch.allclose(value, log_prior(z) + own.double(), rtol=1e-6, atol=1e-6)


def log_prior(z):
    return -0.5 * (z**2).sum(1) - 0.5 * z.shape[1] * math.log(2 * math.pi)


@check(points=0.75, kind="exact", covers=("log_prob", *ABOUT))
def test_log_prob_value(student, probe, expect, compare, draw):
    """The log-density is the normal prior of all latents plus the log-determinant."""
    for arguments in (
        {"channels": 1, "size": 4, "n_scales": 2, "n_steps": draw.integer(1, 2)},
        {"channels": draw.integer(2, 3), "size": 2, "n_scales": 1, "n_steps": 2},
    ):
        flow, n = make(student, probe, expect, draw, arguments), draw.integer(3, 6)
        x = images(draw, arguments, n)
        z, right, own = law_of(probe, expect, flow, x)
        hint = _("log p(x) = log N(f(x); 0, I) + log|det ∂f/∂x|, with the prior of all latents; one number per image.")
        value = expect.tensor(flow.log_prob(x), (n,), "Glow.log_prob(x)", hint=hint).double()
        if not torch.allclose(value, log_prior(z) + right, rtol=1e-6, atol=1e-6):
            # A log-determinant of another size has checks of its own; one that is the same everywhere is none.
            name = _("the log-determinant of {what}").format(what="Glow.forward(x)")
            own = expect.tensor(own, (n,), name).double()
            used = own if float(own.std()) > 1e-6 else right
            last = math.prod(latent_shapes(*(arguments[k] for k in ("channels", "size", "n_scales")))[-1])
            compare(
                value,
                log_prior(z) + used,
                what="Glow.log_prob(x)",
                rtol=1e-6,
                atol=1e-6,
                mistakes={
                    "prior_last_scale": log_prior(z[:, -last:]) + used,
                    "prior_constant_dropped": log_prior(z) + 0.5 * z.shape[1] * math.log(2 * math.pi) + used,
                    "log_det_left_out": log_prior(z),
                    "log_det_subtracted": log_prior(z) - used,
                },
                hint=hint,
            )
        expect.tensor(flow.log_prob(x[:1]), (1,), _("Glow.log_prob of one image"))
        expect.true(
            not is_law(value, z, own) or probe.same_gradient(flow, x),
            _("Glow.log_prob(x): its gradient is not that of the prior of the latents plus the log-determinant."),
            hint=_("Training needs both gradients: no detach(), no item() and no torch.no_grad() on the way."),
            mistake="log_prob_detached",
        )


def proposed(draw, centre, root, n):
    """Draws (n, 4) of a law with heavy tails, Student's t with `FREE` degrees of freedom, and their log-densities."""
    t = draw.normal(n, 4) / draw.normal(n, FREE).square().mean(1, keepdim=True).sqrt()
    constant = math.lgamma((FREE + 4) / 2) - math.lgamma(FREE / 2) - 2 * math.log(FREE * math.pi)
    log_density = constant - (FREE + 4) / 2 * (t.square().sum(1) / FREE).log1p() - torch.linalg.slogdet(root)[1]
    return centre + t @ root.T, log_density


def total_mass(probe, expect, draw, flow):
    """The integral of exp(log_prob) over all images of 2×2 pixels and its standard error, by importance sampling.

    A flow may be much wider or narrower than the data, so the law of the draws is first fitted to its own density.
    """
    centre, root = torch.zeros(4, dtype=torch.float64), 3 * torch.eye(4, dtype=torch.float64)
    for n in (2048, 2048, 2048, 32768):
        x, log_density = proposed(draw, centre, root, n)
        values = []
        for part in x.reshape(n, 1, 2, 2).split(4096):  # what a deep flow keeps of all at once may not fit
            answer = probe.log_prob_of(flow, part)
            values.append(expect.tensor(answer, (len(part),), "Glow.log_prob(x)", finite=False).double())
        value = torch.cat(values)
        log_weights = value - log_density
        if not log_weights.isfinite().all():
            return math.inf, 0.0
        shares = log_weights.softmax(0)
        centre = shares @ x
        spread = (shares[:, None] * (x - centre)).T @ (x - centre)
        root = torch.linalg.cholesky(spread + 1e-3 * torch.eye(4, dtype=torch.float64))
    weights = log_weights.exp()
    return float(weights.mean()), float(weights.std()) / n**0.5


@check(points=0.25, kind="exact", covers=("normalised", *ABOUT))
def test_flow_sums_to_one(student, probe, expect, draw):
    """The density of images of 2×2 pixels integrates to 1."""
    arguments = {"channels": 1, "size": 2, "n_scales": 1, "n_steps": draw.integer(1, 2)}
    x = draw.uniform(480, 1, 2, 2, low=1e-9, high=1 - 1e-9).logit()  # black and white images, dequantised
    flow = make(student, probe, expect, draw, arguments, scale=0.15, least=1e-5, x=x)
    total, error = total_mass(probe, expect, draw, flow)
    expect.true(
        abs(total - 1) < min(max(0.01, 7 * error), 0.1),  # what cannot be integrated so well is no density of a flow
        _("Glow.log_prob: the density does not integrate to 1 over all images of 2×2 pixels."),
        hint=_("A log-determinant or a constant is wrong: check forward's log_det and the prior."),
    )


@check(points=0.75, kind="statistical", covers=("sampling", *ABOUT))
def test_sampling(student, probe, expect, draw):
    """The latents of samples are normal at every scale, with the temperature as standard deviation."""
    arguments = {"channels": draw.integer(1, 2), "size": 4, "n_scales": 2, "n_steps": 1}
    flow = make(student, probe, expect, draw, arguments)
    shapes = latent_shapes(arguments["channels"], 4, 2)
    for temperature in (1.0, round(float(draw.uniform(1, low=0.4, high=0.7)), 3)):
        n = draw.integer(500, 600)
        what = f"Glow.sample({n}, temperature={temperature})"
        x = flow.sample(n, temperature=temperature, generator=draw.generator())
        x = expect.tensor(x, (n, arguments["channels"], 4, 4), what).double()
        zs = expect.sequence(expect.sequence(flow(x), 2, "Glow.forward(x)")[0], 2, "Glow.forward(x)")
        name = _("the latents of {what}").format(what=what)
        zs = [expect.tensor(z, (n, *s), name, finite=False).double() for z, s in zip(zs, shapes, strict=True)]
        p = min(normal_law(z.flatten(1), temperature) for z in zs)
        if p < 1e-6 and is_own_inverse(expect, draw, flow, x, shapes, temperature):
            continue  # forward and inverse do not fit together, which has a check of its own
        deviations = [float(z.std()) for z in zs]
        expect.p_value(
            p,
            name,
            alpha=1e-6,
            hint=_("Draw every latent of every scale as temperature * torch.randn(...), and return inverse(zs)[0]."),
            mistake=which_temperature(deviations, temperature),
        )


def which_temperature(deviations, temperature):
    """The known mistake whose standard deviations at the scales these are."""
    if temperature == 1 or not all(math.isfinite(d) for d in deviations):
        return None
    for mistake, wrong in (
        ("temperature_variance", [temperature**0.5] * 2),
        ("temperature_last_scale", [1.0, temperature]),
        ("temperature_ignored", [1.0, 1.0]),
    ):
        if all(abs(d - w) < 0.04 for d, w in zip(deviations, wrong, strict=True)):
            return mistake
    return None


def normal_law(z, deviation):
    """p-value of the rows (n, D) being draws of N(0, deviation² I): every number, means and spreads, radii."""
    from scipy.stats import chi2

    from autograder.statistics import covariance_test, kolmogorov_smirnov, mean_test, standard_normal_test

    if not z.isfinite().all():
        return 0.0
    z, identity = z / deviation, torch.eye(z.shape[1], dtype=torch.float64)
    p_values = [
        standard_normal_test(z.flatten()),
        kolmogorov_smirnov((z**2).sum(1), lambda r: chi2.cdf(r, z.shape[1])),
        mean_test(z, torch.zeros(z.shape[1], dtype=torch.float64), identity),
        covariance_test(z, identity),
    ]
    return min(1.0, min(p_values) * len(p_values))


def is_own_inverse(expect, draw, flow, x, shapes, temperature):
    """Whether samples have the law of the flow's own inverse, pixel by pixel, where that varies with its latents."""
    from autograder.statistics.tests import kolmogorov_smirnov

    zs = [temperature * draw.normal(len(x), *shape) for shape in shapes]
    result = expect.sequence(flow.inverse(zs), 2, "Glow.inverse(zs)")
    own = expect.tensor(result[0], x.shape, "Glow.inverse(zs)", finite=False).double()
    again = expect.sequence(expect.sequence(flow(own), 2, "Glow.forward(x)")[0], len(zs), "Glow.forward(x)")
    name = _("the latents of {what}").format(what="Glow.forward(x)")
    again = [expect.tensor(z, other.shape, name, finite=False) for z, other in zip(again, zs, strict=True)]
    if all(torch.allclose(z.double(), other, rtol=1e-3, atol=1e-3) for z, other in zip(again, zs, strict=True)):
        return False  # they do fit together: what is wrong are the latents
    if not own.isfinite().all() or not x.isfinite().all() or float(own.std(0).min()) < 1e-6:
        return False
    pairs = zip(x.flatten(1).T, own.flatten(1).T, strict=True)
    return min(kolmogorov_smirnov(a.contiguous(), b.contiguous()) for a, b in pairs) > 1e-6


@check(points=0.25, kind="exact", covers=("temperature_zero", *ABOUT))
def test_temperature_zero(student, probe, expect, compare, draw):
    """At temperature 0 every sample is the image f⁻¹(0)."""
    arguments = {"channels": 1, "size": 4, "n_scales": 2, "n_steps": 2}
    flow = make(student, probe, expect, draw, arguments)
    zeros = [torch.zeros(1, *shape, dtype=torch.float64) for shape in latent_shapes(1, 4, 2)]
    result = expect.sequence(flow.inverse(zeros), 2, "Glow.inverse(zs)")
    centre = expect.tensor(result[0], (1, 1, 4, 4), "Glow.inverse(zs)").double()
    expect.true(float(centre.abs().max()) > 1e-6, _("Glow.inverse(zs): the image of latents 0 is 0 for all weights."))
    x = flow.sample(3, temperature=0.0, generator=draw.generator())
    compare(x, centre.expand(3, 1, 4, 4), what="Glow.sample(3, temperature=0)", rtol=1e-6, atol=1e-7)
