"""The quiz: one check per question."""

from __future__ import annotations

from autograder.judge import check


@check(points=0.5, kind="quiz", covers=("quiz",))
def test_quiz_advantage(quiz):
    """The main advantage of an auto-encoder over PCA."""
    quiz.grade("advantage")


@check(points=0.5, kind="quiz", covers=("quiz",))
def test_quiz_optimum(quiz):
    """The smallest error of an affine auto-encoder, from the eigenvalues."""
    quiz.grade("optimum")


@check(points=0.5, kind="quiz", covers=("quiz",))
def test_quiz_components(quiz):
    """How many components explain a given share of the variance."""
    quiz.grade("components")


@check(points=0.5, kind="quiz", covers=("quiz",))
def test_quiz_parameters(quiz):
    """How many parameters an auto-encoder has."""
    quiz.grade("parameters")
