"""Blocks and GPT: what a place may look at, what it must, and steps with a cache. Any layers inside will do."""

from __future__ import annotations

import torch

from autograder.judge import CheckFailed, check
from autograder.language import _

SCALE = 1e5  # of places so large that what a block adds does not move their norm


def make_block(student, expect, probe, draw, D, H):
    """A block in float64 whose weights are away from their start."""
    block = expect.handle(student.Block(d_model=D, n_heads=H))
    expect.handle(block.double(), "Block(...).double()")
    probe.perturb(block, 0.2, draw.seed())
    probe.evaluation(block)
    return block


def added(expect, probe, block, x):
    """What the block adds to x; all of its answer where x is not in it, which has a check of its own."""
    y = expect.tensor(probe.answer(block, x), tuple(x.shape), "Block(x)")
    return y if 2 * float((y * x).sum()) < float((x * x).sum()) else y - x


@check(points=0.5, covers=("pre_norm", "Block"))
def test_block_residual(student, probe, expect, compare, draw):
    """A block adds to x what stays bounded however large x is, and nothing with all its parameters at zero."""
    D, H = draw.choice((8, 16, 24)), draw.choice((1, 2, 4))
    block = make_block(student, expect, probe, draw, D, H)
    x = draw.normal(2, draw.integer(4, 7), D)
    near, far = (added(expect, probe, block, s * x).norm() for s in (100.0, SCALE))
    # What is added may not be the same whatever x is.
    apart = added(expect, probe, block, x) - added(expect, probe, block, draw.normal(*x.shape))
    expect.true(apart.norm() > 1e-3 * x.norm(), _("Block(x): what a block with any weights adds does not depend on x."))
    nothing = expect.handle(student.Block(d_model=D, n_heads=H))
    expect.handle(nothing.double(), "Block(...).double()")
    probe.zero(nothing)
    probe.evaluation(nothing)
    hint = _("x + attention(norm(x)), then x + MLP(norm(x)): no norm outside of the sums, and both sums.")
    try:
        compare(probe.answer(nothing, x), x, _("Block(x) with all parameters at zero"), hint=hint)
    except CheckFailed as failed:
        failed.mistake = wrong_sums(student, probe, expect, D, H, x)
        raise
    expect.true(
        far < 10 * near,
        _("Block(x): what a block adds grows with x."),
        hint=_("Both attention and MLP read norm(x), which does not grow."),
        mistake="no_norm",
    )


def wrong_sums(student, probe, expect, D, H, x):
    """What is wrong with the sums of a block with its first weights; None where they keep x, however large it is."""
    block = expect.handle(student.Block(d_model=D, n_heads=H))
    expect.handle(block.double(), "Block(...).double()")
    probe.evaluation(block)
    near, far = (expect.tensor(probe.answer(block, s * x), tuple(x.shape), "Block(x)") for s in (100.0, SCALE))
    if far.norm() > 10 * near.norm():
        return None
    # A norm at the end makes every place as large as D numbers of variance 1.
    sizes = (far**2).mean(-1)
    return "post_norm" if torch.allclose(sizes, torch.ones_like(sizes), rtol=1e-3) else "no_residual"


@check(points=0.5, covers=("mlp", "Block"))
def test_block_mlp(student, probe, expect, draw):
    """A block is more than a linear map of what its norms give: its MLP bends."""
    D, n = draw.choice((8, 16, 24)), 16
    block = make_block(student, expect, probe, draw, D, 2)
    # A circle of places of mean 0 and one size: norms leave it a circle, linear layers make it an ellipse, which has
    # one frequency. What an MLP bends has others. One place by itself attends to itself alone.
    basis = torch.linalg.qr(torch.cat([torch.ones(D, 1, dtype=torch.float64), draw.normal(D, 2)], 1)).Q[:, 1:]
    angle = 2 * torch.pi * torch.arange(n, dtype=torch.float64) / n
    x = D**0.5 * torch.stack([angle.cos(), angle.sin()], 1) @ basis.T  # (n, D)
    waves = torch.fft.rfft(added(expect, probe, block, SCALE * x[:, None])[:, 0], dim=0).abs()
    expect.true(waves[1].norm() > 1e-3, _("Block(x): a block with any weights adds nothing to x."))
    expect.true(
        waves[2:].norm() > 1e-3 * waves[1].norm(),
        _("Block(x): what a block adds to a single place is an affine function of its norm."),
        hint=_("After attention comes an MLP: a linear layer, a non-linearity such as GELU, a linear layer."),
        mistake="no_mlp",
    )


@check(points=0.75, covers=("causality", "Block"))
def test_block_causal(student, probe, expect, draw):
    """In a block another future changes nothing, and every token that a place may see changes it."""
    D, T = draw.choice((8, 16)), draw.integer(5, 8)
    block = make_block(student, expect, probe, draw, D, draw.choice((1, 2)))
    x = draw.normal(1, T, D).repeat(T + 1, 1, 1)
    for j in range(T):
        x[j + 1, j] = draw.normal(D)
    judge_reach(expect, probe, block, x, "Block(x)", "block_not_causal")


def judge_reach(expect, probe, network, x, what, ahead):
    """Row 0 of x, and copies of it with place j changed in row j + 1: what comes out may change from place j on."""
    T = x.shape[1]
    answer = expect.tensor(probe.answer(network, x), (T + 1, T, None), what)
    alone = expect.tensor(probe.answer(network, x[:1]), (1, T, None), what)
    size = float(alone.std()) + 1e-12
    expect.true(
        float((answer[:1] - alone).abs().max()) < 1e-6 * size,
        _("{what}: a row's answer depends on the other rows of the batch.").format(what=what),
        mistake="rows_mix",
    )
    moved = (answer[1:] - answer[:1]).abs().amax(-1) / size  # (j, i): how far place i moves with token j
    later = torch.ones(T, T, dtype=torch.bool).triu()
    expect.true(
        (moved[~later] < 1e-7).all(),
        _("{what}: a place changes with a token that comes after it.").format(what=what),
        hint=_("The mask is causal: query i sees the keys 0..i, in every layer."),
        mistake=ahead,
    )
    expect.true(
        (moved[later] > 1e-7).all(),
        _("{what}: a place does not change with one of the tokens that it may look at.").format(what=what),
        hint=_("Query i sees all the keys 0..i, itself and the first one included."),
        mistake="attention_too_short" if is_band(moved > 1e-7) else None,
    )


def is_band(seen):
    """Whether each place sees itself and some of the places before it, as many as there are or always the same."""
    return any(torch.equal(seen, torch.ones_like(seen).triu().tril(k)) for k in range(1, len(seen) - 1))


@check(points=0.25, covers=("weighing", "Block"), requires=("block_causal",))
def test_block_weighs(student, probe, expect, draw):
    """How much a place reads of one token depends on the other tokens: attention weighs them."""
    D = draw.choice((8, 16))
    block = make_block(student, expect, probe, draw, D, draw.choice((1, 2)))
    # A softmax that has chosen one token hardly weighs the others: somewhere among many rows it has not.
    x, other = (draw.normal(8, 4, D) for _k in range(2))
    # Where norms are missing or stand elsewhere, which has a check of its own, large places drown everything.
    rest = expect.tensor(probe.answer(block, SCALE * x), (8, 4, D), "Block(x)") - SCALE * x
    if rest.norm() < 1e-2 * SCALE * x.norm():
        x, other = SCALE * x, SCALE * other
    first, second, both = x.clone(), x.clone(), x.clone()
    first[:, 0] = both[:, 0] = other[:, 0]
    second[:, 1] = both[:, 1] = other[:, 1]
    # The last place is so large that its norm does not move: without attention, changes of two tokens add up.
    rows = torch.cat([x, first, second, both, x[:, [1, 0, 2, 3]]])
    start, first, second, both, swapped = added(expect, probe, block, rows)[:, -1].chunk(5)
    single = (first - start).norm(dim=1) + (second - start).norm(dim=1)
    expect.true(
        ((both - second - first + start).norm(dim=1) > 1e-3 * single).any(),
        _("Block(x): what a place reads of a token does not depend on the other tokens."),
        hint=_("The weights of attention are a softmax over all keys that the place may see."),
        # Each token counts by itself, wherever it stands.
        mistake="uniform_attention" if ((swapped - start).norm(dim=1) < 1e-3 * single).all() else None,
    )


def make_gpt(student, expect, probe, draw, **sizes):
    """A GPT in float64 whose weights are away from their start, in training mode: it has no dropout."""
    gpt = expect.handle(student.GPT(**sizes))
    expect.handle(gpt.double(), "GPT(...).double()")
    probe.perturb(gpt, 0.2, draw.seed())
    probe.training_mode(gpt)
    return gpt


@check(points=0.75, covers=("causality", "GPT"))
def test_gpt_causal(student, probe, expect, draw):
    """GPT gives V logits for each place, which depend on all tokens up to it, on no later one, and on no other row."""
    V, T = draw.integer(6, 11), draw.integer(5, 8)
    sizes = {"d_model": draw.choice((8, 16)), "n_heads": 2, "n_layers": draw.choice((1, 2, 3))}
    gpt = make_gpt(student, expect, probe, draw, vocab_size=V, context=T, **sizes)
    tokens = draw.integers(0, V, 1, T).repeat(T + 1, 1)
    for j in range(T):
        tokens[j + 1, j] = (tokens[0, j] + draw.integer(1, V - 1)) % V
    first, again = (expect.tensor(probe.answer(gpt, tokens), (T + 1, T, V), "GPT(tokens)") for _k in range(2))
    expect.true(
        (first - again).abs().max() <= 1e-9 * float(first.abs().max()),
        _("GPT(tokens): two calls on the same tokens give different logits."),
        hint=_("No dropout in this exercise."),
    )
    judge_reach(expect, probe, gpt, tokens, "GPT(tokens)", "block_not_causal")
    one = expect.tensor(probe.answer(gpt, tokens[:1, :1]), (1, 1, V), _("GPT(tokens) on one token"))
    expect.true(
        (one[0, 0] - first[0, 0]).abs().max() < 1e-6 * float(first.std()),
        _("GPT(tokens): the logits of a place depend on how many tokens come after it."),
        mistake="block_not_causal",
    )


@check(points=0.5, covers=("order", "GPT"))
def test_gpt_order(student, probe, expect, draw):
    """With one layer, another order of the past changes the logits: GPT knows where tokens stand."""
    V, T = draw.integer(8, 12), draw.integer(5, 7)
    gpt = make_gpt(student, expect, probe, draw, vocab_size=V, context=T + 3, d_model=16, n_heads=2, n_layers=1)
    tokens = torch.tensor([draw.shuffle(range(V))[:T]])
    shuffled = torch.cat([tokens[:, :-1].roll(draw.integer(1, T - 2), 1), tokens[:, -1:]], 1)
    swapped, other = tokens.clone(), tokens.clone()
    swapped[0, 1:3] = tokens[0, 1:3].flip(0)
    other[0, 0] = draw.choice([v for v in range(V) if v not in tokens[0].tolist()])
    rows = torch.cat([tokens, shuffled, other, swapped])
    last = expect.tensor(probe.answer(gpt, rows), (4, T, V), "GPT(tokens)")[:, -1]
    expect.true(
        (last[2] - last[0]).abs().max() > 1e-6 * float(last.std()) > 0,
        _("GPT(tokens): the logits of the last place do not depend on the first token."),
    )
    expect.true(
        min((last[i] - last[0]).abs().max() for i in (1, 3)) > 1e-6 * float(last.std()),
        _("GPT(tokens): with one layer, the tokens before the last one may stand in any order."),
        hint=_("Add a vector for each place, learnt or sinusoidal, to the embeddings of the tokens."),
        mistake="no_positions",
    )


def forgotten(expect, probe, gpt, tokens, single, close):
    """Which mistake it is where one token again and again gets the same logits in each step; None elsewhere."""
    B, T, V = single.shape
    again = probe.in_steps(gpt, tokens[:, :1].repeat(1, T), [1] * T)
    again = expect.tensor(again, (B, T, V), _("the logits of GPT.step, one token at a time"))
    if not torch.allclose(again, again[:, :1].expand(B, T, V), **close):
        return None
    alone = expect.tensor(probe.answer(gpt, tokens[:, 1:2]), (B, 1, V), "GPT(tokens)")
    return "cache_ignored" if torch.allclose(single[:, 1:2], alone, **close) else "cache_places_restart"


def chunk_mistake(in_chunks, shallow, tokens, sizes, chunks, V, close):
    """Which mistake it is where logits of chunks are wrong that those of single tokens are not; None elsewhere."""
    start = 0
    for size in sizes:
        end = start + size - 1
        other = tokens.clone()
        other[:, end] = (tokens[:, end] + 1) % V
        # Only where a later token moves earlier logits does a chunk see ahead.
        if not torch.allclose(in_chunks(other)[:, start:end], chunks[:, start:end], **close):
            return "cache_chunk_sees_ahead"
        start += size
    # With one layer, and all of a chunk at one place, the tokens before its last one may stand in any order.
    last = shallow()
    return "cache_chunk_one_place" if torch.allclose(last[0], last[1], **close) else None


@check(points=1, covers=("step", "GPT"))
def test_gpt_step(student, probe, expect, draw):
    """Logits of `step`, token by token or in chunks, are those rows of `forward`."""
    V, T = draw.integer(6, 11), draw.integer(9, 12)
    gpt = make_gpt(student, expect, probe, draw, vocab_size=V, context=T, d_model=16, n_heads=2, n_layers=2)
    tokens = draw.integers(0, V, 3, T)
    others = tokens[:1].repeat(T, 1)
    others[range(T), range(T)] = (tokens[0] + 1) % V
    right = expect.tensor(probe.answer(gpt, tokens), (3, T, V), "GPT(tokens)")
    moved = expect.tensor(probe.answer(gpt, others), (T, T, V), "GPT(tokens)")[:, -1] - right[0, -1]
    expect.true(
        (moved.abs().amax(1) > 1e-7 * float(right.std())).all() and right.std() > 0,
        _("GPT(tokens): the last logits do not depend on all earlier tokens; nothing to keep in a cache."),
    )
    close = {"rtol": 1e-5, "atol": 1e-6 * float(right.std())}
    single = expect.tensor(
        probe.in_steps(gpt, tokens, [1] * T), (3, T, V), _("the logits of GPT.step, one token at a time")
    )
    expect.true(
        torch.allclose(single, right, **close),
        _("GPT.step, one token at a time: the logits are not those of forward."),
        mistake=forgotten(expect, probe, gpt, tokens, single, close),
    )

    def swapped_in_chunk():
        small = make_gpt(student, expect, probe, draw, vocab_size=V, context=T, d_model=16, n_heads=2, n_layers=1)
        rows = torch.arange(T).remainder(V).repeat(2, 1)
        rows[1, -3:-1] = rows[0, -3:-1].flip(0)
        answer = probe.in_steps(small, rows, [1, T - 1])
        return expect.tensor(answer, (2, T, V), _("the logits of GPT.step in chunks"))[:, -1]

    first = draw.integer(2, 4)
    for sizes in ([T], [first, 1, 3, T - first - 4], [1, T - 1]):

        def in_chunks(tokens, sizes=sizes):
            answer = probe.in_steps(gpt, tokens, sizes)
            return expect.tensor(answer, (3, T, V), _("the logits of GPT.step in chunks"))

        chunks = in_chunks(tokens)
        if torch.allclose(chunks, right, **close):
            continue
        name = chunk_mistake(in_chunks, swapped_in_chunk, tokens, sizes, chunks, V, close)
        expect.true(
            False,
            _("GPT.step in chunks of {sizes} tokens: the logits are not those of forward.").format(sizes=sizes),
            hint=_("Within a chunk the causal mask still holds, shifted by the tokens before: causal_mask(t, past).")
            if name == "cache_chunk_sees_ahead"
            else None,
            mistake=name,
        )


@check(points=0.25, covers=("cost", "GPT"), requires=("gpt_step",))
def test_step_cost(student, probe, expect, draw):
    """One token after 63 costs at most half the multiplications of `forward` on 64."""
    gpt = expect.handle(student.GPT(vocab_size=16, context=64))
    counts = probe.multiplications(gpt, draw.integers(0, 16, 1, 64))
    whole, one = expect.integers(counts, _("multiplications of GPT"), length=2, low=0)
    expect.true(
        2 * one <= whole,
        _("GPT.step: one token after 63 costs {share:.0%} of forward on 64.").format(share=one / max(whole, 1)),
        hint=_("Keep the keys and values of each layer in the cache, not the text."),
        mistake="cache_is_the_text",
    )
