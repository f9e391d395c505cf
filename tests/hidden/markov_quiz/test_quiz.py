"""The quiz: one check per question."""

from __future__ import annotations

from autograder.judge import check


@check(points=0.5, kind="quiz", covers=("quiz",))
def test_quiz_model(quiz):
    """What a number between 0 and 1 says about the model that returned it."""
    quiz.grade("model")


@check(points=0.5, kind="quiz", covers=("quiz",))
def test_quiz_generable(quiz):
    """Which of two unseen word sequences the chain can generate."""
    quiz.grade("generable")


@check(points=0.5, kind="quiz", covers=("quiz",))
def test_quiz_transition(quiz):
    """A transition probability of your own corpus."""
    quiz.grade("transition")


@check(points=0.5, kind="quiz", covers=("quiz",))
def test_quiz_log_likelihood(quiz):
    """The log-likelihood of a sentence of your own corpus."""
    quiz.grade("log_likelihood")
