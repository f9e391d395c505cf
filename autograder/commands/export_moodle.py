"""`autograder export moodle`: grades as Moodle imports them."""

from __future__ import annotations

from pathlib import Path

import click

from autograder.commands.export_grades import FILE, as_table, form, of_grades, read_grades, write
from autograder.commands.faults import CommandFault
from autograder.language import _


@click.command("moodle")
@of_grades
@as_table
@click.option("--worksheet", type=FILE, help="Fill in this grading worksheet, downloaded from one assignment.")
def command(
    out: Path, to: Path, exercises: tuple[str, ...], roster: Path | None, course: Path, database: str | None,
    decimal: str, delimiter: str | None, encoding: str, missing: str, worksheet: Path | None,
) -> None:  # fmt: skip
    """Write the final grades in OUT for Moodle's gradebook ("Grades", "Import", "CSV file").

    With --worksheet and one --exercise: the assignment's own table with its column Grade filled in, for "Upload
    grading worksheet".
    """
    from autograder.exporters.grades_moodle import gradebook
    from autograder.exporters.grades_moodle import worksheet as filled_in

    if worksheet is not None and len(exercises) != 1:
        raise CommandFault(_("a worksheet is of one assignment: say which with --exercise"), status=2)
    graded = read_grades(out, exercises, roster, course, database, missing)
    table = form(decimal, delimiter, encoding)
    if worksheet is None:
        if roster is None and not any(graded.people.of(s).email for s in graded.table.students):
            click.echo(_("no addresses: Moodle will look for students by ID number; --roster gives more"), err=True)
        write(to, gradebook(graded.table, graded.people, graded.course, table))
        return
    filled = filled_in(worksheet, graded.grades, graded.table, graded.people, table)
    write(to, filled.content)
    click.echo(_("{count} grades filled in").format(count=filled.graded))
    for student in filled.without:
        click.echo(_("not in the worksheet: {student}").format(student=student), err=True)
    for participant in filled.untouched:
        click.echo(_("no grade for: {participant}").format(participant=participant), err=True)
