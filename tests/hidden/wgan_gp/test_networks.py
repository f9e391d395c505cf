"""The student's generator and critic, whatever layers they have, with perturbed weights."""

import torch

from autograder.judge import check
from autograder.language import _


@check(points=0.5, kind="exact", covers=("generator",))
def test_generator_answers(student, probe, expect, draw):
    """The generator maps (B, latent_dim) to (B, dim), any real numbers, and knows its latent_dim."""
    for latent_dim, dim in ((2, 2), (draw.integer(3, 6), draw.integer(3, 6))):
        what = f"Generator(latent_dim={latent_dim}, dim={dim})"
        generator = expect.handle(student.Generator(latent_dim=latent_dim, dim=dim), what)
        expect.true(probe.is_instance(generator, "torch.nn.Module"), _("{what} is no nn.Module.").format(what=what))
        own = expect.number(generator.latent_dim, f"{what}.latent_dim")
        expect.true(own == latent_dim, _("{what}.latent_dim is not {n}.").format(what=what, n=latent_dim))
        z = draw.normal(draw.integer(4, 9), latent_dim, dtype=torch.float32)
        probe.place_on(generator, z)
        expect.tensor(generator(z), (len(z), dim), f"{what}(z)")
        low, high = 0.0, 0.0
        for _round in range(8):
            probe.perturb(generator, 1.0, draw.seed())
            far = generator(10 * draw.normal(100, latent_dim, dtype=torch.float32))
            far = expect.tensor(far, (100, dim), f"{what}(z)")
            low, high = min(low, float(far.min())), max(high, float(far.max()))
            if low < 0 and max(-low, high) > 1 + 1e-6:
                break
        expect.true(
            low < 0 and max(-low, high) > 1 + 1e-6,
            _("{what} answers only numbers of a bounded or one-sided range, whatever its weights.").format(what=what),
            hint=_("The samples here are points of the plane, any real numbers: no activation after the last layer."),
        )


@check(points=0.5, kind="exact", covers=("critic",))
def test_critic_shape(student, probe, expect, draw):
    """The critic maps (B, dim) to one score per sample, of shape (B,)."""
    for dim in (2, draw.integer(3, 6)):
        what = f"Critic(dim={dim})"
        critic = expect.handle(student.Critic(dim=dim), what)
        expect.true(probe.is_instance(critic, "torch.nn.Module"), _("{what} is no nn.Module.").format(what=what))
        x = draw.normal(draw.integer(4, 9), dim, dtype=torch.float32)
        probe.place_on(critic, x)
        expect.tensor(critic(x), (len(x),), f"{what}(x)", hint=_("One score per sample: squeeze the last dimension."))


def flat_scores(critic, rows, expect, what):
    """The scores of these rows in one row, whatever their shape, which is another check's business."""
    scores = expect.tensor(critic(rows), what=f"{what}(x)").reshape(-1).double()
    expect.true(len(scores) == len(rows), _("{what}(x): expected one score per sample.").format(what=what))
    return scores


@check(points=1, kind="exact", covers=("critic",))
def test_critic_scores(student, probe, expect, draw):
    """A score is any real number, and depends on its own sample alone: no sigmoid, no batch normalisation."""
    dim, n, few = draw.integer(2, 4), draw.integer(12, 20), draw.integer(4, 6)
    what = f"Critic(dim={dim})"
    critic = expect.handle(student.Critic(dim=dim), what)
    x = 1 + 2 * draw.normal(n, dim)
    probe.place_on(critic, x)
    probe.perturb(critic, 0.2, draw.seed())
    others = torch.cat([x[:few], 5 - 3 * x[few:]])
    scores = [flat_scores(critic, rows, expect, what) for rows in (x, x, x, others)]
    expect.true(scores[0].std() > 1e-9, _("{what}(x): every sample gets the same score.").format(what=what))
    # Spectral normalisation (a step of power iteration per call) and dropout change the scores from call to call.
    restless = float((scores[2] - scores[1]).abs().max())
    mixed = float((scores[3] - scores[2])[:few].abs().max())
    expect.true(
        mixed <= 1e-4 * float(scores[0].std()) + 10 * restless,
        _("{what}(x): the same sample is scored differently among other samples.").format(what=what),
        hint=_("Batch normalisation mixes the samples of a batch: leave it out of the critic."),
    )
    largest = 0.0
    for _round in range(3):
        probe.perturb(critic, 1.0, draw.seed())
        largest = max(largest, float(flat_scores(critic, 30 * draw.normal(200, dim), expect, what).abs().max()))
    expect.true(
        largest > 1 + 1e-6,
        _("{what} answers only numbers in [-1, 1], whatever its weights.").format(what=what),
        hint=_("A critic's scores are no probabilities: no sigmoid and no tanh after the last layer."),
    )
