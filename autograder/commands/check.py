"""`autograder check`: the public checks on a student's own machine."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from autograder.commands.faults import CommandFault
from autograder.language import LANGUAGES, _, ngettext

if TYPE_CHECKING:
    from autograder.course.handout import Handout


@click.command("check")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--exercise", help="What the file answers (default: its name).")
@click.option("--course", type=click.Path(path_type=Path, exists=True), help="Where the course is.")
@click.option("--lang", type=click.Choice(LANGUAGES), help="Language of messages (default: the course's).")
def command(file: Path, exercise: str | None, course: Path | None, lang: str | None) -> None:
    """Run the public checks on FILE and say what to look at.

    They earn no points: hidden checks with other inputs do. Exit status: 0 all passed; 1 some did not; 2 wrong usage.
    """
    from rich.console import Console

    from autograder.batch.handin import check_file
    from autograder.language import use_language
    from autograder.reports.table import result_table
    from autograder.submissions import SubmissionUnreadable

    if not file.is_file():
        raise CommandFault(_("{file}: no such file").format(file=file), status=2)
    handout = _handout(course, file, lang)
    use_language(lang or handout.config.language, handout.config.translations)
    name = exercise or file.stem
    handout.config.exercise(name)
    try:
        result = check_file(handout, file, name, lang)
    except SubmissionUnreadable as reason:
        raise CommandFault(f"{file}: {reason.message}") from None
    console = Console()
    for problem in result.loading:
        console.print(
            _("{where}, line {line}: {message}").format(
                where=problem.where, line=problem.line, message=problem.message
            ),
            markup=False,
            style="yellow",
        )
    for note in result.notes:
        console.print(_("note: {note}").format(note=note), markup=False)
    console.print(result_table(result))
    passed = sum(check.outcome == "passed" for check in result.checks)
    console.print(
        ngettext("{n} of {total} public checks passed.", "{n} of {total} public checks passed.", passed).format(
            n=passed, total=len(result.checks)
        ),
        highlight=False,
    )
    isolation = result.environment.level
    if isolation == "none":
        console.print(_("Your code ran without isolation on this machine."), style="dim")
    sys.exit(0 if passed == len(result.checks) else 1)


def _handout(course: Path | None, file: Path, lang: str | None) -> Handout:
    from autograder.course import ConfigurationError
    from autograder.course.handout import find_handout

    if course is not None:
        return find_handout(course, lang)
    try:
        return find_handout(file.parent, lang)
    except ConfigurationError:
        return find_handout(Path("."), lang)
