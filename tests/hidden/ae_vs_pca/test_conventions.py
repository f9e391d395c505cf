"""Conventions of the course: tensors with the dtype of the input, a progress bar that does no harm."""

from __future__ import annotations

import torch

from autograder.judge import check


@check(points=0.5, covers=("dtype",))
def test_conventions(student, probe, draw, expect):
    """Answers are tensors and keep the dtype of the input; training works with a progress bar."""
    n, D, d = draw.integer(12, 20), draw.integer(6, 8), 2  # shapes and lengths have checks of their own
    for dtype in (torch.float32, torch.float64):
        kept = {"dtype": dtype, "container": "tensor"}
        x = draw.normal(n, D, dtype=dtype)
        mean, components = expect.sequence(student.pca_fit(x, d), 2, "pca_fit(x, d)")
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
    model = probe.recorder(draw.normal(d, D), draw.normal(D, d))
    history = student.train_autoencoder(model, x, epochs=2, batch_size=6, progress=True)
    expect.history(history, "loss", None, "train_autoencoder(model, x, progress=True)")
