"""The student's generator and critic, whatever layers they have, with perturbed weights."""

import torch

from autograder.judge import check
from autograder.judge.layers import ending, normalises_batches
from autograder.language import _

BOUNDED = ("sigmoid", "tanh")


def judge_use(expect, probe, network, row, what):
    """Every coordinate of the input (dim,) changes the answer; the answers, and whether they are no affine map."""
    dim = len(row)
    step = 2.0 * torch.eye(dim, dtype=torch.float64)
    rows = torch.cat([row[None], row + step, row - step]).float()  # (1 + 2 dim, dim)
    y, again = (
        expect.tensor(probe.evaluated(network, rows), what=what).double().reshape(len(rows), -1) for _k in range(2)
    )
    expect.true(
        (again - y).abs().max() <= 1e-3 * (y - y.mean(0)).abs().max(),
        _("{what}: in evaluation mode, the same input gets another answer.").format(what=what),
    )
    middle, up, down = y[:1], y[1 : dim + 1], y[dim + 1 :]
    size = float((y - y.mean(0)).abs().max())
    expect.true(
        size > 1e-6 and ((up - down).abs() + (up - middle).abs()).amax(1).min() > 1e-4 * size,
        _("{what}: some coordinates of its input change nothing.").format(what=what),
        hint=_("Every layer hands on what the one before answers."),
    )
    return y, float((up + down - 2 * middle).abs().max()) > 1e-4 * size


@check(points=0.5, kind="exact", covers=("generator", "Generator"))
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
        reached, curved, free = torch.zeros(0, dim), False, False
        for _round in range(8):
            probe.perturb(generator, 1.0, draw.seed())
            far = generator(10 * draw.normal(100, latent_dim, dtype=torch.float32))
            reached = torch.cat([reached, expect.tensor(far, (100, dim), f"{what}(z)")])
            free = bool(reached.min() < 0 and reached.abs().max() > 1 + 1e-6)
            if ending(reached) in BOUNDED:
                continue  # where all is saturated nothing shows of the inputs
            y, bent = judge_use(expect, probe, generator, draw.normal(latent_dim), f"{what}(z)")
            curved = curved or bent
            expect.true(
                (y.std(0) > 1e-6 * y.abs().max()).all(),
                _("{what}(z): some coordinates of the samples are the same for every z.").format(what=what),
            )
            if free and curved:
                break
        expect.true(
            free,
            _("{what} answers only numbers of a bounded or one-sided range, whatever its weights.").format(what=what),
            hint=_("The samples here are points of the plane, any real numbers: no activation after the last layer."),
            mistake="generator_tanh" if ending(reached) in BOUNDED else None,
        )
        expect.true(
            curved,
            _("{what} is an affine map of z: it can draw one Gaussian and nothing else.").format(what=what),
            hint=_("Hidden layers with an activation between them."),
        )


@check(points=0.5, kind="exact", covers=("critic", "Critic"))
def test_critic_shape(student, probe, expect, draw):
    """The critic maps (B, dim) to one score per sample, of shape (B,)."""
    for dim in (2, draw.integer(3, 6)):
        what = f"Critic(dim={dim})"
        critic = expect.handle(student.Critic(dim=dim), what)
        expect.true(probe.is_instance(critic, "torch.nn.Module"), _("{what} is no nn.Module.").format(what=what))
        x = draw.normal(draw.integer(4, 9), dim, dtype=torch.float32)
        probe.place_on(critic, x)
        hint = _("One score per sample: squeeze the last dimension, and no other: squeeze(-1).")
        expect.tensor(critic(x), (len(x),), f"{what}(x)", hint=hint, mistakes={"critic_column": (len(x), 1)})
        alone = probe.evaluated(critic, x[:1])  # batch statistics, which are another check's business, need two
        name = _("{what}(x) of one sample").format(what=what)
        expect.tensor(alone, (1,), name, hint=hint, mistakes={"critic_squeezes_all": ()})
        judge_slopes(expect, probe, critic, draw, dim, f"{what}(x)")


def judge_slopes(expect, probe, critic, draw, dim, what):
    """The scores change with every coordinate of a sample, not everywhere alike, and not from call to call."""
    bent = False
    for _round in range(4):
        probe.perturb(critic, 0.05, draw.seed())
        bent = judge_use(expect, probe, critic, draw.normal(dim), what)[1] or bent
    expect.true(
        bent,
        _("{what} is an affine map of x: its slope is the same everywhere.").format(what=what),
        hint=_("Hidden layers with an activation between them."),
    )


def flat_scores(critic, rows, expect, what):
    """The scores of these rows in one row, whatever their shape, which is another check's business."""
    scores = expect.tensor(critic(rows), what=f"{what}(x)").reshape(-1).double()
    expect.true(len(scores) == len(rows), _("{what}(x): expected one score per sample.").format(what=what))
    return scores


@check(points=1, kind="exact", covers=("critic", "Critic"))
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
    alone = mixed <= 1e-4 * float(scores[0].std()) + 10 * restless
    expect.true(
        alone,
        _("{what}(x): the same sample is scored differently among other samples.").format(what=what),
        hint=_("Batch normalisation mixes the samples of a batch: leave it out of the critic."),
        mistake="batch_norm" if not alone and normalises_batches(critic, x) else None,
    )
    probe.place_on(critic, x.float())
    judge_slopes(expect, probe, critic, draw, dim, f"{what}(x)")
    probe.place_on(critic, x)
    wide = []
    for _round in range(3):
        probe.perturb(critic, 1.0, draw.seed())
        wide.append(flat_scores(critic, 30 * draw.normal(200, dim), expect, what))
    expect.true(
        torch.cat(wide).abs().max() > 1 + 1e-6,
        _("{what} answers only numbers in [-1, 1], whatever its weights.").format(what=what),
        hint=_("A critic's scores are no probabilities: no sigmoid and no tanh after the last layer."),
        mistake="critic_sigmoid" if ending(torch.cat(wide)) == "sigmoid" else None,
    )
