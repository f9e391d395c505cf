"""One submission graded with the hidden checks, outside any batch: no plan, no state, nothing written."""

from __future__ import annotations

from autograder.batch.job import Order, job_of, ungraded
from autograder.batch.pool import Judges
from autograder.course import CourseConfig
from autograder.results.model import Result
from autograder.submissions import Entry, HandIn, SubmissionUnreadable


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
    try:
        submission = scan.read(entry)
    except SubmissionUnreadable as reason:
        return ungraded(course, entry, reason)
    with Judges(Order(course.file, (), secret, unprotected, language=language)) as judges:
        return judges.grade(job_of(course, submission, entry))
