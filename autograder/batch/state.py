"""The state of a batch in a database: every attempt that was graded, and what its grade depended on.

SQLite in the output folder by default, PostgreSQL (or whatever SQLAlchemy speaks) by URL. The result files are written
after the row is committed; a file that a kill has kept from being written is written by the next run.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    Connection,
    DateTime,
    Engine,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    event,
    func,
    insert,
    inspect,
    select,
    update,
)

from autograder.batch.keys import Key
from autograder.results.model import Result

metadata = MetaData()
versions = Table("schema_version", metadata, Column("version", Integer, nullable=False))
attempts = Table(
    "attempts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("student", String(400), nullable=False),
    Column("exercise", String(100), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("key", JSON, nullable=False),
    Column("graded_at", DateTime(timezone=True), nullable=False),
    Column("outcome", String(20), nullable=False),
    Column("points", Float, nullable=False),
    Column("max_points", Float, nullable=False),
    Column("result", Text, nullable=False),
    Index("attempts_by_student", "student", "exercise", "id"),
)

# One function per step from version n to n + 1; a database is brought up to date when it is opened.
MIGRATIONS: list[Callable[[Connection], None]] = []
VERSION = 1 + len(MIGRATIONS)


class StateFault(Exception):
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
        url: an SQLAlchemy URL, or None for `state.db` in the output folder.
        out: the output folder.

    Raises:
        StateFault: the database cannot be opened, or was made by a newer version.
    """

    def __init__(self, out: Path, url: str | None = None) -> None:
        if url is None:
            out.mkdir(parents=True, exist_ok=True)
            url = f"sqlite:///{out / 'state.db'}"
        try:
            self._engine = _open(url)
            self._migrate()
        except StateFault:
            raise
        except Exception as error:
            raise StateFault(f"the batch's database {_without_password(url)} cannot be used: {error}") from error

    def _migrate(self) -> None:
        with self._engine.begin() as connection:
            fresh = not inspect(connection).has_table("schema_version")
            metadata.create_all(connection)
            if fresh:
                connection.execute(insert(versions).values(version=VERSION))
                return
            found = connection.execute(select(versions.c.version)).scalar_one()
            if found > VERSION:
                raise StateFault(
                    f"the batch's database is of version {found}; this autograder knows {VERSION}: update it"
                )
            for step in MIGRATIONS[found - 1 :]:
                step(connection)
            connection.execute(update(versions).values(version=VERSION))

    def keep(self, result: Result, key: Key, sha256: str) -> None:
        """Keep one graded attempt."""
        row = {
            "student": result.student,
            "exercise": result.exercise,
            "sha256": sha256,
            "key": key,
            "graded_at": datetime.now(UTC),
            "outcome": result.outcome,
            "points": result.points,
            "max_points": result.max_points,
            "result": json.dumps(result.to_json(), allow_nan=False),
        }
        with self._engine.begin() as connection:
            connection.execute(insert(attempts).values(row))

    def latest(self) -> dict[tuple[str, str], Attempt]:
        """The newest attempt of each student at each exercise."""
        newest = select(func.max(attempts.c.id)).group_by(attempts.c.student, attempts.c.exercise)
        with self._engine.connect() as connection:
            rows = connection.execute(select(attempts).where(attempts.c.id.in_(newest)))
            return {(row.student, row.exercise): _attempt(row) for row in rows}

    def history(self, student: str, exercise: str) -> list[Attempt]:
        """Every attempt of a student at an exercise, oldest first."""
        wanted = select(attempts).where(attempts.c.student == student, attempts.c.exercise == exercise)
        with self._engine.connect() as connection:
            return [_attempt(row) for row in connection.execute(wanted.order_by(attempts.c.id))]

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()


def _open(url: str) -> Engine:
    engine = create_engine(url)
    if engine.dialect.name == "sqlite":

        @event.listens_for(engine, "connect")
        def prepare(connection: Any, record: Any) -> None:
            # Write-ahead: a reader never waits for the grader, and a kill loses no committed row.
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")

    return engine


def _attempt(row: Any) -> Attempt:
    result = Result.from_json(json.loads(row.result))
    return Attempt(row.student, row.exercise, row.sha256, row.key, row.graded_at, result)


def _without_password(url: str) -> str:
    from sqlalchemy import make_url

    try:
        return make_url(url).render_as_string(hide_password=True)
    except Exception:
        return "(an unreadable URL)"
