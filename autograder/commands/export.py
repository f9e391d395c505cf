"""`autograder export`: grades and exercises in the forms of other programs.

Grades: a subcommand for each exporter of `autograder.exporters.formats`, made of what the exporter says of itself.
Exercises: a line per command in the table below.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from autograder.commands.export_options import FORM, given, option
from autograder.commands.lazy import LazyGroup, Subcommand
from autograder.commands.options import EXISTING, FILE, WRITTEN, in_book, open_book, open_course
from autograder.commands.translated import translated
from autograder.exporters.formats import exporter, names
from autograder.language import _
from autograder.results.files import write_bytes

if TYPE_CHECKING:
    from autograder.exporters.exporter import Exporter, OptionValue
    from autograder.exporters.table import Missing

BRIDGES: dict[str, Subcommand] = {
    "gradescope": Subcommand("export_gradescope", "The autograder zip of an exercise for Gradescope."),
    "nbgrader": Subcommand("export_nbgrader", "The exercises as a course for nbgrader."),
    "nbgrader-scores": Subcommand("export_nbgrader_scores", "Grades into nbgrader's gradebook.db."),
    "otter": Subcommand("export_otter", "The exercises for otter-grader."),
}
FORMATS = {name: Subcommand("", exporter(name).TITLE) for name in names()}


class ExportGroup(LazyGroup):
    """The exporters of grades, and the bridges' commands."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in names():
            return translated(_subcommand(cmd_name, exporter(cmd_name)))
        return super().get_command(ctx, cmd_name)


@click.group("export", cls=ExportGroup, table=FORMATS | BRIDGES)
def command() -> None:
    """Write grades or exercises in the form of another program."""


def _subcommand(name: str, of: Exporter) -> click.Command:
    options: list[click.Parameter] = [
        click.Argument(["out"], type=EXISTING),
        click.Option(["-o", "--to"], type=WRITTEN, required=True, help="Write this file."),
        click.Option(["--exercise", "exercises"], multiple=True, help="Only this exercise; may be repeated."),
        click.Option(["--roster"], type=FILE, help="CSV with names, addresses and numbers of the students."),
        click.Option(["--course"], type=EXISTING, default=Path(), help="The course's folder (default: here or above)."),
        click.Option(
            ["--missing"],
            type=click.Choice(["zero", "blank"]),
            help="What stands for an exercise that was not handed in and was due (default: the course's).",
        ),
        *(FORM if of.TABLE else ()),
        *map(option, of.OPTIONS),
    ]

    @in_book
    def run(
        out: Path, to: Path, exercises: tuple[str, ...], roster: Path | None, course: Path, book: str | None,
        missing: Missing | None, decimal: str | None = None, delimiter: str | None = None, encoding: str = "utf-8",
        **values: OptionValue,
    ) -> None:  # fmt: skip
        of_course = open_course(course)
        kept = open_book(of_course, out, book)
        asked = given(decimal, delimiter, encoding, values)
        written = kept.export(name, of_course.chosen(exercises) if exercises else (), roster, asked, missing)
        write_bytes(to, written.content)
        click.echo(_("wrote {path}").format(path=to))
        if written.done:
            click.echo(written.done)
        for line in written.notes:
            click.echo(line, err=True)

    made = click.command(name, help="\n\n".join(of.HELP))(run)
    made.params = [*options, *made.params]
    return made
