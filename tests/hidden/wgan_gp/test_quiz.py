"""The quiz: the student's own numbers, and what the theory says."""

from autograder.judge import check


@check(points=0.5, kind="quiz", covers=("quiz",))
def test_quiz_critic_objective(quiz):
    """Quiz: critic loss plus weighted penalty of a batch."""
    quiz.grade("critic_objective")


@check(points=0.5, kind="quiz", covers=("quiz",))
def test_quiz_wasserstein(quiz):
    """Quiz: Wasserstein-1 distance of two clouds on the line."""
    quiz.grade("wasserstein")


@check(points=0.5, kind="quiz", covers=("quiz",))
def test_quiz_saturation(quiz):
    """Quiz: distances between point masses."""
    quiz.grade("saturation")


@check(points=0.5, kind="quiz", covers=("quiz",))
def test_quiz_normalisation(quiz):
    """Quiz: which layer a critic must not have."""
    quiz.grade("normalisation")
