"""One file checked on its author's own machine: the public checks, and no secret anywhere."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from autograder.authoring.personal import read_drawn_for
from autograder.batch.job import Order, job_of
from autograder.batch.judges import JudgeFault
from autograder.batch.pool import Judges
from autograder.course.handout import Handout
from autograder.language import _
from autograder.results.model import Result
from autograder.submissions import Submission, read_submission
from autograder.submissions.shown import shown

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
    order = Order(handout.config.file, (checks,), PUBLIC_SECRET, unprotected=True, public=True, language=language)
    with Judges(order) as judges:
        notes = (*submission.problems, *_drawn_for(submission))
        result = judges.grade(job_of(handout.config, replace(submission, student="you", problems=notes)))
    faults = [check for check in result.checks if check.outcome == "error"]
    if faults:
        raise JudgeFault(
            _("the public check {id} is broken: {message}").format(id=faults[0].id, message=faults[0].message)
        )
    return result


def _drawn_for(submission: Submission) -> list[str]:
    """Whose questions the file has: handed in under another name it would be judged by other ones."""
    named = read_drawn_for("\n".join(cell.source for cell in submission.cells))
    if named is None:
        return []
    return [_("Its questions were drawn for {name}: hand it in under this name.").format(name=shown(named.student))]
