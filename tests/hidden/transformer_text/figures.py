"""Figures of transformer_text: attention with a causal mask, positions, and laws at several temperatures."""

from __future__ import annotations

import torch

from autograder.judge.drawing import Curves, Matrix
from autograder.language import _


def attention_map(student, expect):
    """Attention of each letter of a sentence to its equals, causal and in one head."""
    text = "Ali ne regarde pas le vélo."
    letters = sorted(set(text))
    x = 6 * torch.eye(len(letters) + len(letters) % 2)[[letters.index(c) for c in text]][None]
    eye, T = torch.eye(x.shape[-1]), len(text)
    mask = torch.ones(T, T, dtype=torch.bool).tril()
    answer = student.multi_head_attention(x, eye, eye, eye, eye, n_heads=1, mask=mask)
    weights = expect.tensor(expect.sequence(answer, 2, "multi_head_attention")[1], (1, 1, T, T), "multi_head_attention")
    return Matrix(weights[0, 0])


def positions(student, expect):
    """Sines and cosines of the places 0 to 49."""
    return Matrix(expect.tensor(student.sinusoidal_positions(50, 32), (50, 32), "sinusoidal_positions"))


def temperatures(student, expect):
    """The law of the next token at several temperatures."""
    logits = torch.linspace(2.0, -2.0, 12, dtype=torch.float64)[None]
    series = {}
    for temperature in (0.3, 1.0, 3.0):
        law = expect.tensor(
            student.next_token_probabilities(logits, temperature=temperature), (1, 12), "next_token_probabilities"
        )
        series[_("temperature {t}").format(t=temperature)] = law[0]
    return Curves(series)
