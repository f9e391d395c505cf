"""Conventions of the course: dtypes, containers, scores that are no modules, and the refusal of bad arguments."""

from __future__ import annotations

import torch

from autograder.judge import check
from autograder.language import _

# The checks of the functions' values: form counts only beside them.
VALUES = {
    "gaussian_mixture_log_prob": ("mixture_log_prob",),
    "gaussian_mixture_score": ("mixture_score",),
    "langevin_step": ("langevin_step",),
    "langevin_sample": ("langevin_noise",),
    "denoising_score_matching_loss": ("matching_loss",),
    "cost_matrix": ("cost_matrix",),
    "sinkhorn": ("sinkhorn_marginals",),
    "transport_cost": ("transport_cost",),
    "wasserstein_1d": ("wasserstein_line",),
    "barycentric_projection": ("barycentric_projection",),
    "displacement_interpolation": ("displacement",),
    "morph": ("morph_drift",),
}
NUMBERS = ("transport_cost", "wasserstein_1d")  # in any coat: nothing is differentiated through them


@check(points=0.5, covers=("conventions", *VALUES), substance=VALUES)
def test_conventions(student, probe, each, expect, draw):
    """Answers are tensors and keep the dtype of the input; arguments stay as they are, and are obeyed."""
    n, m, d = draw.integer(3, 5), draw.integer(6, 8), 2
    for dtype in (torch.float32, torch.float64):

        def normal(*shape, dtype=dtype):
            return draw.normal(*shape).to(dtype)

        x, y, noise, line = normal(n, d), normal(m, d), normal(n, d), normal(n)
        means, weights = normal(3, d), torch.tensor([0.5, 0.25, 0.25], dtype=dtype)
        a, b = torch.full((n,), 1 / n, dtype=dtype), torch.full((m,), 1 / m, dtype=dtype)
        C = draw.uniform(n, m).to(dtype)
        plan = C / C.sum()
        model = probe.linear(normal(d, d), normal(d))
        calls = {
            "gaussian_mixture_log_prob": ((x, means, 0.8, weights), (n,)),
            "gaussian_mixture_score": ((x, means, 0.8, weights), (n, d)),
            "langevin_step": ((x, normal(n, d), 0.1, noise), (n, d)),
            "langevin_sample": ((model, x, 0.1, 3), (4, n, d)),
            "denoising_score_matching_loss": ((model, x, 0.3, noise), ()),
            "cost_matrix": ((x, y), (n, m)),
            "sinkhorn": ((a, b, C, 0.5), (n, m)),
            "transport_cost": ((plan, C), ()),
            "wasserstein_1d": ((line, normal(m)), ()),
            "barycentric_projection": ((plan, y), (n, d)),
            "displacement_interpolation": ((x, noise, 0.3), (n, d)),
            "morph": ((x, y, model, 3, 0.05, 2.0, 1.0), (4, n, d)),
        }
        for name, (arguments, shape) in calls.items():
            with each(name):
                answer = getattr(student, name)(*arguments)
                container = "any" if name in NUMBERS else "tensor"
                # As large or NaN as it may be: values are judged elsewhere.
                expect.tensor(answer, shape, f"{name}(...) of {dtype}", dtype=dtype, container=container, finite=False)
    in_place = False
    for name, (arguments, _shape) in calls.items():
        if in_place and name in ("langevin_sample", "morph"):
            continue  # they call langevin_step, which changes its arguments: that is paid for
        with each(name):
            changed = probe.changed(getattr(student, name), *arguments)
            in_place = in_place or (name == "langevin_step" and changed != [])
            expect.true(
                changed == [],
                _("{name} changes its arguments.").format(name=name),
                hint=_("In place: `+=`, `/=` and what ends in `_` change what the caller still has. Make new tensors."),
            )
    with each("morph"):
        graphs = (probe.requires_grad(getattr(student, k), *calls[k][0]) for k in ("morph", "langevin_sample"))
        # A morph that calls langevin_sample has its gradients, which cost points there.
        expect.true(
            not next(graphs) or next(graphs),
            _("morph(...): the trajectory carries gradients, where score_fn is a network."),
            _("A score function may carry gradients: detach its answer, or call it under torch.no_grad()."),
        )
    with each("sinkhorn"):
        # After one pair of updates one marginal is off, whichever comes first; after twenty both are right.
        a, b = draw.uniform(6, low=0.3), draw.uniform(8, low=0.3)
        a, b, C = a / a.sum(), b / b.sum(), draw.uniform(6, 8)
        what = "sinkhorn(a, b, C, 0.4, n_iterations=1)"
        plan = expect.tensor(student.sinkhorn(a, b, C, 0.4, n_iterations=1), (6, 8), what)
        expect.true(
            float((plan.sum(1) - a).abs().sum() + (plan.sum(0) - b).abs().sum()) > 1e-7,
            _("{what}: the marginals are right already, as they are after many more updates.").format(what=what),
            _("n_iterations is the largest number of pairs of updates: stop there, right or not."),
            mistake="iterations_unlimited",
        )


@check(
    points=0.5,
    covers=("callables", "langevin_sample", "denoising_score_matching_loss", "morph"),
    substance={name: VALUES[name] for name in ("langevin_sample", "denoising_score_matching_loss", "morph")},
)
def test_plain_callables(student, probe, each, expect, draw):
    """A score may be any callable: a function that is no network works as well."""
    n, d, n_steps, strength = draw.integer(4, 6), draw.integer(2, 3), draw.integer(2, 4), 0.5
    mean, x, noise = draw.normal(d), draw.normal(n, d), draw.normal(n, d)
    score = probe.pull(mean, strength)
    with each("langevin_sample"):
        way = student.langevin_sample(score, x, 0.1, n_steps, generator=draw.generator())
        expect.tensor(way, (n_steps + 1, n, d))
    with each("denoising_score_matching_loss"):
        expect.number(student.denoising_score_matching_loss(score, x, 0.3, noise))
    with each("morph"):
        way = student.morph(x, draw.normal(n + 2, d), score, n_steps, 0.05, 2.0, 1.0, generator=draw.generator())
        expect.tensor(way, (n_steps + 1, n, d))


REFUSING = tuple(name for name in VALUES if name != "wasserstein_1d")


@check(points=0.5, covers=("errors", *REFUSING), substance={name: VALUES[name] for name in REFUSING})
def test_bad_arguments(student, probe, each, expect, draw):
    """Mismatched shapes, counts below 1 and times outside [0, 1] raise ValueError."""
    n, m, d = draw.integer(3, 5), draw.integer(6, 8), draw.integer(2, 3)
    x, y, noise = draw.normal(n, d), draw.normal(m, d), draw.normal(n, d)
    wide, long = draw.normal(m, d + 1), draw.normal(n + 1, d)
    a, b, C = torch.full((n,), 1 / n).double(), torch.full((m,), 1 / m).double(), draw.uniform(n, m)
    weights = torch.full((m,), 1 / m).double()
    score = probe.linear(-torch.eye(d).double(), torch.zeros(d).double())
    cases = (
        ("gaussian_mixture_log_prob", (x, wide, 1.0, weights), _("x and means of different dimensions")),
        ("gaussian_mixture_log_prob", (x, y, 1.0, weights[1:]), _("one weight too few")),
        ("gaussian_mixture_score", (x, wide, 1.0, weights), _("x and means of different dimensions")),
        ("gaussian_mixture_score", (x, y, 1.0, weights[1:]), _("one weight too few")),
        ("langevin_step", (x, long, 0.1, noise), _("x and score of different shapes")),
        ("langevin_step", (x, noise, 0.1, long), _("x and noise of different shapes")),
        ("langevin_sample", (score, x, 0.1, 0), "n_steps = 0"),
        ("denoising_score_matching_loss", (score, x, 0.3, long), _("x and noise of different shapes")),
        ("cost_matrix", (x, wide), _("x and y of different dimensions")),
        ("sinkhorn", (b, a, C, 0.5), _("a and b that do not fit C")),
        ("transport_cost", (C, C.T), _("plan and C of different shapes")),
        ("barycentric_projection", (C, draw.normal(m + 1, d)), _("a plan that does not fit y")),
        ("displacement_interpolation", (x, long, 0.5), _("clouds of different sizes")),
        ("displacement_interpolation", (x, noise, -0.1), "t = -0.1"),
        ("displacement_interpolation", (x, noise, 1.1), "t = 1.1"),
        ("morph", (x, wide, score, 3, 0.05, 1.0, 1.0), _("clouds of different dimensions")),
        ("morph", (x, noise, score, 0, 0.05, 1.0, 1.0), "n_steps = 0"),
    )
    for name, arguments, what in cases:
        with each(name):
            expect.raises(ValueError, getattr(student, name), *arguments, what=f"{name}: {what}")
    with each("sinkhorn"):
        expect.raises(ValueError, student.sinkhorn, a, b, C, 0.5, n_iterations=0, what="sinkhorn: n_iterations = 0")
