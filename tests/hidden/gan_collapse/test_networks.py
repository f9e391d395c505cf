"""The student's generator and discriminator, whatever their layers are, with perturbed weights."""

from __future__ import annotations

import torch

from autograder.judge import check
from autograder.judge.layers import ending, normalises_batches
from autograder.language import _

F32 = torch.float32
FAR = 10.0  # beyond what ends in an activation of two bounds


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
        hint=_("No dropout, no noise inside."),
    )
    middle, up, down = y[:1], y[1 : dim + 1], y[dim + 1 :]
    size = float((y - y.mean(0)).abs().max())
    expect.true(
        size > 1e-6 and ((up - down).abs() + (up - middle).abs()).amax(1).min() > 1e-4 * size,
        _("{what}: some coordinates of its input change nothing.").format(what=what),
        hint=_("Every layer hands on what the one before answers."),
    )
    return y, float((up + down - 2 * middle).abs().max()) > 1e-4 * size


def judge_size(expect, probe, network, n_in, hidden, n_out, what):
    """Two hidden layers of `hidden` units, give or take biases, scales and skip connections."""
    ends = n_in * hidden + hidden * n_out
    layers = ends + hidden * hidden
    n = expect.number(probe.parameter_count(network), _("number of parameters"))
    expect.true(
        0.95 * layers <= n <= 1.3 * layers + 12 * hidden + 4 * n_out,
        _("{what}: its number of parameters is not that of two hidden layers of {n} units.").format(
            what=what, n=hidden
        ),
        mistake="one_hidden_layer" if ends <= n <= ends + 4 * hidden + n_out else None,
    )


@check(points=0.5, covers=("generator", "Generator"))
def test_generator_answers(student, probe, expect, draw):
    """The generator maps (B, latent_dim) to (B, dim) in [-1, 1], on both sides of 0, and knows its latent_dim."""
    for batch_norm in (False, True):
        latent_dim, dim, hidden = draw.integer(3, 6), draw.integer(5, 9), draw.choice((32, 64))
        what = f"Generator(latent_dim={latent_dim}, dim={dim}, hidden={hidden}, batch_norm={batch_norm})"
        generator = expect.handle(
            student.Generator(latent_dim=latent_dim, dim=dim, hidden=hidden, batch_norm=batch_norm), what
        )
        expect.true(probe.is_instance(generator, "torch.nn.Module"), _("{what} is no nn.Module.").format(what=what))
        own = expect.number(generator.latent_dim, f"{what}.latent_dim")
        expect.true(own == latent_dim, _("{what}.latent_dim is not {n}.").format(what=what, n=latent_dim))
        judge_size(expect, probe, generator, latent_dim, hidden, dim, what)
        z = draw.normal(draw.integer(10, 14), latent_dim, dtype=F32)
        probe.place_on(generator, z)
        expect.tensor(generator(z), (len(z), dim), f"{what}(z)")
        reached, curved = torch.zeros(1, dim), False
        for k in range(4):
            probe.perturb(generator, 0.3 if k else 0.03, draw.seed())
            # Before tanh saturates; and without batch normalisation, whose evaluation mode is another check's business.
            if not batch_norm and not k:
                curved = judge_use(expect, probe, generator, draw.normal(latent_dim), f"{what}(z)")[1] or curved
            far = probe.evaluated(generator, 10 * draw.normal(100, latent_dim, dtype=F32))
            reached = torch.cat([reached, expect.tensor(far, (100, dim), f"{what}(z)")])
        low, high = float(reached.min()), float(reached.max())
        hint = _("The last layer is followed by tanh: the pixels are in [-1, 1].")
        expect.true(
            low >= -1 - 1e-6 and high <= 1 + 1e-6,
            _("{what} answers numbers outside [-1, 1].").format(what=what),
            hint=hint,
            mistake="unbounded_generator" if min(-low, high) > FAR else None,
        )
        expect.true(
            low < -0.5 and high > 0.5,
            _("{what} does not reach both ends of [-1, 1], whatever its weights.").format(what=what),
            hint=hint,
            mistake="sigmoid_generator" if ending(reached) == "sigmoid" else None,
        )
        expect.true(
            curved or batch_norm,
            _("{what} is an affine map of z up to its last activation.").format(what=what),
            hint=_("Hidden layers with an activation between them."),
        )


@check(points=0.5, covers=("generator_norm", "Generator"))
def test_generator_norm(student, probe, expect, draw):
    """Batch normalisation stands after both hidden layers where batch_norm says so, and nowhere else."""
    for batch_norm in (True, False):
        latent_dim, dim = draw.integer(3, 6), draw.integer(5, 9)
        what = f"Generator(latent_dim={latent_dim}, dim={dim}, hidden=32, batch_norm={batch_norm})"
        generator = expect.handle(
            student.Generator(latent_dim=latent_dim, dim=dim, hidden=32, batch_norm=batch_norm), what
        )
        z = draw.normal(12, latent_dim, dtype=F32)
        probe.place_on(generator, z)
        probe.perturb(generator, 0.1, draw.seed())
        others = torch.cat([z[:4], 3 - 2 * z[4:]])
        one, again = (expect.tensor(generator(rows), (12, dim), f"{what}(z)")[:4] for rows in (z, others))
        spread = float(one.std(0).max())
        mixed = float((one - again).abs().max())
        expect.true(spread > 1e-6, _("{what}: every z gets the same image.").format(what=what))
        alone = mixed <= 1e-4 * spread
        expect.true(
            mixed > 1e-3 * spread if batch_norm else alone,
            _("{what} in training mode: an image does not depend on the rest of its batch.").format(what=what)
            if batch_norm
            else _("{what}: an image depends on the rest of its batch.").format(what=what),
            hint=_("Batch normalisation after each hidden layer exactly where batch_norm is True."),
            mistake="norm_always" if not batch_norm and not alone and normalises_batches(generator, z) else None,
        )
        # Layers that are there and not used do no harm: without batch_norm what an image depends on has decided.
        kinds = [str(name).lower() for name in probe.submodule_types(generator)]
        layers = sum(kind.replace("_", "") in ("batchnorm", "batchnorm1d") for kind in kinds)
        expect.true(
            layers in (0, 2) or not batch_norm,
            _("{what}: expected batch normalisation after both hidden layers, found {n} such layers.")
            .format(what=what, n=layers),
            hint=_("Batch normalisation after each hidden layer exactly where batch_norm is True."),
            mistake="norm_once" if layers == 1 else None,
        )  # fmt: skip


def draw_discriminator(student, probe, expect, draw, like):
    """A discriminator of the student's with perturbed weights, and what it is called."""
    dim, hidden = draw.integer(3, 6), draw.choice((32, 64))
    what = f"Discriminator(dim={dim}, hidden={hidden})"
    discriminator = expect.handle(student.Discriminator(dim=dim, hidden=hidden), what)
    probe.place_on(discriminator, like)
    return discriminator, dim, hidden, what


@check(points=0.25, covers=("discriminator", "Discriminator"))
def test_discriminator_answers(student, probe, expect, draw):
    """The discriminator maps (B, dim) to one logit per row, of shape (B,)."""
    discriminator, dim, hidden, what = draw_discriminator(student, probe, expect, draw, torch.zeros(1))
    expect.true(probe.is_instance(discriminator, "torch.nn.Module"), _("{what} is no nn.Module.").format(what=what))
    judge_size(expect, probe, discriminator, dim, hidden, 1, what)
    hint = _("One logit per row: squeeze the last dimension, and no other: squeeze(-1).")
    x = draw.normal(draw.integer(4, 9), dim, dtype=F32)
    column = {"logits_in_a_column": (len(x), 1)}
    expect.tensor(discriminator(x), (len(x),), f"{what}(x)", hint=hint, mistakes=column)
    alone = probe.evaluated(discriminator, x[:1])  # batch statistics, which are another check's business, need two
    expect.tensor(alone, (1,), _("{what}(x) of one row").format(what=what), hint=hint)
    judge_slopes(expect, probe, discriminator, draw, dim, f"{what}(x)")


def judge_slopes(expect, probe, discriminator, draw, dim, what):
    """The logits change with every coordinate, not everywhere alike, and not from call to call."""
    bent = False
    for _round in range(3):
        probe.perturb(discriminator, 0.1, draw.seed())
        bent = judge_use(expect, probe, discriminator, 2 * draw.normal(dim), what)[1] or bent
    expect.true(
        bent,
        _("{what} is an affine map of x.").format(what=what),
        hint=_("Hidden layers with an activation between them."),
    )


@check(points=0.5, covers=("discriminator", "Discriminator"))
def test_discriminator_logits(student, probe, expect, draw):
    """A logit is any real number, and depends on its own row alone: no sigmoid, no batch normalisation."""
    discriminator, dim, _hidden, what = draw_discriminator(student, probe, expect, draw, draw.normal(1))
    n, few = draw.integer(12, 20), draw.integer(4, 6)
    x = 1 + 2 * draw.normal(n, dim)
    probe.perturb(discriminator, 0.2, draw.seed())

    def logits(rows):
        answer = expect.tensor(discriminator(rows), what=f"{what}(x)").reshape(-1).double()
        expect.true(len(answer) == len(rows), _("{what}(x): expected one logit per row.").format(what=what))
        return answer

    one, again, mixed = logits(x), logits(x), logits(torch.cat([x[:few], 5 - 3 * x[few:]]))
    expect.true(one.std() > 1e-9, _("{what}(x): every row gets the same logit.").format(what=what))
    expect.true(
        (again - one).abs().max() <= 1e-6 * one.std(),
        _("{what}(x): the same rows get other logits at the next call.").format(what=what),
        hint=_("No dropout, no spectral normalisation."),
    )
    alone = (mixed - one)[:few].abs().max() <= 1e-4 * float(one.std())
    expect.true(
        alone,
        _("{what}(x): the same row is judged differently among other rows.").format(what=what),
        hint=_("Batch normalisation mixes the rows of a batch: leave it out of the discriminator."),
        mistake="batch_norm_in_discriminator" if not alone and normalises_batches(discriminator, x) else None,
    )
    wide = []
    for _round in range(3):
        probe.perturb(discriminator, 0.5, draw.seed())
        wide.append(logits(30 * draw.normal(200, dim)))
    wide = torch.cat(wide)
    expect.true(
        wide.abs().max() > 1 + 1e-6 and wide.min() < 0,
        _("{what} answers only numbers of a bounded or one-sided range, whatever its weights.").format(what=what),
        hint=_("A logit is any real number; the losses take the sigmoid themselves."),
        mistake="sigmoid_discriminator" if ending(wide) == "sigmoid" else None,
    )
    probe.place_on(discriminator, x.float())
    judge_slopes(expect, probe, discriminator, draw, dim, f"{what}(x)")
