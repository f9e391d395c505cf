"""The one table of grades: `grades.csv`, `report --csv`, `gradebook export` and every exporter write its rows.

A cell of final points is empty where nobody can say yet what counts: after a fault of ours, for what is not due, for
what was handed in and could not be graded. Such a cell is open; a total leaves it out and says how many there are. The
cell of who is excused is empty too, and not open.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from autograder.course import CourseConfig
from autograder.course.written import Missing as Missing
from autograder.exporters.people import People, Profile
from autograder.language import _
from autograder.reports.cells import ExportFault, Form
from autograder.results.grade import Grade
from autograder.results.model import Result
from autograder.results.points import rounded


@dataclass(frozen=True)
class Row:
    """One student's exercise.

    Attributes:
        final: what counts; None where nobody can say it yet.
        passed: how many of the `checks` passed.
        incidents: what happened while it was graded and somebody should look at.
        attempt: which of several `attempts` counts; empty where there was one.
    """

    grade: Grade
    final: float | None
    profile: Profile
    passed: int = 0
    checks: int = 0
    incidents: int = 0
    submitted: str = ""
    attempt: str = ""
    attempts: str = ""
    message: str = ""

    @property
    def open(self) -> bool:
        """Whether nobody can say yet what counts; who is excused waits for nothing."""
        return self.final is None and self.grade.outcome != "excused"


# Every column there is. What has a name here is called so in every table.
COLUMNS: Mapping[str, Callable[[Row, Form], str]] = {
    "student": lambda row, form: row.grade.student,
    "exercise": lambda row, form: row.grade.exercise,
    "points": lambda row, form: form.number(row.grade.graded),
    "override": lambda row, form: form.number(row.grade.overridden),
    "marked": lambda row, form: form.number(row.grade.marked) if row.grade.marks else "",
    "late_penalty": lambda row, form: form.number(row.grade.penalty),
    "final": lambda row, form: form.number(row.final),
    "max_points": lambda row, form: form.number(row.grade.max_points),
    "outcome": lambda row, form: row.grade.outcome,
    "due": lambda row, form: row.grade.due.isoformat() if row.grade.due else "",
    "extended": lambda row, form: "yes" if row.grade.extended else "no",
    "submitted": lambda row, form: row.submitted,
    "attempt": lambda row, form: row.attempt,
    "attempts": lambda row, form: row.attempts,
    "checks_passed": lambda row, form: str(row.passed),
    "checks": lambda row, form: str(row.checks),
    "incidents": lambda row, form: str(row.incidents),
    "look_again": lambda row, form: "yes" if row.grade.stale else "no",
    "to_mark": lambda row, form: str(sum(mark.points is None for mark in row.grade.marks)),
    "name": lambda row, form: row.profile.name,
    "email": lambda row, form: row.profile.email,
    "message": lambda row, form: row.message,
}


class GradeTable:
    """Final points of a class.

    Args:
        graded: results with their grades, of everybody, in the rows' order; one result is in memory at a time.
        course: its order of exercises is the columns'.
        missing: what stands for an exercise that was not handed in; the course's own choice without it.
    """

    def __init__(
        self,
        graded: Iterable[tuple[Result, Grade]],
        course: CourseConfig,
        people: People,
        missing: Missing | None = None,
    ) -> None:
        self.rows = tuple(_row(result, grade, people, missing) for result, grade in graded)
        self._cells = {(row.grade.student, row.grade.exercise): row for row in self.rows}
        there = {row.grade.exercise for row in self.rows}
        known = [exercise.id for exercise in course.exercises if exercise.id in there]
        self.exercises: tuple[str, ...] = (*known, *sorted(there - set(known)))
        self.students: tuple[str, ...] = tuple(sorted({row.grade.student for row in self.rows}))

    def final(self, student: str, exercise: str) -> float | None:
        """What counts; None where nobody can say it yet, or where there is no such exercise of the student's."""
        row = self._cells.get((student, exercise))
        return row.final if row is not None else None

    def most(self, exercise: str) -> float:
        """The points to be had."""
        return max(row.grade.max_points for row in self.rows if row.grade.exercise == exercise)

    @property
    def open(self) -> list[Row]:
        """The rows without final points that may get some."""
        return [row for row in self.rows if row.open]

    def long(self, form: Form, columns: Sequence[str] = ()) -> list[list[str]]:
        """A heading, and one line per student and exercise.

        Args:
            columns: names of `COLUMNS`; all of them where none is given.

        Raises:
            ExportFault: there is no such column.
        """
        for name in columns:
            if name not in COLUMNS:
                raise ExportFault(
                    _("no column {name!r}; there are: {listing}").format(name=name, listing=", ".join(COLUMNS))
                )
        wanted = {name: COLUMNS[name] for name in columns or COLUMNS}
        return [list(wanted), *([cell(row, form) for cell in wanted.values()] for row in self.rows)]

    def wide(self, form: Form) -> list[list[str]]:
        """A heading, and one line per student: final points by exercise, their total, of how many, cells open."""
        lines = [["student", *self.exercises, "total", "of", "open", "name", "email"]]
        for student in self.students:
            found = [self._cells.get((student, exercise)) for exercise in self.exercises]
            counted = [(row.final, row.grade.max_points) for row in found if row is not None and row.final is not None]
            profile = next(row.profile for row in found if row is not None)
            lines.append(
                [
                    student,
                    *(form.number(row.final if row is not None else None) for row in found),
                    form.number(rounded(sum(final for final, _most in counted))),
                    form.number(rounded(sum(most for _final, most in counted))),
                    str(sum(row is not None and row.open for row in found)),
                    profile.name,
                    profile.email,
                ]
            )
        return lines


def _row(result: Result, grade: Grade, people: People, missing: Missing | None) -> Row:
    facts = result.submission
    return Row(
        grade=grade,
        final=_final(grade, missing),
        profile=people.of(grade.student, grade.exercise),
        passed=sum(check.outcome == "passed" for check in result.checks),
        checks=len(result.checks),
        incidents=len(result.alarms),
        submitted=facts.submitted.isoformat() if facts.submitted else "",
        attempt=str(facts.attempt or ""),
        attempts=str(facts.attempts or ""),
        message=result.message,
    )


def _final(grade: Grade, missing: Missing | None) -> float | None:
    if grade.outcome == "missing" and not grade.decided and missing is not None:
        return None if missing == "blank" else rounded(grade.points)
    return grade.final
