"""What `autograder grade` prints of a class that was graded."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from autograder.commands.planned import MOST_STUDENTS, identical, left_out, say
from autograder.commands.reading import RESOLVE, lines, not_graded
from autograder.language import _, ngettext
from autograder.reports.words import called

if TYPE_CHECKING:
    from autograder import Batch, Book, Result


def tell(batch: Batch, book: Book, out: Path) -> None:
    """Say what came of a class: its table, what was not graded and why, where everything is."""
    from rich.console import Console

    from autograder.reports.table import class_table, grade_table

    console = Console()
    names, known = set(batch.results.names), book.names()
    if names:
        if len({student for student, _exercise in names}) > MOST_STUDENTS:
            console.print(class_table(grade for grade in batch.grades if (grade.student, grade.exercise) in names))
        else:
            graded = (pair for pair in book.graded() if (pair[0].student, pair[0].exercise) in names)
            console.print(grade_table(graded, known))
    say((*lines(batch.handed_in, out), *not_graded(batch.handed_in)))
    for fault in batch.faults:
        click.secho(
            _("could not be graded: {student} {exercise}: {why}").format(
                student=called(fault.student, known), exercise=fault.exercise, why=_why(fault)
            ),
            fg="magenta", bold=True,
        )  # fmt: skip
    unchanged = len(batch.plan.kept.keys() - batch.plan.left)
    if unchanged:
        click.echo(_("{n} unchanged since the last run (--force grades them again)").format(n=unchanged))
    say((*left_out(batch.plan), *identical(batch.plan, known)))
    if batch.isolation:
        click.echo(_("isolation: {listing}").format(listing=", ".join(batch.isolation)))
    click.echo(_("results: {out}").format(out=out / "results"))
    click.echo(_("grades:  {out}").format(out=out / "grades.csv"))
    if len(batch.everyone) > len(batch.results):
        n = len(batch.everyone)
        line = ngettext(
            "There is {n} result of the whole class in this table.",
            "There are {n} results of the whole class in this table.",
            n,
        )
        click.echo(line.format(n=n))
    if n := batch.open_questions:
        line = ngettext("{n} thing needs a person: {file}", "{n} things need a person: {file}", n)
        click.echo(line.format(n=n, file=out / RESOLVE))


def _why(fault: Result) -> str:
    return fault.message or "; ".join(f"check {c.id}: {c.message}" for c in fault.checks if c.outcome == "error")
