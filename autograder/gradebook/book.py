"""The gradebook: a log of teachers' decisions that is only ever added to.

It lives beside the results in `gradebook.db` (or wherever an SQLAlchemy URL points) and never in them, so that a
regrade cannot touch it. A decision is taken back by a later one; nothing is changed or removed, and SQLite is told to
refuse both.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, get_args

from sqlalchemy import (
    DDL,
    Boolean,
    Column,
    Connection,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    event,
    insert,
    inspect,
    select,
    update,
)

from autograder.errors import AutograderError
from autograder.language import _

FILE_NAME = "gradebook.db"
Kind = Literal["override", "mark", "extend", "comment"]
KINDS: tuple[Kind, ...] = get_args(Kind)

metadata = MetaData()
versions = Table("gradebook_version", metadata, Column("version", Integer, nullable=False))
changes = Table(
    "gradebook_changes",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("when", String(40), nullable=False),  # ISO 8601 with its offset: SQLite's own type forgets the zone
    Column("who", String(200), nullable=False),
    Column("why", Text, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("student", String(400), nullable=False),
    Column("exercise", String(100), nullable=False),
    Column("check", String(200), nullable=False),
    Column("points", Float),
    Column("was", Float),
    Column("due", String(40)),
    Column("text", Text, nullable=False),
    Column("private", Boolean, nullable=False),
    Column("withdrawn", Boolean, nullable=False),
    Index("gradebook_by_student", "student", "exercise", "id"),
)
for _verb in ("UPDATE", "DELETE"):
    _trigger = DDL(  # type: ignore[no-untyped-call]
        f"CREATE TRIGGER gradebook_no_{_verb.lower()} BEFORE {_verb} ON gradebook_changes "
        "BEGIN SELECT RAISE(ABORT, 'the gradebook is only added to'); END"
    )
    event.listen(changes, "after_create", _trigger.execute_if(dialect="sqlite"))

# One function per step from version n to n + 1; a gradebook is brought up to date when it is opened.
MIGRATIONS: list[Callable[[Connection], None]] = []
VERSION = 1 + len(MIGRATIONS)


class GradebookFault(AutograderError):
    """The gradebook cannot be used, or a change makes no sense: says which and why."""


@dataclass(frozen=True)
class Change:
    """One decision.

    Attributes:
        when: with its time zone.
        who: decided.
        why: in a sentence.
        kind: `override` points, `mark` an item of the rubric, `extend` the due date, or `comment`.
        student: whom it is about.
        exercise: id.
        check: an override of one check, of the whole exercise where empty; a mark's item of the rubric.
        points: an override's or a mark's.
        was: what the checks had given then.
        due: an extension's new due date.
        text: a comment's.
        private: a comment for teachers alone.
        withdrawn: takes back the override, the mark, the extension or the student's comments in force.
    """

    when: datetime
    who: str
    why: str
    kind: Kind
    student: str
    exercise: str
    check: str = ""
    points: float | None = None
    was: float | None = None
    due: datetime | None = None
    text: str = ""
    private: bool = False
    withdrawn: bool = False


class Gradebook:
    """The changes of one output folder.

    Args:
        out: the output folder.
        url: an SQLAlchemy URL, or None for `gradebook.db` in the output folder.

    Raises:
        GradebookFault: it cannot be opened, or was made by a newer version.
    """

    def __init__(self, out: Path, url: str | None = None) -> None:
        self._shown = url or str(out / FILE_NAME)
        if url is None:
            out.mkdir(parents=True, exist_ok=True)
            url = f"sqlite:///{out / FILE_NAME}"
        try:
            self._engine = create_engine(url)
            with self._engine.begin() as connection:
                self._prepare(connection)
        except GradebookFault:
            raise
        except Exception as error:
            raise GradebookFault(
                _("the gradebook {public} cannot be used: {error}").format(public=_public(self._shown), error=error)
            ) from error

    def _prepare(self, connection: Connection) -> None:
        fresh = not inspect(connection).has_table(versions.name)
        metadata.create_all(connection)
        if fresh:
            connection.execute(insert(versions).values(version=VERSION))
            return
        found = connection.execute(select(versions.c.version)).scalar_one()
        if found > VERSION:
            raise GradebookFault(
                _("{public} is a gradebook of version {found}; this autograder knows {version}: update it").format(
                    public=_public(self._shown), found=found, version=VERSION
                )
            )
        for step in MIGRATIONS[found - 1 :]:
            step(connection)
        connection.execute(update(versions).values(version=VERSION))

    def add(self, change: Change) -> None:
        """Keep one decision; it is on disk when this returns."""
        for name, given in (("who", change.who), ("why", change.why)):
            if not given.strip():
                raise GradebookFault(_("every change says {name}; it is empty here").format(name=name))
        if change.kind not in KINDS:
            raise GradebookFault(
                _("unknown kind of change {kind!r}; there are {listing}").format(
                    kind=change.kind, listing=", ".join(KINDS)
                )
            )
        if change.when.tzinfo is None:
            raise GradebookFault(_("the time of a change has no time zone"))
        row = {**vars(change), "when": change.when.isoformat(), "due": change.due and change.due.isoformat()}
        with self._engine.begin() as connection:
            connection.execute(insert(changes).values(row))

    def history(self, student: str | None = None, exercise: str | None = None) -> list[Change]:
        """Every change, oldest first: of all, or of one student or exercise."""
        wanted = select(changes).order_by(changes.c.id)
        if student is not None:
            wanted = wanted.where(changes.c.student == student)
        if exercise is not None:
            wanted = wanted.where(changes.c.exercise == exercise)
        with self._engine.connect() as connection:
            return [_change(row._mapping) for row in connection.execute(wanted)]

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()


def read_history(out: Path, url: str | None = None) -> list[Change]:
    """Every change; an output folder without a gradebook has none, and gets none by being read."""
    if url is None and not (out / FILE_NAME).is_file():
        return []
    book = Gradebook(out, url)
    try:
        return book.history()
    finally:
        book.close()


def now() -> datetime:
    """The time of a change."""
    return datetime.now(UTC).replace(microsecond=0)


def _change(row: Any) -> Change:
    known = {name: value for name, value in row.items() if name != "id"}
    known["when"] = datetime.fromisoformat(known["when"])
    known["due"] = known["due"] and datetime.fromisoformat(known["due"])
    return Change(**known)


def _public(url: str) -> str:
    """The URL without its password."""
    if "://" not in url:
        return url
    from sqlalchemy import make_url

    try:
        return make_url(url).render_as_string(hide_password=True)
    except Exception:
        return "(an unreadable URL)"
