"""`autograder export otter`: the exercises for otter-grader."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import click

from autograder.commands.faults import CommandFault
from autograder.commands.options import FOLDER, in_course, of_exercises, open_course
from autograder.language import _


@click.command("otter")
@click.argument("folder", metavar="DIR", type=FOLDER)
@in_course
@of_exercises
@click.option("--no-zip", is_flag=True, help="Leave out the autograder zip, which otter-grader itself makes.")
def command(folder: Path, course: Path, exercises: tuple[str, ...], no_zip: bool) -> None:
    """Write each exercise for otter-grader: DIR/EXERCISE/student, and DIR/EXERCISE/autograder with its zip.

    The zip holds the hidden checks and the solution: it belongs on the instructors' machine or into Gradescope's
    autograder, never to students.
    """
    from autograder.bridges.otter_course import write_exercises

    of = open_course(course)
    if not no_zip and importlib.util.find_spec("otter") is None:
        raise CommandFault(
            _(
                "otter-grader is not installed here, and makes the zip: pip install '.[otter]' in the course's "
                "folder, or --no-zip"
            ),
            status=2,
        )
    for path in write_exercises(of, folder, of.chosen(exercises), packed=not no_zip):
        click.echo(_("wrote {path}").format(path=path))
    if of.config.questions == "personal":
        click.echo(
            _(
                "Each student of this course has a quiz of their own: give students the notebooks of `autograder new "
                "--notebook` and name the student in AUTOGRADER_STUDENT when you grade, or write `questions: shared` "
                "in grading_config.yaml."
            ),
            err=True,
        )
