"""Which attempt counts, and how late it was: from every attempt of a student at an exercise to its one result.

By the course's `attempts` it is the last that was handed in, the first, or the best after its late penalty. The best is
sought among those that were graded; one that ended in a fault of ours may still be better, and a note says so. Times of
handing in and due dates may change without anything being graded again; what counts follows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import datetime

from msgspec.structs import replace

from autograder.book.handed_in import Handed
from autograder.book.late import lateness_of, submitted
from autograder.course import CourseConfig
from autograder.language import _
from autograder.results.model import Late, Result

# What is known of when files were handed in, by SHA-256; "" is the file that could not be read.
ByDigest = Mapping[str, Handed]


@dataclass(frozen=True)
class _Try:
    """One file that a student handed in, as it was graded last."""

    sha256: str
    number: int  # in the order in which files were first graded
    latest: int  # in the order in which they were last graded
    result: Result


def counting(
    course: CourseConfig, graded: Sequence[tuple[str, Result]], times: ByDigest, extension: datetime | None = None
) -> Result:
    """The result that counts, with how late it was; a note says so where it is not that of the last attempt.

    Args:
        course: `attempts` and late penalties.
        graded: SHA-256 and result of what one student handed in for one exercise, in the order in which it was graded;
            a file may have been graded several times.
        times: when each file was handed in, where it is known by now.
        extension: the student's own due date, if there is one.
    """
    tries: dict[str, _Try] = {}
    for position, (sha256, result) in enumerate(graded):
        number = tries[sha256].number if sha256 in tries else len(tries) + 1
        tries[sha256] = _Try(sha256, number, position, _on_time(result, sha256, times))
    ordered = sorted(tries.values(), key=lambda one: one.latest)
    moments = {one.sha256: moment for one in ordered if (moment := submitted(course, one.result)) is not None}
    if len(moments) == len(ordered):
        ordered.sort(key=lambda one: moments[one.sha256])
    elif course.attempts == "first":
        ordered.sort(key=lambda one: one.number)
    chosen = ordered[-1]
    if course.attempts == "first":
        chosen = ordered[0]
    elif course.attempts == "best":
        # Of equal ones the last.
        chosen = max(reversed(ordered), key=lambda one: _worth(course, one.result, extension))
    position = ordered.index(chosen) + 1
    counts = chosen.result
    if len(ordered) > 1:
        counts.submission.attempt, counts.submission.attempts = position, len(ordered)
    if course.attempts == "best":
        counts.notes += [
            _("Attempt {number} of {count} could not be graded yet; it counts if it is better.").format(
                number=number, count=len(ordered)
            )
            for number, one in enumerate(ordered, start=1)
            if one.result.outcome == "error" and one is not chosen
        ]
    if chosen is not ordered[-1]:
        words = _("the first") if course.attempts == "first" else _("the best")
        counts.notes.append(
            _("Of {count} attempts, number {number} counts: {words}.").format(
                count=len(ordered), number=position, words=words
            )
        )
    late = lateness_of(course, counts, extension)
    counts.late = Late(late.due, late.penalty, late.final(counts.points)) if late.penalty is not None else None
    return counts


def _on_time(result: Result, sha256: str, times: ByDigest) -> Result:
    """A copy of a result with the time of handing in that is known now; else it keeps the one it was graded with."""
    # Checks and the rest are not changed here: copying them too would take most of the time of an unchanged class.
    known = replace(result, submission=copy(result.submission), notes=list(result.notes))
    known.submission.attempt = known.submission.attempts = None
    handed = times.get(sha256)
    if handed is None and result.outcome == "handed_in_not_gradable":
        handed = times.get("")
    if handed is not None:
        known.submission.submitted = handed.submitted
        known.submission.marked_late = handed.late and not handed.submitted
        if handed.submitted is not None:
            known.submission.time_unread = ""
    return known


def _worth(course: CourseConfig, result: Result, extension: datetime | None) -> tuple[bool, float]:
    return result.outcome == "graded", lateness_of(course, result, extension).final(result.points)
