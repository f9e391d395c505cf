"""What teachers decide about grades. Grades are made of it without a database, so that it needs none here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, get_args

DecisionKind = Literal["override", "mark", "extend", "excuse", "comment"]
KINDS: tuple[DecisionKind, ...] = get_args(DecisionKind)
UNSIGNED = datetime.min  # the time of a decision that no book keeps yet


@dataclass(frozen=True)
class Decision:
    """One decision.

    Attributes:
        kind: `override` points, `mark` an item of the rubric, `extend` the due date, `excuse` from the exercise, or
            `comment`.
        student: whom it is about.
        exercise: id.
        check: an override of one check, of the whole exercise where empty; a mark's item of the rubric.
        points: an override's or a mark's.
        was: what the checks had given then.
        due: an extension's new due date.
        text: a comment's.
        private: a comment for teachers alone.
        line: of the file, which a comment is about: `12`, in a notebook `3:2` for the second line of `cell 3`.
        withdrawn: takes back the override, the mark, the extension, the excuse or the student's comments in force.
        who: decided.
        why: in a sentence.
        when: with its time zone. Who, why and when are filled in by the book that keeps the decision.
    """

    kind: DecisionKind
    student: str
    exercise: str
    check: str = ""
    points: float | None = None
    was: float | None = None
    due: datetime | None = None
    text: str = ""
    private: bool = False
    line: str = ""
    withdrawn: bool = False
    who: str = ""
    why: str = ""
    when: datetime = UNSIGNED


def now() -> datetime:
    """The time of a decision."""
    return datetime.now(UTC).replace(microsecond=0)
