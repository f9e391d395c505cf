"""The decisions that a book keeps: a log that is only ever added to.

It lies beside the attempts and never in them, so that a regrade cannot touch it. A decision is taken back by a later
one; nothing is changed or removed, and the database refuses both.
"""

from __future__ import annotations

import msgspec
from sqlalchemy import insert, select

from autograder.book.decisions import KINDS, Decision
from autograder.book.engine import StoreFault
from autograder.book.tables import OfCourse, decisions, of_course
from autograder.language import _


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
