"""The questions of the exercise."""

from autograder.judge import check


@check(points=1, kind="quiz", covers=("quiz",))
def test_quiz_log_density(quiz):
    """Quiz: a log-density by hand."""
    quiz.grade("log_density")


@check(points=0.5, kind="quiz", covers=("quiz",))
def test_quiz_determinant(quiz):
    """Quiz: why the determinant of a coupling layer is cheap."""
    quiz.grade("determinant")


@check(points=0.5, kind="quiz", covers=("quiz",))
def test_quiz_below_entropy(quiz):
    """Quiz: a likelihood that is too good to be true."""
    quiz.grade("below_entropy")
