"""`autograder export`: grades and exercises in the forms of other programs.

Grades: a subcommand for each exporter of `autograder.exporters.formats`, made of what the exporter says of itself.
Exercises: a line per command in the table below.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from autograder.commands.faults import CommandFault
from autograder.commands.lazy import Entry, LazyGroup
from autograder.commands.translated import translated
from autograder.exporters.formats import exporter, names
from autograder.language import _

if TYPE_CHECKING:
    from collections.abc import Sequence

    from autograder.exporters.exporter import Exporter, Given, Graded, Option, Value
    from autograder.exporters.table import Missing

BRIDGES: dict[str, Entry] = {
    "gradescope": Entry("export_gradescope", "The autograder zip of an exercise for Gradescope."),
    "nbgrader": Entry("export_nbgrader", "The exercises as a course for nbgrader."),
    "nbgrader-scores": Entry("export_nbgrader_scores", "Grades into nbgrader's gradebook.db."),
    "otter": Entry("export_otter", "The exercises for otter-grader."),
}
EXISTING = click.Path(path_type=Path, exists=True, file_okay=False)
FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
WRITTEN = click.Path(path_type=Path, dir_okay=False)


class ExportGroup(LazyGroup):
    """The exporters of grades, and the bridges' commands."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in names():
            return translated(_subcommand(cmd_name, exporter(cmd_name)))
        return super().get_command(ctx, cmd_name)


@click.group("export", cls=ExportGroup, table={name: Entry("", exporter(name).TITLE) for name in names()} | BRIDGES)
def command() -> None:
    """Write grades or exercises in the form of another program."""


def _subcommand(name: str, of: Exporter) -> click.Command:
    options: list[click.Parameter] = [
        click.Argument(["out"], type=EXISTING),
        click.Option(["-o", "--to"], type=WRITTEN, required=True, help="Write this file."),
        click.Option(["--exercise", "exercises"], multiple=True, help="Only this exercise; may be repeated."),
        click.Option(["--roster"], type=FILE, help="CSV with names, addresses and numbers of the students."),
        click.Option(["--course"], type=EXISTING, default=Path(), help="The course's folder (default: here or above)."),
        click.Option(["--database"], help="SQLAlchemy URL of the gradebook (default: SQLite in OUT)."),
        click.Option(
            ["--missing"],
            type=click.Choice(["zero", "blank"]),
            help="What stands for an exercise that was not handed in and was due (default: the course's).",
        ),
        *(_FORM if of.TABLE else ()),
        *map(_option, of.OPTIONS),
    ]

    def run(
        out: Path, to: Path, exercises: tuple[str, ...], roster: Path | None, course: Path, database: str | None,
        missing: Missing | None, decimal: str | None = None, delimiter: str | None = None, encoding: str = "utf-8",
        **values: Value,
    ) -> None:  # fmt: skip
        graded = read_grades(out, exercises, roster, course, database, missing)
        written = of.write(graded, _given(decimal, delimiter, encoding, values))
        write(to, written.content)
        if written.done:
            click.echo(written.done)
        for line in written.notes:
            click.echo(line, err=True)

    return click.Command(name, params=options, callback=run, help="\n\n".join(of.HELP))


_FORM = (
    click.Option(["--decimal"], type=click.Choice(["point", "comma"]), help="The decimal sign (default: point)."),
    click.Option(
        ["--delimiter"],
        type=click.Choice(["comma", "semicolon", "tab"]),
        help="Between cells (default: comma; semicolon with --decimal comma).",
    ),
    click.Option(
        ["--encoding"],
        type=click.Choice(["utf-8", "utf-8-bom", "latin-1"]),
        default="utf-8",
        help="utf-8-bom is what Excel opens rightly.",
    ),
)


def _option(own: Option) -> click.Option:
    flags = [f"--{own.name}", own.name.replace("-", "_")]
    if own.kind == "flag":
        return click.Option(flags, is_flag=True, help=own.help)
    kind = FILE if own.kind == "file" else click.Choice(own.choices) if own.choices else click.STRING
    return click.Option(flags, type=kind, multiple=own.kind == "texts", metavar=own.metavar, help=own.help)


def _given(decimal: str | None, delimiter: str | None, encoding: str, values: dict[str, Value]) -> Given:
    from typing import cast

    from autograder.exporters.exporter import Given
    from autograder.reports.cells import DELIMITERS, Encoding, Form

    between = DELIMITERS[delimiter or ("semicolon" if decimal == "comma" else "comma")]
    form = Form("," if decimal == "comma" else ".", between, cast("Encoding", encoding))
    return Given(form, decimal is not None, {name.replace("_", "-"): value for name, value in values.items()})


def read_grades(
    out: Path, exercises: Sequence[str], roster: Path | None, course: Path, database: str | None,
    missing: Missing | None = None,
) -> Graded:  # fmt: skip
    """The final grades in `out`, overrides, extensions and late penalties applied.

    Raises:
        CommandFault: there are none.
    """
    from datetime import UTC, datetime

    from autograder.book.grades import grades
    from autograder.book.missing import complete
    from autograder.book.place import read_decisions
    from autograder.book.rubric import load_rubric
    from autograder.course import CONFIG_NAME, find_course, load_config
    from autograder.course.roster import read_roster
    from autograder.exporters.exporter import Graded
    from autograder.exporters.people import People
    from autograder.exporters.table import GradeTable
    from autograder.language import use_language
    from autograder.results.files import read_results

    config = load_config(find_course(course) / CONFIG_NAME)
    use_language(config.language, config.root / "translations")
    for exercise in exercises:
        config.exercise(exercise)
    decisions = read_decisions(database or out, config.id)
    everything = complete(list(read_results(out)), config, decisions)
    results = [result for result in everything if not exercises or result.exercise in exercises]
    if not results:
        raise CommandFault(_("{out}: no results of these; grade first").format(out=out), status=2)
    final = grades(results, config, decisions, load_rubric(config))
    people = People(read_roster(roster) if roster else None, out)
    table = GradeTable(zip(results, final, strict=True), config, people, missing)
    for row in table.open:
        if row.grade.outcome != "missing":
            line = _("{student} {exercise}: no final points yet ({outcome}); the cell stays empty")
            where = {"student": row.grade.student, "exercise": row.grade.exercise, "outcome": row.grade.outcome}
            click.echo(line.format(**where), err=True)
    return Graded(config, out, tuple(exercises), results, final, table, people, datetime.now(UTC))


def write(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, and say so."""
    import os

    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
    draft.write_bytes(content)
    draft.replace(path)
    click.echo(_("wrote {path}").format(path=path))
