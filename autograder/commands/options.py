"""The options that commands share, and what is opened by them. What is heavy is imported when a command runs."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from pathlib import Path

import click

import autograder
from autograder.commands.faults import CommandFault
from autograder.language import LANGUAGES, _, use_language

EXISTING = click.Path(path_type=Path, exists=True, file_okay=False)
FOLDER = click.Path(path_type=Path, file_okay=False)
FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
WRITTEN = click.Path(path_type=Path, dir_okay=False)
SPOKEN = "autograder.lang"  # what `autograder --lang` says, for every command

Command = Callable[..., None]
Decorator = Callable[[Command], Command]
_RENAMED = "autograder.database"


def together(*options: Decorator) -> Decorator:
    """Several options as one."""

    def add(function: Command) -> Command:
        for option in reversed(options):
            function = option(function)
        return function

    return add


def gathered(name: str, make: Callable[..., object], *options: Decorator) -> Decorator:
    """Options that a command gets as one value: what `make` makes of them, by the names of its parameters."""

    def add(function: Command) -> Command:
        @wraps(function)
        def call(**given: object) -> None:
            own = {one: given.pop(one) for one in inspect.signature(make).parameters if one in given}
            function(**given, **{name: make(**own)})

        return together(*options)(call)

    return add


def _book_or_database(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    renamed: str | None = context.meta.pop(_RENAMED, None)
    return value or renamed


def _database(context: click.Context, parameter: click.Parameter, value: str | None) -> None:
    if value is not None:
        click.echo(_("--database is called --book now: one book holds attempts and decisions"), err=True)
        context.meta[_RENAMED] = value


in_course = click.option(
    "--course", type=EXISTING, default=Path("."), help="The course's folder (default: here or above)."
)
in_language = click.option("--lang", type=click.Choice(LANGUAGES), help="Language of messages (default: the course's).")
in_book = together(
    click.option(
        "--book",
        metavar="PLACE",
        callback=_book_or_database,
        help="Where attempts and decisions are: a folder, or a database's URL (default: OUT).",
    ),
    click.option("--database", hidden=True, expose_value=False, callback=_database, help="The old name of --book."),
)
_all = click.option("--all", "everything", is_flag=True, help="All exercises of the course.")
named_exercises = together(click.argument("exercises", nargs=-1), _all)
of_exercises = click.option("--exercise", "exercises", multiple=True, help="Only this exercise; may be repeated.")
with_workers = click.option("--workers", type=click.IntRange(1), help="Judge processes (default: one per core).")


def chosen(course: autograder.Course, exercises: tuple[str, ...], everything: bool) -> tuple[str, ...]:
    """What `named_exercises` names."""
    if not exercises and not everything:
        raise CommandFault(_("name an exercise, or --all"), status=2)
    return course.chosen(exercises)


def open_course(folder: Path, language: str | None = None) -> autograder.Course:
    """The course of a command, whose language it speaks from now on: the one given, or else the course's."""
    spoken = language or click.get_current_context().meta.get(SPOKEN)
    course = autograder.Course.open(folder, spoken, tell=lambda line: click.echo(line, err=True))
    use_language(course.language, course.config.translations)
    return course


def open_book(course: autograder.Course, out: Path, place: str | None) -> autograder.Book:
    """The book of a command; it is closed when the command ends."""
    return click.get_current_context().with_resource(course.book(place or out, out))
