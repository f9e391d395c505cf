"""`autograder check`: on a student's own machine, what `grade` does short of hidden inputs."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

import autograder
from autograder.commands.faults import CommandFault
from autograder.commands.options import in_language
from autograder.errors import AutograderError
from autograder.language import _, use_language

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import Console

    from autograder import Result


@click.command("check")
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("part", nargs=-1)
@click.option("--exercise", help="What the file answers (default: by its name).")
@click.option("--course", type=click.Path(path_type=Path, exists=True), help="Where the course is.")
@in_language
def command(file: Path, part: tuple[str, ...], exercise: str | None, course: Path | None, lang: str | None) -> None:
    """Run the public checks on FILE, or only those of the functions named as PART, and say what to look at.

    FILE is a file, a folder with files of exercises, or an exercise. Public checks earn no points: hidden checks with
    other inputs do. Exit status: 0 all passed; 1 some did not; 2 wrong usage.
    """
    from rich.console import Console

    from autograder.service.course import PUBLIC
    from autograder.service.own_check import YOU, to_check

    of = _course(course, file, lang)
    use_language(of.language, of.config.translations)
    console, good = Console(), True
    with of.grader(PUBLIC, workers=1) as grader:
        entries = to_check(of, file, exercise, part)
        for entry in entries:
            if len(entries) > 1:
                console.print(f"\n{entry.path}", markup=False, style="bold")
            with _watching() as watch:
                result = grader.grade(entry.path, YOU, entry.exercise, parts=part, watch=watch)
            if result.outcome != "graded":
                raise CommandFault(f"{entry.path}: {result.message}")
            _show(console, of, result, grader.slower)
            good &= all(check.outcome == "passed" for check in result.checks)
    sys.exit(0 if good else 1)


def _show(console: Console, of: autograder.Course, result: Result, slower: float) -> None:
    from autograder.reports.public import limits_text, not_known, passed_text
    from autograder.reports.table import result_table
    from autograder.reports.words import located

    for problem in result.loading:
        console.print(located(problem), markup=False, style="yellow")
    for note in result.notes:
        console.print(_("note: {note}").format(note=note), markup=False)
    console.print(result_table(result))
    console.print(passed_text(result.checks), highlight=False, markup=False)
    console.print(limits_text(of.config.exercise(result.exercise), slower), style="dim", highlight=False)
    if result.environment.level == "none":
        console.print(_("Your code ran without isolation on this machine."), style="dim")
    for line in not_known(any(check.kind == "quiz" for check in result.checks)):
        console.print(line, highlight=False, markup=False)


@contextmanager
def _watching() -> Iterator[Callable[[str, float], None]]:
    """Says which check runs, on a terminal in a line that goes away."""
    from rich.console import Console

    console = Console(stderr=True)
    with console.status(_("reading the file")) as status:

        def watch(title: str, seconds: float) -> None:
            line = _("{title} (at most {seconds:.0f} s)").format(title=title, seconds=seconds)
            status.update(line) if console.is_terminal else console.print(f"… {line}", markup=False, highlight=False)

        yield watch


def _course(place: Path | None, file: Path, language: str | None) -> autograder.Course:
    if place is not None:
        return autograder.Course.handed_out(place, language)
    try:
        return autograder.Course.handed_out(file if file.is_dir() else file.parent, language)
    except AutograderError:
        return autograder.Course.handed_out(Path("."), language)
