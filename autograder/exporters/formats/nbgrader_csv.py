"""Grades in the columns of `nbgrader export`; its times are UTC without saying so."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from autograder.exporters.exporter import Given, Graded, Option, Written
from autograder.language import N_
from autograder.results.points import rounded

TITLE = N_("Grades with nbgrader's columns.")
HELP = (N_("Write the final grades in OUT with the columns of `nbgrader export`."),)
OPTIONS: tuple[Option, ...] = ()
TABLE = True
COLUMNS = (
    "assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email", "raw_score",
    "late_submission_penalty", "score", "max_score",
)  # fmt: skip


def write(graded: Graded, given: Given) -> Written:
    """One line per student and exercise; no score where nobody can say it yet."""
    form = given.form
    rows: list[Sequence[str]] = [COLUMNS]
    for row in graded.table.rows:
        grade, profile, final = row.grade, row.profile, row.final
        rows.append(
            [
                grade.exercise,
                _utc(grade.due),
                _utc(grade.submitted),
                grade.student,
                profile.last,
                profile.first,
                profile.email,
                "" if final is None else form.number(grade.points),
                "" if final is None else form.number(rounded(grade.points - final)),
                form.number(final),
                form.number(grade.max_points),
            ]
        )
    return Written(form.table(rows))


def _utc(moment: datetime | None) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S") if moment else ""
