"""Divergence and Fokker-Planck: derivatives of fields and of densities that the judge knows."""

from __future__ import annotations

import torch

from autograder.judge import check
from autograder.language import _


def draw_field(draw, probe, d):
    """A curved field with a full Jacobian, and its divergence: (field, divergence of x)."""
    width = draw.integer(4, 6)
    inner, shift, outer = draw.normal(width, d), draw.normal(width), draw.normal(d, width)

    def right(x):
        slope = 1 - torch.tanh(x @ inner.T + shift) ** 2  # (B, width)
        return slope @ (inner * outer.T).sum(1)

    return probe.curved_field(inner, shift, outer), right


@check(points=0.75, covers=("divergence",))
def test_divergence(student, probe, compare, draw):
    """The divergence is the trace of the Jacobian, exact, row by row."""
    square = draw.integer(2, 4)
    for B, d in ((draw.integer(4, 7), draw.integer(2, 4)), (square, square), (3, 1), (1, 3)):
        field, right = draw_field(draw, probe, d)
        x = draw.normal(B, d)
        compare(
            student.divergence(field, x), right(x), _("divergence(field, x), x of shape {shape}").format(shape=(B, d))
        )


def draw_density(draw, d):
    """Numbers of a density that goes its own way: (symmetric matrix, slope, growth, quartic)."""
    root = draw.normal(d, d)
    return root @ root.T / d + 0.5 * torch.eye(d).double(), draw.normal(d), draw.normal(1), draw.uniform(1, low=0.1)


def right_residual(numbers, x, t):
    """The residual of that density, by hand: ((∂_t log p, d, x·∇, ‖∇‖², Δ) separately)."""
    matrix, slope, growth, quartic = numbers
    d, square = x.shape[1], x.square().sum(1)
    bent = ((x @ matrix) * x).sum(1)
    change = -bent / 2 - torch.sin(t) * (x @ slope) + 2 * growth * t
    gradient = -(1 + t)[:, None] * (x @ matrix) + torch.cos(t)[:, None] * slope - quartic * square[:, None] * x
    laplacian = -(1 + t) * matrix.trace() - quartic * (d + 2) * square
    return change - (d + (x * gradient).sum(1) + gradient.square().sum(1) + laplacian)


@check(points=0.75, covers=("fokker_planck", "fokker_planck_residual"))
def test_fokker_planck(student, probe, compare, draw):
    """The residual of a density that does not follow the process is what is left of the equation."""
    square = draw.integer(2, 3)
    for B, d in ((draw.integer(4, 7), draw.integer(2, 4)), (square, square), (draw.integer(3, 5), 1)):
        numbers = draw_density(draw, d)
        x, t = draw.normal(B, d), draw.uniform(B, low=0.1, high=1.5)
        what = _("fokker_planck_residual(log_prob, x, t), x of shape {shape}").format(shape=(B, d))
        compare(student.fokker_planck_residual(probe.polynomial(*numbers), x, t), right_residual(numbers, x, t), what)


@check(
    points=0.5,
    covers=("solutions", "fokker_planck_residual"),
    substance={"fokker_planck_residual": ("fokker_planck",)},
)
def test_fokker_planck_solutions(student, probe, each, compare, draw):
    """The residual is 0 for noised mixtures and for N(0, I)."""
    with each("fokker_planck_residual"):
        for K, d in ((draw.integer(2, 4), draw.integer(2, 3)), (1, 1)):
            B = draw.integer(4, 7)
            weights = draw.uniform(K, low=0.3)
            log_prob = probe.gaussians(1.5 * draw.normal(K, d), 0.4, weights / weights.sum())
            x, t = draw.normal(B, d), draw.uniform(B, low=0.1, high=1.5)
            what = _("fokker_planck_residual(log_prob of a noised mixture, x, t)")
            compare(student.fokker_planck_residual(log_prob, x, t), torch.zeros(B).double(), what, atol=1e-6)
        what = _("fokker_planck_residual(log_prob of N(0, I), x, t)")
        normal = probe.still(torch.eye(d).double())
        compare(student.fokker_planck_residual(normal, x, t), torch.zeros(B).double(), what, atol=1e-7)


@check(
    points=0.5,
    covers=("without_grad", "divergence", "fokker_planck_residual", "flow_log_likelihood"),
    substance={
        "divergence": ("divergence",),
        "fokker_planck_residual": ("fokker_planck",),
        "flow_log_likelihood": ("flow_mixture", "flow_transport"),
    },
)
def test_without_grad(student, probe, each, expect, compare, draw):
    """Derivatives work under no_grad, and are 0 where a field or a density ignores x or t."""
    B, d = draw.integer(3, 6), draw.integer(2, 3)
    x, t = draw.normal(B, d), draw.uniform(B, low=0.2, high=1.5)
    with each("divergence"):
        field, right = draw_field(draw, probe, d)
        what = _("divergence(field, x) under no_grad")
        nothing = {"derivatives_need_grad_mode": torch.zeros(B).double()}
        compare(probe.call_without_grad(student.divergence, field, x), right(x), what, mistakes=nothing)
        what = _("divergence(field that ignores x, x)")
        compare(student.divergence(probe.fixed_field(draw.normal(d)), x), torch.zeros(B).double(), what)
    with each("fokker_planck_residual"):
        numbers = draw_density(draw, d)
        what = _("fokker_planck_residual(log_prob, x, t) under no_grad")
        answer = probe.call_without_grad(student.fokker_planck_residual, probe.polynomial(*numbers), x, t)
        compare(answer, right_residual(numbers, x, t), what)
        matrix, growth = numbers[0], draw.normal(1)
        slope = -x @ matrix
        right = -(d + (x * slope).sum(1) + slope.square().sum(1) - matrix.trace())
        what = _("fokker_planck_residual(log_prob that ignores t, x, t)")
        compare(student.fokker_planck_residual(probe.still(matrix), x, t), right, what)
        what = _("fokker_planck_residual(log_prob that ignores x, x, t)")
        compare(student.fokker_planck_residual(probe.flat(growth), x, t), 2 * growth * t - d, what)
    with each("flow_log_likelihood"):
        score = probe.wells(draw.normal(d), draw.normal(d), torch.tensor(0.5).double(), draw.normal(1), (0.05, 1.2))
        times = torch.linspace(0.1, 1.0, 9).double()
        pair = expect.sequence(
            student.flow_log_likelihood(score, x, times), 2, "flow_log_likelihood(score_fn, x, times)"
        )
        what = _("flow_log_likelihood(score_fn, x, times) under no_grad")
        again = expect.sequence(probe.call_without_grad(student.flow_log_likelihood, score, x, times), 2, what)
        for got, right, shape in zip(again, pair, ((B,), (B, d)), strict=True):
            compare(got, expect.tensor(right, shape, what), what)
