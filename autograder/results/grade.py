"""What a result is worth in the end: after a teacher's overrides, an extension and the late penalty."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from autograder.results.points import rounded


@dataclass(frozen=True)
class Comment:
    """A teacher's comment: who, when, what; `private` ones are for teachers. `line` of the file, as of a decision."""

    who: str
    when: datetime
    text: str
    private: bool = False
    line: str = ""


@dataclass(frozen=True)
class Override:
    """Points that a teacher gave by hand.

    Attributes:
        check: of this check; of the whole exercise where empty.
        points: given.
        was: what the checks had given when the teacher decided; None where there was no result.
        stale: whether the checks give something else by now, so that the decision is worth another look.
    """

    who: str
    when: datetime
    why: str
    check: str
    points: float
    was: float | None
    stale: bool = False


@dataclass(frozen=True)
class Mark:
    """What a teacher marks by hand: an item of the rubric; `points` is None as long as nobody has."""

    id: str
    title: str
    max_points: float
    points: float | None = None
    who: str = ""
    why: str = ""


@dataclass(frozen=True)
class Grade:
    """The points of one student for one exercise.

    Attributes:
        graded: what the checks gave.
        points: after the overrides and with the marks of the rubric, before the late penalty.
        max_points: of the checks and the rubric.
        penalty: fraction of `points` lost by being late.
        final: what counts; None where nobody can say it yet: after a fault of ours, for what could not be graded or is
            not due. It is a number then only if a teacher gave one for the whole exercise. None for who is excused.
        due: with the student's extension; None without a due date.
        extended: whether the student has an extension.
        submitted: None where it is not known; then there is no penalty but the result's own.
        override: of the whole exercise, or None.
        overrides: of single checks, by check.
        unused: overrides of checks that the result no longer has.
    """

    student: str
    exercise: str
    outcome: str
    graded: float
    points: float
    max_points: float
    penalty: float
    final: float | None
    due: datetime | None = None
    extended: bool = False
    submitted: datetime | None = None
    override: Override | None = None
    overrides: Mapping[str, Override] = field(default_factory=dict)
    unused: tuple[Override, ...] = ()
    marks: tuple[Mark, ...] = ()
    comments: tuple[Comment, ...] = ()

    @property
    def stale(self) -> bool:
        """Whether an override was decided on points that are no longer those of the checks."""
        every = (*self.overrides.values(), *self.unused, *((self.override,) if self.override else ()))
        return any(override.stale for override in every)

    @property
    def open(self) -> bool:
        """Whether nobody can say yet what counts; who is excused waits for nothing."""
        return self.final is None and self.outcome != "excused"

    @property
    def decided(self) -> bool:
        """Whether a teacher decided the points of the whole exercise, whatever came of grading."""
        return self.override is not None

    @property
    def marked(self) -> float:
        """Points by the rubric."""
        return sum(mark.points or 0.0 for mark in self.marks)

    @property
    def overridden(self) -> float | None:
        """The points that overrides made of `graded`, before marks and penalty; None without an override."""
        if self.override is None and not self.overrides:
            return None
        return rounded(self.points - self.marked)
