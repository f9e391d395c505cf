"""The quiz: one check per question."""

from __future__ import annotations

from autograder.judge import check


@check(points=0.5, kind="quiz", covers=("quiz",))
def test_quiz_variance(quiz):
    """The variance that your chain ends with."""
    quiz.grade("variance")


@check(points=0.5, kind="quiz", covers=("quiz",))
def test_quiz_step(quiz):
    """Your step in the other convention."""
    quiz.grade("step")


@check(points=0.5, kind="quiz", covers=("quiz",))
def test_quiz_distance(quiz):
    """The Wasserstein distance of your two samples."""
    quiz.grade("distance")


@check(points=0.5, kind="quiz", covers=("quiz",))
def test_quiz_large_epsilon(quiz):
    """Your plan where epsilon is large."""
    quiz.grade("large_epsilon")
