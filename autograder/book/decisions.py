"""What teachers decide about grades: a log that is only ever added to.

It lies beside the attempts and never in them, so that a regrade cannot touch it. A decision is taken back by a later
one; nothing is changed or removed, and the database refuses both.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, get_args

import msgspec
from sqlalchemy import insert, select

from autograder.book.engine import StoreFault
from autograder.book.tables import OfCourse, decisions, of_course
from autograder.language import _

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


class Decisions(OfCourse):
    """The decisions about a course in a book's database."""

    def add(self, *given: Decision) -> None:
        """Keep decisions, all or none; they are on disk when this returns.

        Raises:
            StoreFault: one does not say who, why, or when in which time zone, or is of no known kind.
        """
        rows = []
        for decision in given:
            for name, text in (("who", decision.who), ("why", decision.why)):
                if not text.strip():
                    raise StoreFault(_("every change says {name}; it is empty here").format(name=name))
            if decision.kind not in KINDS:
                line = _("unknown kind of change {kind!r}; there are {listing}")
                raise StoreFault(line.format(kind=decision.kind, listing=", ".join(KINDS)))
            if decision.when.tzinfo is None:
                raise StoreFault(_("the time of a change has no time zone"))
            moments = {"when": decision.when.isoformat(), "due": decision.due and decision.due.isoformat()}
            rows.append({**vars(decision), "course": self._course, **moments})
        if rows:
            with self._engine.begin() as connection:
                connection.execute(insert(decisions), rows)

    def history(self, student: str | None = None, exercise: str | None = None) -> list[Decision]:
        """Every decision, oldest first: of all, or of one student or exercise."""
        c = decisions.c
        wanted = select(decisions).where(of_course(self._course, c.course)).order_by(c.id)
        if student is not None:
            wanted = wanted.where(c.student == student)
        if exercise is not None:
            wanted = wanted.where(c.exercise == exercise)
        with self._engine.connect() as connection:
            return [msgspec.convert(dict(row), Decision) for row in connection.execute(wanted).mappings()]


def now() -> datetime:
    """The time of a decision."""
    return datetime.now(UTC).replace(microsecond=0)
