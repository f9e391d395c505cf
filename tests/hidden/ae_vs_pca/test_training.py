"""The loss, and a training whose batches are recorded: exact and cheap."""

from __future__ import annotations

import math

import torch

from autograder.judge import CheckFailed, check
from autograder.language import _


def recorded(probe, draw, n, D=6, d=2):
    """Data of uneven size, first weights, and a recording model that has them."""
    x = draw.normal(n, D) * draw.uniform(n, 1, low=0.2, high=3.0)
    weights = 0.3 * draw.normal(d, D), 0.3 * draw.normal(D, d)
    return x, weights, probe.recorder(*weights)


def error(x, weights):
    """Mean squared error of the recorder with these first weights."""
    encoder, decoder = weights
    return float(((x @ encoder.T @ decoder.T - x) ** 2).mean())


@check(points=0.5, covers=("loss", "reconstruction_loss"))
def test_loss_value(student, probe, compare, draw, expect):
    """The loss is the mean squared error over all entries, a scalar, and can be differentiated."""
    for _k in range(2):
        shape = draw.integer(3, 9), draw.integer(2, 7)
        x, x_hat = draw.normal(*shape), draw.normal(*shape)
        compare(student.reconstruction_loss(x, x_hat), (x - x_hat).pow(2).mean())
    gradients = probe.gradient(student.reconstruction_loss, [x, x_hat], [1])
    (gradient,) = expect.sequence(gradients, 1, "reconstruction_loss")
    expect.true(
        gradient is not None and bool((expect.tensor(gradient, shape) != 0).any()),
        _("reconstruction_loss: its gradient by x_hat is missing or 0."),
        hint=_("Without that gradient nothing is learned: no detach, no .item(), no NumPy, no torch.no_grad()."),
        mistake="loss_detached",
    )
    what = _("the gradient of reconstruction_loss by x_hat")
    compare(gradient, 2 * (x_hat - x) / x.numel(), what, rtol=1e-5, atol=1e-7)


@check(points=1, covers=("batches", "train_autoencoder"))
def test_training_batches(student, probe, draw, expect):
    """Each epoch visits every sample once, in batches no larger than asked for; incomplete ones are used."""
    batch_size, epochs = draw.integer(7, 10), draw.integer(2, 3)
    n = batch_size * draw.integer(3, 4) + draw.integer(2, batch_size - 2)
    x, weights, model = recorded(probe, draw, n)
    student.train_autoencoder(model, x, epochs=epochs, batch_size=batch_size, lr=1e-4, generator=draw.generator())
    answers = probe.batches(model)
    expect.true(isinstance(answers, list), _("the batches of the training are not a list."))
    seen = [expect.tensor(batch, None, _("a training batch")) for batch in answers]
    seen = [batch for batch in seen if batch.ndim == 2 and batch.shape[1] == x.shape[1]]
    batches = [batch for batch in seen if len(batch) <= batch_size]  # a look at all data is no batch
    visits = visits_of(batches, x)
    if not (visits == epochs).all():
        settings = {"n": n, "b": batch_size, "e": epochs}
        expect_batches(expect, seen, batch_size, x, settings)
        message = _(
            "train_autoencoder on {n} samples with batch_size={b}, {e} epochs: each sample should be visited "
            "{e} times, yours were visited {low} to {high} times."
        )
        low, high = int(visits.min()), int(visits.max())
        expect.true(
            False,
            message.format(low=low, high=high, **settings),
            mistake=known_batches([len(batch) for batch in batches], n, batch_size, epochs),
        )
    most = epochs * math.ceil(n / batch_size)
    message = _("train_autoencoder on {n} samples with batch_size={b}, {e} epochs: {m} batches are enough, got {got}.")
    expect.true(len(batches) <= most, message.format(n=n, b=batch_size, e=epochs, m=most, got=len(batches)))
    expect_moved(probe, expect, model, x, weights)


def visits_of(batches, x):
    """How often each row of x, (n,), is in the batches."""
    return (torch.cat([x[:0], *batches])[:, None] == x[None]).all(-1).sum(0)


def expect_batches(expect, seen, batch_size, x, settings):
    """What the model was given, of whatever size: rows of x, no more of them at a time than asked for."""
    message = _(
        "train_autoencoder on {n} samples with batch_size={b}, {e} epochs: the model was given no samples with "
        "gradients switched on."
    )
    expect.true(bool(seen), message.format(**settings))
    message = _(
        "train_autoencoder on {n} samples with batch_size={b}, {e} epochs: what the model was given were other rows "
        "than those of x."
    )
    expect.true(bool(visits_of(seen, x).any()), message.format(**settings))
    largest = max(len(batch) for batch in seen)
    message = _(
        "train_autoencoder on {n} samples with batch_size={b}, {e} epochs: the model was given batches of up to "
        "{largest} samples."
    )
    expect.true(
        largest <= batch_size,
        message.format(largest=largest, **settings),
        hint=_("A batch has batch_size samples, the last one of an epoch perhaps fewer."),
        mistake="batch_size_ignored" if all(len(batch) > batch_size for batch in seen) else None,
    )


def known_batches(sizes, n, batch_size, epochs):
    """The mistake that makes batches of these sizes in all epochs; None where no known one does."""
    if sizes == [batch_size] * epochs:
        return "first_batch_only"
    return "last_batch_dropped" if sizes == [batch_size] * (n // batch_size * epochs) else None


def unmoved(probe, model):
    """The mistake by which a recorder has its first weights after a training."""
    return "copy_trained" if probe.copied(model) is True else "weights_never_updated"


def expect_moved(probe, expect, model, x, weights):
    """The weights of a recorder move as the data say: against the gradient of the error, whatever the optimiser."""
    start = [value.clone().requires_grad_() for value in (*weights, torch.zeros(x.shape[1], dtype=x.dtype))]
    encoder, decoder, bias = start
    gradients = torch.autograd.grad(((x @ encoder.T @ decoder.T + bias - x) ** 2).mean(), start)
    before, gradient = (torch.cat([v.detach().flatten() for v in values]) for values in (start, gradients))
    moved = expect.tensor(probe.weights(model), before.shape, _("the weights of the model")) - before
    expect.true(
        moved.abs().max() > 1e-6,
        _("train_autoencoder: the weights of the model are the same after training as before."),
        hint=_("backward only fills the gradients: optimizer.step() changes the weights."),
        mistake=unmoved(probe, model),
    )
    cosine = float(-(moved * gradient).sum() / (moved.norm() * gradient.norm()))
    expect.true(
        cosine > 0.25,
        _("train_autoencoder: the weights do not move against the gradient of the error."),
        hint=_("The loss of each batch: zero_grad, backward, and a step of the optimiser."),
    )


@check(points=1, covers=("history", "train_autoencoder"))
def test_training_history(student, probe, compare, draw, expect):
    """history["loss"] holds one number per epoch, the mean training loss."""
    batch_size, epochs = draw.integer(7, 10), draw.integer(3, 5)
    x, weights, model = recorded(probe, draw, batch_size * draw.integer(3, 5))
    # With so small a rate the model stays what it is, and each epoch's mean loss is the loss on all data.
    history = student.train_autoencoder(
        model, x, epochs=epochs, batch_size=batch_size, lr=1e-12, generator=draw.generator()
    )
    what = "train_autoencoder(model, x, ...)"
    by_batch = losses_of_batches(probe, model, weights, epochs)
    try:
        values = torch.tensor(expect.history(history, "loss", epochs, what), dtype=torch.float64)
    except CheckFailed as failed:
        several = by_batch is not None and len(by_batch[0]) > 1 and isinstance(history, dict)
        given = history.get("loss") if several else None
        each = isinstance(given, list) and len(given) == by_batch.numel()
        failed.mistake = "history_per_batch" if each else None
        raise
    right = torch.full((epochs,), error(x, weights), dtype=torch.float64)
    if not torch.allclose(values, right, rtol=1e-5):
        own = own_means(student, probe, expect, model, x, weights, epochs)
        after = mean_error(expect, model, x)
        message = _(
            "at the learning rate {lr:g} the model must stay what it is: its error went from {a:.4g} to {b:.4g}."
        )
        expect.true(
            abs(after / error(x, weights) - 1) < 1e-4,
            message.format(lr=1e-12, a=error(x, weights), b=after),
            hint=_("Pass `lr` to the optimiser."),
            mistake="learning_rate_ignored",
        )
        # A fault of reconstruction_loss is paid for above: what it gives for the batches is taken over.
        if not torch.allclose(values, own, rtol=1e-5, atol=0):
            some = x[:batch_size]
            loss = student.reconstruction_loss(some, some @ weights[0].T @ weights[1].T)
            unit = expect.number(loss, "reconstruction_loss(x, x_hat)") / error(some, weights)
            unit = unit if math.isfinite(unit) and unit > 1e-3 else 1.0
            what = _("the losses from {what}, at a tiny learning rate").format(what=what)
            wrong = {}
            if by_batch is not None:
                wrong = {"history_of_last_batch": by_batch[:, -1], "history_summed": by_batch.sum(1)}
            compare(values / unit, right, what, rtol=1e-5, mistakes=wrong)
    student.train_autoencoder(model, x, epochs=1, batch_size=batch_size, lr=1e-3, generator=draw.generator())
    expect_moved(probe, expect, model, x, weights)


def losses_of_batches(probe, model, weights, epochs):
    """The loss of each batch at the first weights, (epochs, batches); None where epochs have not as many each."""
    batches = probe.batches(model)
    if not isinstance(batches, list) or not batches or len(batches) % epochs:
        return None
    rows = [b.double() for b in batches if isinstance(b, torch.Tensor) and b.shape[1:] == weights[0].shape[1:]]
    losses = [error(batch, weights) for batch in rows]
    return torch.tensor(losses, dtype=torch.float64).reshape(epochs, -1) if len(losses) == len(batches) else None


def mean_error(expect, model, x):
    """Mean squared error of the model as it is now."""
    x_hat = expect.tensor(model(x), tuple(x.shape), _("the trained model at x"))
    return float(((x_hat - x) ** 2).mean())


def own_means(student, probe, expect, model, x, weights, epochs):
    """Mean of the student's own loss over the recorded batches of each epoch; NaN where an epoch has not n rows.

    A loss that is no multiple of the mean squared error and rows that are drawn twice have checks of their own.
    """
    means = torch.full((epochs,), math.nan, dtype=torch.float64)
    batches = probe.batches(model)
    if not isinstance(batches, list) or len(batches) % epochs or sum(len(b) for b in batches) != epochs * len(x):
        return means
    per_epoch = len(batches) // epochs
    seen = [
        expect.number(student.reconstruction_loss(b, b @ weights[0].T @ weights[1].T), "reconstruction_loss(x, x_hat)")
        for b in batches[:4]
    ]
    if not (min(seen) > 1e-3 and max(seen) > 1.01 * min(seen)):
        return means  # a loss that is 0, or the same whatever it is given, is none
    for k in range(epochs):
        total, rows = 0.0, batches[k * per_epoch : (k + 1) * per_epoch]
        for batch in rows:
            loss = student.reconstruction_loss(batch, batch @ weights[0].T @ weights[1].T)
            total += expect.number(loss, "reconstruction_loss(x, x_hat)") * len(batch)
        means[k] = total / len(x) if sum(len(b) for b in rows) == len(x) else math.nan
    return means


@check(points=1, covers=("learning", "train_autoencoder"))
def test_training_learns(student, probe, draw, expect):
    """Training changes the weights and lowers the loss."""
    n, D = draw.integer(100, 120), draw.integer(5, 7)
    x = draw.normal(n, 2) @ draw.normal(2, D) + 0.1 * draw.normal(n, D)
    weights = 0.3 * draw.normal(2, D), 0.3 * draw.normal(D, 2)
    model = probe.recorder(*weights)
    history = student.train_autoencoder(model, x, epochs=30, batch_size=10, lr=2e-2, generator=draw.generator())
    losses = expect.history(history, "loss", None, "train_autoencoder(model, x, ...)")
    before, after = error(x, weights), mean_error(expect, model, x)
    message = _("after 30 epochs the mean squared error went from {before:.4g} to {after:.4g}.")
    hint = _("Does optimizer.zero_grad() come before each backward, and does the optimiser go down, not up?")
    hint = hint if not after < before else None
    still = math.isclose(after, before, rel_tol=1e-9)
    wrong = unmoved(probe, model) if still else "gradients_accumulate" if piled_up(probe, model) else None
    expect.true(after < 0.5 * before, message.format(before=before, after=after), hint=hint, mistake=wrong)
    message = _("the history does not fall: its first loss is {first:.4g}, its last {last:.4g}.")
    first, last = (losses[0], losses[-1]) if losses else (math.nan, math.nan)
    expect.true(last < first, message.format(first=first, last=last))


def equal(some, others):
    """Whether these are the same tensors in the same order."""
    return len(some) == len(others) and all(torch.equal(a, b) for a, b in zip(some, others, strict=True))


def piled_up(probe, model):
    """Whether gradients of earlier batches are there when those of a batch come."""
    kept = probe.gradients(model)
    fresh, whole = (kept.get(name) if isinstance(kept, dict) else None for name in ("fresh", "whole"))
    if not isinstance(fresh, list) or not isinstance(whole, list) or len(fresh) != len(whole):
        return False
    pairs = [(a, b) for a, b in zip(fresh, whole, strict=True) if isinstance(a, torch.Tensor) and a.shape == b.shape]
    return len(pairs) > 1 and not torch.allclose(pairs[1][0], pairs[1][1], rtol=1e-3)


@check(points=0.5, covers=("generator", "train_autoencoder"))
def test_training_generator(student, probe, draw, expect):
    """The same generator gives the same training; nothing seeds the global generator."""
    x, weights, _model = recorded(probe, draw, draw.integer(50, 60))
    seed, before = draw.seed(), probe.global_seed()
    runs = []
    for _k in range(2):
        model = probe.recorder(*weights)
        history = student.train_autoencoder(
            model, x, epochs=3, batch_size=8, lr=1e-3, generator=torch.Generator().manual_seed(seed)
        )
        runs.append(torch.tensor(expect.history(history, "loss", None, "train_autoencoder(model, x, ...)")))
        expect_moved(probe, expect, model, x, weights)
    message = _("two trainings from the same weights with generators of one seed give different losses.")
    as_long = len(runs[0]) > 0 and runs[0].shape == runs[1].shape
    same = as_long and torch.allclose(*runs, rtol=1e-6)
    expect.true(same, message, mistake="generator_ignored" if as_long else None)
    expect.true(
        probe.global_seed() == before,
        _("train_autoencoder seeds torch's global generator."),
        hint=_("Nothing seeds the global generator: no torch.manual_seed inside a function."),
        mistake="seed_inside",
    )
