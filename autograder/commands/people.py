"""`autograder gradebook people`: who is in the class, under which name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from autograder.commands.about import About, by, in_out, reason
from autograder.commands.options import EXISTING, gathered
from autograder.language import _

if TYPE_CHECKING:
    from autograder.service.roll import RollKind


def _keep(of: About, kind: RollKind, into: str = "", submissions: Path | None = None) -> None:
    """Make a change, and say so."""
    kept = of.open().change_people(kind, of.student, into, of.by or "", of.why, submissions)
    line = f"{kept.when.isoformat()} {kept.who}: {kind}: " + " → ".join(filter(None, (of.student, into)))
    click.echo(line + " " + _("because: {why}").format(why=kept.why))


_out, _course, _book = in_out
_signed = gathered("of", About, _out, click.argument("student"), by, reason, _course, _book)


@click.group("people")
def command() -> None:
    """Rename, merge, remove and restore students, and erase what is kept of one; who changed what and why is kept."""


@command.command("list")
@gathered("of", About, *in_out)
def list_(of: About) -> None:
    """Everybody whom the book knows."""
    for one in of.open().class_list():
        words = one.student, one.name, _("exercises: {n}").format(n=one.attempts), _("removed") if one.removed else ""
        click.echo("  ".join(filter(None, words)))


@command.command("rename")
@_signed
@click.argument("into")
def rename(of: About, into: str) -> None:
    """Call STUDENT by the name INTO from now on, with everything that is there. Their questions are drawn anew."""
    _keep(of, "rename", into)


@command.command("merge")
@_signed
@click.argument("into")
def merge(of: About, into: str) -> None:
    """Make STUDENT's attempts and decisions those of INTO, who is there already."""
    _keep(of, "merge", into)


@command.command("remove")
@_signed
def remove(of: About) -> None:
    """Hide STUDENT: grades, reports and exports are without them. Everything is kept."""
    _keep(of, "remove")


@command.command("restore")
@_signed
def restore(of: About) -> None:
    """Show a STUDENT again who was removed."""
    _keep(of, "restore")


@command.command("erase")
@_signed
@click.option("--submissions", type=EXISTING, help="Remove the folder STUDENT in this one, too.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def erase(of: About, submissions: Path | None, yes: bool) -> None:
    """Delete what is kept of STUDENT for good: attempts, results, figures, decisions, comments, submissions.

    A line without the name stays. Copies made of a book before an update go, too. Pages and backups are yours.
    """
    yes or click.confirm(_("Delete everything of {student} for good?").format(student=of.student), abort=True)
    _keep(of, "erase", submissions=submissions)
