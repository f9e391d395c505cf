"""Who is in the class: people are renamed, merged, removed from sight, restored, and erased for good.

Each change is kept with who and why. Renaming moves everything that a book holds of somebody to the new name, in one
transaction; removing only hides. Erasing is the one thing that takes anything out of a book, decisions included: of
the person a line without a name is left.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import msgspec
from sqlalchemy import Connection, column, delete, insert, inspect, select, table, text, update

from autograder.book.decisions import UNSIGNED
from autograder.book.engine import StoreFault
from autograder.book.tables import OfCourse, attempts, decisions, handed_in, of_course, roll, students
from autograder.language import _

RollKind = Literal["rename", "merge", "remove", "restore", "erase"]
_OF_0_1 = ("attempts_0_1", "gradebook_changes_0_1")  # what migrations keep of version 0.1 in a database


@dataclass(frozen=True)
class RollChange:
    """One change.

    Attributes:
        kind: `rename`, `merge` into somebody who is there, `remove` from sight, `restore`, or `erase` for good.
        student: whom it is about; empty of one that was erased.
        into: the new name, or whose results they become.
        who: decided.
        why: in a sentence.
        when: with its time zone.
    """

    kind: RollKind
    student: str = ""
    into: str = ""
    who: str = ""
    why: str = ""
    when: datetime = UNSIGNED


class Roll(OfCourse):
    """The people of a course in a book's database."""

    def history(self) -> list[RollChange]:
        """Every change, oldest first."""
        with self._engine.connect() as connection:
            return [change for _number, change in self._changes(connection)]

    def hidden(self) -> set[str]:
        """Who is removed from sight."""
        found: set[str] = set()
        for change in self.history():
            if change.kind == "remove":
                found.add(change.student)
            elif change.kind == "rename" and change.student in found:
                found.add(change.into)
            if change.kind in ("rename", "merge", "restore"):
                found.discard(change.student)
        return found

    def keep(self, change: RollChange) -> None:
        """Make a change and keep it; all of it is in the database when this returns, or nothing.

        Raises:
            StoreFault: it does not say who or why.
        """
        for name, given in (("who", change.who), ("why", change.why)):
            if not given.strip():
                raise StoreFault(_("every change says {name}; it is empty here").format(name=name))
        with self._engine.connect().execution_options(writes_at_once=True) as connection, connection.begin():
            if change.kind in ("rename", "merge"):
                self._move(connection, change.student, change.into)
            if change.kind == "erase":
                self._erase(connection, change.student)
            student = "" if change.kind == "erase" else change.student
            row = vars(change) | {"course": self._course, "student": student, "when": change.when.isoformat()}
            connection.execute(insert(roll).values(row))
        if change.kind == "erase" and self._engine.dialect.name == "sqlite":
            # What is deleted stays readable in the file until it is written anew.
            with closing(self._engine.raw_connection()) as raw, closing(raw.cursor()) as cursor:
                cursor.execute("VACUUM")
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _changes(self, connection: Connection) -> list[tuple[int, RollChange]]:
        wanted = select(roll).where(of_course(self._course, roll.c.course)).order_by(roll.c.id)
        rows = connection.execute(wanted).mappings()
        return [(row["id"], msgspec.convert(dict(row), RollChange)) for row in rows]

    def _move(self, connection: Connection, old: str, new: str) -> None:
        own = of_course(self._course, attempts.c.course), attempts.c.student == old
        for number, result in connection.execute(select(attempts.c.id, attempts.c.result).where(*own)).all():
            told = json.dumps(json.loads(result) | {"student": new}, allow_nan=False)
            connection.execute(update(attempts).where(attempts.c.id == number).values(student=new, result=told))
        with _changeable(connection):
            own = of_course(self._course, decisions.c.course), decisions.c.student == old
            connection.execute(update(decisions).where(*own).values(student=new))
        own = of_course(self._course, handed_in.c.course), handed_in.c.student == old
        connection.execute(update(handed_in).where(*own).values(student=new))
        listed = of_course(self._course, students.c.course)
        before = connection.execute(select(students.c.name).where(listed, students.c.student == old)).scalar()
        connection.execute(delete(students).where(listed, students.c.student == old))
        if connection.execute(select(students.c.student).where(listed, students.c.student == new)).first() is None:
            connection.execute(insert(students).values(course=self._course, student=new, name=before or ""))

    def _erase(self, connection: Connection, student: str) -> None:
        """Everything under the student's name, and every line of the roll that names them, now or before."""
        names = {student}
        for number, change in reversed(self._changes(connection)):
            if names & {change.student, change.into}:
                names |= {change.student} if change.into in names else set()
                connection.execute(delete(roll).where(roll.c.id == number))
        for of in (attempts, handed_in, students):
            own = of_course(self._course, of.c.course), of.c.student == student
            connection.execute(delete(of).where(*own))
        with _changeable(connection):
            own = of_course(self._course, decisions.c.course), decisions.c.student == student
            connection.execute(delete(decisions).where(*own))
        there = inspect(connection).get_table_names()
        for name in _OF_0_1:
            if name in there:
                old = table(name, column("student"))
                connection.execute(delete(old).where(old.c.student.in_(names)))


@contextmanager
def _changeable(connection: Connection) -> Iterator[None]:
    """Lift the database's own ban on changing decisions, in the caller's transaction; a kill brings it back."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("ALTER TABLE decisions DISABLE TRIGGER decisions_are_kept"))
        yield
        connection.execute(text("ALTER TABLE decisions ENABLE TRIGGER decisions_are_kept"))
        return
    found = connection.execute(
        text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'decisions'")
    ).all()
    for name, _sql in found:
        connection.execute(text(f"DROP TRIGGER {name}"))
    yield
    for _name, sql in found:
        connection.execute(text(sql))
