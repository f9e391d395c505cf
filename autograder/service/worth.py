"""What the checks of exercises are worth, for programs that must know before anything is graded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from autograder.batch.job import Order, Worth
from autograder.batch.judges import Judge
from autograder.course import find_exercise
from autograder.service.course import Course

__all__ = ["Worth", "worth"]

NO_SECRET = b"nothing is graded with it"


def worth(course: Course, exercises: Sequence[str], public: bool = False) -> Mapping[str, Sequence[Worth]]:
    """The checks of each exercise, in their order; nothing is graded.

    Raises:
        JudgeFault: they cannot be collected.
    """
    found = [find_exercise(course.config, exercise) for exercise in exercises]
    places = tuple(exercise.public_checks if public else exercise.hidden_folder for exercise in found)
    with Judge(Order(course.config.file, places, NO_SECRET, listing=True, public=public)) as judge:
        return {exercise: judge.checks.get(exercise, ()) for exercise in exercises}
