"""The law of the next token, and texts written with models of the judge's: their law, windows and caches."""

from __future__ import annotations

import math

import torch

from autograder.judge import CheckFailed, check
from autograder.judge.verdicts import StudentError
from autograder.language import _
from autograder.statistics.tests import chi_square

ALPHA = 1e-6


def right_law(logits, temperature=1.0, top_k=None):
    """Probabilities of the next token; no ties at the k-th place."""
    if temperature == 0:
        return torch.nn.functional.one_hot(logits.argmax(-1), logits.shape[-1]).double()
    if top_k is not None and top_k < logits.shape[-1]:
        smallest = logits.sort(-1, descending=True).values[..., top_k - 1 : top_k]
        logits = logits.where(logits >= smallest, torch.tensor(-math.inf, dtype=logits.dtype))
    return (logits / temperature).softmax(-1)


def draw_logits(draw):
    """Logits (B, V) that are not normalised."""
    B, V = draw.integer(3, 5), draw.integer(6, 9)
    return 1.5 * draw.normal(B, V) + draw.uniform(B, 1, low=-3.0, high=3.0)


def temperatures(draw):
    """One below 1 and one above."""
    return round(float(draw.uniform(1, low=0.3, high=0.8)), 2), round(float(draw.uniform(1, low=1.5, high=3.0)), 2)


@check(points=0.5, covers=("temperature", "next_token_probabilities"))
def test_temperature(student, compare, draw):
    """Logits are divided by the temperature before the softmax."""
    for temperature in (*temperatures(draw), None):
        logits = draw_logits(draw)
        options = {} if temperature is None else {"temperature": temperature}
        compare(student.next_token_probabilities(logits, **options), right_law(logits, temperature or 1.0))


@check(points=0.5, covers=("top_k", "next_token_probabilities"))
def test_top_k(student, compare, draw):
    """The k largest are kept and normalised again; k >= V keeps all."""
    V = None
    for add in (draw.integer(2, 4), 1, draw.integer(2, 4)):
        logits = draw_logits(draw)
        V = logits.shape[1]
        compare(student.next_token_probabilities(logits, top_k=add), right_law(logits, 1.0, add))
    for k in (V, V + draw.integer(1, 5)):
        compare(student.next_token_probabilities(logits, top_k=k), right_law(logits))


@check(points=0.25, covers=("greedy", "next_token_probabilities"))
def test_greedy(student, compare, draw):
    """Temperature 0 is certain of the first largest."""
    logits = draw_logits(draw)
    compare(student.next_token_probabilities(logits, temperature=0.0), right_law(logits, 0.0))
    V = logits.shape[1]
    first, second = sorted(draw.shuffle(range(V))[:2])
    tied = logits.clone()
    tied[:, first] = tied[:, second] = logits.max() + 1
    right = torch.zeros_like(tied)
    right[:, first] = 1
    compare(
        student.next_token_probabilities(tied, temperature=0.0), right,
        _("next_token_probabilities(logits, temperature=0) where two logits are the largest"),
    )  # fmt: skip


def written(student, expect, model, prompt, n, seed, **options):
    """What is generated, looked at: (B, T + n) whole numbers that begin with the prompt."""
    what = "generate(model, prompt, {}{})".format(n, "".join(f", {k}={v}" for k, v in options.items()))
    B, T = prompt.shape
    answer = student.generate(model, prompt, n, generator=torch.Generator().manual_seed(seed), **options)
    rows = expect.tensor(answer, (B, T + n), what)
    expect.true(torch.equal(rows.long().to(rows.dtype), rows), _("{what}: expected tokens.").format(what=what))
    expect.true(torch.equal(rows[:, :T].long(), prompt), _("{what}: the prompt does not come first.").format(what=what))
    return rows.long()


def transition_p_value(rows, start, law):
    """p-value of the transitions after `start` tokens against a law (V, V): the worst state, times their number."""
    V = len(law)
    counts = torch.zeros(V, V)
    before, after = rows[:, start - 1 : -1].flatten(), rows[:, start:].flatten()
    if int(after.min()) < 0 or int(after.max()) >= V:
        return 0.0
    counts.index_put_((before, after), torch.ones(len(before)), accumulate=True)
    if (counts[law == 0] > 0).any():
        return 0.0
    seen = [state for state in range(V) if counts[state].sum() >= 60 and (law[state] > 0).sum() > 1]
    worst = min((chi_square(counts[s][law[s] > 0], law[s][law[s] > 0]) for s in seen), default=0.0)
    return min(1.0, len(seen) * worst)


def draw_table(draw, V):
    """A table of transitions (V, V) without rare ones, and its logits."""
    law = draw.uniform(V, V, low=0.1, high=1.0)
    law = law / law.sum(1, keepdim=True)
    return law, law.log() + draw.uniform(V, 1, low=-2.0, high=2.0)


@check(points=0.75, kind="statistical", covers=("law", "generate"))
def test_generate_law(student, probe, expect, draw):
    """Generated tokens follow the model's law, in every row by itself."""
    V, B, T, n = draw.integer(4, 6), 48, 2, 60
    law, weight = draw_table(draw, V)
    prompt = draw.integers(0, V, 1, T).repeat(B, 1)
    rows = written(student, expect, probe.fading_model(weight, 0.0), prompt, n, draw.seed())
    expect.true(
        # The likeliest token of every state, 2,880 times: a draw of the law does not do that.
        not torch.equal(law.argmax(1)[rows[:, T - 1 : -1].clamp(0, V - 1)], rows[:, T:]),
        _("generate: always the likeliest token is written; nothing is drawn."),
        mistake="always_the_likeliest",
    )
    one, other = rows[:-1], rows[1:]
    met = one[:, T - 1 : -1] == other[:, T - 1 : -1]
    agree = float((one[:, T:] == other[:, T:])[met].double().mean().nan_to_num(1.0))
    expect.true(
        # Rows that stand at one token go on to the same one as often as two draws of the law agree, about.
        agree < float((law**2).sum(1).max()) + 0.25,
        _("generate: rows that stand at the same token go on alike."),
        hint=_("Each row draws its own token: torch.multinomial(p, 1) of the whole (B, V)."),
        mistake="one_draw_for_all_rows",
    )
    expect.p_value(transition_p_value(rows, T, law), _("the transitions that generate writes"), alpha=ALPHA)


@check(points=0.25, kind="statistical", covers=("options", "generate"))
def test_generate_options(student, probe, expect, draw):
    """Temperature and top_k reach the draws of generate, with the cache too."""
    V, B, T, n = 6, 48, 1, 50
    _law, weight = draw_table(draw, V)
    prompt = draw.integers(0, V, B, T)
    temperature, k = temperatures(draw)[0], draw.integer(3, 4)
    tried = {"temperature": temperature}, {"top_k": k}
    for options, cached in [(options, cached) for cached in ({}, {"use_cache": True}) for options in tried]:
        model = probe.fading_model(weight, 0.0)
        try:
            rows = written(student, expect, model, prompt, n, draw.seed(), **options, **cached)
        except (StudentError, CheckFailed):
            if cached:  # that there is something with the cache has a check of its own
                continue
            raise
        laws = [right_law(weight, **options)]
        try:  # the student's own law, where it is one: a wrong one has checks of its own
            own = student.next_token_probabilities(weight, **options)
        except StudentError:
            own = None
        if isinstance(own, torch.Tensor) and own.shape == (V, V) and own.isfinite().all() and float(own.min()) >= 0:
            own, plain = own.double(), right_law(weight)
            alike = float(torch.corrcoef(torch.stack([own.flatten(), plain.flatten()]))[0, 1].nan_to_num(0.0)) > 0.5
            if alike and own.std() > 0.2 * plain.std():
                laws.append(own / own.sum(1, keepdim=True))
        p = max(transition_p_value(rows, T, law) for law in laws)
        ignored = transition_p_value(rows, T, right_law(weight)) > 1e-3
        name = ", ".join([*options, *(f"{option}={value}" for option, value in cached.items())])
        expect.p_value(
            p, _("the transitions that generate writes with {name}").format(name=name), alpha=ALPHA / 2,
            mistake=("cache_ignores_options" if cached else "options_ignored") if ignored else None,
        )  # fmt: skip


@check(points=0.5, covers=("window", "generate"))
def test_generate_window(student, probe, expect, draw):
    """The model is called on the last `context` tokens, and on all of them where it has no context."""
    V, B, T, n = draw.integer(4, 7), draw.integer(2, 4), 4, 7
    prompt = draw.integers(0, V, B, T)
    for context in (T + draw.integer(1, 3), T - draw.integer(1, 2), None, "absent"):
        model = probe.fading_model(draw.normal(V, V), 0.7, context)
        rows = written(student, expect, model, prompt, n, draw.seed())
        calls = probe.calls_of(model)
        expect.true(isinstance(calls, list) and len(calls) >= n, _("generate calls the model less than n times."))
        most = context if isinstance(context, int) else T + n
        for i, call in enumerate(calls[:n]):
            right = rows[:, max(0, T + i - most) : T + i]
            got = expect.tensor(call, (B, None), _("what generate gives the model")).long()
            first = rows[:, : T + i][:, :most]
            expect.true(
                got.shape == right.shape and torch.equal(got, right),
                _("generate with context {context}: the model is not given the last tokens that fit in.").format(
                    context=context
                ),
                mistake="crops_the_wrong_end" if got.shape == first.shape and torch.equal(got, first) else None,
            )


@check(points=0.5, covers=("cache", "generate"))
def test_generate_cache(student, probe, expect, draw):
    """With use_cache only `step` is called: with the prompt, then with one token at a time and the last cache."""
    V, B, T, n = draw.integer(4, 7), draw.integer(2, 4), draw.integer(2, 4), draw.integer(4, 6)
    # One token is all but certain each time: with and without the cache the draws may come in another order.
    weight, prompt = 400.0 * torch.eye(V).double()[draw.shuffle(range(V))], draw.integers(0, V, 1, T)
    prompt = prompt.repeat(B, 1)
    for context in (T + n, "absent"):
        model = probe.fading_model(weight, 0.5, context)
        rows = written(student, expect, model, prompt, n, draw.seed(), use_cache=True)
        what = "generate(..., use_cache=True)"
        calls, steps = probe.calls_of(model), probe.steps_of(model)
        expect.true(isinstance(steps, dict) and isinstance(steps.get("tokens"), list), _("generate: no record."))
        given = steps["tokens"]
        expect.true(
            not calls and given,
            _("{what}: the model is called on whole texts, not only its `step`.").format(what=what),
            mistake="use_cache_ignored",
        )
        right = [prompt, *rows[:, T:].split(1, dim=1)]
        expect.true(len(given) >= n, _("{what}: `step` is called less than n times.").format(what=what))
        for got, wanted in zip(given[:n], right, strict=False):
            got = expect.tensor(got, (B, None), _("what generate gives to step")).long()
            expect.true(
                torch.equal(got, wanted),
                _("{what}: `step` is to be given the prompt, then each new token by itself.").format(what=what),
                hint=_("What was given before is in the cache."),
            )
        expect.true(
            expect.flag(steps.get("handed_on")), _("{what}: `step` is not given the latest cache.").format(what=what)
        )
        sums, certain = torch.zeros(B, V).double(), []
        for token in rows[:, :-1].T:
            sums = 0.5 * sums + weight[token]
            certain.append(sums.argmax(1))
        expect.true(
            torch.equal(torch.stack(certain[T - 1 :], 1), rows[:, T:]),
            _("{what}: what is written does not follow from the logits of the last place.").format(what=what),
        )
