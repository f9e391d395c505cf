"""Conventions of the course: dtypes, arguments left alone, explicit randomness, refusals."""

from __future__ import annotations

import torch

from autograder.judge import check
from autograder.language import _

# The checks of each function's values: its form earns nothing before one of them has passed.
VALUES = {
    "kde_log_prob": ("kernel_value",),
    "leave_one_out_log_likelihood": ("leave_one_out",),
    "select_bandwidth": ("bandwidth",),
    "kde_sample": ("kernel_draws",),
    "component_log_prob": ("component_value",),
    "mixture_log_prob": ("mixture_value",),
    "responsibilities": ("responsibilities_value",),
    "classify": ("classify",),
    "mixture_sample": ("mixture_draws",),
    "fit_classes": ("classes_value",),
    "em_step": ("em_value",),
    "fit_mixture": ("fit_from_start",),
    "squared_norm_log_density": ("shell",),
    "covered_fraction": ("boxes",),
}
RANDOM = ("kde_sample", "mixture_sample", "fit_mixture")


def arguments(draw, dtype):
    """Arguments of each function: name -> (positional ones, shapes of the tensors in the answer)."""
    n, d, m = draw.integer(6, 9), 2, 2
    x = draw.normal(n, d, dtype=dtype)
    weights, means = torch.tensor([0.25, 0.75], dtype=dtype), 2 * draw.normal(m, d, dtype=dtype)
    root = draw.normal(m, d, d)
    covariances = (root @ root.mT + torch.eye(d)).to(dtype)
    labels = torch.tensor([0, 1] * n)[:n]
    mixture = (weights, means, covariances)
    fit = ((m,), (m, d), (m, d, d))
    return {
        "kde_log_prob": ((x, means, 0.5), ((n,),)),
        "leave_one_out_log_likelihood": ((x, 0.5), ((),)),
        "kde_sample": ((x, 0.5, 4), ((4, d),)),
        "component_log_prob": ((x, means, covariances), ((n, m),)),
        "mixture_log_prob": ((x, *mixture), ((n,),)),
        "responsibilities": ((x, *mixture), ((n, m),)),
        "classify": ((x, *mixture), ((n,),)),
        "mixture_sample": ((*mixture, 4), ((4, d), (4,))),
        "fit_classes": ((x, labels), fit),
        "em_step": ((x, *mixture), fit),
        "fit_mixture": ((x, m, 2), fit),
        "squared_norm_log_density": ((x.abs() + 0.1, 3, 1.5), ((n, d),)),
    }


@check(points=0.5, kind="exact", covers=("conventions", *VALUES), substance=VALUES)
def test_conventions(student, each, probe, expect, draw):
    """Answers are tensors and keep the dtype of the input, classes are int64, and arguments stay as they are."""
    for dtype in (torch.float64, torch.float32):
        called = arguments(draw, dtype)
        for name, (given, shapes) in called.items():
            with each(name):
                function = getattr(student, name)
                answer = function(*given)
                parts = [answer] if len(shapes) == 1 else expect.sequence(answer, len(shapes) + (name == "fit_mixture"))
                for i, shape in enumerate(shapes):
                    classes = name == "classify" or (name == "mixture_sample" and i == 1)
                    expect.tensor(
                        parts[i], shape, f"{name}(...)" if len(shapes) == 1 else f"{name}(...)[{i}]",
                        dtype=torch.int64 if classes else dtype, container="tensor" if shape else "any",
                    )  # fmt: skip
                changes = _("{name} changes the tensors that it is given.")
                hint = _("Work on a copy: `x = x - 1` makes one, `x -= 1` and functions such as `x.sub_(1)` do not.")
                expect.true(probe.changed(function, *given) == [], changes.format(name=name), hint, "arguments_changed")
                if name == "fit_mixture":
                    start = called["em_step"][0][1:]
                    expect.true(
                        probe.changed(probe.fit_from(function), *given, *start) == [],
                        changes.format(name="fit_mixture(..., start=start)"),
                        hint,
                        "start_changed_in_place",
                    )


@check(points=0.25, kind="exact", covers=("randomness", *RANDOM), substance={name: VALUES[name] for name in RANDOM})
def test_generators(student, each, probe, expect, draw):
    """Random draws come from `generator` where one is given, and nothing seeds the global generator."""
    first, second = draw.seed(), draw.seed()
    given = arguments(draw, torch.float64)
    # Points enough that two random starts, or the best of some, are never the same.
    given["fit_mixture"] = (draw.normal(60, 3), 6, 1), ((6,), (6, 3), (6, 3, 3))
    for name in RANDOM:
        with each(name):
            function = getattr(student, name)
            positional, shapes = given[name]

            def run(seed, function=function, positional=positional, shapes=shapes, name=name):
                options = {} if seed is None else {"generator": torch.Generator().manual_seed(seed)}
                answer = function(*positional, **options)
                if name == "fit_mixture":  # its means
                    return expect.tensor(expect.sequence(answer, 4)[1], shapes[1], name)
                value = answer if len(shapes) == 1 else expect.sequence(answer, len(shapes))[0]
                return expect.tensor(value, shapes[0], name)

            before = probe.global_seed()
            one, again, other = run(first), run(first), run(second)
            expect.true(
                torch.allclose(one, again, rtol=1e-9),
                _("{name}: two calls with generators of one seed give different answers.").format(name=name),
                hint=_("Pass generator=generator to every function of torch that draws."),
                mistake="start_without_generator" if name == "fit_mixture" else "generator_ignored",
            )
            if name != "fit_mixture":  # its start may depend on the data alone
                expect.true(
                    not torch.allclose(one, other, rtol=1e-9),
                    _("{name}: generators of two seeds give the same answer.").format(name=name),
                )
                expect.true(
                    not torch.allclose(run(None), run(None), rtol=1e-9),
                    _("{name}: without a generator two calls give the same answer.").format(name=name),
                    mistake="global_seed",
                )
            expect.true(
                probe.global_seed() == before,
                _("{name} seeds torch's global generator.").format(name=name),
                hint=_("No torch.manual_seed inside a function."),
                mistake="global_seed",
            )


@check(points=0.25, kind="exact", covers=("errors", *VALUES), substance=VALUES)
def test_bad_arguments(student, each, expect, draw):
    """Shapes that do not fit, numbers out of range, empty classes and missing candidates raise ValueError."""
    n, d, m = draw.integer(5, 8), 2, 2
    x, wide = draw.normal(n, d), draw.normal(n, d + 1)
    weights, means = torch.tensor([0.25, 0.75], dtype=torch.float64), draw.normal(m, d)
    covariances = torch.eye(d, dtype=torch.float64).repeat(m, 1, 1)
    labels = torch.tensor([0, 1] * n)[:n]
    bad = -float(draw.uniform(1, low=0.1, high=1.0))
    cases = (
        ("kde_log_prob", (x, wide, 0.5), _("x and data of different dimensions")),
        ("kde_log_prob", (x, x, 0.0), "bandwidth = 0"),
        ("kde_log_prob", (x, x, bad), "bandwidth < 0"),
        ("leave_one_out_log_likelihood", (x[:1], 0.5), _("one point only")),
        ("leave_one_out_log_likelihood", (x, bad), "bandwidth < 0"),
        ("select_bandwidth", (x, []), _("no candidate")),
        ("select_bandwidth", (x[:1], [0.5, 1.0]), _("one point only")),
        ("kde_sample", (x, 0.5, 0), "n = 0"),
        ("kde_sample", (x, bad, 3), "bandwidth < 0"),
        ("component_log_prob", (wide, means, covariances), _("x and means of different dimensions")),
        ("component_log_prob", (x, means, covariances[:1]), _("one covariance too few")),
        ("mixture_log_prob", (x, weights[:1], means, covariances), _("one weight too few")),
        ("responsibilities", (x, weights[:1], means, covariances), _("one weight too few")),
        ("classify", (wide, weights, means, covariances), _("x and means of different dimensions")),
        ("mixture_sample", (weights[:1], means, covariances, 3), _("one weight too few")),
        ("mixture_sample", (weights, means, covariances, 0), "n = 0"),
        ("fit_classes", (x, labels[1:]), _("one label too few")),
        ("fit_classes", (x, labels - 1), _("a negative label")),
        ("fit_classes", (x, 2 * labels), _("a class without a point")),
        ("fit_classes", (x, labels, bad), "ridge < 0"),
        ("em_step", (x, weights[:1], means, covariances), _("one weight too few")),
        ("em_step", (x, weights, means, covariances, bad), "ridge < 0"),
        ("fit_mixture", (x, 0, 2), "m = 0"),
        ("fit_mixture", (x, n + 1, 2), "m = n + 1"),
        ("fit_mixture", (x, 2, 0), "steps = 0"),
        ("squared_norm_log_density", (x.abs() + 0.1, 0, 1.0), "d = 0"),
        ("squared_norm_log_density", (x.abs() + 0.1, 3, bad), "sigma < 0"),
        ("covered_fraction", (x.abs() / (1 + x.abs()), 0), "bins = 0"),
        ("covered_fraction", (torch.full((3, 2), 1.5, dtype=torch.float64), 4), _("x outside [0, 1]")),
    )
    for name, given, what in cases:
        with each(name):
            expect.raises(ValueError, getattr(student, name), *given, what=f"{name}: {what}")
    for component in (-1, m):
        with each("mixture_sample"):
            expect.raises(
                ValueError, student.mixture_sample, weights, means, covariances, 3, component=component,
                what=f"mixture_sample: component={component}",
            )  # fmt: skip
