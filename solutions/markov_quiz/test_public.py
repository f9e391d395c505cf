"""Public checks of markov_quiz: the worked examples of the course. They earn no points."""

from __future__ import annotations

import math

import torch

from autograder.judge import check

CORPUS = ["Ali est ici.", "Ali aime le bleu.", "Le vélo d'Ali est bleu.", "Qui est Ali ?"]
STATES = ["ali", "est", "ici", ".", "aime", "le", "bleu", "vélo", "d'", "qui", "?"]
SEQUENCES = [
    ["ali", "est", "ici", "."],
    ["ali", "aime", "le", "bleu", "."],
    ["le", "vélo", "d'", "ali", "est", "bleu", "."],
    ["qui", "est", "ali", "?"],
]


@check()
def test_public_tables(student, compare, expect):
    """The four points of the course: joint and conditional tables."""
    x, y = torch.tensor([1, 1, 2, 2]), torch.tensor([0, 0, 0, 1])
    tables = {"joint_probability": [[0.5, 0], [0.25, 0.25]], "conditional_probability": [[1, 0], [0.5, 0.5]]}
    for name, table in tables.items():
        what = f"{name}(x, y)"
        values_x, values_y, P = expect.sequence(getattr(student, name)(x, y), 3, what)
        compare(values_x, [1, 2], f"the values of x from {what}")
        compare(values_y, [0, 1], f"the values of y from {what}")
        compare(P, table, f"the table from {what}")


@check()
def test_public_tokens(student, expect):
    """The course corpus: its tokens and its 11 states."""
    for sentence, tokens in zip(CORPUS, SEQUENCES, strict=True):
        got = expect.strings(student.tokenize(sentence), f"tokenize({sentence!r})")
        expect.true(got == tokens, f"tokenize({sentence!r}): expected {tokens}, got {got}.")
    got = expect.strings(student.vocabulary(CORPUS), "vocabulary(course corpus)")
    expect.true(got == STATES, f"vocabulary(course corpus): expected {STATES}, got {got}.")


@check()
def test_public_transitions(student, compare, expect):
    """The course corpus: what follows "ali"."""
    counts = student.transition_counts(SEQUENCES, STATES)
    counts = expect.tensor(counts, (11, 11), "transition_counts(sequences, states)")
    right = torch.zeros(11, dtype=torch.float64)
    right[[STATES.index("est"), STATES.index("aime"), STATES.index("?")]] = torch.tensor([2.0, 1, 1]).double()
    compare(counts[0], right, 'the row of "ali"')
    P = expect.tensor(student.transition_matrix(counts), (11, 11), "transition_matrix(counts)")
    compare(P[0], right / 4, 'the row of "ali" in transition_matrix(counts)')
    compare(P[STATES.index(".")], torch.zeros(11), 'the row of "."')


@check()
def test_public_generation(student, expect):
    """A small chain: its most likely sequence, a drawn one, a likelihood."""
    P = torch.tensor([[0.0, 0.75, 0.25], [0.5, 0.0, 0.5], [0.0, 0.0, 0.0]], dtype=torch.float64)
    path = expect.integers(student.most_likely_sequence(0, P, 4), "most_likely_sequence(0, P, 4)")
    expect.true(path == [0, 1, 0, 1], f"most_likely_sequence(0, P, 4): expected [0, 1, 0, 1], got {path}.")
    path = expect.integers(student.sample_sequence(0, P, 6), "sample_sequence(0, P, 6)", low=0, high=2)
    whole = path[:1] == [0] and (path[-1] == 2 or len(path) == 6)
    expect.true(whole, f"sample_sequence(0, P, 6): expected 6 states from 0, fewer if it ends at 2, got {path}.")
    value = expect.number(student.log_likelihood([0, 1, 2], P), "log_likelihood([0, 1, 2], P)")
    expect.true(abs(value - math.log(0.375)) < 1e-6, f"log_likelihood([0, 1, 2], P): expected log 0.375, got {value}.")
    possible = [expect.flag(student.can_generate(s, P), f"can_generate({s}, P)") for s in ([0, 1, 2], [0, 0])]
    expect.true(possible == [True, False], f"can_generate: 0 1 2 is possible, 0 0 is not, got {possible}.")


@check()
def test_public_stationary(student, compare):
    """Two states, one left with probability 0.25, the other with 0.5."""
    P = torch.tensor([[0.75, 0.25], [0.5, 0.5]], dtype=torch.float64)
    compare(student.stationary_distribution(P), [2 / 3, 1 / 3], rtol=1e-4)
