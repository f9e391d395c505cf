"""Everything about the grades but teachers' private comments, as JSON, by the names of the table's columns."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from autograder.exporters.exporter import Given, Graded, Option, Written
from autograder.language import N_

if TYPE_CHECKING:
    from autograder.exporters.table import Row

TITLE = N_("Grades as JSON.")
HELP = (N_("Write the grades in OUT as JSON: the checks' points, overrides, late penalty, what counts, comments."),)
OPTIONS: tuple[Option, ...] = ()
TABLE = False
VERSION = 2


def write(graded: Graded, given: Given) -> Written:
    """A document with a list of grades."""
    document = {
        "schema_version": VERSION,
        "course": graded.course.id,
        "grades": [_about(row) for row in graded.table.rows],
    }
    return Written((json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode())


def _about(row: Row) -> dict[str, object]:
    grade = row.grade
    return {
        "student": grade.student,
        "name": row.profile.name,
        "email": row.profile.email,
        "exercise": grade.exercise,
        "outcome": grade.outcome,
        "points": grade.graded,
        "override": grade.overridden,
        "marked": grade.marked if grade.marks else None,
        "late_penalty": grade.penalty,
        "final": row.final,
        "max_points": grade.max_points,
        "due": grade.due.isoformat() if grade.due else None,
        "extended": grade.extended,
        "submitted": grade.submitted.isoformat() if grade.submitted else None,
        "marks": [{"id": m.id, "points": m.points, "max_points": m.max_points} for m in grade.marks],
        "comments": [comment.text for comment in grade.comments if not comment.private],
    }
