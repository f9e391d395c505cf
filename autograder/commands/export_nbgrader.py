"""`autograder export nbgrader`: the exercises as a course for nbgrader."""

from __future__ import annotations

from pathlib import Path

import click

from autograder.commands.faults import CommandFault
from autograder.commands.options import FOLDER, in_course, of_exercises, open_course
from autograder.commands.reading import ReadingOptions, class_options
from autograder.language import _


@click.command("nbgrader")
@click.argument("folder", metavar="DIR", type=FOLDER)
@in_course
@of_exercises
@click.option(
    "--submissions",
    type=click.Path(path_type=Path, exists=True),
    help="Write these submissions, scripts too, under DIR/submitted.",
)
@class_options
@click.option("--force", is_flag=True, help="Replace the notebooks that are there already.")
def command(
    folder: Path, course: Path, exercises: tuple[str, ...], submissions: Path | None, reading: ReadingOptions,
    force: bool,
) -> None:  # fmt: skip
    """Write a course that nbgrader opens, validates, generates, autogrades and gives feedback on.

    Autograding there asks this program's judge and runs no student's code in a kernel. DIR must stay on the
    instructors' machine: it holds the solutions.
    """
    from autograder.bridges.nbgrader_course import write_course, write_submitted

    of = open_course(course)
    chosen = of.chosen(exercises)
    present = [e for e in chosen if (folder / "source" / e / f"{e}.ipynb").exists()]
    if present and not force:
        raise CommandFault(
            _("{folder} already holds {exercises}; --force writes them anew").format(
                folder=folder / "source", exercises=", ".join(present)
            ),
            status=2,
        )
    for path in write_course(of, folder, chosen):
        click.echo(_("wrote {path}").format(path=path))
    if of.config.questions == "personal":
        click.echo(
            _(
                "Each student of this course has a quiz of their own, and nbgrader hands out one notebook: give "
                "students the notebooks of `autograder new --notebook`, or write `questions: shared` in "
                "grading_config.yaml."
            ),
            err=True,
        )
    if submissions is not None:
        for line in write_submitted(reading.of(of, submissions, chosen), folder, chosen):
            click.echo(_("left out: {line}").format(line=line), err=True)
    click.echo(_("Next, in {folder}: nbgrader generate_assignment EXERCISE").format(folder=folder))
