"""One submission graded with the hidden checks, outside any batch: no state, nothing written."""

from __future__ import annotations

from autograder.batch.judges import Judge, Order
from autograder.batch.plan import Options, make_plan
from autograder.batch.pool import MARGIN_SECONDS
from autograder.course import CourseConfig, find_exercise
from autograder.results.model import Result
from autograder.submissions import Entry, FolderScan


def grade_entry(
    course: CourseConfig,
    secret: bytes,
    entry: Entry,
    scan: FolderScan,
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
    alone = FolderScan(scan.folder, (entry.student,), (entry,), (), ())
    plan = make_plan(course, secret, alone, {}, Options(workers=1, language=language))
    if plan.unreadable:
        return plan.unreadable[0]
    task = plan.todo[0].task
    folder = find_exercise(course, entry.exercise).hidden_folder
    with Judge(Order(course.file, [folder], secret, unprotected, language=language)) as judge:
        return Result.from_json(judge.grade(task.job, task.seconds + MARGIN_SECONDS))
