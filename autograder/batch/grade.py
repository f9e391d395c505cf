"""Grading a folder of submissions: everything in it gets a result or is listed as what it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autograder.batch.judges import Order
from autograder.batch.plan import Options, Plan, make_plan
from autograder.batch.pool import Done, run_tasks
from autograder.batch.state import State
from autograder.course import CourseConfig, find_exercise
from autograder.language import _
from autograder.results.files import read_result, result_path, write_result
from autograder.results.model import Result
from autograder.submissions import FolderScan

__all__ = ["Batch", "Options", "grade_folder"]


@dataclass
class Batch:
    """What came of a folder.

    Attributes:
        scan: what was found in the folder.
        plan: what was graded and why.
        results: one for each submission, and one `missing` for each exercise that a student did not hand in.
    """

    scan: FolderScan
    plan: Plan
    results: list[Result] = field(default_factory=list)

    @property
    def faults(self) -> list[Result]:
        """Results that the framework could not make: never a student's zero."""
        return [result for result in self.results if result.outcome == "error"]


OnResult = Callable[[Result, int], None]


def grade_folder(
    course: CourseConfig,
    secret: bytes,
    scan: FolderScan,
    out: Path,
    options: Options,
    on_result: OnResult,
    state: State | None = None,
) -> Batch:
    """Grade what a scan found and what has changed since; every result is kept as it is made.

    Args:
        course: the configuration.
        secret: the course secret.
        scan: of the folder of submissions.
        out: where results go.
        options: how to run.
        on_result: told each new result as it comes, and how many there will be.
        state: the attempts known; a database in `out` without it.

    Raises:
        JudgeFault: nothing can be graded here.
        StateFault: the database cannot be used.
    """
    own = State(out) if state is None else None
    known = state or own
    assert known is not None
    try:
        plan = make_plan(course, secret, scan, known.latest(), options)
        batch = Batch(scan, plan)
        _keep_what_holds(batch, out)
        _grade(course, secret, batch, out, options, on_result, known)
    finally:
        if own is not None:
            own.close()
    for result in _missing(course, scan, plan, options):
        # What an earlier run graded stays: a file taken away later does not take its grade along.
        path = result_path(out, result.student, result.exercise)
        batch.results.append(read_result(path) if path.is_file() else result)
        if not path.is_file():
            write_result(path, result)
    position = {exercise.id: i for i, exercise in enumerate(course.exercises)}
    batch.results.sort(key=lambda r: (r.student, position.get(r.exercise, 0)))
    return batch


def _keep_what_holds(batch: Batch, out: Path) -> None:
    for result in batch.plan.kept:
        path = result_path(out, result.student, result.exercise)
        # A kill between the database and the file, or a file removed by hand.
        if not path.is_file():
            write_result(path, result)
        batch.results.append(result)
    for result in batch.plan.unreadable:
        write_result(result_path(out, result.student, result.exercise), result)
        batch.results.append(result)


def _grade(
    course: CourseConfig,
    secret: bytes,
    batch: Batch,
    out: Path,
    options: Options,
    on_result: OnResult,
    state: State,
) -> None:
    planned = {item.task.key: item for item in batch.plan.todo}
    if not planned:
        return

    def collect(done: Done) -> None:
        result, item = _result_of(course, done), planned[done.task.key]
        state.keep(result, item.key, item.sha256)
        write_result(result_path(out, result.student, result.exercise), result)
        batch.results.append(result)
        on_result(result, len(planned))

    exercises = sorted({item.entry.exercise for item in planned.values()})
    folders = [find_exercise(course, exercise).hidden_folder for exercise in exercises]
    order = Order(course.file, folders, secret, options.unprotected, language=options.language)
    run_tasks(order, [item.task for item in batch.plan.todo], options.workers, collect)


def _result_of(course: CourseConfig, done: Done) -> Result:
    if done.result is not None:
        return Result.from_json(done.result)
    student, exercise = done.task.key
    job: Mapping[str, Any] = done.task.job
    submission = {k: v for k, v in job["submission"].items() if k != "notes"}
    return Result(
        student=student,
        exercise=exercise,
        points=0.0,
        max_points=course.exercise(exercise).points,
        outcome="error",
        message=_("This submission could not be graded: {fault}").format(fault=done.fault.strip().splitlines()[-1]),
        submission=submission,
        notes=list(job["submission"]["notes"]),
    )


def _missing(course: CourseConfig, scan: FolderScan, plan: Plan, options: Options) -> Iterable[Result]:
    """One for each exercise of this batch that a student of this batch did not hand in."""
    handed_in = {(entry.student, entry.exercise) for entry in plan.entries}
    students = [s for s in scan.students if not options.students or s in options.students]
    for exercise in course.exercises:
        if not any(entry.exercise == exercise.id for entry in plan.entries):
            continue
        for student in students:
            if (student, exercise.id) not in handed_in:
                message = _("Nothing was handed in for this exercise.")
                yield Result(student, exercise.id, 0.0, exercise.points, "missing", message=message)
