"""`autograder report`: results as a table, a student's checks, CSV, pages for students, the class for teachers."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from autograder.commands.faults import CommandFault
from autograder.commands.options import EXISTING, FOLDER, in_book, in_course, in_language, open_book, open_course
from autograder.commands.reading import ReadingOptions, class_options
from autograder.language import _, ngettext, said

if TYPE_CHECKING:
    from autograder import Grade, Result


@click.command("report")
@click.argument("out", type=EXISTING)
@click.option("--student", help="The checks of one student.")
@click.option("--exercise", help="Of one exercise only.")
@click.option("--csv", "as_csv", is_flag=True, help="Write CSV to the terminal.")
@click.option("--html", type=FOLDER, help="Write one page per student, for the students, into this folder.")
@click.option("--teacher", is_flag=True, help="With --html: pages for teachers, hidden checks and figures included.")
@click.option("--class", "class_folder", type=FOLDER, help="Write the class report (HTML, Markdown, CSV) there.")
@click.option(
    "--submissions",
    type=click.Path(path_type=Path, exists=True),
    help="What was graded: --class finds near copies in it, --html shows the lines that comments are about.",
)
@class_options
@in_course
@in_book
@in_language
def command(
    out: Path, student: str | None, exercise: str | None, as_csv: bool, html: Path | None, teacher: bool,
    class_folder: Path | None, submissions: Path | None, reading: ReadingOptions, course: Path, book: str | None,
    lang: str | None,
) -> None:  # fmt: skip
    """Show the results in OUT, a folder written by `autograder grade`.

    Students' pages show what the configuration lets them see: `visibility`, `published`, due dates. Overrides,
    extensions and comments of the gradebook are applied in pages and in the class report.
    """
    if teacher and html is None:
        raise CommandFault(_("--teacher goes with --html DIR"), status=2)
    if submissions is not None and class_folder is None and html is None:
        raise CommandFault(_("--submissions goes with --class DIR or --html DIR"), status=2)
    of = open_course(course, lang)
    kept = open_book(of, out, book)
    of_exercise = (exercise,) if exercise else ()
    if not kept.results(student, of_exercise):
        reason = _("no results of {student}").format(student=student) if student else _("no results")
        raise CommandFault(_("{out}: {reason}; grade first").format(out=out, reason=reason), status=2)
    handed_in = reading.of(of, submissions) if submissions is not None else None
    if html is not None:
        count = kept.write_pages(
            html, teacher=teacher, student=student, exercises=of_exercise, report=class_folder, handed_in=handed_in
        )
        click.echo(ngettext("{n} page: {html}", "{n} pages: {html}", count).format(n=count, html=html))
    if class_folder is not None:
        pages = html if teacher else None
        page = kept.write_report(class_folder, handed_in, student=student, exercises=of_exercise, pages=pages)
        click.echo(_("class report: {file}").format(file=page))
    if html is None and class_folder is None:
        if as_csv:
            click.echo(kept.table(student, of_exercise), nl=False)
        else:
            _show(kept.graded(student, of_exercise), kept.names(), one=student is not None)
            if kept.renew_views():
                click.echo(_("{out}: grades.csv is written again, by the configuration of today").format(out=out))


def _show(graded: Iterable[tuple[Result, Grade]], names: dict[str, str], one: bool) -> None:
    """A table of a class, or the checks of one student."""
    from rich.console import Console

    from autograder.reports.table import grade_table, result_table
    from autograder.reports.words import legend, located, outcome_word, points, short

    console = Console()
    if not one:
        console.print(grade_table(graded, names))
        return
    for result, grade in graded:
        cell = short(grade, bool(result.alarms))
        outcome = outcome_word(result.outcome)
        line = f"{result.exercise}: {cell} / {points(grade.max_points)} ({outcome}) {said(result.message)}"
        console.print(line, markup=False, style="bold")
        if meaning := legend([cell]):
            console.print(f"  {meaning}", markup=False)
        for problem in result.loading:
            console.print(f"  {located(problem)}", markup=False, style="yellow")
        for note in result.notes:
            console.print(_("  note: {note}").format(note=said(note)), markup=False)
        console.print(result_table(result, grade))
