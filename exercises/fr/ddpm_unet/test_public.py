"""Public checks of the diffusion exercise: small examples that can be done by hand. They earn no points.

They use a schedule of three steps, betas = (0.1, 0.2, 0.5): alphas = (0.9, 0.8, 0.5), alpha_bars = (0.9, 0.72, 0.36).
"""

from __future__ import annotations

import torch

from autograder.judge import check

BETAS = torch.tensor([0.1, 0.2, 0.5], dtype=torch.float64)


def image(*values):
    """Images of one pixel, one for each value."""
    return torch.tensor(values, dtype=torch.float64).reshape(-1, 1, 1, 1)


@check()
def test_public_linear(student, compare):
    """Three evenly spaced variances from 0.1 to 0.3."""
    answer = student.linear_beta_schedule(3, beta_1=0.1, beta_T=0.3)
    compare(answer, [0.1, 0.2, 0.3], what="linear_beta_schedule(3, 0.1, 0.3)")


@check()
def test_public_cosine(student, expect):
    """The cosine schedule rises up to its cap."""
    betas = expect.tensor(student.cosine_beta_schedule(50), (50,), "cosine_beta_schedule(50)")
    expect.true((betas.diff() > 0).all(), "cosine_beta_schedule(50): the variances must grow with time.")
    expect.true(abs(float(betas[-1]) - 0.999) < 1e-6, "cosine_beta_schedule(50): the last variance is 0.999.")


@check()
def test_public_tables(student, expect, compare):
    """Alphas, their running product and the posterior variance of the three steps."""
    diffusion = expect.handle(student.Diffusion(BETAS), "Diffusion(betas)")
    compare(diffusion.alphas, [0.9, 0.8, 0.5], what="alphas")
    compare(diffusion.alpha_bars, [0.9, 0.72, 0.36], what="alpha_bars")
    right = [0.0, 0.2 * 0.1 / 0.28, 0.5 * 0.28 / 0.64]
    compare(diffusion.posterior_variance, right, what="posterior_variance")


@check()
def test_public_forward(student, expect, compare):
    """Two pixels, each at its own time: 0.6 x0 + 0.8 noise at the last one."""
    diffusion = expect.handle(student.Diffusion(BETAS), "Diffusion(betas)")
    answer = student.q_sample(diffusion, image(1.0, 1.0), torch.tensor([2, 0]), image(1.0, 0.0))
    compare(answer, image(0.6 + 0.8, 0.9**0.5), what="q_sample")
    answer = student.q_step(diffusion, image(1.0), torch.tensor([2]), image(0.0))
    compare(answer, image(0.5**0.5), what="q_step")


@check()
def test_public_denoise(student, expect, compare):
    """At the last time, x_t = 1.4 with noise 1 comes from x0 = 1; the score is -1 / 0.8."""
    diffusion = expect.handle(student.Diffusion(BETAS), "Diffusion(betas)")
    last = torch.tensor([2])
    compare(student.predict_x0(diffusion, image(1.4), last, image(1.0)), image(1.0), what="predict_x0")
    compare(student.score_from_noise(diffusion, image(1.0), last), image(-1.25), what="score_from_noise")


@check()
def test_public_loss(student, probe, expect, compare):
    """A model that answers 0 has the mean square of the noise as its loss."""
    diffusion = expect.handle(student.Diffusion(BETAS), "Diffusion(betas)")
    model = probe.constant(image(0.0, 0.0))
    loss = student.ddpm_loss(model, diffusion, image(1.0, -1.0), torch.tensor([1, 2]), image(1.0, 3.0))
    compare(loss, 5.0, what="ddpm_loss")


@check()
def test_public_steps_back(student, probe, expect, compare):
    """With a model that answers the noise 1, one step back from x_t = 1.4, and all the way to the image."""
    diffusion = expect.handle(student.Diffusion(BETAS), "Diffusion(betas)")
    model = probe.constant(image(1.0))
    mean = (1.4 - 0.5 / 0.8) / 0.5**0.5
    answer = student.p_sample_step(model, diffusion, image(1.4), 2, image(0.0))
    compare(answer, image(mean), what="p_sample_step without noise")
    answer = student.p_sample_step(model, diffusion, image(1.4), 2, image(2.0))
    compare(answer, image(mean + 2 * (0.5 * 0.28 / 0.64) ** 0.5), what="p_sample_step")
    compare(student.ddim_step(model, diffusion, image(1.4), 2, -1), image(1.0), what="ddim_step to -1")


@check()
def test_public_network(student, expect, draw):
    """The time embedding has one row per time, and the U-Net answers images of the input's shape."""
    rows = student.time_embedding(torch.tensor([0, 1, 99]), 8)
    expect.tensor(rows, (3, 8), "time_embedding(t, 8)")
    network = expect.handle(student.UNet(channels=1, base=16), "UNet(channels=1, base=16)")
    x = draw.normal(2, 1, 16, 16, dtype=torch.float32)
    expect.tensor(network(x, torch.tensor([3, 70])), (2, 1, 16, 16), "UNet(x, t)")


@check()
def test_public_training(student, expect, draw):
    """A short training on plain images lowers the loss, and sampling gives images of the shape asked for."""
    diffusion = expect.handle(student.Diffusion(torch.linspace(0.01, 0.3, 20)), "Diffusion(betas)")
    network = expect.handle(student.UNet(channels=1, base=16), "UNet(channels=1, base=16)")
    images = draw.uniform(64, 1, 1, 1, low=-1.0).float().expand(64, 1, 8, 8).contiguous()
    history = student.train_ddpm(network, diffusion, images, 40, batch_size=16, lr=2e-3, generator=draw.generator())
    losses = expect.history(history, "loss", 40, "train_ddpm(...)")
    expect.true(sum(losses[-10:]) < sum(losses[:10]), "train_ddpm: the loss does not fall.")
    samples = student.sample(network, diffusion, (3, 1, 8, 8), steps=5, generator=draw.generator())
    expect.tensor(samples, (3, 1, 8, 8), "sample(model, diffusion, shape, steps=5)")
