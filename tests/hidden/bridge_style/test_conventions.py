"""Conventions of the course: dtypes, arguments left alone, explicit randomness, refusals."""

from __future__ import annotations

import torch

from autograder.judge import check
from autograder.language import _

# The checks of each function's values: its form earns nothing before they have passed.
VALUES = {
    "schrodinger_coupling": ("coupling_plan",),
    "sinkhorn_divergence": ("divergence_value",),
    "penalised_step": ("penalised_pull",),
    "gaussian_bridge": ("gaussian_bridge",),
    "bridge_interpolate": ("bridge_interpolate",),
    "bridge_path": ("path_value",),
    "sample_coupling": ("pairs_law",),
    "bridge_drift": ("drift_value",),
    "simulate_bridge": ("euler_value",),
    "endpoint_loss": ("loss_value",),
    "endpoint_drift": ("endpoint_drift",),
    "train_bridge": ("train_draws",),
    "neighbours_kept": ("neighbours",),
}


def arguments(draw, probe, dtype):
    """Arguments of each function: name -> (positional ones, shapes of the tensors in the answer)."""
    n, m, d = draw.integer(4, 6), draw.integer(7, 9), 2

    def normal(*shape):
        return draw.normal(*shape).to(dtype)

    x, x1, y, noise = normal(n, d), normal(n, d), normal(m, d), normal(n, d)
    b = torch.full((m,), 1 / m, dtype=dtype)
    root = normal(d, d)
    covariance = root @ root.T + torch.eye(d, dtype=dtype)
    times, t = torch.tensor([0.2, 0.7, 1.0], dtype=dtype), torch.linspace(0.1, 0.9, n, dtype=dtype)
    model = probe.affine_model(normal(d, d), normal(d), normal(d))
    drift = probe.sloped_drift(normal(d, d).double(), normal(d).double())
    return {
        "schrodinger_coupling": ((x, y, 1.0), ((n, m), (n,), (m,))),
        "sinkhorn_divergence": ((x, y, 2.0), ((),)),
        "penalised_step": ((x, noise, y, 0.05, 2.0, 3.0, noise), ((n, d),)),
        "gaussian_bridge": ((x[0], covariance, x[1], covariance.flip(0, 1), 1.0, 0.4), ((d,), (d, d))),
        "bridge_interpolate": ((x, x1, t, 0.7, noise), ((n, d),)),
        "bridge_path": ((x, x1, times, 0.7, normal(3, n, d)), ((3, n, d),)),
        "bridge_drift": ((x, 0.4, y, b, normal(m), 0.9), ((n, d),)),
        "simulate_bridge": ((drift, x, 0.7, normal(5, n, d)), ((6, n, d),)),
        "endpoint_loss": ((model, x, x1, t, 0.7, noise), ((),)),
        "endpoint_drift": ((model, x, 0.4), ((n, d),)),
    }


@check(
    points=0.25,
    covers=("conventions", *VALUES),
    substance={name: checks for name, checks in VALUES.items() if name not in ("train_bridge", "neighbours_kept")},
)
def test_conventions(student, each, probe, expect, draw):
    """Answers are tensors and keep the dtype of the input, indices are int64, and arguments stay as they are."""
    for dtype in (torch.float64, torch.float32):
        for name, (given, shapes) in arguments(draw, probe, dtype).items():
            with each(name):
                function = getattr(student, name)
                answer = function(*given)
                parts = [answer] if len(shapes) == 1 else expect.sequence(answer, len(shapes), f"{name}(...)")
                for k, (part, shape) in enumerate(zip(parts, shapes, strict=True)):
                    what = f"{name}(...)" if len(shapes) == 1 else f"{name}(...)[{k}]"
                    container = "any" if name == "sinkhorn_divergence" else "tensor"  # a number in any coat
                    expect.tensor(part, shape, what, dtype=dtype, container=container, finite=False)
                expect.true(
                    probe.changed(function, *given) == [],
                    _("{name} changes the tensors that it is given.").format(name=name),
                    hint=_("Work on a copy: `x = x - 1` makes one, `x -= 1` and functions such as `x.sub_(1)` do not."),
                    mistake="arguments_changed",
                )
    with each("sample_coupling"):
        plan = torch.full((3, 4), 1 / 12)
        answer = expect.sequence(student.sample_coupling(plan, 6), 2, "sample_coupling(plan, 6)")
        for k, part in enumerate(answer):
            what = f"sample_coupling(plan, 6)[{k}]"
            expect.tensor(part, (6,), what, dtype=torch.int64, container="tensor")


RANDOM = ("sample_coupling", "train_bridge")


@check(points=0.25, covers=("randomness", *RANDOM), substance={name: VALUES[name] for name in RANDOM})
def test_generators(student, each, probe, expect, draw):
    """Random draws come from `generator` where one is given, and nothing seeds the global generator."""
    first, second = draw.seed(), draw.seed()
    plan = draw.uniform(4, 5)
    plan = plan / plan.sum()
    x, y = draw.normal(4, 2), draw.normal(5, 2)
    start = 0.3 * draw.normal(2, 2), draw.normal(2), draw.normal(2)

    def pairs(generator):
        answer = expect.sequence(student.sample_coupling(plan, 40, generator=generator), 2, "sample_coupling")
        return expect.tensor(answer[0], (40,), "sample_coupling") * 5 + expect.tensor(answer[1], (40,))

    def trained(generator):
        model = probe.affine_model(*start)
        student.train_bridge(model, x, y, plan, 0.5, 4, batch_size=16, lr=1e-2, generator=generator)
        seen = probe.record(model)
        expect.true(isinstance(seen, dict) and seen.get("x") is not None, _("train_bridge never calls its model."))
        return expect.tensor(seen["x"], (None, 2), "train_bridge")

    for name, run in (("sample_coupling", pairs), ("train_bridge", trained)):
        with each(name):
            before = probe.global_seed()
            one, again, other = (run(torch.Generator().manual_seed(seed)) for seed in (first, first, second))
            expect.true(
                torch.equal(one, again),
                _("{name}: two calls with generators of one seed give different answers.").format(name=name),
                hint=_("Pass generator=generator to every function of torch that draws."),
                mistake="train_ignores_generator" if name == "train_bridge" else "pairs_ignore_generator",
            )
            expect.true(
                not torch.equal(one, other),
                _("{name}: generators of two seeds give the same answer.").format(name=name),
            )
            expect.true(
                not torch.equal(run(None), run(None)),
                _("{name}: without a generator two calls give the same answer.").format(name=name),
                mistake="seed_inside",
            )
            expect.true(
                probe.global_seed() == before,
                _("{name} seeds torch's global generator.").format(name=name),
                hint=_("No torch.manual_seed inside a function."),
                mistake="seed_inside",
            )


REFUSING = (
    "schrodinger_coupling", "sinkhorn_divergence", "penalised_step", "bridge_interpolate", "bridge_path",
    "bridge_drift", "endpoint_drift", "train_bridge", "neighbours_kept",
)  # fmt: skip


@check(points=0.5, covers=("errors", *REFUSING), substance={name: VALUES[name] for name in REFUSING})
def test_bad_arguments(student, each, probe, expect, draw):
    """Sigma and epsilon that are not positive, shapes, times and counts that do not fit raise ValueError."""
    n, m, d = draw.integer(4, 6), draw.integer(7, 9), 2
    x, x1, noise, y = draw.normal(n, d), draw.normal(n, d), draw.normal(n, d), draw.normal(m, d)
    wide = draw.normal(m, d + 1)
    a, b, g = torch.full((n,), 1 / n).double(), torch.full((m,), 1 / m).double(), draw.normal(m)
    bad = -float(draw.uniform(1, low=0.1, high=1.0))
    model = probe.affine_model(draw.normal(d, d), draw.normal(d), draw.normal(d))
    late = torch.linspace(0.1, 1.0, n).double()
    times, path_noise = torch.tensor([0.2, 0.6, 0.9]).double(), draw.normal(3, n, d)
    plan = torch.full((n, m), 1 / (n * m)).double()
    cases = (
        ("schrodinger_coupling", (x, y, 0.0), "sigma = 0"),
        ("schrodinger_coupling", (x, y, bad), "sigma < 0"),
        ("schrodinger_coupling", (x, wide, 1.0), _("x and y of different dimensions")),
        ("schrodinger_coupling", (x, y, 1.0, b, a), _("masses of the wrong lengths")),
        ("sinkhorn_divergence", (x, y, 0.0), "epsilon = 0"),
        ("sinkhorn_divergence", (x, y, bad), "epsilon < 0"),
        ("sinkhorn_divergence", (x, wide, 1.0), _("x and y of different dimensions")),
        ("penalised_step", (x, noise, y, 0.1, 1.0, bad, noise), "epsilon < 0"),
        ("penalised_step", (x, noise, wide, 0.1, 1.0, 2.0, noise), _("x and y of different dimensions")),
        ("bridge_interpolate", (x, x1, bad, 0.5, noise), "t < 0"),
        ("bridge_interpolate", (x, x1, 1.2, 0.5, noise), "t > 1"),
        ("bridge_interpolate", (x, x1, late + 0.3, 0.5, noise), _("some times above 1")),
        ("bridge_path", (x, x1, times.flip(0), 0.5, path_noise), _("times that fall")),
        ("bridge_path", (x, x1, times[[0, 0, 1]], 0.5, path_noise), _("a time twice")),
        ("bridge_path", (x, x1, times + 0.3, 0.5, path_noise), _("a time above 1")),
        ("bridge_path", (x, x1, times - 0.3, 0.5, path_noise), _("a time below 0")),
        ("bridge_path", (x, x1, times, 0.5, path_noise[:2]), _("noise for fewer times")),
        ("bridge_drift", (x, 1.0, y, b, g, 0.5), "t = 1"),
        ("bridge_drift", (x, bad, y, b, g, 0.5), "t < 0"),
        ("bridge_drift", (x, late, y, b, g, 0.5), _("one time that is 1")),
        ("endpoint_drift", (model, x, 1.0), "t = 1"),
        ("endpoint_drift", (model, x, bad), "t < 0"),
        ("endpoint_drift", (model, x, late), _("one time that is 1")),
        ("train_bridge", (model, x, y, plan.T, 0.5, 2), _("a plan that is transposed")),
        ("train_bridge", (model, x, y, plan[:, 1:], 0.5, 2), _("a plan with a column too few")),
        ("neighbours_kept", (x, x1, 0), "k = 0"),
        ("neighbours_kept", (x, x1, n), "k = n"),
        ("neighbours_kept", (x, x1[1:], 1), _("clouds of different lengths")),
    )
    for name, given, what in cases:
        with each(name):
            expect.raises(ValueError, getattr(student, name), *given, what=f"{name}: {what}")
