"""What of a folder has to be graded, and why: new, changed, asked for; the rest keeps its result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from autograder.batch.keys import Key, differences, job_key
from autograder.batch.pool import Task
from autograder.batch.state import Attempt
from autograder.course import CourseConfig, find_exercise
from autograder.language import N_, _
from autograder.results.model import Result
from autograder.submissions import (
    Entry,
    FolderScan,
    Submission,
    SubmissionUnreadable,
    code_cells,
    read_submission,
)

NEW = N_("new")
FORCED = N_("asked for (--force)")
FAILED = N_("not graded the last time")


@dataclass(frozen=True)
class Options:
    """How a batch runs.

    Attributes:
        workers: judge processes.
        exercises: only these; all of the course where empty.
        students: only these; all where empty.
        force: grade everything again.
        failed: grade only what the framework could not grade the last time.
        unprotected: without isolation where there is none.
        language: of the messages; None takes the course's.
    """

    workers: int
    exercises: Sequence[str] = ()
    students: Sequence[str] = ()
    force: bool = False
    failed: bool = False
    unprotected: bool = False
    language: str | None = None


@dataclass(frozen=True)
class Planned:
    """A submission to be graded: why, and what its result will depend on."""

    entry: Entry
    sha256: str
    key: Key
    why: str
    task: Task


@dataclass
class Plan:
    """What a batch will do.

    Attributes:
        todo: to be graded.
        kept: results that still hold.
        unreadable: results of files that hold no code.
        entries: everything that was considered.
        digests: SHA-256 of every file that could be read, by student and exercise.
    """

    todo: list[Planned] = field(default_factory=list)
    kept: list[Result] = field(default_factory=list)
    unreadable: list[Result] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    digests: dict[tuple[str, str], str] = field(default_factory=dict)

    def identical(self) -> list[tuple[str, list[str]]]:
        """Exercises and students who handed in the same bytes."""
        groups: dict[tuple[str, str], list[str]] = {}
        for (student, exercise), sha256 in self.digests.items():
            groups.setdefault((exercise, sha256), []).append(student)
        return [(exercise, sorted(names)) for (exercise, _), names in sorted(groups.items()) if len(names) > 1]


def make_plan(
    course: CourseConfig,
    secret: bytes,
    scan: FolderScan,
    known: Mapping[tuple[str, str], Attempt],
    options: Options,
) -> Plan:
    """Read every submission and compare it with what is known of it.

    Args:
        course: the configuration.
        secret: the course secret.
        scan: of the folder.
        known: the newest attempt by student and exercise.
        options: what was asked for.
    """
    plan = Plan()
    for entry in scan.entries:
        if not _wanted(entry, options):
            continue
        plan.entries.append(entry)
        try:
            submission = read_submission(entry.path, student=entry.student, exercise=entry.exercise, base=scan.folder)
        except SubmissionUnreadable as reason:
            plan.unreadable.append(_unreadable(course, entry, reason))
            continue
        plan.digests[entry.student, entry.exercise] = submission.sha256
        exercise = find_exercise(course, entry.exercise)
        language = options.language or course.language
        key = job_key(course, exercise, secret, entry.student, submission.sha256, language)
        attempt = known.get((entry.student, entry.exercise))
        why = _why(attempt, key, options)
        if why is None:
            assert attempt is not None
            plan.kept.append(attempt.result)
        elif why:
            plan.todo.append(Planned(entry, submission.sha256, key, why, _task(course, entry, submission)))
    return plan


def _wanted(entry: Entry, options: Options) -> bool:
    return (not options.exercises or entry.exercise in options.exercises) and (
        not options.students or entry.student in options.students
    )


def _why(attempt: Attempt | None, key: Key, options: Options) -> str | None:
    """Why to grade; None where the known result holds; "" where there is nothing to do and nothing known."""
    if options.failed:
        if attempt is None:
            return ""
        return _(FAILED) if attempt.result.outcome == "error" else None
    if attempt is None:
        return _(NEW)
    if options.force:
        return _(FORCED)
    if attempt.result.outcome == "error":
        return _(FAILED)
    changed = differences(attempt.key, key)
    return _("changed: {parts}").format(parts="; ".join(changed)) if changed else None


def _task(course: CourseConfig, entry: Entry, submission: Submission) -> Task:
    job: dict[str, Any] = {
        "exercise": entry.exercise,
        "student": entry.student,
        "cells": list(code_cells(submission, entry.exercise)),
        "submission": describe(entry, submission.format, submission.sha256)
        | {"notes": [*entry.notes, *submission.problems]},
    }
    # The exercise's whole time, and that of the imports of workers that had to be replaced.
    limits = course.exercise(entry.exercise).limits
    return Task((entry.student, entry.exercise), job, limits.total_seconds + 4 * limits.per_import.seconds)


def describe(entry: Entry, file_format: str, sha256: str) -> dict[str, Any]:
    """What a result says of the file."""
    return {"file": entry.path.name, "format": file_format, "sha256": sha256, "submitted": None}


def _unreadable(course: CourseConfig, entry: Entry, reason: SubmissionUnreadable) -> Result:
    # A file that could not be opened here is no fault of the student's.
    outcome = "unreadable" if reason.fault == "content" else "error"
    return Result(
        student=entry.student,
        exercise=entry.exercise,
        points=0.0,
        max_points=course.exercise(entry.exercise).points,
        outcome=outcome,  # type: ignore[arg-type]
        message=reason.message,
        submission=describe(entry, entry.path.suffix.lstrip("."), reason.sha256),
        notes=list(entry.notes),
    )
