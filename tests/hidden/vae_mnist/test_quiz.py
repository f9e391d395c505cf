"""The quiz: each question by itself."""

from autograder.judge import check


@check(points=0.5, kind="quiz", covers=("quiz",))
def test_quiz_kl(quiz):
    """Quiz: the KL divergence of a Gaussian posterior."""
    quiz.grade("kl")


@check(points=0.5, kind="quiz", covers=("quiz",))
def test_quiz_bound(quiz):
    """Quiz: the importance-weighted bound from three log-weights."""
    quiz.grade("bound")


@check(points=0.5, kind="quiz", covers=("quiz",))
def test_quiz_parameters(quiz):
    """Quiz: the number of trainable parameters."""
    quiz.grade("parameters")


@check(points=0.5, kind="quiz", covers=("quiz",))
def test_quiz_gap(quiz):
    """Quiz: the distance from the ELBO to log p(x)."""
    quiz.grade("gap")
