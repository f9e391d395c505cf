"""Conventions of the course: dtypes, arguments left alone, refusals."""

from __future__ import annotations

import torch

from autograder.judge import check
from autograder.language import _

# The checks of each function's values: its form earns nothing before they have passed.
VALUES = {
    "gaussian_log_likelihood": ("gaussian_value",),
    "bits_per_dim": ("bits",),
    "frechet_distance": ("frechet_value",),
    "fid": ("fid_value",),
    "fid_infinity": ("fid_infinity",),
    "kernel_inception_distance": ("kid",),
    "inception_score": ("score",),
    "precision_recall": ("precision_recall",),
    "memorisation_ratio": ("ratio",),
    "model_agreement": ("agreement",),
    "tsne_affinities": ("affinities",),
    "tsne_loss": ("map_loss",),
    "trustworthiness": ("trust",),
    "compare_models": ("table",),
}


@check(points=0.5, kind="exact", covers=("conventions",), substance=VALUES)
def test_conventions(student, each, probe, expect, draw):
    """Answers are tensors and keep the dtype of the input, float32 and float64; arguments stay as they are."""
    for dtype in (torch.float64, torch.float32):

        def normal(*shape, dtype=dtype):
            return draw.normal(*shape, dtype=dtype)

        x, y, eye = normal(8, 3), normal(6, 3), torch.eye(3, dtype=dtype)
        p = torch.softmax(normal(8, 4), 1)
        affinities = torch.full((8, 8), 1 / 56, dtype=dtype).fill_diagonal_(0)
        log_prob = probe.normal_log_prob(torch.zeros(3, dtype=dtype), torch.ones(3, dtype=dtype))
        pixels = draw.integers(0, 256, 5, 3)
        calls = {
            "gaussian_log_likelihood": ((x, normal(3), eye), ((8,),)),
            "bits_per_dim": ((log_prob, pixels, draw.uniform(5, 3, dtype=dtype)), ((5,),)),
            "frechet_distance": ((normal(3), eye, normal(3), 2 * eye), ((),)),
            "fid": ((x, y), ((),)),
            "fid_infinity": ((x, y, [3, 6]), ((), (2,))),
            "kernel_inception_distance": ((x, y), ((),)),
            "inception_score": ((p,), ((), ())),
            "memorisation_ratio": ((x, y), ((8,),)),
            "tsne_affinities": ((x, 3.0), ((8, 8),)),
            "tsne_loss": ((affinities, normal(8, 2)), ((), (8, 2))),
        }

        def changes_nothing(name, *given):
            expect.true(
                probe.changed(getattr(student, name), *given) == [],
                _("{name} changes the tensors that it is given.").format(name=name),
                hint=_("Work on a copy: `x = x - 1` makes one, `x -= 1` and functions such as `x.sub_(1)` do not."),
                mistake="arguments_changed",
            )

        for name, given in (
            ("precision_recall", (x, y, 2)),
            ("model_agreement", (x, normal(8, 3), y, normal(6, 3))),
            ("trustworthiness", (x, normal(8, 2), 2)),
        ):
            with each(name):
                changes_nothing(name, *given)
        for name, (given, shapes) in calls.items():
            with each(name):
                function = getattr(student, name)
                answer = function(*given)
                parts = [answer] if len(shapes) == 1 else expect.sequence(answer, len(shapes))
                for i, (part, shape) in enumerate(zip(parts, shapes, strict=True)):
                    what = f"{name}(...)" if len(shapes) == 1 else f"{name}(...)[{i}]"
                    expect.tensor(part, shape, what, dtype=dtype, container="any" if shape == () else "tensor")
                changes_nothing(name, *given)


@check(points=0.25, kind="exact", covers=("errors",), substance=VALUES)
def test_bad_arguments(student, each, probe, expect, draw):
    """Shapes that do not fit, too few rows and numbers out of range raise ValueError."""
    x, y, wide = draw.normal(8, 3), draw.normal(6, 3), draw.normal(6, 4)
    mean, eye = draw.normal(3), torch.eye(3, dtype=torch.float64)
    log_prob = probe.normal_log_prob(torch.zeros(3).double(), torch.ones(3).double())
    pixels, noise = draw.integers(0, 8, 4, 3), draw.uniform(4, 3)
    p = torch.softmax(draw.normal(6, 3), 1)
    cases = (
        ("gaussian_log_likelihood", (wide, mean, eye), _("x and mean of different dimensions")),
        ("bits_per_dim", (log_prob, pixels, noise, 1), "levels = 1"),
        ("bits_per_dim", (log_prob, pixels + 8, noise, 8), _("x out of range")),
        ("bits_per_dim", (log_prob, pixels, noise + 1.5, 8), _("noise out of range")),
        ("frechet_distance", (mean, eye, draw.normal(4), eye), _("means of different dimensions")),
        ("fid", (x, wide), _("different numbers of features")),
        ("fid", (x, y[:1]), _("one row only")),
        ("fid_infinity", (x, y, [4, 4]), _("one size only")),
        ("fid_infinity", (x, y, [3, 7]), _("a size above the number of rows")),
        ("kernel_inception_distance", (x[:1], y), _("one row only")),
        ("inception_score", (p, 0), "splits = 0"),
        ("inception_score", (p, 4), _("splits that do not divide n")),
        ("inception_score", (p * 3, 1), _("entries above 1")),
        ("precision_recall", (x, y, 0), "k = 0"),
        ("precision_recall", (x, y, 6), "k = 6"),
        ("memorisation_ratio", (x, y[:1]), _("one training image only")),
        ("model_agreement", (x, x[:5], y, y), _("samples that are no pairs")),
        ("tsne_affinities", (x, 1.0), "perplexity = 1"),
        ("tsne_affinities", (x, 7.0), "perplexity = n - 1"),
        ("tsne_loss", (torch.ones(6, 6).double() / 36, x), _("affinities that do not fit y")),
        ("trustworthiness", (x, x[:, :2], 0), "k = 0"),
        ("trustworthiness", (x, x[:, :2], 4), "k = n / 2"),
    )
    for name, given, what in cases:
        with each(name):
            expect.raises(ValueError, getattr(student, name), *given, what=f"{name}: {what}")
    features, probabilities = probe.affine(eye, mean), probe.softmax_of(eye, mean)
    for runs, what in (({}, _("no model")), ({"a": []}, _("no run"))):
        with each("compare_models"):
            expect.raises(
                ValueError, student.compare_models, runs, x, y, features, probabilities, what=f"compare_models: {what}"
            )
