"""`autograder gradebook`: what teachers decide about grades, kept with who, when and why, and what follows from it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from autograder.commands import apply, decide, people
from autograder.commands.about import json_line, line_of
from autograder.commands.faults import CommandFault
from autograder.commands.options import EXISTING, WRITTEN, in_book, in_course, open_book, open_course, together
from autograder.language import _

if TYPE_CHECKING:
    from autograder import Book

of_one = together(
    click.argument("out", type=EXISTING),
    click.option("--student", help="Of one student only."),
    click.option("--exercise", help="Of one exercise only."),
)


@click.group("gradebook")
def command() -> None:
    """Override points, mark by rubric, extend due dates, excuse, comment; every change is kept with who, when and why.

    The gradebook lies beside the results in OUT and is never touched by a regrade. Nothing in it is changed or removed:
    --withdraw adds a change that takes an earlier one back.
    """


for subcommand in (*decide.COMMANDS, apply.command, people.command):
    command.add_command(subcommand)


@command.command("show")
@of_one
@in_course
@in_book
def show(out: Path, student: str | None, exercise: str | None, course: Path, book: str | None) -> None:
    """Show the final points: checks, overrides, late penalties. What the marks mean stands below the table."""
    from rich.console import Console

    from autograder.reports.table import grade_table

    kept = open_book(open_course(course), out, book)
    _require(kept, student, exercise)
    graded = list(kept.graded(student, (exercise,) if exercise else ()))
    if not graded:
        raise CommandFault(_("{out}: no results of these; grade first").format(out=out), status=2)
    Console().print(grade_table(graded, kept.names()))


@command.command("history")
@of_one
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
@in_course
@in_book
def history(
    out: Path, student: str | None, exercise: str | None, as_json: bool, course: Path, book: str | None
) -> None:  # fmt: skip
    """Show every change, the oldest first."""
    kept = open_book(open_course(course), out, book)
    _require(kept, student, exercise)
    for decision in kept.history(student, exercise):
        click.echo(json_line(decision) if as_json else line_of(decision))


@command.command("export")
@click.argument("out", type=EXISTING)
@click.option("--wide", is_flag=True, help="One line per student, one column per exercise.")
@click.option("--to", type=WRITTEN, help="Write this file (default: the terminal).")
@in_course
@in_book
def export(out: Path, wide: bool, to: Path | None, course: Path, book: str | None) -> None:
    """Write the final points as CSV."""
    from autograder.results.files import write_atomically

    kept = open_book(open_course(course), out, book)
    if not kept.results():
        raise CommandFault(_("{out}: no results of these; grade first").format(out=out), status=2)
    text = kept.table(wide=wide)
    if to is None:
        click.echo(text, nl=False)
    else:
        write_atomically(to, text)


def _require(kept: Book, student: str | None, exercise: str | None) -> None:
    """Refuse names that there are not."""
    from autograder.service.roll import require_student

    if exercise is not None:
        kept.course.chosen((exercise,))
    if student is not None:
        require_student(student, kept, removed=True)
