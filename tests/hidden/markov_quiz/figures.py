"""Figures of markov_quiz: the chain of the course, and a walk's way to the stationary law."""

from __future__ import annotations

import torch

from autograder.judge.drawing import Curves, Matrix
from autograder.language import _

CORPUS = ["Ali est ici.", "Ali aime le bleu.", "Le vélo d'Ali est bleu.", "Qui est Ali ?"]


def transition_matrix(student, expect):
    """The transition matrix of the course corpus, from raw sentences to probabilities."""
    states = expect.strings(student.vocabulary(CORPUS), "vocabulary")
    sequences = [expect.strings(student.tokenize(sentence), "tokenize") for sentence in CORPUS]
    counts = student.transition_counts(sequences, states)
    n = len(states)
    return Matrix(expect.tensor(student.transition_matrix(counts), (n, n), "transition_matrix"))


def share_of_time(student, expect, draw):
    """The share of time that a walk spends in each of three states."""
    P = torch.tensor([[0.0, 0.9, 0.1], [0.3, 0.2, 0.5], [0.6, 0.2, 0.2]], dtype=torch.float64)
    walk = expect.integers(student.sample_sequence(0, P, 500, draw.generator()), "sample_sequence", low=0, high=2)
    visits = torch.nn.functional.one_hot(torch.tensor(walk), 3).cumsum(0).double()
    shares = visits / torch.arange(1, len(walk) + 1)[:, None]
    return Curves({_("state {n}").format(n=n): shares[:, n] for n in range(3)})
