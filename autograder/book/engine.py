"""Opening a database of SQLAlchemy for a book: SQLite so that a kill loses nothing, PostgreSQL with its own driver."""

from __future__ import annotations

import sqlite3
import time
from typing import TYPE_CHECKING

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url

from autograder.errors import AutograderError
from autograder.language import _

if TYPE_CHECKING:
    from sqlalchemy.pool import ConnectionPoolEntry

WAIT_S = 60  # for somebody else who writes into an SQLite file right now


class StoreFault(AutograderError):
    """The book cannot be used, or a decision makes no sense: says which and why, in one line."""


class UnusableBook(StoreFault):
    """Its place cannot be written, or what lies there is no database: nothing is wrong with the command."""

    status = 1


def open_engine(url: str) -> Engine:
    """The engine of a URL; nothing is connected to yet."""
    parsed = with_driver(url)
    engine = create_engine(parsed, connect_args={"timeout": WAIT_S} if parsed.get_backend_name() == "sqlite" else {})
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare)
        event.listen(engine, "begin", _begin)
    return engine


def with_driver(url: str) -> URL:
    """A URL that names the driver we have for PostgreSQL."""
    parsed = make_url(url)
    return parsed.set(drivername="postgresql+psycopg") if parsed.drivername in ("postgresql", "postgres") else parsed


def _prepare(connection: sqlite3.Connection, record: ConnectionPoolEntry) -> None:
    # The driver would commit before each change of a table: a kill would leave half a migration.
    connection.isolation_level = None
    # Write-ahead: a reader never waits for the grader, and a kill loses no committed row; nor does a power failure.
    _write_ahead(connection)
    connection.execute("PRAGMA synchronous=FULL")


def _write_ahead(connection: sqlite3.Connection) -> None:
    until = time.monotonic() + WAIT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            # Two that open a new file at the same time: SQLite waits for no lock where it changes the mode.
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
        time.sleep(0.02)


def _begin(connection: Connection) -> None:
    at_once = connection.get_execution_options().get("writes_at_once", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if at_once else "BEGIN")


def missing_driver(error: Exception) -> str:
    """What to install where it is the database's driver that is missing; else empty."""
    if isinstance(error, ModuleNotFoundError) and error.name and error.name.startswith("psycopg"):
        return _("the driver is missing; install the extra `postgresql`")
    return ""


def without_password(url: str) -> str:
    """A URL as it may be shown."""
    try:
        return make_url(url).render_as_string(hide_password=True)
    except Exception:
        return _("(an unreadable URL)")
