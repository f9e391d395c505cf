"""The quiz: one check per question."""

from __future__ import annotations

from autograder.judge import check


@check(points=0.5, kind="quiz", covers=("quiz",))
def test_quiz_variance(quiz):
    """A posterior variance of your own schedule."""
    quiz.grade("variance")


@check(points=0.5, kind="quiz", covers=("quiz",))
def test_quiz_denoised(quiz):
    """The denoised value of your own pixel."""
    quiz.grade("denoised")


@check(points=0.5, kind="quiz", covers=("quiz",))
def test_quiz_score(quiz):
    """The score at your own pixel."""
    quiz.grade("score")


@check(points=0.5, kind="quiz", covers=("quiz",))
def test_quiz_skips(quiz):
    """The parameters of a convolution behind a skip connection."""
    quiz.grade("skips")
