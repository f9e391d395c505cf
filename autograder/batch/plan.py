"""What of a folder has to be graded, and why: new, changed, asked for; the rest keeps its result.

A plan holds digests and reasons, no submission's text: a task is made of a file when a judge is free for it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from autograder.batch.job import Kept, job_of, not_gradable, ungraded, unread_job
from autograder.batch.keys import CHECK, Keys, changed_checks, differences, only_checks_differ
from autograder.batch.pictures import Pictures
from autograder.batch.pool import Task
from autograder.course import CourseConfig
from autograder.language import N_, _
from autograder.results.attempt import Key, Known, Name
from autograder.results.model import Result, SubmissionFacts
from autograder.submissions import Entry, HandIn, NotGradable, SubmissionUnreadable
from autograder.submissions.shown import shown

NEW = N_("new")
FORCED = N_("asked for (--force)")
FAILED = N_("not graded the last time")
FIGURES = N_("its figures are missing")


@dataclass(frozen=True)
class Choice:
    """What of a class is graded.

    Attributes:
        exercises: only these; all of the course where empty.
        students: only these; all where empty.
        only: patterns `exercise` or `exercise/check`: only what matches one of them is graded.
        force: grade again what has not changed, too.
        failed: grade only what the framework could not grade the last time.
    """

    exercises: Sequence[str] = ()
    students: Sequence[str] = ()
    only: Sequence[str] = ()
    force: bool = False
    failed: bool = False

    def wants(self, student: str, exercise: str) -> bool:
        """Whether what this student handed in for this exercise is to be looked at."""
        return (
            (not self.exercises or exercise in self.exercises)
            and (not self.students or student in self.students)
            and (not self.only or any(fnmatchcase(exercise, p.partition("/")[0]) for p in self.only))
        )

    def wants_check(self, exercise: str, check: str) -> bool:
        """Whether this check is to be graded again where it has changed."""
        return not self.only or any(
            fnmatchcase(exercise, pattern.partition("/")[0]) and fnmatchcase(check, pattern.partition("/")[2] or "*")
            for pattern in self.only
        )


@dataclass(frozen=True)
class Planned:
    """A submission to be graded: why, and what its result will depend on.

    Attributes:
        sha256: of its bytes.
        known: the attempt before, or None.
        again: the checks to be graded again, while the rest of that attempt's result holds; None: all.
        left: parts of the result's key that stay as they were: of checks that have changed and were not asked for.
    """

    entry: Entry
    sha256: str
    why: str
    size: int = 0
    known: Known | None = None
    again: frozenset[str] | None = None
    left: Key | None = None

    @property
    def name(self) -> tuple[str, str]:
        """Student and exercise."""
        return self.entry.student, self.entry.exercise


@dataclass
class Plan:
    """What a batch will do.

    Attributes:
        todo: to be graded.
        kept: attempts whose results are kept, by student and exercise.
        left: those that are new or have changed, and were not asked for.
        not_gradable: results of files that hold no code.
        digests: SHA-256 of every file that could be read, by student and exercise.
    """

    todo: list[Planned] = field(default_factory=list)
    kept: dict[tuple[str, str], Known] = field(default_factory=dict)
    left: set[tuple[str, str]] = field(default_factory=set)
    not_gradable: list[tuple[Result, Key]] = field(default_factory=list)
    digests: dict[tuple[str, str], str] = field(default_factory=dict)

    def identical(self) -> list[tuple[str, list[str]]]:
        """Exercises and students who handed in the same bytes."""
        groups: dict[tuple[str, str], list[str]] = {}
        for (student, exercise), sha256 in self.digests.items():
            groups.setdefault((exercise, sha256), []).append(student)
        return [(exercise, sorted(names)) for (exercise, _sha), names in sorted(groups.items()) if len(names) > 1]


def key_of(keys: Keys, entry: Entry, sha256: str) -> Key:
    """What the result of a file depends on."""
    key = keys.of(entry.student, entry.exercise, sha256)
    return key | ({"questions of": entry.drawn_for} if entry.drawn_for else {})


def make_plan(
    course: CourseConfig,
    keys: Keys,
    handed_in: HandIn,
    known: Mapping[Name, Known],
    choice: Choice,
    pictures: Pictures | None = None,
) -> Plan:
    """Look at every submission and compare it with what is known of it.

    Args:
        pictures: of figures, where they are drawn: a submission without them is graded again.
    """
    plan = Plan()
    for entry in handed_in.entries:
        if not choice.wants(entry.student, entry.exercise):
            continue
        name = entry.student, entry.exercise
        sha256 = entry.sha256
        if not sha256:  # it could not be opened when the class was read
            try:
                sha256 = handed_in.read(entry).sha256
            except SubmissionUnreadable as reason:
                plan.not_gradable.append((ungraded(course, entry, reason), {}))
                continue
        plan.digests[name] = sha256
        key, attempt = key_of(keys, entry, sha256), known.get(name)
        planned = _decide(entry, sha256, key, attempt, choice, pictures)
        if planned is None:
            if attempt is not None:
                plan.kept[name] = attempt
            if attempt is None or attempt.key != key:
                plan.left.add(name)
            continue
        plan.todo.append(planned)
    for nothing in handed_in.not_gradable:
        if not choice.wants(nothing.student, nothing.exercise):
            continue
        name = nothing.student, nothing.exercise
        digest = nothing.evidence[0].sha256 or hashlib.sha256(nothing.message.encode()).hexdigest()
        key, attempt = keys.of(*name, digest), known.get(name)
        if attempt is not None and attempt.key == key and not choice.force:
            plan.kept[name] = attempt
        else:
            plan.not_gradable.append((_not_gradable(course, nothing), key))
    return plan


def _not_gradable(course: CourseConfig, nothing: NotGradable) -> Result:
    first, *others = nothing.evidence
    name = Path(shown(first.path.name))
    facts = SubmissionFacts(name.name, name.suffix.lstrip("."), first.sha256, first.submitted)
    notes = [f"{shown(item.path.name)}: {item.reason}" for item in others[:9]]
    return not_gradable(course, (nothing.student, nothing.exercise), nothing.message, facts, notes)


def _decide(
    entry: Entry, sha256: str, key: Key, attempt: Known | None, choice: Choice, pictures: Pictures | None
) -> Planned | None:
    """What is to be done with a file; None where there is nothing to do."""

    def planned(why: str, again: frozenset[str] | None = None, left: Key | None = None) -> Planned:
        return Planned(entry, sha256, why, entry.path.stat().st_size, attempt, again, left)

    if attempt is None:
        return None if choice.failed else planned(_(NEW))
    if attempt.outcome == "error":
        return planned(_(FAILED))
    if choice.failed:
        return None
    if attempt.outcome != "graded" or not only_checks_differ(attempt.key, key):
        changed = _("changed: {parts}").format(parts="; ".join(differences(attempt.key, key)))
        return planned(_(FORCED)) if choice.force else planned(changed) if attempt.key != key else None
    everything = [part.removeprefix(CHECK) for part in key if part.startswith(CHECK)]
    again = everything if choice.force else changed_checks(attempt.key, key)
    wanted = frozenset(check for check in again if choice.wants_check(entry.exercise, check))
    if not wanted:
        undrawn = not again and pictures is not None and pictures.missing(entry.student, entry.exercise, sha256)
        return planned(_(FIGURES)) if undrawn else None
    named = _("the checks {names}").format(names=", ".join(check for check in again if check in wanted))
    why = _(FORCED) if choice.force else _("changed: {parts}").format(parts=named)
    if len(wanted) == len(everything):
        return planned(why)
    # What was left out is still to be graded: its part of the key stays as it was.
    left = {CHECK + check: attempt.key.get(CHECK + check, "") for check in again if check not in wanted}
    return planned(why, wanted, left)


def make_task(
    course: CourseConfig,
    handed_in: HandIn,
    planned: Planned,
    before: Result | None = None,
    pictures: Path | None = None,
) -> Task[Name]:
    """The job of a planned submission, read now.

    Args:
        before: the earlier result, where some of its checks are kept.

    Returns:
        The task; its job's `submission` tells the SHA-256 of what was read, which may be newer than the plan.
    """
    entry = planned.entry
    try:
        submission = handed_in.read(entry)
    except SubmissionUnreadable as reason:
        fault = _("the file was changed while the class was graded: {reason}").format(reason=reason.message)
        return Task(planned.name, unread_job(course, entry, reason.sha256), fault)
    kept = _kept(planned, before) if submission.sha256 == planned.sha256 else None
    return Task(planned.name, job_of(course, submission, entry, kept=kept, pictures=pictures))


def _kept(planned: Planned, before: Result | None) -> Kept | None:
    """What of an earlier result the judge takes over."""
    if planned.again is None or before is None:
        return None
    checks = [check for check in before.checks if check.id not in planned.again and check.outcome != "error"]
    return Kept(tuple(checks), tuple(before.incidents))
