"""One submission graded with the hidden checks, outside any batch: no plan, no state, nothing written."""

from __future__ import annotations

from autograder.batch.judges import Judge, Order
from autograder.course import CourseConfig, find_exercise
from autograder.results.model import Result, SubmissionFacts
from autograder.submissions import Entry, HandIn, SubmissionUnreadable, code_cells

MARGIN_SECONDS = 120.0


def grade_entry(
    course: CourseConfig,
    secret: bytes,
    entry: Entry,
    scan: HandIn,
    unprotected: bool = False,
    language: str | None = None,
) -> Result:
    """The result of one file of a scan; an unreadable file gives a result that says so.

    Args:
        course: the configuration.
        secret: the course secret; with the student's name it decides the inputs.
        entry: which file, whose, for which exercise.
        scan: that found it: no folder below the scanned one may be a link.
        unprotected: run without isolation where there is none.
        language: of the messages; None takes the course's.

    Raises:
        JudgeFault: nothing can be graded here, or the framework failed on this submission.
    """
    config = course.exercise(entry.exercise)
    try:
        submission = scan.read(entry)
    except SubmissionUnreadable as reason:
        return Result(
            student=entry.student,
            exercise=entry.exercise,
            points=0.0,
            max_points=config.points,
            # A file that could not be opened here is no fault of the student's.
            outcome="handed_in_not_gradable" if reason.fault == "content" else "error",
            message=reason.message,
            submission=SubmissionFacts(entry.path.name, sha256=reason.sha256),
            notes=list(entry.notes),
        )
    job = {
        "exercise": entry.exercise,
        "student": entry.student,
        "cells": list(code_cells(submission, entry.exercise)),
        "submission": {
            "file": entry.path.name, "format": submission.format, "sha256": submission.sha256, "submitted": None,
        },
        "notes": [*entry.notes, *submission.problems],
    }  # fmt: skip
    seconds = config.limits.total_seconds + 4 * config.limits.per_import.seconds + MARGIN_SECONDS
    folder = find_exercise(course, entry.exercise).hidden_folder
    with Judge(Order(course.file, [folder], secret, unprotected, language=language)) as judge:
        return Result.from_json(judge.grade(job, seconds))
