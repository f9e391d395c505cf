"""The state of a batch in a database: every attempt that was graded, and what its grade depended on.

SQLite in the output folder by default, PostgreSQL (or whatever SQLAlchemy speaks) by URL. The result files are written
after the row is committed; a file that a kill has kept from being written is written by the next run.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    create_engine,
    event,
    func,
    insert,
    make_url,
    select,
    text,
    update,
)

from autograder.batch.keys import OWN
from autograder.batch.migrations import NewerDatabase, up_to_date, upgrade
from autograder.batch.tables import attempts
from autograder.errors import AutograderError
from autograder.language import _
from autograder.results.attempt import Key, Known
from autograder.results.model import Result

STATE_FILE = "state.db"
LOCK_SPACE = 0x6175746F  # of PostgreSQL's advisory locks: "auto"


class StateFault(AutograderError):
    """The database cannot be used: says which and why."""


@dataclass(frozen=True)
class Attempt:
    """One graded attempt."""

    student: str
    exercise: str
    sha256: str
    key: Key
    graded_at: datetime
    result: Result


class State:
    """The attempts of a batch.

    Args:
        out: the output folder.
        url: an SQLAlchemy URL, or None for `state.db` in the output folder.
        course: id of the course; one database may hold several. Attempts of every course where empty.

    Raises:
        StateFault: the database cannot be opened, or was made by a newer version.
    """

    def __init__(self, out: Path, url: str | None = None, course: str = "") -> None:
        if url is None:
            out.mkdir(parents=True, exist_ok=True)
            url = f"sqlite:///{out / STATE_FILE}"
        self.course = course
        self.name = _without_password(url)
        try:
            self._engine = _open(url)
            self._migrate()
        except NewerDatabase as newer:
            raise StateFault(
                _("the batch's database {name} is of version {found}, which this autograder does not know: update it")
                .format(name=self.name, found=newer)
            ) from None  # fmt: skip
        except Exception as error:
            hint = _missing_driver(error)
            raise StateFault(
                _("the batch's database {name} cannot be used: {error}").format(name=self.name, error=hint or error)
            ) from error

    def _migrate(self) -> None:
        with self._engine.connect() as connection:
            if up_to_date(connection):
                return
        with self._engine.connect().execution_options(writes_at_once=True) as connection, connection.begin():
            # Two that open a new database at the same time: one migrates, the other finds it done.
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:space, 0)"), {"space": LOCK_SPACE})
            upgrade(connection)

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """Whether nobody else grades this course into this database, for the time of the block.

        The lock is the connection's: it goes with a killed process. SQLite's file is guarded by `lock.py`.
        """
        if self._engine.dialect.name != "postgresql":
            yield True
            return
        with self._engine.connect() as connection:
            lock = {"space": LOCK_SPACE, "course": f"course {self.course}"}
            query = text("SELECT pg_try_advisory_lock(:space, hashtext(:course))")
            taken = bool(connection.execute(query, lock).scalar())
            connection.commit()  # no open transaction for the time of a batch
            try:
                yield taken
            finally:
                if taken:
                    connection.execute(text("SELECT pg_advisory_unlock(:space, hashtext(:course))"), lock)

    @property
    def file(self) -> Path | None:
        """The file of an SQLite database."""
        url = self._engine.url
        return Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None

    def keep(self, result: Result, key: Key, sha256: str, written: str = "") -> None:
        """Keep one graded attempt, with the SHA-256 of the file that will hold it."""
        row = {
            "course": self.course,
            "student": result.student,
            "exercise": result.exercise,
            "sha256": sha256,
            "key": key,
            "graded_at": datetime.now(UTC),
            "outcome": result.outcome,
            "points": result.points,
            "max_points": result.max_points,
            "result": json.dumps(result.to_json(), allow_nan=False),
            "seconds": result.duration_s,
            "written": written,
        }
        with self._engine.begin() as connection:
            connection.execute(insert(attempts).values(row))

    def latest(self) -> dict[tuple[str, str], Known]:
        """What is known of the newest attempt of each student at each exercise."""
        newest = select(func.max(attempts.c.id)).where(self._own())
        newest = newest.group_by(attempts.c.student, attempts.c.exercise)
        names = ("id", "student", "exercise", "sha256", "key", "outcome", "seconds", "written")
        wanted = select(*(attempts.c[name] for name in names)).where(attempts.c.id.in_(newest))
        shared: dict[frozenset[tuple[str, str]], Key] = {}
        found = {}
        with self._engine.connect() as connection:
            for row in connection.execution_options(yield_per=1000).execute(wanted):
                own = tuple((part, row.key.pop(part)) for part in OWN if part in row.key)
                common = shared.setdefault(frozenset(row.key.items()), row.key)
                found[row.student, row.exercise] = Known(
                    row.id, row.sha256, common, own, row.outcome, row.seconds, row.written
                )
        return found

    def result(self, number: int) -> Result:
        """The result of one attempt."""
        with self._engine.connect() as connection:
            found = connection.execute(select(attempts.c.result).where(attempts.c.id == number)).scalar_one()
        return Result.from_json(json.loads(found))

    def history(self, student: str, exercise: str) -> list[Attempt]:
        """Every attempt of a student at an exercise, oldest first."""
        wanted = select(attempts).where(self._own(), attempts.c.student == student, attempts.c.exercise == exercise)
        with self._engine.connect() as connection:
            return [_attempt(row) for row in connection.execute(wanted.order_by(attempts.c.id))]

    def several(self) -> set[tuple[str, str]]:
        """Students and exercises of which more than one file was graded."""
        columns = (attempts.c.student, attempts.c.exercise)
        wanted = select(*columns).where(self._own()).group_by(*columns)
        wanted = wanted.having(func.count(attempts.c.sha256.distinct()) > 1)
        with self._engine.connect() as connection:
            return {(row.student, row.exercise) for row in connection.execute(wanted)}

    def rewritten(self, student: str, exercise: str, written: str) -> None:
        """Note that the file of a result now holds something else than its newest attempt: its SHA-256."""
        own = (self._own(), attempts.c.student == student, attempts.c.exercise == exercise)
        newest = select(func.max(attempts.c.id)).where(*own).scalar_subquery()
        with self._engine.begin() as connection:
            connection.execute(update(attempts).where(attempts.c.id == newest).values(written=written))

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    def _own(self) -> ColumnElement[bool]:
        return attempts.c.course.in_([self.course, ""]) if self.course else attempts.c.id > 0


def _open(url: str) -> Engine:
    parsed = make_url(url)
    if parsed.drivername in ("postgresql", "postgres"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    engine = create_engine(parsed)
    if engine.dialect.name == "sqlite":

        @event.listens_for(engine, "connect")
        def prepare(connection: Any, record: Any) -> None:
            # The driver would commit before each change of a table: a kill would leave half a migration.
            connection.isolation_level = None
            # Write-ahead: a reader never waits for the grader, and a kill loses no committed row.
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")

        @event.listens_for(engine, "begin")
        def begin(connection: Connection) -> None:
            at_once = connection.get_execution_options().get("writes_at_once", False)
            connection.exec_driver_sql("BEGIN IMMEDIATE" if at_once else "BEGIN")

    return engine


def _attempt(row: Any) -> Attempt:
    result = Result.from_json(json.loads(row.result))
    return Attempt(row.student, row.exercise, row.sha256, row.key, row.graded_at, result)


def _missing_driver(error: Exception) -> str:
    if isinstance(error, ModuleNotFoundError) and error.name and error.name.startswith("psycopg"):
        return _("the driver is missing; install the extra `postgresql`")
    return ""


def _without_password(url: str) -> str:
    try:
        return make_url(url).render_as_string(hide_password=True)
    except Exception:
        return _("(an unreadable URL)")
