"""The options of `autograder grade` that say what of a class is graded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from autograder.commands.options import gathered, of_exercises

if TYPE_CHECKING:
    from autograder import Choice


def _choice(
    exercises: tuple[str, ...], students: tuple[str, ...], only: tuple[str, ...], force: bool, failed: bool
) -> Choice:
    from autograder import Choice

    return Choice(exercises, students, only, force, failed)


choice_options = gathered(
    "choice",
    _choice,
    of_exercises,
    click.option("--student", "students", multiple=True, help="Only this student; may be repeated."),
    click.option(
        "--only",
        multiple=True,
        metavar="EXERCISE[/CHECK]",
        help="Only exercises, or checks that have changed, whose names match this pattern (* and ?); may be repeated.",
    ),
    click.option("--force", is_flag=True, help="Grade again what has not changed, too."),
    click.option("--failed", is_flag=True, help="Only what could not be graded the last time."),
)
