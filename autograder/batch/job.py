"""The one job: whoever has a submission judged, a class, a student or a calibration, makes it here.

What a job is made of is in `judge.messages`, since it travels to the judge as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from autograder.course import CourseConfig
from autograder.course.written import Limits
from autograder.judge.messages import Job, Kept, Order, Worth
from autograder.language import _
from autograder.results.model import Result, SubmissionFacts
from autograder.submissions import Entry, Submission, SubmissionUnreadable, code_of

__all__ = [
    "Job", "Kept", "Order", "Worth", "facts_of", "faulty", "job_of", "not_gradable", "seconds_of", "ungraded",
    "unread_job",
]  # fmt: skip

# For what a judge does besides: its own answers, diagnosis, figures.
MARGIN_SECONDS = 120.0
# Loads of the file beyond the checks' time: a worker that is lost is replaced, and the last one may begin when the
# submission's whole time is nearly over.
IMPORTS = 4


def job_of(
    course: CourseConfig,
    submission: Submission,
    entry: Entry | None = None,
    *,
    checks: tuple[str, ...] = (),
    kept: Kept | None = None,
    salt: str = "",
    pictures: Path | None = None,
) -> Job:
    """The job that judges a submission.

    Args:
        entry: where it was found, whose name and time count; without it the submission's own file is all there is.
        checks: only these and those that they require.
        kept: checks that are not judged again.
        salt: added to every seed.
    """
    exercise = submission.exercise
    code = code_of(submission, exercise)
    return Job(
        exercise,
        submission.student,
        code.cells,
        seconds_of(course.exercise(exercise).limits),
        facts_of(entry or submission, submission.format, submission.sha256),
        (*(entry.notes if entry is not None else ()), *submission.problems),
        checks,
        kept,
        salt,
        pictures,
        entry.drawn_for if entry is not None else "",
        code.left_out,
        code.reader,
    )


def seconds_of(limits: Limits) -> float:
    """How long a judge may be silent about one submission, in seconds."""
    return limits.total_seconds + IMPORTS * limits.per_import.seconds + MARGIN_SECONDS


def facts_of(found: Entry | Submission, file_format: str, sha256: str) -> SubmissionFacts:
    """What a result says of the file."""
    facts = SubmissionFacts(found.path.name, file_format, sha256)
    if isinstance(found, Entry):
        facts.submitted = found.submitted
        # The platform's mark counts where it does not say the time.
        facts.marked_late = found.late and not found.submitted
        facts.time_unread = found.unread_time
    return facts


def unread_job(course: CourseConfig, entry: Entry, sha256: str) -> Job:
    """The job of a file that could be read once and cannot now: what is known of it, and no code."""
    facts = facts_of(entry, entry.path.suffix.lstrip("."), sha256)
    seconds = seconds_of(course.exercise(entry.exercise).limits)
    return Job(entry.exercise, entry.student, (), seconds, facts, entry.notes)


def faulty(course: CourseConfig, job: Job, fault: str) -> Result:
    """The result of a job that could not be graded: a fault of ours."""
    lines = fault.strip().splitlines() or ["?"]
    return Result(
        student=job.student,
        exercise=job.exercise,
        points=0.0,
        max_points=course.exercise(job.exercise).points,
        outcome="error",
        message=_("This submission could not be graded: {fault}").format(fault=lines[-1]),
        submission=job.submission,
        notes=list(job.notes),
    )


def ungraded(course: CourseConfig, entry: Entry, reason: SubmissionUnreadable) -> Result:
    """The result of a file that gives no code: the student's doing or, where it could not be opened here, ours."""
    facts = facts_of(entry, entry.path.suffix.lstrip("."), reason.sha256)
    made = not_gradable(course, (entry.student, entry.exercise), reason.message, facts, entry.notes)
    if reason.fault != "content":
        made.outcome = "error"
    return made


def not_gradable(
    course: CourseConfig, name: tuple[str, str], message: str, submission: SubmissionFacts | None = None,
    notes: Sequence[str] = (),
) -> Result:  # fmt: skip
    """The result of what was handed in and holds nothing to be graded."""
    return Result(
        student=name[0],
        exercise=name[1],
        points=0.0,
        max_points=course.exercise(name[1]).points,
        outcome="handed_in_not_gradable",
        message=message,
        submission=submission or SubmissionFacts(),
        notes=list(notes),
    )
