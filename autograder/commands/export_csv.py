"""`autograder export csv`: grades as a plain table."""

from __future__ import annotations

from pathlib import Path

import click

from autograder.commands.export_grades import as_table, form, of_grades, read_grades, write


@click.command("csv")
@of_grades
@as_table
@click.option("--columns", default="", help="Only these columns, in this order: student,exercise,final ...")
@click.option("--wide", is_flag=True, help="One line per student, one column per exercise, and the total.")
def command(
    out: Path, to: Path, exercises: tuple[str, ...], roster: Path | None, course: Path, database: str | None,
    decimal: str, delimiter: str | None, encoding: str, missing: str, columns: str, wide: bool,
) -> None:  # fmt: skip
    """Write the grades in OUT as a table: what the checks gave, overrides, late penalty, what counts."""
    graded = read_grades(out, exercises, roster, course, database, missing)
    table, chosen = form(decimal, delimiter, encoding), columns.split(",") if columns else ()
    write(to, table.table(graded.table.wide(table) if wide else graded.table.long(table, chosen)))
