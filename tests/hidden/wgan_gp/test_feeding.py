"""What the training feeds to both networks, read from networks that keep it."""

import torch

from autograder.judge import check
from autograder.language import _
from autograder.statistics import covariance_test, kolmogorov_smirnov, standard_normal_test

ALPHA = 1e-6
F32 = torch.float32


def draw_slope(draw, dim):
    """A critic's weights of norm 1, none of them small: for a generator's parameter the way is their sign's."""
    signs = torch.tensor([draw.choice((-1.0, 1.0)) for _i in range(dim)], dtype=torch.float64)
    weight = signs * draw.uniform(dim, low=0.6, high=1.0)
    return (weight / weight.norm()).float()


def record(probe, expect, train, matrix, point, weight, data, settings):
    """A recorded training, validated: rows, updates, noise, reached. It must have trained the generator.

    The generator adds its one parameter to what it makes of z: with a linear critic Adam moves it along the sign of the
    critic's weights (against it where a loss has the wrong sign, which has a check of its own).
    """
    answer = probe.recorded_training(train, matrix, point, weight, data, settings)
    expect.true(isinstance(answer, dict), _("train_wgan_gp: no record of the training."))
    rows = expect.tensor(answer.get("rows"), (None, data.shape[1]), _("what the critic was fed"))
    noise = expect.tensor(answer.get("noise"), (None, None), _("what the generator was fed"))
    updates = expect.number(answer.get("updates"), _("number of the critic's updates"))
    reached = expect.number(answer.get("reached"), _("gradients that came back to the generator"))
    moved = expect.tensor(answer.get("moved"), tuple(point.shape), _("how far the generator has moved")) * weight.sign()
    expect.true(
        moved.abs().min() > 0 and (moved > 0).all() == (moved > 0).any(),
        _("train_wgan_gp: the generator's weights do not follow the critic's scores."),
        hint=_("Each step ends with an update of the generator: generator_loss(critic(generator(z))).backward()."),
    )
    return rows, noise, int(updates), int(reached)


@check(points=1, kind="training", covers=("eps", "train_wgan_gp"))
def test_training_eps(student, probe, expect, draw):
    """The training penalises the critic at interpolates with one uniform eps per sample."""
    dim, batch_size = 8, draw.integer(120, 160)
    settings = {"steps": 2, "n_critic": 3, "lr": 1e-5, "gp_weight": 1e-3, "batch_size": batch_size}
    a = draw.normal(dim)
    signs = torch.tensor([draw.choice((-1.0, 1.0)) for _i in range(dim)], dtype=torch.float64)
    c = a + signs * draw.uniform(dim, low=1.0, high=3.0)
    rows, _noise, updates, _reached = record(
        probe, expect, student.train_wgan_gp, torch.zeros(2, dim, dtype=F32), c.float(),
        draw_slope(draw, dim), a.float().expand(400, dim).clone(), settings,
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
        mistake="eps_per_coordinate" if apart(eps) else None,
    )
    eps = eps.mean(1)
    expect.true(
        eps.min() > -1e-3 and eps.max() < 1 + 1e-3,
        _("train_wgan_gp: some points for the penalty lie beyond the real or the fake sample."),
        hint=hint,
        mistake="eps_normal" if kolmogorov_smirnov(eps, normal_cdf) > 1e-4 else None,
    )
    distinct = (eps * 2**20).round().unique() / 2**20
    expect.true(
        len(distinct) > 0.2 * len(eps),
        _("train_wgan_gp: many samples share one eps."),
        hint=hint,
        mistake="eps_per_batch" if len(distinct) <= 2 * settings["steps"] * settings["n_critic"] else None,
    )
    p = kolmogorov_smirnov(distinct, uniform_cdf)
    expect.p_value(p, _("law of eps in train_wgan_gp"), ALPHA, hint)


def normal_cdf(values):
    """Cumulative probability of the standard normal law."""
    return torch.special.ndtr(torch.as_tensor(values)).numpy()


def uniform_cdf(values):
    """Cumulative probability of the uniform law on [0, 1]."""
    return torch.as_tensor(values).clamp(0, 1).numpy()


def apart(eps):
    """Whether each coordinate has a uniform eps (n, dim) of its own: a point moved or clamped off the line has not."""
    uniform = all(kolmogorov_smirnov(column, uniform_cdf) > 1e-4 for column in eps.T.contiguous())
    between = torch.corrcoef(eps.T).fill_diagonal_(0.0)
    return uniform and bool(between.abs().max() < 0.5)


@check(points=1, kind="training", covers=("batches", "any_module", "train_wgan_gp"))
def test_training_batches(student, probe, expect, draw):
    """Every critic update has a fresh batch of batch_size samples and fresh standard normal noise."""
    n, batch_size, latent_dim = 20_000, draw.integer(16, 24), draw.integer(3, 5)  # not the usual 2
    settings = {"steps": draw.integer(3, 4), "n_critic": draw.integer(3, 4), "lr": 1e-3, "batch_size": batch_size}
    # Data rows are (number, 7, ..., 7): exact in float32, and no mixture with a fake has this second coordinate.
    dim = 8
    data = torch.full((n, dim), 7.0)
    data[:, 0] = torch.randperm(n, generator=draw.generator())
    rows, noise, updates, _reached = record(
        probe, expect, student.train_wgan_gp, torch.zeros(latent_dim, dim, dtype=F32),
        -5.0 - draw.uniform(dim, dtype=F32), draw_slope(draw, dim), data, settings,
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
    expect.true(
        noise.shape[1] == latent_dim,
        _("train_wgan_gp: the generator's latent_dim is {dim}, and its z had another size.").format(dim=latent_dim),
        hint=_("Read the size of z from generator.latent_dim."),
        mistake="training_latent_hard_coded",
    )
    fresh = noise.unique(dim=0)
    expect.true(
        len(fresh) >= at_least * batch_size,
        _("train_wgan_gp: the generator was not fed fresh z for every update of the critic."),
        hint=_("Draw new z inside the loop over n_critic."),
        mistake="same_batch",
    )
    hint = _("z ~ N(0, I): torch.randn(batch_size, generator.latent_dim).")
    p = standard_normal_test(fresh.flatten())
    uniform = "noise_uniform" if fresh.abs().max() < 2 else None
    expect.p_value(p, _("law of z in train_wgan_gp"), ALPHA, hint, uniform)
    p = covariance_test(fresh, torch.eye(latent_dim, dtype=torch.float64))
    expect.p_value(p, _("covariance of z in train_wgan_gp"), ALPHA, hint)


@check(points=0.5, kind="training", covers=("detached", "train_wgan_gp"))
def test_fakes_detached(student, probe, expect, draw):
    """The critic's updates send no gradient into the generator."""
    dim, steps = draw.integer(7, 9), draw.integer(2, 4)
    settings = {"steps": steps, "n_critic": draw.integer(2, 4), "batch_size": draw.integer(4, 9)}
    _rows, _noise, _updates, reached = record(
        probe, expect, student.train_wgan_gp, draw.normal(2, dim, dtype=F32), draw.normal(dim, dtype=F32),
        draw_slope(draw, dim), draw.normal(50, dim, dtype=F32), settings,
    )  # fmt: skip
    expect.true(reached > 0, _("train_wgan_gp: no gradient ever reaches the generator."))
    expect.true(
        reached <= steps,
        _("train_wgan_gp: in {steps} steps gradients came back to {reached} of the generator's answers; one per step "
          "is for its own update, the others came from the critic's.").format(steps=steps, reached=reached),
        hint=_("For the critic the fakes are data: generator(z).detach(), or torch.no_grad()."),
        mistake="fakes_not_detached",
    )  # fmt: skip
