"""What the training feeds to both networks, read from networks that keep it."""

from __future__ import annotations

import torch

from autograder.judge import check
from autograder.language import _
from autograder.statistics import covariance_test, standard_normal_test

ALPHA = 1e-6
F32 = torch.float32
DIM = 4


def record(probe, expect, draw, train, data, latent_dim, settings):
    """A recorded training, validated: real rows batch by batch with the weights' version, z, whether in training mode.

    Real rows have 0.5 in their second coordinate, which no fake has. It must have trained both networks.
    """
    signs = torch.tensor([draw.choice((-1.0, 1.0)) for _i in range(DIM)])
    slope = signs * draw.uniform(DIM, low=0.3, high=0.6, dtype=F32)
    point = -1.0 - draw.uniform(DIM, dtype=F32)
    answer = probe.recorded_training(train, latent_dim, point, slope, draw.normal(1, dtype=F32)[0], data, settings)
    expect.true(isinstance(answer, dict), _("train_gan: no record of the training."))
    moved = expect.tensor(answer.get("moved"), (DIM,), _("how far the generator has moved"))
    updates = int(expect.number(answer.get("updates"), _("number of the discriminator's updates")))
    expect.true(moved.abs().min() > 0 and updates > 0, _("train_gan: the networks' weights do not change."))
    calls, versions, noise = (answer.get(name) for name in ("calls", "versions", "noise"))
    expect.true(
        isinstance(calls, list) and isinstance(versions, list) and len(calls) == len(versions) and calls
        and isinstance(noise, list) and noise,
        _("train_gan: the networks are not called."),
    )  # fmt: skip
    batches = []
    for rows, version in zip(calls, versions, strict=True):
        rows = expect.tensor(rows, (None, DIM), _("what the discriminator was fed"))
        real = rows[(rows[:, 1] - 0.5).abs() < 1e-6, 0]
        if len(real):
            batches.append((int(version), real))
    z = [expect.tensor(rows, (None, None), _("what the generator was fed")) for rows in noise]
    expect.true(
        all(rows.shape[1] == latent_dim for rows in z),
        _("train_gan: the generator's latent_dim is {dim}, and its z had another size.").format(dim=latent_dim),
        hint=_("Read the size of z from generator.latent_dim."),
        mistake="training_latent_hard_coded",
    )
    return batches, z, bool(answer.get("trained"))


@check(points=0.75, kind="training", covers=("batches", "train_gan"))
def test_training_batches(student, probe, expect, draw):
    """Every update has a fresh batch of batch_size rows and fresh standard normal z, in training mode."""
    n, batch_size, latent_dim = 2**15, draw.integer(18, 26), draw.integer(3, 5)
    steps, per_step = draw.integer(3, 4), draw.integer(2, 3)
    settings = {"steps": steps, "n_discriminator": per_step, "lr": 0.01, "batch_size": batch_size}
    data = torch.full((n, DIM), 0.5)
    data[:, 0] = torch.randperm(n, generator=draw.generator()) / n  # exact in float32
    batches, z, trained = record(probe, expect, draw, student.train_gan, data, latent_dim, settings)
    expect.true(
        trained,
        _("train_gan: a network that came in training mode is called in evaluation mode."),
        hint=_("Modes stay as they are in training."),
        mistake="evaluation_in_training",
    )
    sizes = {len(real) for _version, real in batches}
    expect.true(
        sizes == {batch_size},
        _("train_gan with batch_size={n}: the discriminator is given batches of another size.").format(n=batch_size),
    )
    due = steps * per_step
    drawn = len(torch.cat([real for _version, real in batches]).unique())
    expect.true(
        0.95 * due * batch_size <= drawn <= due * batch_size,
        _("train_gan: {n} updates of the discriminator with batch_size={size} saw {drawn} different rows.").format(
            n=due, size=batch_size, drawn=drawn
        ),
        hint=_("Draw a new batch of the data inside the loop over n_discriminator."),
        mistake=("first_rows_only" if drawn <= batch_size else "same_batch")
        if drawn < 0.95 * due * batch_size
        else None,
    )
    fresh = torch.cat(z).unique(dim=0)
    wanted = (due + steps) * batch_size
    known = {batch_size: "noise_drawn_once", due * batch_size: "same_noise_for_both"}
    expect.true(
        len(fresh) == wanted,
        _("train_gan: {n} updates with batch_size={size} saw {drawn} different z, where each needs fresh ones.").format(
            n=due + steps, size=batch_size, drawn=len(fresh)
        ),
        hint=_("Draw z anew for every update: inside the loop over n_discriminator, and once more for the generator."),
        mistake=known.get(len(fresh)),
    )
    hint = _("z ~ N(0, I): torch.randn(batch_size, generator.latent_dim).")
    uniform = "noise_uniform" if fresh.abs().max() < 2 else None
    p = standard_normal_test(fresh.flatten())
    expect.p_value(p, _("law of z in train_gan"), ALPHA, hint, uniform)
    p = covariance_test(fresh, torch.eye(latent_dim, dtype=torch.float64))
    expect.p_value(p, _("covariance of z in train_gan"), ALPHA, hint)


@check(points=0.25, kind="training", covers=("batches", "train_gan"))
def test_training_rows(student, probe, expect, draw):
    """All rows of the data are used, and two updates in a row see different batches."""
    n, batch_size = draw.integer(36, 42), draw.integer(11, 13)
    settings = {"steps": 34, "n_discriminator": 2, "lr": 0.01, "batch_size": batch_size}
    data = torch.full((n, DIM), 0.5)
    data[:, 0] = torch.randperm(n, generator=draw.generator()) / 64
    batches, _z, _trained = record(probe, expect, draw, student.train_gan, data, 2, settings)
    # Drawn with replacement a row is left out with probability exp(-18).
    used = len(torch.cat([real for _version, real in batches]).unique())
    expect.true(
        used == n,
        _("train_gan: only {used} of {n} rows of the data were ever used.").format(used=used, n=n),
        hint=_("Draw from all rows: torch.randint(len(data), (batch_size,))."),
        mistake="first_rows_only" if used <= batch_size else None,
    )
    sets: dict[int, set] = {}  # by version of the weights; a loss looked at after the update has the batch of before
    for version, real in batches:
        sets.setdefault(version, set()).add(tuple(real.sort().values.tolist()))
    expect.true(
        all(sets[version] - sets.get(version - 1, set()) for version in sets if version < max(sets)),
        _("train_gan: two updates of the discriminator in a row saw the same batch."),
        hint=_("Draw a new batch of the data inside the loop over n_discriminator."),
        mistake="same_batch",
    )
