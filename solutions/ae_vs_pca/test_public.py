"""Public checks of ae_vs_pca: small examples that can be worked out by hand. They earn no points."""

from __future__ import annotations

import math

import torch

from autograder.judge import check


@check()
def test_public_pca(student, compare, expect):
    """Four points on a cross around (1, 2): the longer bar is the first component, with 0.8 of the variance."""
    x = torch.tensor([[3.0, 2], [-1, 2], [1, 3], [1, 1]], dtype=torch.float64)
    mean, components = expect.sequence(student.pca_fit(x, 1), 2, "pca_fit(x, 1)")
    compare(mean, [1, 2], "the mean")
    components = expect.tensor(components, (1, 2), "the components")
    compare(components.abs(), [[1, 0]], "the first component, up to its sign", atol=1e-6)
    compare(student.explained_variance_ratio(x, 2), [0.8, 0.2])
    axis = torch.tensor([[0.6, 0.8]], dtype=torch.float64)
    z = student.pca_encode(x, torch.tensor([1.0, 2]).double(), axis)
    compare(z, [[1.2], [-1.2], [0.8], [-0.8]], "pca_encode(x, mean, [[0.6, 0.8]])")
    x_hat = student.pca_decode(torch.ones(1, 1, dtype=torch.float64), torch.tensor([1.0, 2]).double(), axis)
    compare(x_hat, [[1.6, 2.8]], "pca_decode([[1]], mean, [[0.6, 0.8]])")


@check()
def test_public_networks(student, compare, expect):
    """Shapes of codes and reconstructions, forward as decode after encode."""
    x = torch.rand(5, 12)
    for name, model in (
        ("LinearAutoencoder", student.LinearAutoencoder(12, 3)),
        ("Autoencoder", student.Autoencoder(D=12, hidden=(8, 6), d=3)),
    ):
        z = expect.tensor(model.encode(x), (5, 3), f"{name}: encode(x)").float()
        x_hat = expect.tensor(model.decode(z), (5, 12), f"{name}: decode(encode(x))")
        compare(model(x), x_hat, f"{name}: forward(x)", rtol=1e-4)


@check()
def test_public_training(student, expect, compare):
    """The loss of an error of 2 everywhere is 4; a training on points of a line learns the line."""
    compare(student.reconstruction_loss(torch.ones(3, 4), -torch.ones(3, 4)), 4.0, "reconstruction_loss(1, -1)")
    x = torch.linspace(-1, 1, 64)[:, None] * torch.tensor([[1.0, 2, -1, 0.5]])
    model = student.LinearAutoencoder(4, 1)
    history = student.train_autoencoder(model, x, epochs=40, batch_size=8, lr=1e-2)
    losses = expect.history(history, "loss", 40, "train_autoencoder(model, x, epochs=40)")
    expect.true(losses[-1] < 0.1 * losses[0], f"the loss went from {losses[0]:.3g} to {losses[-1]:.3g} only.")


@check()
def test_public_angles(student, compare):
    """A line at 45° to another, and at 0° to itself."""
    A, B = torch.tensor([[1.0, 0, 0]]).double(), torch.tensor([[2.0, 2, 0]]).double()
    compare(student.principal_angles(A, B), [math.pi / 4], atol=1e-6)
    compare(student.principal_angles(B, 3 * B), [0.0], "principal_angles(B, 3 B)", atol=1e-6)


@check()
def test_public_interpolation(student, compare, expect):
    """The ends of an interpolation are the two reconstructions."""
    model = student.Autoencoder(D=6, hidden=(5, 4), d=2)
    x1, x2 = torch.rand(6), torch.rand(6)
    rows = expect.tensor(
        student.interpolate(model, x1, x2, [1.0, 0.5, 0.0]), (3, 6), "interpolate(model, x1, x2, alphas)"
    )
    ends = expect.tensor(model(torch.stack([x1, x2])), (2, 6), "forward")
    compare(rows[[0, 2]], ends, "the first and the last row", rtol=1e-4, atol=1e-5)
