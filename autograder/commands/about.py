"""Whose exercise a decision is about, and who decides: what the subcommands of `gradebook` that keep one share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from autograder.commands.decided import line
from autograder.commands.options import FOLDER, gathered, in_book, in_course, open_book, open_course

if TYPE_CHECKING:
    from autograder import Course, Decision


@dataclass(frozen=True)
class About:
    """Whose exercise a decision is about, and who decides."""

    out: Path
    student: str
    exercise: str
    course: Path
    book: str | None
    by: str | None
    why: str = ""

    def of(self) -> Course:
        """The course."""
        return open_course(self.course)

    def keep(self, course: Course, decision: Decision, bonus: bool = False) -> None:
        """Keep the decision, and say so."""
        kept = open_book(course, self.out, self.book).decide(decision, by=self.by or "", why=self.why, bonus=bonus)
        click.echo(line(kept))


by = click.option("--by", envvar="AUTOGRADER_USER", help="Who decides (default: your user name, unless it is root).")
about = gathered(
    "about",
    About,
    click.argument("out", type=FOLDER),
    click.argument("student"),
    click.argument("exercise"),
    by,
    in_course,
    in_book,
)
reason = click.option("--why", required=True, help="The reason; it is kept.")
