"""Training: what the model is shown, what moves its weights, and what a table and a GPT learn."""

from __future__ import annotations

import math

import torch

from autograder.judge import check
from autograder.judge.verdicts import StudentError
from autograder.language import N_, _
from autograder.statistics.tests import chi_square

ALPHA = 1e-6


def recorded(student, probe, expect, draw, n, steps, batch, lr=1e-2):
    """A training of a small model that keeps what it is given: rows, history, record."""
    V, T = 5, 7
    # Rows differ pairwise in what the model is given.
    code = torch.tensor(draw.shuffle(range(V**4))[:n])
    tokens = torch.stack([code // V**k % V for k in range(4)], 1)
    tokens = torch.cat([tokens, draw.integers(0, V, n, T - 4)], 1)
    model = probe.fading_model(0.5 * draw.normal(V, V, dtype=torch.float32), 0.5)
    history = student.train_lm(model, tokens, steps, batch_size=batch, lr=lr, generator=draw.generator())
    found = probe.training_of(model)
    expect.true(isinstance(found, dict), _("train_lm: no record of the training."))
    calls = found.get("tokens")
    expect.true(
        isinstance(calls, list) and len(calls) == steps,
        _("train_lm: expected one call of the model with gradients per step ({n}).").format(n=steps),
    )
    rows = []
    for call in calls:
        # Whether the last token is given as well has a check of its own.
        got = expect.tensor(call, (None, None), _("what train_lm gives the model")).long()[:, : T - 1]
        expect.true(got.shape[1] == T - 1, _("train_lm: the model is to be given rows[:, :-1] of the tokens."))
        same = (got[:, None] == tokens[None, :, :-1]).all(-1)  # (rows, n)
        expect.true(same.any(1).all(), _("train_lm: the model is to be given rows[:, :-1] of the tokens."))
        rows.append(same.int().argmax(1))
    return tokens, rows, history, found


@check(points=0.5, kind="statistical", covers=("batches", "train_lm"))
def test_train_batches(student, probe, expect, draw):
    """Batches have exactly batch_size rows, and all rows come equally often."""
    n, batch, steps = draw.integer(25, 30), 8, 150
    _tokens, rows, _history, _found = recorded(student, probe, expect, draw, n, steps, batch)
    sizes = {len(r) for r in rows}
    expect.true(
        sizes == {batch},
        _("train_lm: expected batches of {n} rows, got {got}.").format(n=batch, got=sorted(sizes)),
    )
    different = {tuple(sorted(r.tolist())) for r in rows}
    expect.true(
        len(different) > 1,
        _("train_lm: every step is given the same batch."),
        hint=_("Draw new rows in each step."),
        mistake="same_batch_every_step",
    )
    expect.true(
        any(len(r.unique()) > 1 for r in rows),
        _("train_lm: all rows of a batch are one and the same row."),
        mistake="one_row_per_batch",
    )
    expect.true(
        len(different) > steps // 4,
        _("train_lm: the same batches come again and again; shuffle each time, or draw with replacement."),
    )
    counts = torch.bincount(torch.cat(rows), minlength=n)
    # Each row is expected 40 times: that one of them never comes happens less than once in a million times.
    expect.true(
        bool((counts > 0).all()),
        _("train_lm: there are rows that no batch has."),
        mistake="last_row_never_drawn" if bool((counts[:-1] > 0).all()) else None,
    )
    expect.p_value(chi_square(counts, torch.full((n,), 1 / n)), _("rows used by train_lm"), alpha=ALPHA)


def right_losses(tokens, rows, logits):
    """The loss of each step, from what the model answered."""
    values = []
    for r, y in zip(rows, logits, strict=True):
        log_probs = y.double().log_softmax(-1).gather(-1, tokens[r][:, 1:, None])
        values.append(-log_probs.mean())
    return torch.stack(values)


@check(points=0.5, covers=("updates", "train_lm"))
def test_train_updates(student, probe, expect, compare, draw):
    """The history holds the loss of each step, gradients are fresh, and the weights move as fast as lr says."""
    steps = 12
    tokens, rows, history, found = recorded(student, probe, expect, draw, 20, steps, 8)
    losses = torch.tensor(expect.history(history, "loss", steps, "train_lm(...)"), dtype=torch.float64)
    logits = found.get("logits")
    expect.true(isinstance(logits, list) and len(logits) == steps, _("train_lm: no record of the training."))
    shape = (8, tokens.shape[1] - 1, 5)
    logits = [expect.tensor(y, (len(r), None, 5))[:, : shape[1]] for r, y in zip(rows, logits, strict=True)]
    right = right_losses(tokens, rows, logits)
    near = {"rtol": 1e-3, "atol": 1e-4}
    if not torch.allclose(losses, right, **near):
        try:  # the student's own loss, where it is one: a wrong one has its own check
            own = probe.losses_on(student.next_token_loss, [tokens[r] for r in rows], logits)
        except StudentError:
            own = right
        if (
            not isinstance(own, torch.Tensor)
            or own.shape != right.shape
            or not torch.allclose(losses, own.double(), **near)
        ):
            compare(losses, right, _("the losses in the history"), **near)
    fresh, whole = found.get("fresh"), found.get("whole")
    if isinstance(fresh, list) and isinstance(whole, list) and len(fresh) == len(whole) == steps:
        pairs = [(expect.tensor(a), expect.tensor(b)) for a, b in zip(fresh, whole, strict=True)]
        expect.true(
            all(a.shape == b.shape and torch.allclose(a, b, rtol=1e-3, atol=1e-6) for a, b in pairs),
            _("train_lm: the gradient of a step holds those of earlier steps."),
            hint=_("Call optimiser.zero_grad() before loss.backward()."),
            mistake="gradients_not_zeroed",
        )
    moves, start, seed = [], 0.5 * draw.normal(5, 5, dtype=torch.float32), draw.seed()
    for lr in (1e-2, 1e-5):
        model = probe.fading_model(start, 0.5)
        generator = torch.Generator().manual_seed(seed)
        student.train_lm(model, tokens, 8, batch_size=8, lr=lr, generator=generator)
        weight = expect.tensor(probe.weight_of(model), (5, 5), _("a weight of the model after training"))
        moves.append(float((weight - start.double()).norm()))
    expect.true(
        moves[0] > 1e-3,
        _("train_lm: the model's weights are the same after training as before."),
        hint=_("Is there an optimiser, and does it take its step?"),
        mistake="weights_never_updated",
    )
    expect.true(
        moves[1] < 0.1 * moves[0],
        _("train_lm: with a thousandth of the learning rate the weights move as far."),
        mistake="learning_rate_ignored",
    )


TABLE = {"steps": 200, "batch_size": 16, "lr": 0.03}


@check(points=0.5, kind="training", covers=("entropy", "train_lm"), time_limit=60)
def test_train_table(student, probe, expect, draw, calibrated):
    """A table of transitions learns a chain, down to the entropy of its transitions."""
    V, N, T = 6, 400, 12
    law = draw.uniform(V, V, low=0.0, high=1.0) ** 3 + 0.02
    law = law / law.sum(1, keepdim=True)
    tokens = draw.integers(0, V, N, 1)
    for _t in range(T - 1):
        cumulated = law[tokens[:, -1]].cumsum(1)
        nexts = (draw.uniform(N, 1) > cumulated).sum(1, keepdim=True).clamp(max=V - 1)
        tokens = torch.cat([tokens, nexts], 1)
    model = probe.fading_model(torch.zeros(V, V), 0.0)
    student.train_lm(model, tokens, generator=draw.generator(), **TABLE)
    weight = expect.tensor(probe.weight_of(model), (V, V), _("the table after training"))
    counts = torch.zeros(V, V, dtype=torch.float64)
    counts.index_put_((tokens[:, :-1].flatten(), tokens[:, 1:].flatten()), torch.ones(1).double(), accumulate=True)
    empirical = counts / counts.sum(1, keepdim=True)
    divergence = (counts * (empirical.clamp(min=1e-12).log() - weight.log_softmax(1))).sum() / counts.sum()
    calibrated(
        "table_excess",
        float(divergence),
        better="lower",
        what=_("what the trained table costs above the entropy of the transitions, in nats"),
    )


# The statement says these settings: it reads them here.
ROWS = 4000
FIT = {"steps": 400}
FILLERS, KINDS = 4, 2
LENGTH = 12


class Secret:
    """Rows [s, ten fillers, e_s] in tokens that no file knows."""

    def __init__(self, draw):
        self.tokens = torch.tensor(draw.shuffle(range(2 * KINDS + FILLERS)))

    def __call__(self, draw, n, others=False):
        """n rows; `others`: with the two last tokens exchanged."""
        first = draw.integers(0, KINDS, n, 1)
        fillers = 2 * KINDS + draw.integers(0, FILLERS, n, LENGTH - 2)
        last = KINDS + (KINDS - 1 - first if others else first)
        return self.tokens[torch.cat([first, fillers, last], 1)]


def costs(probe, expect, network, rows):
    """Nats of each predicted token, (n, T - 1)."""
    V = 2 * KINDS + FILLERS
    logits = expect.tensor(probe.answer(network, rows[:, :-1]), (len(rows), LENGTH - 1, V), "GPT(tokens)")
    return -logits.double().log_softmax(-1).gather(-1, rows[:, 1:, None])[..., 0]


STORED = N_("What is learnt is in the network's weights: a new network with these weights is judged, on new rows.")


@check(points=0.75, kind="training", covers=("long_range", "train_lm", "GPT"), time_limit=120)
def test_long_range(student, probe, expect, draw, calibrated):
    """A GPT learns that the first token decides the last one, ten fillers later, without looking at the future."""

    def newborn():
        return expect.handle(student.GPT(vocab_size=2 * KINDS + FILLERS, context=LENGTH))

    secret, network = Secret(draw), newborn()
    student.train_lm(network, secret(draw, ROWS), generator=draw.generator(), **FIT)
    trained = probe.renewed(newborn(), network)
    expect.true(
        trained is not None,
        _("train_lm: after training the network has other parameters or buffers than a new one."),
        hint=_(STORED),
    )
    found = costs(probe, expect, expect.handle(trained), secret(draw, 600))
    above = float(found.sum(1).mean()) - (LENGTH - 2) * math.log(FILLERS)
    last = float(found[:, -1].mean())
    expect.true(
        above > -0.2,
        _("train_lm: the trained network predicts tokens that nobody can know; it has looked at the future."),
        hint=_("Which tokens is the model given, and which is each place asked for? Is the mask causal?"),
        mistake="block_not_causal",
    )
    if last < 0.3:
        untrained = costs(probe, expect, newborn(), secret(draw, 100))
        swapped = costs(probe, expect, trained, secret(draw, 100, others=True))
        expect.true(
            min(float(untrained[:, -1].mean()), float(swapped[:, -1].mean())) > 5 * last + 0.3,
            _("train_lm: the network knows the last token without having learnt it from these rows."),
            hint=_(STORED),
        )
    # A chain too short for the gap, however good, is ln 2 = 0.69 above.
    calibrated(
        "row_excess",
        max(above, 1e-3),
        better="lower",
        what=_("nats per row above the truth, after {n} steps").format(n=FIT["steps"]),
    )
