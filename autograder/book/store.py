"""A book's database: attempts, decisions and what was handed in, in one place with one history of versions.

SQLite in the output folder by default, PostgreSQL (or whatever SQLAlchemy speaks) by URL.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Self

from sqlalchemy import text

from autograder.book.attempts import Attempts
from autograder.book.decision_log import Decisions
from autograder.book.engine import StoreFault, UnusableBook, missing_driver, open_engine, without_password
from autograder.book.handed_in import HandedIn
from autograder.book.locks import LOCK_SPACE, course_lock, file_lock
from autograder.book.migrations import HEAD, ForeignDatabase, NewerDatabase, up_to_date, upgrade
from autograder.book.roll import Roll
from autograder.book.upgrade import take_over, take_over_database
from autograder.language import _
from autograder.results.files import sweep, write_atomically

__all__ = ["Store", "StoreFault"]

FILE_NAME = "book.db"
MARK = "book.url"  # in an output folder whose book is elsewhere: where


class Store:
    """The book of a course, open.

    Args:
        url: of the database, for SQLAlchemy.
        course: id of the course; one database may hold several. Of every course where empty.

    Raises:
        StoreFault: the database cannot be opened, was made by a newer version, or belongs to another program.
    """

    def __init__(self, url: str, course: str = "") -> None:
        self.course = course
        self.name = without_password(url)
        try:
            self._engine = open_engine(url)
        except Exception as error:
            raise self._cannot_be_used(error) from None
        try:
            self._migrate()
        except Exception as error:
            self._engine.dispose()
            raise self._cannot_be_used(error) from None
        self.attempts = Attempts(self._engine, course)
        self.decisions = Decisions(self._engine, course)
        self.handed_in = HandedIn(self._engine, course)
        self.roll = Roll(self._engine, course)

    def _cannot_be_used(self, error: Exception) -> StoreFault:
        if isinstance(error, NewerDatabase):
            line = _("the book {name} is of version {found}, which this autograder does not know: update it")
            return StoreFault(line.format(name=self.name, found=error))
        if isinstance(error, ForeignDatabase):
            line = _("{name} is no book: it holds another program's tables ({tables}); name a database of its own")
            return StoreFault(line.format(name=self.name, tables=error))
        reason = missing_driver(error) or f"{type(error).__name__}: {error}".splitlines()[0]
        return UnusableBook(_("the book {name} cannot be used ({reason})").format(name=self.name, reason=reason))

    def _migrate(self) -> None:
        with self._engine.connect() as connection:
            if up_to_date(connection):
                return
        with self._engine.connect().execution_options(writes_at_once=True) as connection, connection.begin():
            # Two that open a new database at the same time: one migrates, the other finds it done.
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:space, 0)"), {"space": LOCK_SPACE})
            upgrade(connection, self._keep_copy)

    def _keep_copy(self) -> None:
        """Copy an SQLite file before it is changed; PostgreSQL keeps the old tables beside the new ones."""
        if self.file is None:
            return
        kept = self.file.with_name(f"{self.file.name}.before-{HEAD}")
        if not kept.exists():
            draft = kept.with_name(f".{kept.name}.draft")
            draft.unlink(missing_ok=True)
            with closing(sqlite3.connect(self.file)) as old, closing(sqlite3.connect(draft)) as new:
                old.backup(new)
            draft.rename(kept)

    def take_over(self, folder: Path) -> None:
        """Take over what version 0.1 left in an output folder, and keep a copy of it there.

        Raises:
            StoreFault: it cannot be read, or somebody is grading there.
        """
        # Another command may be taking it over right now.
        with file_lock(folder / ".lock", str(folder), wait_s=20):
            take_over(self._engine, self.course, folder)

    def take_over_database(self, url: str) -> str:
        """Take over a database of version 0.1, attempts or decisions, which stays as it is; once; returns its name.

        Raises:
            StoreFault: it is none, or cannot be read.
        """
        return take_over_database(self._engine, url)

    @property
    def file(self) -> Path | None:
        """The file of an SQLite database."""
        url = self._engine.url
        return Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None

    def mark(self, out: Path) -> None:
        """Note in an output folder where its book is, unless it is there."""
        if self.file is None or self.file.parent.resolve() != out.resolve():
            write_atomically(out / MARK, f"{self.name}\n")

    @contextmanager
    def only_grader(self, out: Path | None) -> Iterator[None]:
        """Keep other graders out of an output folder, if there is one, and of this course's book during the block.

        Raises:
            StoreFault: somebody else is grading there; says who.
        """
        with ExitStack() as locks:
            if out is not None:
                locks.enter_context(file_lock(out / ".lock", str(out)))
                sweep(out)
            if self.file is not None:
                locks.enter_context(file_lock(self.file.with_name(self.file.name + ".lock"), str(self.file)))
            locks.enter_context(course_lock(self._engine, self.course, self.name))
            if out is not None:
                self.mark(out)
            yield

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
