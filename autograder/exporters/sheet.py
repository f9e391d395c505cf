"""Final points by student and exercise: what every exporter writes in its own form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from autograder.course import CourseConfig
from autograder.results.grade import Grade

Missing = Literal["zero", "blank"]


class Sheet:
    """Final points of a class.

    Args:
        grades: of everybody.
        course: its order of exercises is the columns'.
        missing: what stands for an exercise that was not handed in.
    """

    def __init__(self, grades: Sequence[Grade], course: CourseConfig, missing: Missing = "zero") -> None:
        self._grades = {(grade.student, grade.exercise): grade for grade in grades}
        self._missing = missing
        there = {grade.exercise for grade in grades}
        known = [exercise.id for exercise in course.exercises if exercise.id in there]
        self.exercises: tuple[str, ...] = (*known, *sorted(there - set(known)))
        self.students: tuple[str, ...] = tuple(sorted({grade.student for grade in grades}))

    def grade(self, student: str, exercise: str) -> Grade | None:
        """The grade, or None where there is none."""
        return self._grades.get((student, exercise))

    def points(self, student: str, exercise: str) -> float | None:
        """What counts; None where nobody can say it yet: a fault of ours is never a student's zero."""
        grade = self._grades.get((student, exercise))
        if grade is None or (not grade.decided and grade.outcome == "error"):
            return None
        if not grade.decided and grade.outcome == "missing" and self._missing == "blank":
            return None
        return grade.final

    def most(self, exercise: str) -> float:
        """The points to be had."""
        return max(grade.max_points for (_student, name), grade in self._grades.items() if name == exercise)

    def not_graded(self) -> list[tuple[str, str]]:
        """Students and exercises that the framework could not grade: their cells stay empty."""
        return [key for key, grade in self._grades.items() if grade.outcome == "error" and not grade.decided]
