"""`autograder export canvas`: grades as Canvas imports them."""

from __future__ import annotations

from pathlib import Path

import click

from autograder.commands.export_grades import as_table, form, of_grades, read_grades, write
from autograder.commands.faults import CommandFault
from autograder.language import _


@click.command("canvas")
@of_grades
@as_table
@click.option(
    "--column", "columns", multiple=True, metavar="EXERCISE=HEADING",
    help="The assignment's heading in Canvas, as 'markov_quiz=Markov chains (4567)'; may be repeated.",
)  # fmt: skip
def command(
    out: Path, to: Path, exercises: tuple[str, ...], roster: Path | None, course: Path, database: str | None,
    decimal: str, delimiter: str | None, encoding: str, missing: str, columns: tuple[str, ...],
) -> None:  # fmt: skip
    """Write the final grades in OUT for Canvas ("Gradebook", "Import").

    The best --roster is Canvas's own export of the gradebook: it has the numbers of students and assignments.
    """
    from autograder.exporters.grades_canvas import canvas_csv

    graded = read_grades(out, exercises, roster, course, database, missing)
    headings = {}
    for column in columns:
        exercise, equals, heading = column.partition("=")
        if not equals or not heading.strip():
            raise CommandFault(_("--column is EXERCISE=HEADING, got {column}").format(column=column), status=2)
        headings[graded.course.exercise(exercise).id] = heading.strip()
    content, lines = canvas_csv(
        graded.table, graded.people, graded.course, form(decimal, delimiter, encoding), headings
    )
    write(to, content)
    for line in lines:
        click.echo(line, err=True)
