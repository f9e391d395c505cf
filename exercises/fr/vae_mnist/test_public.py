"""Public checks of the VAE exercise: small worked examples to try your functions on. They earn no points."""

import math

import torch

from autograder.judge import check
from autograder.language import _

PIXELS = 784


@check(kind="exact")
def test_public_shapes(student, expect, draw):
    """Encoder, decoder and VAE answer the shapes of the contract."""
    x, eps = draw.uniform(5, PIXELS, dtype=torch.float32), draw.normal(5, 3, dtype=torch.float32)
    vae = student.VAE(latent_dim=3, hidden=16)
    mu, logvar = expect.sequence(vae.encoder(x), 2, "VAE(...).encoder(x)")
    expect.tensor(mu, (5, 3), "mu")
    expect.tensor(logvar, (5, 3), "logvar")
    expect.tensor(vae.decoder(eps), (5, PIXELS), "VAE(...).decoder(z)")
    logits, mu, logvar = expect.sequence(vae(x, eps), 3, "VAE(...)(x, eps)")
    expect.tensor(logits, (5, PIXELS), "logits")


@check(kind="exact")
def test_public_reparameterize(student, compare):
    """With logvar = log 4 the standard deviation is 2: mu = 1 and eps = 0.5 give z = 2."""
    one = torch.ones(1, 2, dtype=torch.float64)
    z = student.reparameterize(one, math.log(4.0) * one, 0.5 * one)
    compare(z, 2.0 * one, what="reparameterize(1, log 4, 0.5)")


@check(kind="exact")
def test_public_kl(student, compare):
    """The KL divergence is 0 for N(0, I), and 1 for mu = (1, 1), logvar = (0, 0)."""
    zeros = torch.zeros(1, 2, dtype=torch.float64)
    compare(student.kl_divergence(zeros, zeros), torch.zeros(1), what="kl_divergence(0, 0)")
    compare(student.kl_divergence(zeros + 1, zeros), torch.ones(1), what="kl_divergence((1, 1), (0, 0))")


@check(kind="exact")
def test_public_reconstruction(student, compare):
    """With all logits 0 every pixel has mean 1/2: the log-likelihood is -784 log 2, whatever the image."""
    x = torch.full((2, PIXELS), 0.3, dtype=torch.float64)
    right = torch.full((2,), -PIXELS * math.log(2.0), dtype=torch.float64)
    answer = student.reconstruction_log_likelihood(torch.zeros_like(x), x)
    compare(answer, right, what="reconstruction_log_likelihood(0, x)")


@check(kind="exact")
def test_public_elbo(student, compare):
    """The ELBO of that image is -784 log 2 minus beta times the divergence."""
    x, zeros = torch.full((1, PIXELS), 0.3, dtype=torch.float64), torch.zeros(1, 2, dtype=torch.float64)
    answer = student.elbo(x, torch.zeros_like(x), zeros + 1, zeros, beta=3.0)
    right = torch.tensor([-PIXELS * math.log(2.0) - 3.0], dtype=torch.float64)
    compare(answer, right, what="elbo(x, 0, (1, 1), (0, 0), beta=3)")


@check(kind="statistical")
def test_public_sample_and_interpolate(student, expect, draw):
    """Samples and interpolations are images with values in [0, 1]."""
    vae = student.VAE(latent_dim=2, hidden=16)
    images = expect.tensor(student.sample(vae, 7, generator=draw.generator()), (7, PIXELS), "sample(model, 7)")
    z1, z2 = draw.normal(2, dtype=torch.float32), draw.normal(2, dtype=torch.float32)
    line = expect.tensor(student.interpolate(vae, z1, z2, steps=4), (4, PIXELS), "interpolate(...)")
    for answer, what in ((images, "sample(model, 7)"), (line, "interpolate(model, z1, z2, steps=4)")):
        expect.true(answer.min() >= 0 and answer.max() <= 1, _("{what}: pixel means lie in [0, 1].").format(what=what))


@check(kind="training")
def test_public_training(student, expect, draw, digits):
    """A few epochs on 500 digits raise the ELBO, and the bound with 20 draws lies above that with one."""
    x = digits("train", 500)
    vae = student.VAE(latent_dim=2, hidden=64)
    history = student.train_vae(vae, x, epochs=5, batch_size=50, generator=draw.generator())
    values = expect.history(history, "elbo", 5, "train_vae(model, x, epochs=5)")
    expect.true(values[-1] > values[0] + 50, _("train_vae: the ELBO does not rise."))
    few, many = (
        expect.tensor(
            student.importance_weighted_bound(vae, x, k=k, generator=draw.generator()),
            (500,),
            f"importance_weighted_bound(model, x, k={k})",
        ).mean()
        for k in (1, 20)
    )
    expect.true(many > few, _("importance_weighted_bound: on average it grows with k."))
