"""What the exporters of grades share: their options, and the grades of an output folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from autograder.commands.faults import CommandFault
from autograder.language import _

if TYPE_CHECKING:
    from autograder.course import CourseConfig
    from autograder.exporters.people import People
    from autograder.exporters.table import GradeTable
    from autograder.reports.cells import Form
    from autograder.results.grade import Grade
    from autograder.results.model import Result

EXISTING = click.Path(path_type=Path, exists=True, file_okay=False)
FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
WRITTEN = click.Path(path_type=Path, dir_okay=False)

_GRADES = (
    click.argument("out", type=EXISTING),
    click.option("-o", "--to", type=WRITTEN, required=True, help="Write this file."),
    click.option("--exercise", "exercises", multiple=True, help="Only this exercise; may be repeated."),
    click.option("--roster", type=FILE, help="CSV with names, addresses and numbers of the students."),
    click.option("--course", type=EXISTING, default=Path("."), help="The course's folder (default: here or above)."),
    click.option("--database", help="SQLAlchemy URL of the book (default: SQLite in OUT)."),
)
_TABLE = (
    click.option("--decimal", type=click.Choice(["point", "comma"]), default="point", help="The decimal sign."),
    click.option("--delimiter", type=click.Choice(["comma", "semicolon", "tab"]),
                 help="Between cells (default: comma; semicolon with --decimal comma)."),
    click.option("--encoding", type=click.Choice(["utf-8", "utf-8-bom", "latin-1"]), default="utf-8",
                 help="utf-8-bom is what Excel opens rightly."),
    click.option("--missing", type=click.Choice(["zero", "blank"]), default="zero",
                 help="What stands for an exercise that was not handed in."),
)  # fmt: skip


def _with(options: Sequence[Callable[[Any], Any]]) -> Callable[[Any], Any]:
    def add(function: Any) -> Any:
        for option in reversed(options):
            function = option(function)
        return function

    return add


of_grades = _with(_GRADES)
as_table = _with(_TABLE)


@dataclass(frozen=True)
class Graded:
    """The grades of an output folder, and what is known of their students; `results` are in the grades' order."""

    course: CourseConfig
    results: Sequence[Result]
    grades: Sequence[Grade]
    table: GradeTable
    people: People


def read_grades(
    out: Path, exercises: Sequence[str], roster: Path | None, course: Path, database: str | None, missing: str = "zero"
) -> Graded:
    """The final grades in `out`, overrides, extensions and late penalties applied.

    Raises:
        CommandFault: there are none.
    """
    from autograder.book.grades import grades, with_missing
    from autograder.book.place import read_decisions
    from autograder.book.rubric import load_rubric
    from autograder.course import CONFIG_NAME, find_course, load_config
    from autograder.course.roster import read_roster
    from autograder.exporters.people import People
    from autograder.exporters.table import GradeTable
    from autograder.language import use_language
    from autograder.results.files import read_results

    config = load_config(find_course(course) / CONFIG_NAME)
    use_language(config.language, config.root / "translations")
    for exercise in exercises:
        config.exercise(exercise)
    decisions = read_decisions(database or out, config.id)
    everything = with_missing(list(read_results(out)), config, decisions)
    results = [result for result in everything if not exercises or result.exercise in exercises]
    if not results:
        raise CommandFault(_("{out}: no results of these; grade first").format(out=out), status=2)
    final = grades(results, config, decisions, load_rubric(config))
    people = People(read_roster(roster) if roster else None, out)
    table = GradeTable(zip(results, final, strict=True), config, people, "blank" if missing == "blank" else "zero")
    for row in table.open:
        if row.grade.outcome == "error":
            line = _("{student} {exercise}: could not be graded; its cell stays empty")
            click.echo(line.format(student=row.grade.student, exercise=row.grade.exercise), err=True)
    return Graded(config, results, final, table, people)


def form(decimal: str, delimiter: str | None, encoding: str) -> Form:
    """The form of a table from its options."""
    from typing import cast

    from autograder.reports.cells import DELIMITERS, Encoding, Form

    between = DELIMITERS[delimiter or ("semicolon" if decimal == "comma" else "comma")]
    return Form("," if decimal == "comma" else ".", between, cast("Encoding", encoding))


def write(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, and say so."""
    import os

    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
    draft.write_bytes(content)
    draft.replace(path)
    click.echo(_("wrote {path}").format(path=path))
