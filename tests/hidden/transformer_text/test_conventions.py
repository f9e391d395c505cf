"""Conventions of the course: dtypes, arguments left alone, explicit randomness, plain functions, refusals."""

from __future__ import annotations

import torch

from autograder.judge import check
from autograder.language import _

# The checks of each name's values: its form earns nothing before one of them has passed.
VALUES = {
    "causal_mask": ("causal_mask",),
    "attention": ("attention_value",),
    "multi_head_attention": ("heads_value",),
    "sinusoidal_positions": ("positions",),
    "Block": ("block_causal",),
    "GPT": ("gpt_causal",),
    "token_log_probs": ("log_probs",),
    "next_token_loss": ("loss_value",),
    "evaluate": ("nats",),
    "next_token_probabilities": ("temperature",),
    "generate": ("generate_law",),
    "train_lm": ("train_updates",),
}


def values(*names):
    """The checks of these names' values."""
    return {name: VALUES[name] for name in names}


def draw_model(probe, draw, dtype=torch.float64, context="absent"):
    """A model of the judge's, and tokens for it."""
    V = draw.integer(4, 7)
    tokens = draw.integers(0, V, draw.integer(2, 4), draw.integer(4, 6))
    return probe.fading_model(draw.normal(V, V, dtype=dtype), 0.5, context), tokens


FORMS = values(
    "causal_mask", "attention", "multi_head_attention", "sinusoidal_positions", "Block", "GPT", "token_log_probs",
    "next_token_loss", "next_token_probabilities", "generate",
)  # fmt: skip


@check(points=0.25, covers=("conventions", *FORMS), substance=FORMS)
def test_conventions(student, probe, each, expect, draw):
    """Answers are tensors in the dtype of the input, masks are bool and texts int64; arguments stay as they are."""

    def changes_nothing(name, *arguments, **options):
        expect.true(
            probe.changed(getattr(student, name), *arguments, **options) == [],
            _("{name} changes the tensors that it is given.").format(name=name),
            hint=_("Work on a copy: `x = x - 1` makes one, `x -= 1` and functions such as `x.sub_(1)` do not."),
            mistake="arguments_changed",
        )

    with each("causal_mask"):
        expect.tensor(student.causal_mask(3, past=2), (3, 5), "causal_mask(3, 2)", dtype=torch.bool, container="tensor")
    with each("sinusoidal_positions"):
        expect.tensor(student.sinusoidal_positions(5, 8), (5, 8), "sinusoidal_positions(5, 8)", container="tensor")
    for dtype in (torch.float64, torch.float32):
        keep = {"dtype": dtype, "container": "tensor", "finite": False}
        T, S = draw.integer(3, 5), draw.integer(3, 5)
        q, k, v = (draw.normal(2, n, 4, dtype=dtype) for n in (T, S, S))
        mask = torch.ones(T, S, dtype=torch.bool).tril()
        with each("attention"):
            for i, part in enumerate(expect.sequence(student.attention(q, k, v, mask=mask), 2, "attention(q, k, v)")):
                expect.tensor(part, (2, T, S if i else 4), f"attention(q, k, v)[{i}]", **keep)
            changes_nothing("attention", q, k, v, mask)
        x, weights = draw.normal(2, T, 8, dtype=dtype), [draw.normal(8, 8, dtype=dtype) for _k in range(4)]
        with each("multi_head_attention"):
            answer = student.multi_head_attention(x, *weights, n_heads=2)
            for i, part in enumerate(expect.sequence(answer, 2, "multi_head_attention(...)")):
                expect.tensor(part, (2, 2, T, T) if i else (2, T, 8), f"multi_head_attention(...)[{i}]", **keep)
            changes_nothing("multi_head_attention", x, *weights, n_heads=2)
        move = "float" if dtype == torch.float32 else "double"
        with each("Block"):
            block = expect.handle(student.Block(d_model=8, n_heads=2))
            expect.tensor(expect.handle(getattr(block, move)())(x), (2, T, 8), "Block(x)", **keep)
            changes = probe.changed(block, x)
            expect.true(changes == [], _("{name} changes the tensors that it is given.").format(name="Block"))
        with each("GPT"):
            gpt = expect.handle(student.GPT(vocab_size=6, context=T, d_model=8))
            expect.true(
                expect.number(gpt.context, "GPT(...).context") == T, _("GPT(...).context is not the context given.")
            )
            logits = expect.handle(getattr(gpt, move)())(draw.integers(0, 6, 2, T))
            expect.tensor(logits, (2, T, 6), "GPT(tokens)", **keep)
        model, tokens = draw_model(probe, draw, dtype)
        B, T = tokens.shape
        with each("token_log_probs"):
            expect.tensor(student.token_log_probs(model, tokens), (B, T - 1), "token_log_probs(model, tokens)", **keep)
            changes_nothing("token_log_probs", model, tokens)
        with each("next_token_loss"):
            expect.tensor(student.next_token_loss(model, tokens), (), "next_token_loss(model, tokens)", **keep)
        logits = draw.normal(2, 6, dtype=dtype)
        with each("next_token_probabilities"):
            for options in ({}, {"temperature": 0.0}, {"temperature": 0.5, "top_k": 2}):
                answer = student.next_token_probabilities(logits, **options)
                expect.tensor(answer, (2, 6), "next_token_probabilities(logits)", **keep)
                changes_nothing("next_token_probabilities", logits, **options)
        with each("generate"):
            answer = student.generate(model, tokens, 2, generator=draw.generator())
            shape = (B, T + 2)
            expect.tensor(answer, shape, "generate(model, prompt, 2)", dtype=torch.int64, container="tensor")
            changes_nothing("generate", model, tokens, 2)


@check(points=0.25, covers=("randomness", "generate", "train_lm"), substance=values("generate", "train_lm"))
def test_generators(student, probe, each, expect, draw):
    """Draws come from `generator` where one is given, and nothing seeds the global generator."""
    first, second = draw.seed(), draw.seed()
    V = 6
    start, tokens = draw.normal(V, V), draw.integers(0, V, 40, 6)

    def texts(seed):
        options = {} if seed is None else {"generator": torch.Generator().manual_seed(seed)}
        answer = student.generate(probe.fading_model(start, 0.5), tokens[:8], 12, **options)
        return expect.tensor(answer, (8, 18), "generate(model, prompt, 12)")

    def weights(seed):
        options = {} if seed is None else {"generator": torch.Generator().manual_seed(seed)}
        model = probe.fading_model(start, 0.5)
        student.train_lm(model, tokens, 3, batch_size=8, **options)
        return expect.tensor(probe.weight_of(model), (V, V), _("a weight of the model after training"))

    for name, run in (("generate", texts), ("train_lm", weights)):
        with each(name):
            before = probe.global_seed()
            one, again, other = run(first), run(first), run(second)
            expect.true(
                torch.allclose(one, again, rtol=1e-9),
                _("{name}: two calls with generators of one seed give different answers.").format(name=name),
                hint=_("Pass generator=generator to every function of torch that draws."),
            )
            expect.true(
                not torch.allclose(one, other, rtol=1e-9),
                _("{name}: generators of two seeds give the same answer.").format(name=name),
            )
            expect.true(
                not torch.allclose(run(None), run(None), rtol=1e-9),
                _("{name}: without a generator two calls give the same answer.").format(name=name),
                mistake="global_seed",
            )
            expect.true(
                probe.global_seed() == before,
                _("{name} seeds torch's global generator.").format(name=name),
                hint=_("No torch.manual_seed inside a function."),
                mistake="global_seed",
            )


PLAIN = ("token_log_probs", "next_token_loss", "evaluate", "generate")


@check(points=0.25, covers=("callable", *PLAIN), substance=values(*PLAIN))
def test_any_callable(student, probe, each, expect, draw):
    """A plain function serves as a model."""
    V = draw.integer(4, 7)
    tokens, function = draw.integers(0, V, 3, 5), probe.fading_function(draw.normal(V, V), 0.5)
    with each("token_log_probs"):
        expect.tensor(student.token_log_probs(function, tokens), (3, 4), "token_log_probs(function, tokens)")
    with each("next_token_loss"):
        expect.number(student.next_token_loss(function, tokens), "next_token_loss(function, tokens)")
    with each("evaluate"):
        answer = student.evaluate(function, tokens)
        expect.true(isinstance(answer, dict), _("{what}: expected a dict.").format(what="evaluate(function, tokens)"))
    with each("generate"):
        answer = student.generate(function, tokens, 3, generator=draw.generator())
        expect.tensor(answer, (3, 8), "generate(function, prompt, 3)")


REFUSE = values(
    "attention", "multi_head_attention", "sinusoidal_positions", "Block", "GPT", "token_log_probs", "next_token_loss",
    "evaluate", "next_token_probabilities", "generate", "train_lm",
)  # fmt: skip


@check(points=0.5, covers=("errors", *REFUSE), substance=REFUSE)
def test_bad_arguments(student, probe, each, expect, draw):
    """Shapes that do not fit, too many or too few tokens and numbers out of range raise ValueError."""

    def refused(name, *given, what, **options):
        with each(name):
            expect.raises(ValueError, getattr(student, name), *given, what=f"{name}: {what}", **options)

    q, k, v = draw.normal(2, 3, 4), draw.normal(2, 5, 4), draw.normal(2, 5, 6)
    refused("attention", q, k[..., :3], v, what=_("queries and keys of different sizes"))
    refused("attention", q, k, v[:, :4], what=_("fewer values than keys"))
    x, w = draw.normal(2, 3, 8), [draw.normal(8, 8) for _k in range(4)]
    refused("multi_head_attention", x, *w, what=_("3 heads of width 8"), n_heads=3)
    refused("multi_head_attention", x, draw.normal(16, 8), *w[1:], what=_("w_q of another width"), n_heads=2)
    refused("sinusoidal_positions", 4, 7, what=_("an odd width"))
    refused("Block", what=_("3 heads of width 8"), d_model=8, n_heads=3)
    refused("GPT", what=_("3 heads of width 8"), vocab_size=5, context=4, d_model=8, n_heads=3)
    with each("GPT"):
        gpt = expect.handle(student.GPT(vocab_size=5, context=4, d_model=8))
        tokens = draw.integers(0, 5, 2, 5)
        expect.raises(ValueError, gpt, tokens, what=_("GPT: more tokens than the context"))
        expect.raises(ValueError, probe.in_steps, gpt, tokens, [3, 2], what=_("GPT.step: more tokens than the context"))
    model, tokens = draw_model(probe, draw)
    one = tokens[:, :1]
    for name in ("token_log_probs", "next_token_loss", "evaluate"):
        refused(name, model, one, what=_("rows of one token"))
    refused("train_lm", model, one, 2, what=_("rows of one token"), batch_size=2)
    logits = draw.normal(2, 5)
    refused("next_token_probabilities", logits, what="temperature < 0", temperature=-float(draw.uniform(1) + 0.1))
    refused("next_token_probabilities", logits, what="top_k = 0", top_k=0)
    refused("generate", model, tokens[:, :0], 3, what=_("an empty prompt"))
    T = tokens.shape[1]
    short, _tokens = draw_model(probe, draw, context=T + 2)
    refused(
        "generate",
        short,
        one.repeat(1, T) * 0,
        3,
        what=_("more tokens than the context, with the cache"),
        use_cache=True,
    )
