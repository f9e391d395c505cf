"""What short trainings reach: the affine auto-encoder against Eckart-Young, the other one against PCA on digits."""

from __future__ import annotations

import numpy as np
import torch

from autograder.judge import check
from autograder.language import _

# The statement says these settings: it reads them here.
LINEAR = {"epochs": 40, "batch_size": 25, "lr": 1e-2}
DIGITS = {"batch_size": 50, "lr": 4e-3}
SEEN = 50_000
BLOWN_UP = 10.0  # a larger excess is no worse: trainings that diverge would blur the calibration


def mean_squared(x, x_hat):
    return float(((x - x_hat) ** 2).mean())


def through_code(expect, draw, model, x, d, what):
    """Reconstructions of x (n, D) from its codes (n, d) alone: they are decoded in another order than they came."""
    z = expect.tensor(model.encode(x), (len(x), d), "encode(x)")
    order = torch.tensor(draw.shuffle(range(len(x))))
    x_hat = torch.empty(x.shape, dtype=torch.float64)
    x_hat[order] = expect.tensor(model.decode(z[order].to(x.dtype)), tuple(x.shape), what).double()
    direct = expect.tensor(model(x), tuple(x.shape), what).double()
    again = expect.tensor(model(x), tuple(x.shape), what).double()
    expect.true(
        torch.allclose(direct, again, rtol=1e-3, atol=1e-3),
        _("{what}: two calls with the same x give different answers.").format(what=what),
    )
    expect.true(
        torch.allclose(direct, x_hat, rtol=1e-3, atol=1e-3),
        _("{what}: forward gives something else than decode at the codes of encode.").format(what=what),
    )
    return x_hat


def expect_steps(student, expect, draw, x, d):
    """One step at a tiny learning rate leaves the affine auto-encoder where it is: far from what PCA reaches.

    Weights that a formula gives are there whatever the steps are.
    """
    model = student.LinearAutoencoder(x.shape[1], d).double()
    excess = []
    for _k in range(2):
        optimum = float(principal_axes(x)[0][d:].sum()) / x.shape[1]
        x_hat = through_code(expect, draw, model, x, d, "LinearAutoencoder")
        excess.append(mean_squared(x, x_hat) - optimum)
        if not excess[1:]:
            student.train_autoencoder(model, x, epochs=1, batch_size=len(x), lr=1e-12, generator=draw.generator())
    expect.true(
        not excess[1] < 0.1 * excess[0],
        _("after one step of training at the learning rate 1e-12 the LinearAutoencoder is as good as PCA."),
        hint=_("The steps of an optimiser train it, and no formula gives its weights."),
        mistake="formula_for_training",
    )


def train_linear(student, expect, draw):
    """Train the affine auto-encoder on centred data: the data, its code size, reconstructions, decoder rows."""
    n, D, d = 1000, draw.integer(16, 20), draw.integer(3, 5)
    kept = draw.uniform(d, low=1.0, high=3.0)
    left = draw.uniform(D - d, low=0.05, high=0.3)
    axes = torch.linalg.qr(draw.normal(D, D))[0]
    x = (draw.normal(n, D) * torch.cat([kept, left]).sqrt()) @ axes.T
    x = x - x.mean(0)
    expect_steps(student, expect, draw, x, d)
    model = student.LinearAutoencoder(D, d).double()
    student.train_autoencoder(model, x, **LINEAR, generator=draw.generator())
    x_hat = through_code(expect, draw, model, x, d, _("the trained LinearAutoencoder at x"))
    origin = expect.tensor(model.decode(torch.zeros(1, d, dtype=torch.float64)), (1, D), "decode(0)")
    rows = expect.tensor(model.decode(torch.eye(d, dtype=torch.float64)), (d, D), "decode(I)") - origin
    return x, d, x_hat, rows


def principal_axes(x):
    """Eigenvalues of the covariance (1/n) and its eigenvectors as rows, decreasing."""
    values, vectors = np.linalg.eigh(np.cov(x.double().numpy().T, bias=True))
    return torch.from_numpy(values[::-1].copy()), torch.from_numpy(vectors.T[::-1].copy())


@check(
    points=1.5,
    kind="training",
    requires=("linear_affine",),
    covers=("optimum", "train_autoencoder", "LinearAutoencoder", "reconstruction_loss"),
)
def test_linear_optimum(student, expect, calibrated, once):
    """On centred data the affine auto-encoder ends close above the error of PCA, and never below it."""
    x, d, x_hat, _rows = once("linear", lambda draw: train_linear(student, expect, draw))
    optimum = float(principal_axes(x)[0][d:].sum()) / x.shape[1]
    excess = mean_squared(x, x_hat) / optimum - 1
    expect.true(
        excess > -1e-9,
        _("the LinearAutoencoder reconstructs better than any affine map through {d} numbers can.").format(d=d),
        hint=_("Is the code really of size d, and does forward use nothing but the code?"),
    )
    what = _("error of the LinearAutoencoder over that of PCA, minus 1")
    calibrated("linear_excess", min(excess, BLOWN_UP), better="lower", what=what)


@check(
    points=0.5,
    kind="training",
    requires=("linear_affine",),
    covers=("same_subspace", "train_autoencoder", "LinearAutoencoder", "reconstruction_loss"),
)
def test_linear_subspace(student, expect, calibrated, once):
    """On centred data the decoder of the affine auto-encoder spans nearly the principal subspace."""
    from scipy.linalg import subspace_angles

    x, d, _x_hat, rows = once("linear", lambda draw: train_linear(student, expect, draw))
    angle = float(subspace_angles(rows.numpy().T, principal_axes(x)[1][:d].numpy().T).max())
    what = _("largest angle between the decoder's rows and the principal subspace, in radians")
    calibrated("linear_angle", angle, better="lower", what=what)


@check(
    points=1.75,
    kind="training",
    requires=("hidden_relu", "code_linear", "output_linear"),
    covers=("capacity", "train_autoencoder", "Autoencoder", "reconstruction_loss"),
)
def test_beats_pca(student, draw, expect, calibrated, digits):
    """The auto-encoder with hidden layers reconstructs unseen digits better than PCA with as small a code."""
    order = draw.shuffle(range(64))  # no file can know these images: the pixels stand in an order of the student's
    x, unseen = digits("train", 2000, size=8)[:, order], digits("held_out", 1000, size=8)[:, order]
    d = 5
    model = student.Autoencoder(D=64, hidden=(128, 64), d=d)
    # The smaller data set is seen more often, for as many steps.
    student.train_autoencoder(model, x, epochs=SEEN // len(x), **DIGITS, generator=draw.generator())
    x_hat = through_code(expect, draw, model, unseen, d, _("the trained Autoencoder at unseen digits"))
    mean, axes = x.double().mean(0), principal_axes(x)[1][:d]
    centred = unseen.double() - mean
    ratio = mean_squared(unseen.double(), x_hat) / mean_squared(centred, centred @ axes.T @ axes)
    what = _("error on unseen digits over that of PCA with the same d")
    calibrated("digits_over_pca", ratio, better="lower", what=what)
