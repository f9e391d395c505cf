"""The steps that bring a book's database up to date, with alembic. A kill in the middle leaves the step before.

A new step is a file in `versions/`; its revision becomes `HEAD`. The test of the migrations holds the steps against
the tables of `autograder.book.tables`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Connection, inspect, text

HEAD = "0005"
FIRST = "0001"


class NewerDatabase(Exception):
    """The database was made by a later version."""


class ForeignDatabase(Exception):
    """The database belongs to another program; names some of its tables."""


def up_to_date(connection: Connection) -> bool:
    """Whether there is nothing to do: known without alembic, whose import takes longer than a small batch."""
    return _revision(connection) == HEAD


def upgrade(connection: Connection, before: Callable[[], None]) -> None:
    """Bring a database to `HEAD`, inside the caller's transaction.

    Args:
        connection: in a transaction that writes.
        before: called when it is known that there is something to change in what is there already.

    Raises:
        NewerDatabase: it is further than this version knows.
        ForeignDatabase: it holds tables, and none of a book's.
    """
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    names = set(inspect(connection).get_table_names())
    if names and not names & {"attempts", "gradebook_version"}:
        raise ForeignDatabase(", ".join(sorted(names)[:3]))
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    found = _revision(connection)
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if found is not None and found not in known:
        raise NewerDatabase(found)
    if names and found != HEAD:
        before()
    if found is None and "schema_version" in names:
        _adopt(connection)
        command.stamp(config, FIRST)
    command.upgrade(config, HEAD)


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return revision


def _adopt(connection: Connection) -> None:
    """A database from before alembic kept its version in a table of its own; there was only version 1."""
    version = connection.execute(text("SELECT version FROM schema_version")).scalar()
    if version != 1:
        raise NewerDatabase(str(version))
    connection.execute(text("DROP TABLE schema_version"))
