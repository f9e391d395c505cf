"""`autograder new-exercise`: every file of an exercise, working from the first minute."""

from __future__ import annotations

from pathlib import Path

import click

from autograder.language import _


@click.command("new-exercise")
@click.argument("name")
@click.option("--title", help="What people read (default: made from NAME).")
@click.option(
    "--course", type=click.Path(path_type=Path, file_okay=False), default=Path("."), help="The course's folder."
)
@click.option("--new-course", metavar="TITLE", help="Make a new course of this title in the course's folder.")
def command(name: str, title: str | None, course: Path, new_course: str | None) -> None:
    """Make the exercise NAME: solution, quiz, mistakes, checks, limits, and its entry in grading_config.yaml.

    What is written is a small exercise that can be assigned, verified and graded at once. Replace it piece by piece.
    """
    from autograder.service.exercises import create

    made = create(name, course, title, new_course)
    root = made[-1].parent  # the configuration's
    for path in made:
        click.echo(_("wrote {path}").format(path=path.relative_to(root)))
    place = "" if root == Path.cwd() else f" --course {course}"
    click.echo(_("Try it as it is:"))
    click.echo(_("  autograder assign{place}").format(place=place))
    click.echo(_("  autograder verify {name} --seeds 5{place}").format(name=name, place=place))
