"""Conventions of the course: tensors with the dtype of the input, refusals, a progress bar that does no harm."""

from __future__ import annotations

import torch

from autograder.judge import check
from autograder.language import _

from .harmless import expect_harmless, expect_unchanged

VALUES = {
    "pca_fit": ("pca_subspace", "pca_order"),
    "pca_encode": ("pca_encode",),
    "pca_decode": ("pca_decode",),
    "explained_variance_ratio": ("explained_shares",),
    "principal_angles": ("angles_values",),
    "reconstruction_loss": ("loss_value",),
    "interpolate": ("interpolation_values",),
    "train_autoencoder": ("training_batches", "training_learns"),
}


@check(points=0.5, covers=("dtype", *VALUES), substance=VALUES)
def test_conventions(student, each, probe, draw, expect):
    """Answers are tensors with the dtype of the input, which stays unchanged; nothing seeds the global generator."""
    n, D, d = draw.integer(12, 20), draw.integer(6, 8), 2  # shapes and lengths have checks of their own
    for dtype in (torch.float32, torch.float64):
        kept = {"dtype": dtype, "container": "tensor"}
        x = draw.normal(n, D, dtype=dtype)
        z = x[:, :d].contiguous()
        frame = torch.eye(D, dtype=dtype)[:d]
        with each("pca_fit"):
            mean, components = expect.sequence(student.pca_fit(x, d), 2)
            expect.tensor(mean, None, f"the mean of {dtype} data", **kept)
            expect.tensor(components, None, f"the components of {dtype} data", **kept)
            expect_harmless(probe, expect, "pca_fit", student.pca_fit, x, d)
        curved = probe.curved(draw.normal(d, D, dtype=dtype), draw.normal(D, d, dtype=dtype))
        for name, arguments in {
            "pca_encode": (x, x[0], frame),
            "pca_decode": (z, x[0], frame),
            "explained_variance_ratio": (x, d),
            "principal_angles": (x[:2], x[2:5]),
            "reconstruction_loss": (x, 2 * x),
            "interpolate": (curved, x[0], x[1], [0.25, 0.5]),
        }.items():
            with each(name):
                function = getattr(student, name)
                expect.tensor(function(*arguments), None, _("{name} of {dtype} data").format(name=name, dtype=dtype),
                              **kept)  # fmt: skip
                expect_harmless(probe, expect, name, function, *arguments)
    with each("train_autoencoder"):
        model = probe.recorder(draw.normal(d, D), draw.normal(D, d))
        history = student.train_autoencoder(model, x, epochs=2, batch_size=6, progress=True)
        expect.history(history, "loss", None, "train_autoencoder(model, x, progress=True)")
        given = {"epochs": 2, "batch_size": 6, "generator": draw.generator()}  # who seeds has a check of its own
        expect_unchanged(probe, expect, "train_autoencoder", student.train_autoencoder, model, x, **given)


REFUSING = ("pca_fit", "explained_variance_ratio", "reconstruction_loss", "train_autoencoder")


@check(
    points=1,
    covers=("range_of_d", "shapes", "counts", *REFUSING),
    substance={name: VALUES[name] for name in REFUSING},
)
def test_refusals(student, each, probe, draw, expect):
    """d out of range, different shapes in the loss, epochs and batch_size below 1 are refused with a ValueError."""
    for n, D in ((draw.integer(8, 9), 5), (4, draw.integer(6, 7))):
        x = draw.normal(n, D)
        for name in ("pca_fit", "explained_variance_ratio"):
            with each(name):
                for d in (0, min(n, D) + 1):
                    what = f"{name}(x of shape {(n, D)}, d={d})"
                    expect.raises(ValueError, getattr(student, name), x, d, what=what)
    with each("reconstruction_loss"):
        for shape in ((n, 1), (1, D), (D,), (n - 1, D)):
            what = f"reconstruction_loss(x of {(n, D)}, x_hat of {shape})"
            expect.raises(ValueError, student.reconstruction_loss, x, draw.normal(*shape), what=what)
    with each("train_autoencoder"):
        for values in ({"epochs": 0, "batch_size": 4}, {"epochs": 2, "batch_size": 0}, {"epochs": -1, "batch_size": 4}):
            what = "train_autoencoder(model, x, epochs={epochs}, batch_size={batch_size})".format(**values)
            model = probe.recorder(0.3 * draw.normal(2, D), 0.3 * draw.normal(D, 2))
            expect.raises(ValueError, student.train_autoencoder, model, x, what=what, **values)
