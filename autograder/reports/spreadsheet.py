"""Results as CSV, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Sequence

from autograder.results.grade import Grade
from autograder.results.model import Result
from autograder.results.points import rounded

COLUMNS = (
    "student", "exercise", "points", "override", "marked", "late_penalty", "final", "max_points", "outcome", "due",
    "extended", "submitted", "attempt", "attempts", "checks_passed", "checks", "incidents", "message",
)  # fmt: skip

_FORMULA = re.compile('((?:^|[;|\t\r\n])[\\s"\u200b\ufeff]*)([-=+@\uff1d\uff0b\uff0d\uff20])')


def grades_csv(results: Iterable[Result], grade_of: Callable[[Result], Grade] | None = None) -> str:
    """One line per student and exercise.

    `points` is what the checks gave, `override` what a teacher made of it, `marked` what the rubric adds, and `final`
    what counts after the late penalty, a fraction.

    Args:
        results: of the class.
        grade_of: applies the gradebook; without it a result's own late penalty is all there is.
    """
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    for result in results:
        grade = grade_of(result) if grade_of is not None else _of_result(result)
        row = (
            result.student,
            result.exercise,
            f"{result.points:g}",
            "" if grade.override is None else f"{grade.override:g}",
            f"{grade.marked:g}" if grade.marks else "",
            f"{grade.penalty:g}",
            # A fault of ours is nobody's zero.
            "" if result.outcome == "error" and not grade.decided else f"{grade.final:g}",
            f"{grade.max_points:g}",
            result.outcome,
            grade.due.isoformat() if grade.due else "",
            "yes" if grade.extended else "no",
            str(result.submission.get("submitted") or ""),
            str(result.submission.get("attempt") or ""),
            str(result.submission.get("attempts") or ""),
            str(sum(check.outcome == "passed" for check in result.checks)),
            str(len(result.checks)),
            str(len(result.alarms)),
            result.message,
        )
        writer.writerow([safe_cell(cell) for cell in row])
    return stream.getvalue()


def _of_result(result: Result) -> Grade:
    penalty = float(result.late.get("penalty", 0.0))
    final = float(result.late.get("points_after_penalty", result.points * (1 - penalty)))
    return Grade(
        result.student, result.exercise, result.outcome, result.points, result.points, result.max_points, penalty,
        rounded(final),
    )  # fmt: skip


FINAL_COLUMNS = (
    "student", "exercise", "final", "max_points", "points", "late_penalty", "graded", "outcome", "due", "extended",
    "submitted", "overridden", "override", "look_again", "marked", "to_mark",
)  # fmt: skip


def final_csv(grades: Sequence[Grade]) -> str:
    """One line per student and exercise, as they count in the end."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(FINAL_COLUMNS)
    for grade in grades:
        row = (
            grade.student,
            grade.exercise,
            f"{grade.final:g}",
            f"{grade.max_points:g}",
            f"{grade.points:g}",
            f"{grade.penalty:g}",
            f"{grade.graded:g}",
            grade.outcome,
            grade.due.isoformat() if grade.due else "",
            "yes" if grade.extended else "no",
            grade.submitted.isoformat() if grade.submitted else "",
            "yes" if grade.correction or grade.corrected else "no",
            "" if grade.override is None else f"{grade.override:g}",
            "yes" if grade.stale else "no",
            f"{grade.marked:g}",
            str(sum(mark.points is None for mark in grade.marks)),
        )
        writer.writerow([safe_cell(cell) for cell in row])
    return stream.getvalue()


def totals_csv(grades: Sequence[Grade], exercises: Sequence[str]) -> str:
    """One line per student, one column per exercise, and the total."""
    by_student: dict[str, dict[str, Grade]] = {}
    for grade in grades:
        by_student.setdefault(grade.student, {})[grade.exercise] = grade
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["student", *exercises, "total", "of"])
    for student, own in by_student.items():
        cells = [f"{own[e].final:g}" if e in own else "" for e in exercises]
        # Only what has a column counts in the total beside it.
        counted = [own[e] for e in exercises if e in own]
        total = [f"{sum(g.final for g in counted):g}", f"{sum(g.max_points for g in counted):g}"]
        writer.writerow([safe_cell(cell) for cell in (student, *cells, *total)])
    return stream.getvalue()


def safe_cell(text: str) -> str:
    """A cell that no spreadsheet takes for a formula: an apostrophe goes before a sign that would begin one.

    Also inside, after what another country's spreadsheet takes for the end of a cell.
    """
    return text if _is_number(text) else _FORMULA.sub(r"\1'\2", text)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
