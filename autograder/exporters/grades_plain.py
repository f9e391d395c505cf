"""Grades in nbgrader's columns, as a plain table and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from autograder.course import CourseConfig
from autograder.exporters.cells import Form
from autograder.exporters.people import People
from autograder.exporters.sheet import Sheet
from autograder.results.grade import Grade
from autograder.results.points import rounded

NBGRADER_COLUMNS = (
    "assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email", "raw_score",
    "late_submission_penalty", "score", "max_score",
)  # fmt: skip
PLAIN_COLUMNS = (
    "student", "name", "email", "exercise", "raw", "override", "marked", "late_penalty", "final", "max_points",
    "outcome", "due", "extended", "submitted",
)  # fmt: skip


def nbgrader_csv(grades: Sequence[Grade], sheet: Sheet, people: People, form: Form) -> bytes:
    """What `nbgrader export` writes; its times are UTC without saying so."""
    rows: list[Sequence[str]] = [NBGRADER_COLUMNS]
    for grade in grades:
        known = people.of(grade.student, grade.exercise)
        final = sheet.points(grade.student, grade.exercise)
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


def plain_csv(grades: Sequence[Grade], sheet: Sheet, people: People, form: Form) -> bytes:
    """One line per student and exercise: what the checks gave, what was decided, what counts."""
    rows: list[Sequence[str]] = [PLAIN_COLUMNS]
    for grade in grades:
        known = people.of(grade.student, grade.exercise)
        rows.append(
            [
                grade.student,
                known.name,
                known.email,
                grade.exercise,
                form.number(grade.graded),
                form.number(grade.override),
                form.number(grade.marked) if grade.marks else "",
                form.number(grade.penalty),
                form.number(sheet.points(grade.student, grade.exercise)),
                form.number(grade.max_points),
                grade.outcome,
                grade.due.isoformat() if grade.due else "",
                "yes" if grade.extended else "no",
                grade.submitted.isoformat() if grade.submitted else "",
            ]
        )
    return form.table(rows)


def wide_csv(sheet: Sheet, people: People, form: Form) -> bytes:
    """One line per student, one column per exercise, and the total."""
    rows: list[Sequence[str]] = [["student", "name", "email", *sheet.exercises, "total", "of"]]
    of = sum(sheet.most(exercise) for exercise in sheet.exercises)
    for student in sheet.students:
        known = people.of(student)
        points = [sheet.points(student, exercise) for exercise in sheet.exercises]
        total = sum(value for value in points if value is not None)
        cells = [form.number(value) for value in points]
        rows.append([student, known.name, known.email, *cells, form.number(rounded(total)), form.number(of)])
    return form.table(rows)


def grades_json(grades: Sequence[Grade], sheet: Sheet, people: People, course: CourseConfig) -> bytes:
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
            "final": sheet.points(grade.student, grade.exercise),
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
