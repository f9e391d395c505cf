"""`autograder export nbgrader-csv`: grades in the columns of `nbgrader export`."""

from __future__ import annotations

from pathlib import Path

import click

from autograder.commands.export_grades import as_table, form, of_grades, read_grades, write


@click.command("nbgrader-csv")
@of_grades
@as_table
def command(
    out: Path, to: Path, exercises: tuple[str, ...], roster: Path | None, course: Path, database: str | None,
    decimal: str, delimiter: str | None, encoding: str, missing: str,
) -> None:  # fmt: skip
    """Write the final grades in OUT with the columns of `nbgrader export`."""
    from autograder.exporters.grades_plain import nbgrader_csv

    graded = read_grades(out, exercises, roster, course, database, missing)
    write(to, nbgrader_csv(graded.grades, graded.table, graded.people, form(decimal, delimiter, encoding)))
