"""Our results into nbgrader's gradebook.db, through nbgrader's own API: no notebook is run or even there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import Any

from autograder.bridges.nbgrader_course import PREFIX
from autograder.course import CourseConfig
from autograder.results.grade import Grade
from autograder.results.model import Result
from autograder.results.points import rounded
from autograder.service.book import Book
from autograder.service.grader import worth


@dataclass(frozen=True)
class Scores:
    """How many results were written, and whose were left out: nobody can say yet what counts, and that is no zero."""

    written: int
    left_out: tuple[Grade, ...]


def write_scores(database: str, book: Book, exercises: Sequence[str]) -> Scores:
    """Write the results in a book: the points of each check, a teacher's overrides, the late penalty.

    Args:
        database: SQLAlchemy URL of the gradebook; it is made where it is missing.
    """
    from nbgrader.api import Gradebook

    _make(database, book.course.config.id)
    course, left_out, written = book.course, [], 0
    graded = list(book.graded(exercises=exercises))
    # A result without checks (missing) gets a zero for each.
    checks = {exercise: {c.id: c.max_points for c in found} for exercise, found in worth(course, exercises).items()}
    for result, _grade in graded:
        checks[result.exercise] |= {check.id: check.max_points for check in result.checks}
    with Gradebook(database, course.config.id) as gradebook:
        for exercise in dict.fromkeys(result.exercise for result, _grade in graded):
            _assignment(gradebook, course.config, exercise, checks[exercise])
        for result, grade in graded:
            if grade.final is None:
                left_out.append(grade)
                continue
            _submission(gradebook, result, grade, tuple(checks[result.exercise]))
            written += 1
    return Scores(written, tuple(left_out))


def _make(database: str, course: str) -> None:
    """Make the gradebook where it is missing.

    nbgrader then calls `alembic` by its name alone, which is beside this Python but need not be on the path: in a
    process of its own, whose path is its own too. What fails there fails again here, where it is told.
    """
    program = "import json, sys; from nbgrader.api import Gradebook; Gradebook(*json.load(sys.stdin)).close()"
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    subprocess.run(
        [sys.executable, "-P", "-c", program], input=json.dumps([database, course]), text=True, capture_output=True,
        env=os.environ | {"PATH": path}, check=False,
    )  # fmt: skip


def database_url(text: str) -> str:
    """A URL as it is, or the URL of an SQLite file."""
    return text if "://" in text else f"sqlite:///{Path(text).resolve()}"


def _assignment(gradebook: Any, course: CourseConfig, exercise: str, checks: Mapping[str, float]) -> None:
    due = course.exercise(exercise).due
    # nbgrader keeps times without a zone, in UTC.
    dates = {} if due is None else {"duedate": due.astimezone(UTC).replace(tzinfo=None)}
    gradebook.update_or_create_assignment(exercise, **dates)
    gradebook.update_or_create_notebook(exercise, exercise)
    for check, points in checks.items():
        gradebook.update_or_create_grade_cell(PREFIX + check, exercise, exercise, max_score=points, cell_type="code")


def _submission(gradebook: Any, result: Result, grade: Grade, checks: Sequence[str]) -> None:
    student, exercise = result.student, result.exercise
    gradebook.update_or_create_student(student)
    when = {} if grade.submitted is None else {"timestamp": grade.submitted.astimezone(UTC).replace(tzinfo=None)}
    gradebook.update_or_create_submission(exercise, student, **when)
    points = {check.id: check.points for check in result.checks}
    rest = grade.points
    for check in checks:
        score = gradebook.find_grade(PREFIX + check, exercise, exercise, student)
        score.auto_score = points.get(check, 0.0)
        override = grade.overrides.get(check)
        score.manual_score = None if override is None else override.points
        score.needs_manual_grade = False
        score.extra_credit = None
        rest -= score.auto_score if override is None else override.points
    if checks and abs(rest) > 1e-6:
        # An override of the whole exercise, and the marks of the rubric: nbgrader has no other place for them.
        gradebook.find_grade(PREFIX + checks[0], exercise, exercise, student).extra_credit = rounded(rest)
    notebook = gradebook.find_submission_notebook(exercise, exercise, student)
    notebook.late_submission_penalty = rounded(grade.points * grade.penalty)
    gradebook.db.commit()
