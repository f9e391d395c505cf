"""Conventions of the course: dtypes and containers, and the refusal of bad arguments."""

from __future__ import annotations

import torch

from autograder.judge import check
from autograder.language import _

# The checks of the functions' values: form counts only beside them.
VALUES = {
    "ou_moments": ("ou_moments",),
    "ou_sample": ("ou_sample",),
    "ou_step": ("ou_step",),
    "noised_score": ("noised_score",),
    "divergence": ("divergence",),
    "fokker_planck_residual": ("fokker_planck",),
    "reverse_step": ("reverse_step",),
    "reverse_sample": ("reverse_path",),
    "flow_log_likelihood": ("flow_transport",),
    "ScoreNetwork": ("network_time",),
    "score_matching_loss": ("loss_value",),
    "train_score": ("train_draws",),
    "denoise": ("denoise",),
    "wiener_filter": ("wiener",),
}
FORMED = tuple(name for name in VALUES if name != "train_score")


@check(points=0.5, covers=("dtype", *FORMED), substance={name: VALUES[name] for name in FORMED})
def test_conventions(student, probe, each, expect, draw):
    """Answers are tensors and keep the dtype of the input, float32 and float64; arguments stay as they are."""
    B, d, K = draw.integer(4, 6), draw.integer(2, 3), 3
    for dtype in (torch.float64, torch.float32):

        def normal(*shape, dtype=dtype):
            return draw.normal(*shape).to(dtype)

        x, noise, score, means = normal(B, d), normal(B, d), normal(B, d), normal(K, d)
        t, weights = draw.uniform(B, low=0.1, high=1.5).to(dtype), torch.tensor([0.5, 0.25, 0.25], dtype=dtype)
        times, covariance = torch.tensor([0.1, 0.4, 1.0], dtype=dtype), torch.eye(d, dtype=dtype) + 0.3
        field = probe.curved_field(normal(4, d), normal(4), normal(d, 4))
        log_prob = probe.polynomial(torch.eye(d, dtype=dtype), normal(d), normal(1), normal(1))
        model = probe.bent_score(normal(d, d), normal(d), normal(d), (-1.0, 9.0))
        calls = {
            "ou_sample": ((x, t, noise), (B, d)),
            "ou_step": ((x, 0.1, noise), (B, d)),
            "noised_score": ((x, t, means, 0.4, weights), (B, d)),
            "divergence": ((field, x), (B,)),
            "fokker_planck_residual": ((log_prob, x, t), (B,)),
            "reverse_step": ((x, score, 0.1, noise), (B, d)),
            "reverse_sample": ((model, x, times.flip(0)), (3, B, d)),
            "score_matching_loss": ((model, x, t, noise), ()),
            "denoise": ((x, t, score), (B, d)),
            "wiener_filter": ((x, normal(d), covariance, 0.5), (B, d)),
        }

        def judge(answer, shape, what, dtype=dtype):
            # As large or NaN as it may be: values are judged elsewhere.
            expect.tensor(answer, shape, what, dtype=dtype, container="tensor", finite=False)

        def changes_nothing(name, *arguments):
            expect.true(
                probe.changed(getattr(student, name), *arguments) == [],
                _("{name} changes the tensors that it is given.").format(name=name),
                hint=_("Work on a copy: `x = x - 1` makes one, `x -= 1` and functions such as `x.sub_(1)` do not."),
                mistake="arguments_changed",
            )

        for name, (arguments, shape) in calls.items():
            with each(name):
                judge(getattr(student, name)(*arguments), shape, f"{name}(...) of {dtype}")
                changes_nothing(name, *arguments)
        with each("ou_moments"):
            for name, answer in zip(("decay", "std"), expect.sequence(student.ou_moments(t), 2), strict=True):
                judge(answer, (B,), f"{name}, ou_moments(t) of {dtype}")
            changes_nothing("ou_moments", t)
        with each("flow_log_likelihood"):
            pair = expect.sequence(student.flow_log_likelihood(model, x, times), 2)
            for answer, shape in zip(pair, ((B,), (B, d)), strict=True):
                judge(answer, shape, f"flow_log_likelihood(...) of {dtype}")
            changes_nothing("flow_log_likelihood", model, x, times)
        with each("ScoreNetwork"):
            network = expect.handle(student.ScoreNetwork(dim=d, hidden=32))
            move = "float" if dtype == torch.float32 else "double"
            moved = expect.handle(getattr(network, move)(), f"ScoreNetwork(...).{move}()")
            judge(moved(x, t), (B, d), f"ScoreNetwork(x, t) of {dtype}")


REFUSING = tuple(name for name in VALUES if name not in ("divergence", "ScoreNetwork"))


@check(points=0.5, covers=("errors", *REFUSING), substance={name: VALUES[name] for name in REFUSING})
def test_bad_arguments(student, probe, each, expect, draw):
    """Shapes that do not fit, numbers out of their range and times in the wrong order raise ValueError."""
    B, d, K = draw.integer(4, 6), draw.integer(2, 3), draw.integer(2, 3)
    x, noise, score, means = draw.normal(B, d), draw.normal(B, d), draw.normal(B, d), draw.normal(K, d)
    long, wide = draw.normal(B + 1, d), draw.normal(K, d + 1)
    t, weights = draw.uniform(B, low=0.1, high=1.5), torch.full((K,), 1 / K).double()
    late = torch.cat([t, t[:1]])
    mean, covariance = draw.normal(d), torch.eye(d).double()
    model = probe.bent_score(draw.normal(d, d), draw.normal(d), draw.normal(d), (-9.0, 9.0))
    log_prob = probe.polynomial(torch.eye(d).double(), draw.normal(d), draw.normal(1), draw.normal(1))
    up = torch.tensor([0.1, 0.4, 1.0], dtype=torch.float64)
    shapes, order = _("noise of another shape"), _("times in the wrong order")
    cases = [
        ("ou_moments", (-t,), "t < 0"),
        ("ou_moments", (-0.5,), "t = -0.5"),
        ("ou_sample", (x, t, long), shapes),
        ("ou_sample", (x, late, noise), _("one time too many")),
        ("ou_step", (x, 0.1, long), shapes),
        ("ou_step", (x, 0.0, noise), "dt = 0"),
        ("ou_step", (x, -0.1, noise), "dt = -0.1"),
        ("noised_score", (x, t, wide, 0.4, weights), _("means of another dimension")),
        ("noised_score", (x, t, means, 0.4, weights[1:]), _("one weight too few")),
        ("noised_score", (x, late, means, 0.4, weights), _("one time too many")),
        ("fokker_planck_residual", (log_prob, x, late), _("one time too many")),
        ("reverse_step", (x, score, 0.1, long), shapes),
        ("reverse_step", (x, long, 0.1, noise), _("a score of another shape")),
        ("reverse_step", (x, score, 0.0, noise), "dt = 0"),
        ("reverse_step", (x, score, 0.1, noise, 1.1), "eta = 1.1"),
        ("reverse_step", (x, score, 0.1, noise, -0.1), "eta = -0.1"),
        ("reverse_sample", (model, x, up), order),
        ("reverse_sample", (model, x, torch.tensor([1.0, 0.5, 0.5]).double()), _("a time twice")),
        ("reverse_sample", (model, x, torch.tensor([1.0, 0.5, -0.1]).double()), _("a negative time")),
        ("reverse_sample", (model, x, up[:1]), _("a single time")),
        ("reverse_sample", (model, x, up.flip(0), 1.1), "eta = 1.1"),
        ("flow_log_likelihood", (model, x, up.flip(0)), order),
        ("flow_log_likelihood", (model, x, torch.tensor([-0.1, 0.5, 1.0]).double()), _("a negative time")),
        ("flow_log_likelihood", (model, x, up[:1]), _("a single time")),
        ("score_matching_loss", (model, x, t, long), shapes),
        ("score_matching_loss", (model, x, late, noise), _("one time too many")),
        ("denoise", (x, t, long), _("a score of another shape")),
        ("denoise", (x, late, score), _("one time too many")),
        ("wiener_filter", (x, draw.normal(d + 1), covariance, 0.5), _("a mean of another dimension")),
        ("wiener_filter", (x, mean, torch.eye(d + 1).double(), 0.5), _("a covariance of another dimension")),
        ("wiener_filter", (x, mean, covariance, 0.0), "sigma = 0"),
        ("wiener_filter", (x, mean, covariance, -0.5), "sigma = -0.5"),
    ]
    for name, arguments, what in cases:
        with each(name):
            expect.raises(ValueError, getattr(student, name), *arguments, what=f"{name}: {what}")
    trainings = (
        {"steps": 0},
        {"batch_size": 0},
        {"t_min": 0.0},
        {"t_min": 0.5, "t_max": 0.5},
        {"t_min": 0.9, "t_max": 0.5},
    )
    with each("train_score"):
        trainee = probe.affine_model(draw.normal(d), draw.normal(d))
        for wrong in trainings:
            settings = {"steps": 2, "batch_size": 2, **wrong}
            said = ", ".join(f"{key} = {value}" for key, value in wrong.items())
            expect.raises(ValueError, student.train_score, trainee, x, what=f"train_score: {said}", **settings)
