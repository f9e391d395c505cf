"""`autograder gradebook people`: who is in the class, under which name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from autograder.commands.about import by, reason
from autograder.commands.options import EXISTING, gathered, in_book, in_course, open_book, open_course
from autograder.language import _

if TYPE_CHECKING:
    from autograder import Book
    from autograder.service.roll import RollKind


@dataclass(frozen=True)
class Of:
    """Whose book, and who decides why."""

    out: Path
    course: Path
    book: str | None
    student: str = ""
    by: str | None = None
    why: str = ""

    def open(self) -> Book:
        """The book; it is closed when the command ends."""
        return open_book(open_course(self.course), self.out, self.book)

    def keep(self, kind: RollKind, into: str = "", submissions: Path | None = None) -> None:
        """Make a change, and say so."""
        kept = self.open().change_people(kind, self.student, into, self.by or "", self.why, submissions)
        line = f"{kept.when.isoformat()} {kept.who}: {kind}: " + " → ".join(filter(None, (self.student, into)))
        click.echo(line + " " + _("because: {why}").format(why=kept.why))


_whom = click.argument("out", type=EXISTING), click.argument("student")
_signed = gathered("of", Of, *_whom, by, reason, in_course, in_book)


@click.group("people")
def command() -> None:
    """Rename, merge, remove and restore students, and erase what is kept of one; who changed what and why is kept."""


@command.command("list")
@gathered("of", Of, click.argument("out", type=EXISTING), in_course, in_book)
def list_(of: Of) -> None:
    """Everybody whom the book knows."""
    for one in of.open().class_list():
        words = one.student, one.name, _("exercises: {n}").format(n=one.attempts), _("removed") if one.removed else ""
        click.echo("  ".join(filter(None, words)))


@command.command("rename")
@_signed
@click.argument("into")
def rename(of: Of, into: str) -> None:
    """Call STUDENT by the name INTO from now on, with everything that is there. Their questions are drawn anew."""
    of.keep("rename", into)


@command.command("merge")
@_signed
@click.argument("into")
def merge(of: Of, into: str) -> None:
    """Make STUDENT's attempts and decisions those of INTO, who is there already."""
    of.keep("merge", into)


@command.command("remove")
@_signed
def remove(of: Of) -> None:
    """Hide STUDENT: grades, reports and exports are without them. Everything is kept."""
    of.keep("remove")


@command.command("restore")
@_signed
def restore(of: Of) -> None:
    """Show a STUDENT again who was removed."""
    of.keep("restore")


@command.command("erase")
@_signed
@click.option("--submissions", type=EXISTING, help="Remove the folder STUDENT in this one, too.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def erase(of: Of, submissions: Path | None, yes: bool) -> None:
    """Delete what is kept of STUDENT for good: attempts, results, figures, decisions, comments, submissions.

    A line without the name stays. Copies made of a book before an update go, too. Pages and backups are yours.
    """
    yes or click.confirm(_("Delete everything of {student} for good?").format(student=of.student), abort=True)
    of.keep("erase", submissions=submissions)
