"""Public checks of transformer_text: small examples that can be worked out by hand. They earn no points."""

from __future__ import annotations

import math

import torch

from autograder.judge import check


def numbers(values):
    return torch.tensor(values, dtype=torch.float64)


@check()
def test_public_mask(student, compare):
    """Two queries after one earlier key: the first sees two keys, the second all three."""
    compare(student.causal_mask(2), torch.tensor([[True, False], [True, True]]))
    compare(student.causal_mask(2, past=1), torch.tensor([[True, True, False], [True, True, True]]))


@check()
def test_public_attention(student, compare, expect):
    """Scores 0 and ln 3 give the weights 1/4 and 3/4; hidden, the second key has none."""
    q, k, v = (
        numbers([[2.0, 0.0, 0.0, 0.0]]),
        numbers([[0.0, 1.0, 0.0, 0.0], [math.log(3), 0.0, 0.0, 0.0]]),
        numbers([[4.0], [8.0]]),
    )
    output, weights = expect.sequence(student.attention(q, k, v), 2, "attention(q, k, v)")
    compare(weights, numbers([[0.25, 0.75]]), "the weights")
    compare(output, numbers([[7.0]]), "the output")
    answer = student.attention(q, k, v, mask=torch.tensor([[True, False]]))
    output, weights = expect.sequence(answer, 2, "attention(q, k, v, mask)")
    compare(weights, numbers([[1.0, 0.0]]), "the weights with a mask")
    compare(output, numbers([[4.0]]), "the output with a mask")


@check()
def test_public_heads(student, expect, compare):
    """Where all places are the same, each head reads the same: x W_v W_o."""
    x = numbers([[1.0, 2.0, 3.0, 4.0]]).repeat(3, 1)[None]
    eye, double = torch.eye(4, dtype=torch.float64), 2 * torch.eye(4, dtype=torch.float64)
    answer = student.multi_head_attention(x, eye, eye, double, eye, n_heads=2)
    output, weights = expect.sequence(answer, 2, "multi_head_attention(x, ...)")
    compare(output, 2 * x, "the output")
    compare(weights, torch.full((1, 2, 3, 3), 1 / 3, dtype=torch.float64), "the weights")


@check()
def test_public_positions(student, compare):
    """Place 0 is 0, 1, 0, 1; place 1 begins with sin 1, cos 1."""
    right = numbers([[0.0, 1.0, 0.0, 1.0], [math.sin(1), math.cos(1), math.sin(0.01), math.cos(0.01)]])
    compare(student.sinusoidal_positions(2, 4), right, rtol=1e-4, atol=1e-4)


@check()
def test_public_networks(student, expect):
    """A block keeps the shape; GPT gives logits, whole and in a step."""
    block = expect.handle(student.Block(d_model=16, n_heads=2))
    expect.tensor(block(torch.ones(2, 5, 16)), (2, 5, 16), "Block(16, 2)(x (2, 5, 16))")
    gpt = expect.handle(student.GPT(vocab_size=7, context=6))
    tokens = torch.tensor([[0, 1, 2, 3]])
    expect.tensor(gpt(tokens), (1, 4, 7), "GPT(7, 6)(tokens (1, 4))")
    logits, _cache = expect.sequence(gpt.step(tokens), 2, "GPT.step(tokens)")
    expect.tensor(logits, (1, 4, 7), "the logits of GPT.step(tokens)")


@check()
def test_public_likelihood(student, probe, compare, expect):
    """A model that always gives the logits 0, ln 3: the two tokens have the probabilities 1/4 and 3/4."""
    model = probe.constant(numbers([[[0.0, math.log(3)]] * 2]))
    tokens = torch.tensor([[0, 1, 0]])
    compare(student.token_log_probs(model, tokens), numbers([[math.log(0.75), math.log(0.25)]]))
    nats = -(math.log(0.75) + math.log(0.25)) / 2
    compare(student.next_token_loss(model, tokens), numbers(nats))
    found = student.evaluate(model, tokens)
    expect.true(isinstance(found, dict), "evaluate(model, tokens): expected a dict.")
    for name, right in (("nats", nats), ("bits", nats / math.log(2)), ("perplexity", math.exp(nats))):
        compare(found.get(name), numbers(right), f'evaluate(model, tokens)["{name}"]', rtol=1e-5)


@check()
def test_public_generation(student, probe, compare, expect):
    """Logits 0, ln 2, ln 4: temperature, top_k, and the likeliest token again and again."""
    logits = numbers([[0.0, math.log(2), math.log(4)]])
    compare(student.next_token_probabilities(logits), numbers([[1 / 7, 2 / 7, 4 / 7]]))
    compare(student.next_token_probabilities(logits, temperature=0.5), numbers([[1 / 21, 4 / 21, 16 / 21]]))
    compare(student.next_token_probabilities(logits, top_k=2), numbers([[0.0, 1 / 3, 2 / 3]]))
    model = probe.constant(logits[None])
    compare(student.generate(model, torch.tensor([[1]]), 3, temperature=0.0), torch.tensor([[1, 2, 2, 2]]))


@check()
def test_public_training(student, expect):
    """The history has one loss per step."""
    gpt = expect.handle(student.GPT(vocab_size=5, context=6, d_model=8))
    tokens = torch.arange(28).reshape(4, 7) % 5
    expect.history(student.train_lm(gpt, tokens, 2, batch_size=2), "loss", 2, "train_lm(gpt, tokens, 2, batch_size=2)")
