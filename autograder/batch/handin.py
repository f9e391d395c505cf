"""One file checked on its author's own machine: the public checks, and no secret anywhere."""

from __future__ import annotations

from pathlib import Path

from autograder.batch.judges import Judge, JudgeFault, Order
from autograder.course.handout import Handout
from autograder.language import _
from autograder.results.model import Result
from autograder.submissions import Submission, code_cells, read_submission

# Public inputs are fixed: a student who asks twice gets the same answer.
PUBLIC_SECRET = b"public checks have no secret"


def check_file(handout: Handout, file: Path, exercise: str, language: str | None = None) -> Result:
    """The result of the public checks on a file.

    Isolation is used where this machine has it; elsewhere the code runs as a plain process, which is its author's own.

    Raises:
        SubmissionUnreadable: the file holds no code.
        JudgeFault: the checks themselves broke.
    """
    return check_submission(handout, read_submission(file, student="you", exercise=exercise), language)


def check_submission(handout: Handout, submission: Submission, language: str | None = None) -> Result:
    """The result of the public checks on what has been read already: a file, or cells from elsewhere.

    Raises:
        JudgeFault: the checks themselves broke.
    """
    exercise = submission.exercise
    checks = handout.file(exercise, "test_public.py")
    order = Order(handout.config.file, [checks], PUBLIC_SECRET, unprotected=True, public=True, language=language)
    limits = handout.config.exercise(exercise).limits
    job = {
        "exercise": exercise,
        "student": "you",
        "cells": list(code_cells(submission, exercise)),
        "submission": {
            "file": submission.path.name, "format": submission.format, "sha256": submission.sha256, "submitted": None,
        },
        "notes": list(submission.problems),
    }  # fmt: skip
    with Judge(order) as judge:
        result = Result.from_json(judge.grade(job, limits.total_seconds + 120))
    faults = [check for check in result.checks if check.outcome == "error"]
    if faults:
        raise JudgeFault(
            _("the public check {id} is broken: {message}").format(id=faults[0].id, message=faults[0].message)
        )
    return result
