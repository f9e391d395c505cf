"""`autograder export json`: grades as JSON."""

from __future__ import annotations

from pathlib import Path

import click

from autograder.commands.export_grades import of_grades, read_grades, write


@click.command("json")
@of_grades
def command(
    out: Path, to: Path, exercises: tuple[str, ...], roster: Path | None, course: Path, database: str | None
) -> None:
    """Write the grades in OUT as JSON: raw points, overrides, late penalty, what counts, comments to students."""
    from autograder.exporters.grades_plain import grades_json

    graded = read_grades(out, exercises, roster, course, database)
    write(to, grades_json(graded.grades, graded.table, graded.people, graded.course))
