"""`autograder export csv`: grades as a plain table."""

from __future__ import annotations

from pathlib import Path

import click

from autograder.commands.export_grades import as_table, form, of_grades, read_grades, write


@click.command("csv")
@of_grades
@as_table
@click.option("--wide", is_flag=True, help="One line per student, one column per exercise, and the total.")
def command(
    out: Path, to: Path, exercises: tuple[str, ...], roster: Path | None, course: Path, database: str | None,
    decimal: str, delimiter: str | None, encoding: str, missing: str, wide: bool,
) -> None:  # fmt: skip
    """Write the grades in OUT as a table: what the checks gave, overrides, late penalty, what counts."""
    from autograder.exporters.grades_plain import plain_csv, wide_csv

    graded = read_grades(out, exercises, roster, course, database, missing)
    table = form(decimal, delimiter, encoding)
    if wide:
        write(to, wide_csv(graded.sheet, graded.people, table))
    else:
        write(to, plain_csv(graded.grades, graded.sheet, graded.people, table))
