"""What the training feeds to both networks, read from networks that keep it."""

import torch

from autograder.judge import check
from autograder.language import _
from autograder.statistics import covariance_test, kolmogorov_smirnov

ALPHA = 1e-6
F32 = torch.float32


def record(probe, expect, train, matrix, point, weight, data, settings):
    """A recorded training, validated: rows, versions, updates, noise, reached."""
    answer = probe.recorded_training(train, matrix, point, weight, data, settings)
    expect.true(isinstance(answer, dict), _("train_wgan_gp: no record of the training."))
    rows = expect.tensor(answer.get("rows"), (None, data.shape[1]), _("what the critic was fed"))
    noise = expect.tensor(answer.get("noise"), (None, matrix.shape[0]), _("what the generator was fed"))
    updates = expect.number(answer.get("updates"), _("number of the critic's updates"))
    reached = expect.number(answer.get("reached"), _("gradients that came back to the generator"))
    return rows, noise, int(updates), int(reached)


@check(points=1, kind="training", covers=("eps",))
def test_training_eps(student, probe, expect, draw):
    """The training penalises the critic at interpolates with one uniform eps per sample."""
    dim, batch_size = 3, draw.integer(120, 160)
    settings = {"steps": 2, "n_critic": 3, "lr": 1e-6, "batch_size": batch_size}
    a = draw.normal(dim)
    signs = torch.tensor([draw.choice((-1.0, 1.0)) for _i in range(dim)], dtype=torch.float64)
    c = a + signs * draw.uniform(dim, low=1.0, high=3.0)
    rows, _noise, updates, _reached = record(
        probe, expect, student.train_wgan_gp, torch.zeros(2, dim, dtype=F32), c.float(),
        draw.normal(dim, dtype=F32), a.float().expand(400, dim).clone(), settings,
    )  # fmt: skip
    # Real samples are at 1 on the line from c to a, fakes at 0, interpolates at their eps, coordinate by coordinate.
    place = (rows - c) / (a - c)
    between = ((place - 1).abs().amax(1) > 1e-4) & (place.abs().amax(1) > 1e-4)
    eps = place[between]
    hint = _("eps = torch.rand(batch_size, 1): one number per sample, uniform on [0, 1], the same for all coordinates.")
    expect.true(
        len(eps) >= max(1, 0.5 * updates * batch_size),
        _("train_wgan_gp: the critic was not evaluated between real and fake samples in every update."),
        hint=hint,
    )
    expect.true(
        (eps.amax(1) - eps.amin(1)).max() < 1e-3,
        _("train_wgan_gp: some points for the penalty are not on the line from a real to a fake sample."),
        hint=hint,
        mistake="eps_per_coordinate",
    )
    eps = eps.mean(1)
    expect.true(
        eps.min() > -1e-3 and eps.max() < 1 + 1e-3,
        _("train_wgan_gp: some points for the penalty lie beyond the real or the fake sample."),
        hint=hint,
        mistake="eps_normal",
    )
    distinct = (eps * 2**20).round().unique() / 2**20
    expect.true(
        len(distinct) > 0.2 * len(eps),
        _("train_wgan_gp: many samples share one eps."),
        hint=hint,
        mistake="eps_per_batch",
    )
    p = kolmogorov_smirnov(distinct, lambda t: torch.as_tensor(t).clamp(0, 1).numpy())
    expect.p_value(p, _("law of eps in train_wgan_gp"), ALPHA, hint)


@check(points=1, kind="training", covers=("batches", "any_module"))
def test_training_batches(student, probe, expect, draw):
    """Every critic update has a fresh batch of batch_size samples and fresh standard normal noise."""
    n, batch_size, latent_dim = 20_000, draw.integer(16, 24), draw.integer(2, 4)
    settings = {"steps": draw.integer(3, 4), "n_critic": draw.integer(3, 4), "lr": 1e-3, "batch_size": batch_size}
    # Data rows are (number, 7): exact in float32, and no mixture with a fake has this second coordinate.
    data = torch.stack([torch.randperm(n, generator=draw.generator()).float(), torch.full((n,), 7.0)], 1)
    rows, noise, updates, _reached = record(
        probe, expect, student.train_wgan_gp, torch.zeros(latent_dim, 2, dtype=F32),
        torch.tensor([-5.0, -9.0]), draw.normal(2, dtype=F32), data, settings,
    )  # fmt: skip
    expect.true(updates > 0, _("train_wgan_gp: the critic's weights never change."))
    real = rows[rows[:, 1] == 7.0, 0]
    drawn = len(real.unique())
    # Changes of the weights at other times than these (an optimiser of both networks), or weights that clipping
    # holds where they are, are faults of the updates: test_training_updates.
    due = settings["steps"] * settings["n_critic"]
    at_least, at_most = min(updates, due), max(updates, due)
    expect.true(
        drawn >= 0.9 * at_least * batch_size,
        _("train_wgan_gp: {updates} updates of the critic with batch_size={size} saw only {drawn} different samples.")
        .format(updates=at_least, size=batch_size, drawn=drawn),
        hint=_("Draw a new batch inside the loop over n_critic."),
        mistake="same_batch",
    )  # fmt: skip
    expect.true(
        drawn <= (at_most + settings["steps"]) * batch_size,
        _("train_wgan_gp: the critic saw more samples than its updates with batch_size={size} need.")
        .format(size=batch_size),
    )  # fmt: skip
    fresh = noise.unique(dim=0)
    expect.true(
        len(fresh) >= at_least * batch_size,
        _("train_wgan_gp: the generator was not fed fresh z for every update of the critic."),
        hint=_("Draw new z inside the loop over n_critic."),
        mistake="same_batch",
    )
    hint = _("z ~ N(0, I): torch.randn(batch_size, generator.latent_dim).")
    p = kolmogorov_smirnov(fresh.flatten(), lambda t: torch.special.ndtr(torch.as_tensor(t)).numpy())
    uniform = "noise_uniform" if fresh.min() >= 0 and fresh.max() <= 1 else None
    expect.p_value(p, _("law of z in train_wgan_gp"), ALPHA, hint, uniform)
    p = covariance_test(fresh, torch.eye(latent_dim, dtype=torch.float64))
    expect.p_value(p, _("covariance of z in train_wgan_gp"), ALPHA, hint)


@check(points=0.5, kind="training", covers=("detached",))
def test_fakes_detached(student, probe, expect, draw):
    """The critic's updates send no gradient into the generator."""
    dim, steps = draw.integer(2, 4), draw.integer(2, 4)
    settings = {"steps": steps, "n_critic": draw.integer(2, 4), "batch_size": draw.integer(4, 9)}
    _rows, _noise, _updates, reached = record(
        probe, expect, student.train_wgan_gp, draw.normal(2, dim, dtype=F32), draw.normal(dim, dtype=F32),
        draw.normal(dim, dtype=F32), draw.normal(50, dim, dtype=F32), settings,
    )  # fmt: skip
    expect.true(reached > 0, _("train_wgan_gp: no gradient ever reaches the generator."))
    expect.true(
        reached <= steps,
        _("train_wgan_gp: in {steps} steps gradients came back to {reached} of the generator's answers; one per step "
          "is for its own update, the others came from the critic's.").format(steps=steps, reached=reached),
        hint=_("For the critic the fakes are data: generator(z).detach(), or torch.no_grad()."),
        mistake="fakes_not_detached",
    )  # fmt: skip
