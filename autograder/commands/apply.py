"""`autograder gradebook apply`: many decisions at once, from a table."""

from __future__ import annotations

from pathlib import Path

import click

from autograder.commands.about import by, in_out, line_of
from autograder.commands.options import FILE, open_book, open_course, together
from autograder.language import ngettext


@click.command("apply")
@together(*in_out)
@click.argument("file", type=FILE)
@click.option("--exercise", default="", help="What lines are about that do not say it.")
@click.option("--why", default="", help="The reason, where a line gives none in a column `why`.")
@by
@click.option("--bonus", is_flag=True, help="Allow more than there is to be earned.")
def command(
    out: Path, file: Path, exercise: str, why: str, by: str | None, bonus: bool, course: Path, book: str | None
) -> None:
    """Keep what a CSV FILE decides, line by line; all of it, or nothing where a line makes no sense.

    Columns: `student`, `exercise`, and one or more of `due` (extends), `points` (overrides; with `check` of this
    check, with `item` a mark of the rubric), an item of the rubric (marks), `text` (comments; with `line`, `private`),
    `excuse` (yes). What is in force already is left out.
    """
    kept = open_book(open_course(course), out, book)
    decided = kept.decide_by_table(file, exercise, by=by or "", why=why, bonus=bonus)
    for decision in decided:
        click.echo(line_of(decision))
    click.echo(ngettext("{n} change kept", "{n} changes kept", len(decided)).format(n=len(decided)))
