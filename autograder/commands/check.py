"""`autograder check`: the public checks on a student's own machine."""

from __future__ import annotations

import sys
from pathlib import Path

import click

import autograder
from autograder.commands.faults import CommandFault
from autograder.commands.options import in_language
from autograder.errors import AutograderError
from autograder.language import _, ngettext, use_language


@click.command("check")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--exercise", help="What the file answers (default: its name).")
@click.option("--course", type=click.Path(path_type=Path, exists=True), help="Where the course is.")
@in_language
def command(file: Path, exercise: str | None, course: Path | None, lang: str | None) -> None:
    """Run the public checks on FILE and say what to look at.

    They earn no points: hidden checks with other inputs do. Exit status: 0 all passed; 1 some did not; 2 wrong usage.
    """
    from rich.console import Console

    from autograder.reports.table import result_table
    from autograder.reports.words import located
    from autograder.service.course import PUBLIC

    if not file.is_file():
        raise CommandFault(_("{file}: no such file").format(file=file), status=2)
    of = _course(course, file, lang)
    use_language(of.language, of.config.translations)
    with of.grader(PUBLIC, workers=1) as grader:
        result = grader.grade(file, "you", exercise or file.stem)
    if result.outcome != "graded":
        raise CommandFault(f"{file}: {result.message}")
    console = Console()
    for problem in result.loading:
        console.print(located(problem), markup=False, style="yellow")
    for note in result.notes:
        console.print(_("note: {note}").format(note=note), markup=False)
    console.print(result_table(result))
    passed = sum(check.outcome == "passed" for check in result.checks)
    summary = ngettext("{n} of {total} public checks passed.", "{n} of {total} public checks passed.", passed).format(
        n=passed, total=len(result.checks)
    )
    console.print(summary, highlight=False)
    if result.environment.level == "none":
        console.print(_("Your code ran without isolation on this machine."), style="dim")
    sys.exit(0 if passed == len(result.checks) else 1)


def _course(place: Path | None, file: Path, language: str | None) -> autograder.Course:
    if place is not None:
        return autograder.Course.handed_out(place, language)
    try:
        return autograder.Course.handed_out(file.parent, language)
    except AutograderError:
        return autograder.Course.handed_out(Path("."), language)
