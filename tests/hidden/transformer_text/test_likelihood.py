"""Log-probabilities, loss and evaluation, with models of the judge's whose logits are known."""

from __future__ import annotations

import math

import torch

from autograder.judge import check
from autograder.judge.verdicts import StudentError
from autograder.language import _


def right_logits(weight, decay, tokens):
    """The logits of a fading model."""
    state, rows = torch.zeros(len(tokens), weight.shape[1], dtype=weight.dtype), []
    for token in tokens.T:
        state = decay * state + weight[token]
        rows.append(state)
    return torch.stack(rows, 1)


def right_log_probs(weight, decay, tokens):
    """log p(x_t | x_<t) of all tokens but the first."""
    logits = right_logits(weight, decay, tokens)[:, :-1]
    return (logits - logits.logsumexp(-1, keepdim=True)).gather(-1, tokens[:, 1:, None])[..., 0]


def draw_model(draw, n=None, dtype=torch.float64):
    """A table (V, V) of logits, a decay, and rows of tokens."""
    V = draw.integer(4, 8)
    weight = 1.5 * draw.normal(V, V, dtype=dtype)
    tokens = draw.integers(0, V, n or draw.integer(3, 5), draw.integer(6, 9))
    return weight, round(float(draw.uniform(1, low=0.3, high=0.8)), 2), tokens


def own_log_probs(student, model, tokens, right):
    """The student's own log-probabilities, where they go with the right ones: wrong ones have a check of their own."""
    try:
        own = student.token_log_probs(model, tokens)
    except StudentError:
        return right
    if not isinstance(own, torch.Tensor) or own.shape != right.shape or not own.isfinite().all():
        return right
    a, b = own.double().flatten(), right.double().flatten()
    alike = float(torch.corrcoef(torch.stack([a, b]))[0, 1]) > 0.5 and 0.2 < float(a.norm() / b.norm()) < 5
    return own.double() if alike else right


@check(points=0.75, covers=("log_probs", "token_log_probs"))
def test_log_probs(student, probe, compare, draw):
    """Log-probabilities of all tokens but the first, from logits that are not normalised."""
    for single in (False, True):
        weight, decay, tokens = draw_model(draw)
        tokens = tokens[:1, :2] if single else tokens
        model = probe.fading_model(weight, decay)
        compare(student.token_log_probs(model, tokens), right_log_probs(weight, decay, tokens))


@check(points=0.5, covers=("loss", "next_token_loss"))
def test_loss_value(student, probe, expect, compare, draw):
    """The loss is minus the mean of the log-probabilities over all predicted tokens."""
    for _round in range(2):
        weight, decay, tokens = draw_model(draw)
        model = probe.fading_model(weight, decay)
        right = right_log_probs(weight, decay, tokens)
        loss = student.next_token_loss(model, tokens)
        own = -own_log_probs(student, model, tokens, right).mean()
        number = expect.number(loss, "next_token_loss(model, tokens)")
        compare(loss, own if math.isclose(number, float(own), rel_tol=1e-6) else -right.mean())


@check(points=0.25, covers=("loss", "next_token_loss"), requires=("loss_value",))
def test_loss_gradient(student, probe, expect, compare, draw):
    """The gradient of the loss reaches the model's weights."""
    weight, decay, tokens = draw_model(draw)
    weight = weight.requires_grad_()
    right = torch.autograd.grad(-right_log_probs(weight, decay, tokens).mean(), weight)[0]
    model = probe.fading_model(weight.detach(), decay)
    answer = probe.value_and_gradient(student.next_token_loss, model, tokens)
    gradient = expect.sequence(answer, 2, "next_token_loss(model, tokens)")[1]
    expect.true(
        gradient is not None,
        _("next_token_loss: the loss has no graph to the weights of the model."),
        hint=_("`detach`, `item`, `no_grad` or a new tensor end the graph: nothing can be learnt from this loss."),
        mistake="loss_detached",
    )
    gradient = expect.tensor(gradient, tuple(weight.shape), _("the gradient of next_token_loss")).double()
    # Where the loss follows the student's own log-probabilities, which are judged by themselves, so does its gradient.
    way, near = draw.normal(*weight.shape), 1e-4
    ends = [
        expect.number(student.next_token_loss(probe.fading_model(weight.detach() + s * near * way, decay), tokens))
        for s in (1, -1)
    ]
    slope = (ends[0] - ends[1]) / (2 * near)
    if not (gradient.norm() > 1e-6 and math.isclose(float((gradient * way).sum()), slope, rel_tol=1e-4, abs_tol=1e-6)):
        compare(gradient, right, _("the gradient of next_token_loss by the weights of the model"))


@check(
    points=0.25, covers=("shift", "token_log_probs", "next_token_loss", "evaluate", "train_lm"),
    substance={
        "token_log_probs": ("log_probs",), "next_token_loss": ("loss_value",), "evaluate": ("nats",),
        "train_lm": ("train_updates",),
    },
)  # fmt: skip
def test_shift(student, probe, each, expect, draw):
    """A model is called with all tokens but the last, so that rows of context + 1 tokens fit."""
    weight, decay, tokens = draw_model(draw)
    T = tokens.shape[1]
    for name in ("token_log_probs", "next_token_loss", "evaluate", "train_lm"):
        with each(name):
            model = probe.fading_model(weight, decay, T - 1)
            options = {"steps": 1, "batch_size": len(tokens)} if name == "train_lm" else {}
            getattr(student, name)(model, tokens, **options)
            calls = probe.calls_of(model)
            what = f"{name}(model, tokens)"
            expect.true(isinstance(calls, list) and calls, _("{what}: the model is never called.").format(what=what))
            rows = [
                expect.tensor(call, (None, T - 1), _("what {what} gives the model").format(what=what)) for call in calls
            ]
            expect.true(
                all((row == tokens[:, :-1]).all(1).any() for row in torch.cat(rows).long()),
                _("{what}: the model is to be given tokens[:, :-1].").format(what=what),
            )


def evaluated(student, expect, model, tokens, **options):
    """The three numbers of an evaluation."""
    what = "evaluate(model, tokens{})".format("".join(f", {k}={v}" for k, v in options.items()))
    answer = student.evaluate(model, tokens, **options)
    expect.true(isinstance(answer, dict), _("{what}: expected a dict.").format(what=what))
    for name in ("nats", "bits", "perplexity"):
        expect.true(name in answer, _("{what}: there is no {name!r}.").format(what=what, name=name))
    return {name: expect.number(answer[name], f'{what}["{name}"]') for name in ("nats", "bits", "perplexity")}


@check(points=0.5, covers=("nats", "evaluate"))
def test_nats(student, probe, expect, compare, draw):
    """The nats per token are the mean over all tokens, whatever the batch size."""
    for size in (3, 4, None):
        weight, decay, tokens = draw_model(draw, n=10)
        model = probe.fading_model(weight, decay)
        found = evaluated(student, expect, model, tokens, **({} if size is None else {"batch_size": size}))["nats"]
        right = right_log_probs(weight, decay, tokens)
        own = -own_log_probs(student, model, tokens, right).mean()
        right = own if math.isclose(found, float(own), rel_tol=1e-5) else -right.mean()
        compare(found, right, f'evaluate(model, tokens, batch_size={size or 64})["nats"]', rtol=1e-5)


@check(points=0.25, covers=("units", "evaluate"))
def test_units(student, probe, expect, compare, draw):
    """Bits are nats over ln 2, and the perplexity is e to the nats."""
    before = None
    for _round in range(2):
        weight, decay, tokens = draw_model(draw, n=8)
        found = evaluated(student, expect, probe.fading_model(weight, decay), tokens, batch_size=4)
        right = float(-right_log_probs(weight, decay, tokens).mean())
        # Of the student's own nats, where they are numbers of that size: wrong ones have a check of their own.
        own = 1e-3 < abs(found["nats"]) < 20 * right and found["nats"] != before
        before = nats = found["nats"] if own else right
        compare(found["bits"], nats / math.log(2), 'evaluate(model, tokens)["bits"]', rtol=1e-5)
        compare(found["perplexity"], math.exp(nats), 'evaluate(model, tokens)["perplexity"]', rtol=1e-5)
