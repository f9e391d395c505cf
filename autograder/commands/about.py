"""Whom a change of the gradebook is about, who decides, and how it is told: what its subcommands share."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from autograder.commands.options import EXISTING, FOLDER, gathered, in_book, in_course, open_book, open_course
from autograder.language import _
from autograder.reports.words import place

if TYPE_CHECKING:
    from autograder import Book, Decision


def line_of(decision: Decision) -> str:
    """A decision in one line; nothing in it steers a terminal."""
    what = f"{decision.exercise} {decision.check}".strip()
    if decision.withdrawn:
        done = _("{kind} withdrawn").format(kind=decision.kind)
    elif decision.kind == "override":
        done = _("{points:g} points (checks: {was:g})").format(points=decision.points, was=decision.was)
    elif decision.kind == "mark":
        done = _("marked {points:g}").format(points=decision.points)
    elif decision.kind == "extend":
        done = _("until {due}").format(due=decision.due)
    elif decision.kind == "excuse":
        done = _("excused")
    else:
        done = f"{_('private comment') if decision.private else _('comment')}: {decision.text}"
        what += f", {place(decision.line)}" if decision.line else ""
    why = "" if decision.kind == "comment" else " " + _("because: {why}").format(why=decision.why)
    text = f"{decision.when.isoformat()} {decision.who}: {decision.student}, {what}: {done}{why}"
    return "".join(sign if sign.isprintable() else " " for sign in text)


def json_line(decision: Decision) -> str:
    """The same as a JSON object."""
    values = {name: v.isoformat() if hasattr(v, "isoformat") else v for name, v in vars(decision).items()}
    return json.dumps(values, ensure_ascii=False)


@dataclass(frozen=True)
class About:
    """Whose exercise a decision is about, and who decides."""

    out: Path
    course: Path
    book: str | None
    student: str = ""
    exercise: str = ""
    by: str | None = None
    why: str = ""

    def open(self) -> Book:
        """The book; it is closed when the command ends."""
        return open_book(open_course(self.course), self.out, self.book)

    def keep(self, decision: Decision, bonus: bool = False) -> None:
        """Keep the decision, and say so."""
        click.echo(line_of(self.open().decide(decision, by=self.by or "", why=self.why, bonus=bonus)))


by = click.option("--by", envvar="AUTOGRADER_USER", help="Who decides (default: your user name, unless it is root).")
in_out = click.argument("out", type=EXISTING), in_course, in_book
about = gathered(
    "about", About, click.argument("out", type=FOLDER), click.argument("student"), click.argument("exercise"), by,
    in_course, in_book,
)  # fmt: skip
reason = click.option("--why", required=True, help="The reason; it is kept.")
