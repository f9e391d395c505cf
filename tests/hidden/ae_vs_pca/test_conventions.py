"""Conventions of the course: tensors with the dtype of the input, a progress bar that does no harm."""

from __future__ import annotations

import torch

from autograder.judge import check
from autograder.language import _


@check(points=0.5, covers=("dtype",))
def test_conventions(student, probe, draw, expect):
    """Answers are tensors and keep the dtype of the input, which stays unchanged; a progress bar does no harm."""
    n, D, d = draw.integer(12, 20), draw.integer(6, 8), 2  # shapes and lengths have checks of their own
    for dtype in (torch.float32, torch.float64):
        kept = {"dtype": dtype, "container": "tensor"}
        x = draw.normal(n, D, dtype=dtype)
        mean, components = expect.sequence(student.pca_fit(x, d), 2)
        expect.tensor(mean, None, f"the mean of {dtype} data", **kept)
        expect.tensor(components, None, f"the components of {dtype} data", **kept)
        z = x[:, :d].contiguous()
        frame = torch.eye(D, dtype=dtype)[:d]
        expect.tensor(student.pca_encode(x, x[0], frame), None, f"pca_encode({dtype} x)", **kept)
        expect.tensor(student.pca_decode(z, x[0], frame), None, f"pca_decode({dtype} z)", **kept)
        shares = student.explained_variance_ratio(x, d)
        expect.tensor(shares, None, f"explained_variance_ratio({dtype} x)", **kept)
        angles = student.principal_angles(x[:2], x[2:5])
        expect.tensor(angles, None, f"principal_angles({dtype} A, B)", **kept)
        loss = student.reconstruction_loss(x, 2 * x)
        expect.tensor(loss, None, f"reconstruction_loss({dtype} x, x_hat)", **kept)
    given = {
        "pca_fit": (student.pca_fit, x, d),
        "pca_encode": (student.pca_encode, x, x[0], frame),
        "pca_decode": (student.pca_decode, z, x[0], frame),
        "explained_variance_ratio": (student.explained_variance_ratio, x, d),
        "principal_angles": (student.principal_angles, x[:2], x[2:5]),
        "reconstruction_loss": (student.reconstruction_loss, x, 2 * x),
    }
    for name, (function, *arguments) in given.items():
        expect.true(
            probe.changed(function, *arguments) == [],
            _("{name} changes the tensors that it is given.").format(name=name),
            hint=_("Work on a copy: `x = x - 1` makes one, `x -= 1` and functions such as `x.sub_(1)` do not."),
            mistake="arguments_changed",
        )
    model = probe.recorder(draw.normal(d, D), draw.normal(D, d))
    history = student.train_autoencoder(model, x, epochs=2, batch_size=6, progress=True)
    expect.history(history, "loss", None, "train_autoencoder(model, x, progress=True)")
