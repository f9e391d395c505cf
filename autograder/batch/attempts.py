"""Which attempt counts, and how late it was: what is settled about results once a batch is graded.

Every attempt stays in the batch's database. The file of a result holds the one that counts by the course's `attempts`:
the last that was handed in, the first, or the best after its late penalty. Times of submission and due dates may change
without anything being graded again; the files follow.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from autograder.batch.keys import Keys
from autograder.batch.state import Attempt, State
from autograder.course import CourseConfig
from autograder.language import _
from autograder.results.files import result_path, result_text, text_digest, write_atomically
from autograder.results.model import Result
from autograder.results.points import rounded
from autograder.submissions import Entry, HandIn, SubmissionUnreadable
from autograder.submissions.opening import read_regular
from autograder.submissions.reader import MAX_BYTES

# The due date of a student for an exercise, and whether it is an extension.
DueOf = Callable[[str, str], tuple[datetime | None, bool]]


@dataclass(frozen=True)
class _Try:
    """One file that a student handed in, as it was graded last."""

    sha256: str
    number: int  # in the order in which files were first graded
    latest: int  # in the order in which they were last graded
    result: Result


def rounds(scan: HandIn) -> list[HandIn]:
    """What to grade before a scan's own entries: earlier attempts, one of each student and exercise at a time."""
    waiting = list(scan.earlier)
    found: list[HandIn] = []
    while waiting:
        first = {(entry.student, entry.exercise): entry for entry in reversed(waiting)}
        # No students: nobody misses anything in a round of earlier attempts.
        found.append(replace(scan, students=(), entries=tuple(first.values()), unplaced=(), earlier=()))
        waiting = [entry for entry in waiting if first[entry.student, entry.exercise] is not entry]
    return found


def not_graded_yet(scan: HandIn, state: State, keys: Keys) -> HandIn:
    """A round without the attempts whose results in the database still hold."""
    entries = []
    for (student, exercise, sha256), entry in handed_in(replace(scan, entries=(), earlier=scan.entries), {}).items():
        key = keys.of(student, exercise, sha256)
        known = (a for a in state.history(student, exercise) if a.sha256 == sha256 and a.key == key)
        if not any(attempt.result.outcome != "error" for attempt in known):
            entries.append(entry)
    return replace(scan, entries=tuple(entries))


Handed = Mapping[tuple[str, str, str], Entry]  # by student, exercise and SHA-256


def handed_in(scan: HandIn, digests: Mapping[tuple[str, str], str]) -> Handed:
    """Which file of a scan has which content.

    Args:
        scan: with its earlier attempts.
        digests: SHA-256 of the entries, by student and exercise, as the plan read them.
    """
    found: dict[tuple[str, str, str], Entry] = {}
    for entry in scan.earlier:
        try:
            content = read_regular(entry.path, MAX_BYTES, entry.base or scan.folder).content
        except SubmissionUnreadable:
            continue
        found[entry.student, entry.exercise, hashlib.sha256(content).hexdigest()] = entry
    for entry in scan.entries:
        name = entry.student, entry.exercise
        # A file that holds no code has no digest in the plan: whatever was last said of it is said of this file.
        found[*name, digests.get(name, "")] = entry
    return found


def settle(
    course: CourseConfig, handed: Handed, results: Iterable[Result], out: Path, state: State, due_of: DueOf
) -> int:
    """Write, into the files of results, what counts and how late it was; those that say so already are left alone.

    Args:
        course: `attempts` and late penalties.
        handed: when each file was handed in.
        results: of the batch.
        out: the output folder.
        state: the batch's database.
        due_of: a student's due date.

    Returns:
        How many files were written.
    """
    several = state.several()
    written = 0
    for result in results:
        name = result.student, result.exercise
        settled = _on_time(result, handed)
        if name in several and result.outcome != "unreadable":
            settled = _counting(course, state.history(*name), handed, due_of)
        elif "attempts" in result.submission:
            settled.submission = {k: v for k, v in settled.submission.items() if k not in ("attempt", "attempts")}
        settled.late = _late(course, settled, due_of)
        if settled == result:
            continue
        text = result_text(settled)
        # The row first: a kill in between has the next run write the newest attempt and settle it again.
        state.rewritten(*name, text_digest(text))
        write_atomically(result_path(out, *name), text, durable=False)
        written += 1
    return written


def _on_time(result: Result, handed: Handed) -> Result:
    """A copy of a result with the time of submission that is known now; else it keeps the one it was graded with."""
    copy = _copied(result)
    name = result.student, result.exercise
    entry = handed.get((*name, str(result.submission.get("sha256") or "")))
    if entry is None and result.outcome == "unreadable":
        entry = handed.get((*name, ""))
    if entry is None:
        return copy
    copy.submission["submitted"] = entry.submitted.isoformat() if entry.submitted else None
    copy.submission.pop("marked_late", None)
    if entry.late and not entry.submitted:
        copy.submission["marked_late"] = True
    return copy


def _copied(result: Result) -> Result:
    # Checks and the rest are not changed here: copying them too would take most of the time of an unchanged class.
    return replace(result, submission=dict(result.submission), notes=list(result.notes))


def _counting(course: CourseConfig, history: Sequence[Attempt], handed: Handed, due_of: DueOf) -> Result:
    """The result that counts of several attempts."""
    tries: dict[str, _Try] = {}
    for position, attempt in enumerate(history):
        known = tries.get(attempt.sha256)
        number = known.number if known else len(tries) + 1
        tries[attempt.sha256] = _Try(attempt.sha256, number, position, _on_time(attempt.result, handed))
    ordered = sorted(tries.values(), key=lambda one: one.latest)
    times = {one.sha256: _moment(course, one.result) for one in ordered}
    if all(times.values()):
        ordered.sort(key=lambda one: times[one.sha256])  # type: ignore[arg-type,return-value]
    elif course.attempts == "first":
        ordered.sort(key=lambda one: one.number)
    chosen = ordered[-1]
    if course.attempts == "first":
        chosen = ordered[0]
    elif course.attempts == "best":
        # Of equal ones the last.
        chosen = max(enumerate(ordered), key=lambda pair: (_final(course, pair[1].result, due_of), pair[0]))[1]
    position = ordered.index(chosen) + 1
    counting = _copied(chosen.result)
    counting.submission |= {"attempt": position, "attempts": len(ordered)}
    if chosen is not ordered[-1]:
        words = _("the first") if course.attempts == "first" else _("the best")
        counting.notes.append(
            _("Of {count} attempts, number {number} counts: {words}.").format(
                count=len(ordered), number=position, words=words
            )
        )
    return counting


def _final(course: CourseConfig, result: Result, due_of: DueOf) -> float:
    points: float = _late(course, result, due_of).get("points_after_penalty", result.points)
    return points


def _late(course: CourseConfig, result: Result, due_of: DueOf) -> dict[str, Any]:
    """The `late` field of a result; empty where nobody knows when it was handed in."""
    config = next((exercise for exercise in course.exercises if exercise.id == result.exercise), None)
    submitted = _moment(course, result)
    marked = bool(result.submission.get("marked_late"))
    if config is None or (submitted is None and not marked):
        return {}
    due, extended = due_of(result.student, result.exercise)
    if submitted is not None:
        penalty = config.late_penalty.fraction(due, submitted)
    else:
        # Late by the platform's mark alone: at least one day was begun; an extension is not known to have passed.
        penalty = 0.0 if extended else min(config.late_penalty.cap, config.late_penalty.per_day)
    return {
        "due": due.isoformat() if due else None,
        "penalty": penalty,
        "points_after_penalty": rounded(result.points * (1 - penalty)),
    }


def _moment(course: CourseConfig, result: Result) -> datetime | None:
    text = result.submission.get("submitted")
    if not isinstance(text, str):
        return None
    moment = datetime.fromisoformat(text)
    zone = UTC if course.timezone == "UTC" else ZoneInfo(course.timezone)
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def course_due(course: CourseConfig, extensions: Mapping[tuple[str, str], datetime | None] | None = None) -> DueOf:
    """Due dates of the configuration, but for those students who have an extension."""
    dates = {exercise.id: exercise.due for exercise in course.exercises}

    def due_of(student: str, exercise: str) -> tuple[datetime | None, bool]:
        extension = (extensions or {}).get((student, exercise))
        return (extension or dates.get(exercise), extension is not None)

    return due_of
