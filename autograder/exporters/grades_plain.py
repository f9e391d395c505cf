"""Grades in nbgrader's columns and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from autograder.course import CourseConfig
from autograder.exporters.people import People
from autograder.exporters.table import GradeTable
from autograder.reports.cells import Form
from autograder.results.grade import Grade
from autograder.results.points import rounded

NBGRADER_COLUMNS = (
    "assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email", "raw_score",
    "late_submission_penalty", "score", "max_score",
)  # fmt: skip


def nbgrader_csv(grades: Sequence[Grade], sheet: GradeTable, people: People, form: Form) -> bytes:
    """What `nbgrader export` writes; its times are UTC without saying so."""
    rows: list[Sequence[str]] = [NBGRADER_COLUMNS]
    for grade in grades:
        known = people.of(grade.student, grade.exercise)
        final = sheet.final(grade.student, grade.exercise)
        rows.append(
            [
                grade.exercise,
                _utc(grade.due),
                _utc(grade.submitted),
                grade.student,
                known.last,
                known.first,
                known.email,
                "" if final is None else form.number(grade.points),
                "" if final is None else form.number(rounded(grade.points - grade.final)),
                form.number(final),
                form.number(grade.max_points),
            ]
        )
    return form.table(rows)


def grades_json(grades: Sequence[Grade], sheet: GradeTable, people: People, course: CourseConfig) -> bytes:
    """Everything about the grades but teachers' private comments."""
    listed = []
    for grade in grades:
        known = people.of(grade.student, grade.exercise)
        about: dict[str, Any] = {
            "student": grade.student,
            "name": known.name,
            "email": known.email,
            "exercise": grade.exercise,
            "outcome": grade.outcome,
            "raw": grade.graded,
            "override": grade.override,
            "points": grade.points,
            "late_penalty": grade.penalty,
            "final": sheet.final(grade.student, grade.exercise),
            "max_points": grade.max_points,
            "due": grade.due.isoformat() if grade.due else None,
            "extended": grade.extended,
            "submitted": grade.submitted.isoformat() if grade.submitted else None,
            "marks": [{"id": m.id, "points": m.points, "max_points": m.max_points} for m in grade.marks],
            "comments": [remark.text for remark in grade.remarks if not remark.private],
        }
        listed.append(about)
    document = {"schema_version": 1, "course": course.id, "grades": listed}
    return (json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _utc(moment: datetime | None) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S") if moment else ""
