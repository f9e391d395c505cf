"""Public checks of wgan_gp: small examples that can be worked out by hand. They earn no points."""

import math

import torch

from autograder.judge import check
from autograder.language import _


@check(kind="exact", covers=("losses",))
def test_public_losses(student, compare):
    """Real scores 3 and 1, fake scores 0 and -1: critic loss -2.5, generator loss 0.5."""
    real, fake = torch.tensor([3.0, 1.0]), torch.tensor([0.0, -1.0])
    compare(student.critic_loss(real, fake), torch.tensor(-2.5), what="critic_loss([3, 1], [0, -1])")
    compare(student.generator_loss(fake), torch.tensor(0.5), what="generator_loss([0, -1])")


@check(kind="exact", covers=("interpolates",))
def test_public_interpolates(student, compare):
    """A quarter of the way, half of it, and the real end."""
    real = torch.tensor([[4.0, 0.0], [2.0, 2.0], [1.0, 1.0]])
    fake = torch.tensor([[0.0, 4.0], [0.0, 0.0], [9.0, 9.0]])
    eps = torch.tensor([[0.25], [0.5], [1.0]])
    expected = torch.tensor([[1.0, 3.0], [1.0, 1.0], [1.0, 1.0]])
    compare(student.interpolates(real, fake, eps), expected)


@check(kind="exact", covers=("penalty",))
def test_public_penalty(student, probe, expect, draw):
    """At a single point the penalty is (slope - 1)², the slope being that of your critic at this point."""
    critic = expect.handle(student.Critic(dim=2), "Critic(dim=2)")
    point = draw.normal(1, 2, dtype=torch.float32)
    (gradient,) = expect.sequence(probe.gradient(critic, [point], [0]), 1, "gradient of Critic(dim=2)")
    slope = math.hypot(*expect.tensor(gradient, (1, 2), "gradient of Critic(dim=2)")[0].tolist())
    what = "gradient_penalty(critic, x, x, eps)"
    answer = student.gradient_penalty(critic, point, point, torch.tensor([[0.3]]))
    expect.true(
        abs(expect.number(answer, what) - (slope - 1) ** 2) < 1e-4,
        _("{what}: for a single point, this is not (slope - 1)².").format(what=what),
    )


@check(kind="exact", covers=("generator", "critic"))
def test_public_networks(student, expect, draw):
    """The generator maps (7, 3) to (7, 2), the critic (7, 2) to (7,)."""
    generator = expect.handle(student.Generator(latent_dim=3, dim=2), "Generator(latent_dim=3, dim=2)")
    critic = expect.handle(student.Critic(dim=2), "Critic(dim=2)")
    x = expect.tensor(generator(draw.normal(7, 3, dtype=torch.float32)), (7, 2), "Generator(latent_dim=3, dim=2)(z)")
    expect.tensor(critic(x.float()), (7,), "Critic(dim=2)(x)")


@check(kind="exact", covers=("coverage",))
def test_public_coverage(student, expect):
    """Two of three modes reached, by three of four samples."""
    centres = torch.tensor([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]])
    samples = torch.tensor([[0.5, 0.0], [0.0, -0.5], [10.0, 0.9], [5.0, 5.0]])
    what = "mode_coverage(samples, centres, radius=1.0)"
    covered, high_quality = expect.sequence(student.mode_coverage(samples, centres, 1.0), 2, what)
    expect.true(expect.number(covered, what) == 2, _("{what}: 2 modes are covered.").format(what=what))
    expect.true(
        abs(expect.number(high_quality, what) - 0.75) < 1e-6,
        _("{what}: three of four samples are of high quality.").format(what=what),
    )


@check(kind="training", covers=("updates", "history"))
def test_public_training(student, expect, draw):
    """Ten steps of training run, change the generator and return a history of ten values."""
    generator = expect.handle(student.Generator(latent_dim=2, dim=2), "Generator(latent_dim=2, dim=2)")
    critic = expect.handle(student.Critic(dim=2), "Critic(dim=2)")
    z = draw.normal(20, 2, dtype=torch.float32)
    before = expect.tensor(generator(z), (20, 2), "generator(z)")
    data = 3 + draw.normal(100, 2, dtype=torch.float32)
    history = student.train_wgan_gp(generator, critic, data, steps=10, n_critic=2, lr=1e-3, batch_size=16)
    for key in ("critic_loss", "generator_loss"):
        expect.history(history, key, 10, "train_wgan_gp(..., steps=10)")
    after = expect.tensor(generator(z), (20, 2), "generator(z) after training")
    expect.true((after - before).abs().max() > 1e-6, _("train_wgan_gp: the generator did not change."))
