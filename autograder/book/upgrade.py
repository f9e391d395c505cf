"""What version 0.1 wrote becomes part of a book: its databases, its results, its list of who handed in what.

An output folder of 0.1 holds `state.db` and `gradebook.db`. First a copy of everything is made beside them, under its
name only once it is whole; then all of it is taken over in one transaction, which notes where it came from; then the
old databases go. Whenever this is killed, the next opening goes on: nothing is lost, and nothing is taken over twice.
"""

from __future__ import annotations

import filecmp
import hashlib
import os
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import ColumnElement, Connection, Engine, create_engine, insert, inspect, select, table
from sqlalchemy import column as named

from autograder.book.attempts import attempt_row
from autograder.book.engine import StoreFault, missing_driver, with_driver, without_password
from autograder.book.handed_in import Handed, note
from autograder.book.tables import attempts, decisions, origins
from autograder.course.errors import ConfigurationError
from autograder.course.roster import read_table
from autograder.errors import AutograderError
from autograder.language import _
from autograder.results.files import read_result, result_names, result_path

DATABASES = ("state.db", "gradebook.db")
COPY = "written-by-0.1"
_HELD = {"attempts", "gradebook_changes"}
_OURS = _HELD | {"alembic_version", "schema_version", "gradebook_version"}
_TABLES = ("handed_in.csv", "grades.csv", "unplaced.csv")
_DECISION = (
    "when", "who", "why", "kind", "student", "exercise", "check", "points", "was", "due", "text", "private",
    "withdrawn",
)  # fmt: skip


def left_by_0_1(folder: Path) -> list[Path]:
    """The databases of version 0.1 in an output folder; nbgrader's `gradebook.db` is none."""
    return [file for name in DATABASES if (file := folder / name).is_file() and _tables(file) & _HELD]


def has_results(folder: Path) -> bool:
    """Whether a folder holds results, whoever wrote them."""
    return next((folder / "results").glob("*/*.json"), None) is not None


def of_version_1(folder: Path) -> bool:
    """Whether a folder's results are as version 0.1 wrote them."""
    file = next((folder / "results").glob("*/*.json"), None)
    return file is not None and re.search(rb'"schema_version": *1\b', file.read_bytes()[:200]) is not None


def take_over(engine: Engine, course: str, folder: Path) -> None:
    """Take over what an output folder holds of version 0.1.

    Raises:
        StoreFault: the old databases are of no version that is known, or cannot be read.
    """
    databases = left_by_0_1(folder)
    if databases or of_version_1(folder):
        _keep_copy(folder, databases)
    with engine.connect().execution_options(writes_at_once=True) as connection, connection.begin():
        for file in databases:
            with _reading(f"sqlite:///{file}", str(file)) as old:
                _take_database(connection, old, str(file))
        _take_files(connection, course, folder)
    for file in databases:
        if _tables(file) - _OURS:
            continue  # another program's tables are in it, too
        for path in (file, *(file.with_name(file.name + end) for end in ("-wal", "-shm", ".lock"))):
            path.unlink(missing_ok=True)


def take_over_database(engine: Engine, url: str) -> str:
    """Take over another database of version 0.1, which stays as it is; what was taken over before is not again.

    Raises:
        StoreFault: it is none of version 0.1, or cannot be read.
    """
    shown = without_password(url)
    with (
        _reading(url, shown) as old,
        engine.connect().execution_options(writes_at_once=True) as connection,
        connection.begin(),
    ):
        _take_database(connection, old, shown)
    return shown


def _tables(file: Path) -> set[str]:
    try:
        with closing(sqlite3.connect(file)) as old:
            return {name for (name,) in old.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    except sqlite3.Error as error:
        raise StoreFault(_cannot(str(file), error)) from None


# --- the copy


def _keep_copy(folder: Path, databases: list[Path]) -> None:
    """Copy what is there, unless a copy has been made of the same: whole, or not under its name."""
    for file in databases:
        try:
            with closing(sqlite3.connect(file)) as old:
                # What a killed grader left in the write-ahead log is brought in.
                old.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                old.execute("PRAGMA journal_mode=DELETE")
        except sqlite3.Error as error:
            raise StoreFault(_cannot(str(file), error)) from None
    number = 1
    while (kept := folder / (COPY if number == 1 else f"{COPY}-{number}")).exists():
        if all((kept / f.name).is_file() and filecmp.cmp(f, kept / f.name, shallow=False) for f in databases):
            return
        number += 1
    draft = folder / f".{COPY}.draft"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    for file in databases:
        shutil.copy2(file, draft / file.name)
    for name in _TABLES:
        if (folder / name).is_file():
            shutil.copy2(folder / name, draft / name)
    if (folder / "results").is_dir():
        shutil.copytree(folder / "results", draft / "results", copy_function=_link)
    draft.rename(kept)


def _link(source: str, target: str) -> None:
    """A second name for a file that is only ever replaced, never written into; a copy where names cannot be had."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


# --- databases


@contextmanager
def _reading(url: str, shown: str) -> Iterator[Connection]:
    try:
        engine = create_engine(with_driver(url))
    except Exception as error:
        raise StoreFault(_cannot(shown, error)) from None
    try:
        with engine.connect() as connection:
            yield connection
    except AutograderError:
        raise
    except Exception as error:
        raise StoreFault(_cannot(shown, error)) from None
    finally:
        engine.dispose()


def _cannot(shown: str, error: Exception) -> str:
    reason = missing_driver(error) or f"{type(error).__name__}: {error}".splitlines()[0]
    return _("{name} cannot be taken over ({reason})").format(name=shown, reason=reason)


def _take_database(connection: Connection, old: Connection, shown: str) -> None:
    names = set(inspect(old).get_table_names())
    _require_0_1(old, names, shown)
    log = _decisions(old) if "gradebook_changes" in names else []
    digest = hashlib.sha256(repr(log).encode())
    if "attempts" in names:
        c = attempts.c
        for row in old.execute(select(c.id, c.student, c.exercise, c.sha256, c.graded_at).order_by(c.id)):
            digest.update(repr(tuple(row)).encode())
    if not _new(connection, digest.hexdigest(), shown):
        return
    if "attempts" in names:
        there = {column["name"] for column in inspect(old).get_columns("attempts")} - {"id"}
        wanted = select(*(column for column in attempts.c if column.name in there)).order_by(attempts.c.id)
        for rows in old.execution_options(yield_per=200).execute(wanted).mappings().partitions():
            connection.execute(insert(attempts), [dict(row) for row in rows])
    if log:
        connection.execute(insert(decisions), log)


def _new(connection: Connection, digest: str, shown: str) -> bool:
    """Whether this has not been taken over yet; notes that it is now."""
    if connection.execute(select(origins.c.digest).where(origins.c.digest == digest)).first() is not None:
        return False
    connection.execute(insert(origins).values(digest=digest, source=shown, taken_at=datetime.now(UTC)))
    return True


def _decisions(old: Connection) -> list[dict[str, object]]:
    columns: list[ColumnElement[object]] = [named(name) for name in _DECISION]
    wanted = select(*columns).select_from(table("gradebook_changes")).order_by(named("id"))
    return [
        {**row, "private": bool(row["private"]), "withdrawn": bool(row["withdrawn"])}
        for row in old.execute(wanted).mappings()
    ]


def _require_0_1(old: Connection, names: set[str], shown: str) -> None:
    known = {"alembic_version": ("version_num", ("0001", "0002")), "schema_version": ("version", (1,)),
             "gradebook_version": ("version", (1,))}  # fmt: skip
    if not names & _HELD:
        raise StoreFault(_("{name} is no database of version 0.1").format(name=shown))
    for name in known.keys() & names:
        column, versions = known[name]
        found = old.execute(select(named(column)).select_from(table(name))).scalar()
        if found not in versions:
            raise StoreFault(
                _("{name} is of version {found}, which this autograder does not know: update it").format(
                    name=shown, found=found
                )
            )


# --- files


def _take_files(connection: Connection, course: str, folder: Path) -> None:
    """Results that no database has, the students of the class, and when files were handed in."""
    known = {tuple(row) for row in connection.execute(select(attempts.c.student, attempts.c.exercise).distinct())}
    class_list: set[str] = set()
    files: list[Handed] = []
    for name in result_names(folder):
        class_list.add(name[0])
        result = read_result(result_path(folder, *name))
        if result.outcome in ("missing", "not_due"):
            continue
        facts = result.submission
        files.append(Handed(*name, facts.sha256, facts.file, facts.submitted, facts.marked_late))
        if name not in known:
            connection.execute(insert(attempts).values(attempt_row(course, result, {}, facts.sha256)))
    # Of which of a student's files the list speaks is not said: it is kept beside those that results speak of.
    files += _list(folder / "handed_in.csv")
    note(connection, course, files, class_list)


def _list(file: Path) -> Iterator[Handed]:
    """Who handed in what, by the list of version 0.1; nothing where there is none."""
    try:
        rows, _headings = read_table(file)
    except ConfigurationError:
        return
    for _number, row in rows:
        # Without the apostrophe that kept a cell from being a formula.
        cells = {
            name: cell[1:] if cell[:1] == "'" and cell[1:2] in tuple("-=+@") else cell for name, cell in row.items()
        }
        when = cells.get("submitted", "")
        yield Handed(
            cells.get("student", ""), cells.get("exercise", ""), "", cells.get("file", ""),
            datetime.fromisoformat(when) if when else None, bool(cells.get("late")), cells.get("name", ""),
            cells.get("email", ""), cells.get("platform", ""), cells.get("lms_id", ""), cells.get("notes", ""),
        )  # fmt: skip
