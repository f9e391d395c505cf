"""Public checks of latent_diffusion: small examples that can be done by hand. They earn no points."""

from __future__ import annotations

import torch

from autograder.judge import check


def rows(*values):
    """A float64 tensor."""
    return torch.tensor(values, dtype=torch.float64)


# Three pixels; the latents are the first two of them, minus 0.5 and doubled.
SPACE = (rows(0.5, 0.5, 0.5), rows([1.0, 0.0, 0.0], [0.0, 1.0, 0.0]), 2.0)
BARS = rows(0.64, 0.36)


@check()
def test_public_latents(student, expect, compare):
    """Four images along one direction: mean, direction, and the scale that makes the mean square 1."""
    x = rows([1.0, 1.0], [1.0, 3.0], [1.0, 1.0], [1.0, 3.0])
    mean, components, scale = expect.sequence(student.fit_latent_space(x, 1), 3)
    compare(mean, rows(1.0, 2.0), what="the mean")
    compare(expect.tensor(components, (1, 2)).abs(), rows([0.0, 1.0]), what="the direction, up to its sign")
    compare(scale, 1.0, what="the scale")


@check()
def test_public_there_and_back(student, compare):
    """An image of three pixels in a latent space of two dimensions."""
    compare(student.encode(rows([0.75, 0.5, 0.9]), SPACE), rows([0.5, 0.0]))
    compare(student.decode(rows([0.5, 4.0]), SPACE), rows([0.75, 2.5, 0.5]))


@check()
def test_public_tokens(student, expect):
    """Capitals, signs, repeated and unknown words."""
    found = expect.integers(student.tokenize("A thin, THIN seven!", ["seven", "thin"]))
    expect.true(found == [1, 1, 0], "tokenize: expected [1, 1, 0] for 'A thin, THIN seven!'.")


@check()
def test_public_text_encoder(student, expect):
    """A vector per prompt, zeros for none."""
    encoder = expect.handle(student.TextEncoder(["thin", "seven"], dim=8))
    c = expect.tensor(encoder(["a thin seven", "", "seven"]), (3, 8), "TextEncoder(...)(prompts)")
    expect.true(bool((c[1] == 0).all()), "TextEncoder: the empty prompt's vector is zero.")


@check()
def test_public_network(student, expect, draw):
    """The denoiser answers rows of the latents' size."""
    network = expect.handle(student.Denoiser(2, 8, 10, hidden=32), "Denoiser(2, 8, 10, hidden=32)")
    z, c = draw.normal(3, 2, dtype=torch.float32), draw.normal(3, 8, dtype=torch.float32)
    expect.tensor(network(z, torch.tensor([0, 5, 9]), c), (3, 2), "Denoiser(...)(z_t, t, c)")


@check()
def test_public_loss(student, probe, compare):
    """A model that answers 0 has the mean square of the noise as its loss."""
    z, c, t = rows([1.0], [2.0]), rows([1.0], [1.0]), torch.tensor([0, 1])
    drop = torch.tensor([True, False])
    model = probe.constant(rows([0.0], [0.0]))
    compare(student.diffusion_loss(model, BARS, z, c, t, rows([1.0], [3.0]), drop), 5.0)


@check()
def test_public_guidance(student, probe, compare):
    """Where the prompt changes nothing, guidance changes nothing."""
    z, t, c = rows([1.0], [2.0]), torch.tensor([0, 1]), rows([1.0], [1.0])
    model = probe.constant(rows([0.5], [0.25]))
    compare(student.guided_noise(model, z, t, c, 3.0), rows([0.5], [0.25]))


@check()
def test_public_sampling(student, probe, compare):
    """Noise 1 in z = 1.4 at ᾱ = 0.36 comes from 1; known pixels come back as they are."""
    noise_fn = probe.constant(rows([1.0]))
    compare(student.ddim_sample(noise_fn, BARS, rows([1.4]), [1]), rows([1.0]))
    noise_fn = probe.constant(rows([0.0, 0.0]))
    answer = student.inpaint(
        noise_fn, BARS, rows([[0.6, 0.0]]), [1], rows([9.0, 9.0, 9.0]).reshape(1, 3), rows(0.0, 0.0, 1.0), SPACE
    )
    compare(answer, rows([1.0, 0.5, 9.0]))
