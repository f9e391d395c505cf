"""`autograder export nbgrader`: the exercises as a course for nbgrader."""

from __future__ import annotations

from pathlib import Path

import click

from autograder.commands.faults import CommandFault
from autograder.commands.handing_in import class_options, read_submissions
from autograder.language import _

EXISTING = click.Path(path_type=Path, exists=True, file_okay=False)
GIVEN = click.Path(path_type=Path, exists=True)


@click.command("nbgrader")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@click.option("--course", type=EXISTING, default=Path("."), help="The course's folder (default: here or above).")
@click.option("--exercise", "exercises", multiple=True, help="Only this exercise; may be repeated.")
@click.option("--submissions", type=GIVEN, help="Write these submissions, scripts too, under DIR/submitted.")
@class_options
@click.option("--force", is_flag=True, help="Replace the notebooks that are there already.")
def command(
    folder: Path,
    course: Path,
    exercises: tuple[str, ...],
    submissions: Path | None,
    layout: str,
    roster: Path | None,
    force: bool,
) -> None:
    """Write a course that nbgrader opens, validates, generates, autogrades and gives feedback on.

    Autograding there asks this program's judge and runs no student's code in a kernel. DIR must stay on the
    instructors' machine: it holds the solutions.
    """
    from autograder.bridges.asking import worth
    from autograder.bridges.nbgrader_course import write_course
    from autograder.bridges.submitted import write_submitted
    from autograder.course import CONFIG_NAME, find_course, load_config
    from autograder.language import use_language

    config = load_config(find_course(course) / CONFIG_NAME)
    use_language(config.language, config.root / "translations")
    chosen = [config.exercise(exercise).id for exercise in exercises] or [e.id for e in config.exercises]
    present = [e for e in chosen if (folder / "source" / e / f"{e}.ipynb").exists()]
    if present and not force:
        raise CommandFault(
            _("{folder} already holds {exercises}; --force writes them anew").format(
                folder=folder / "source", exercises=", ".join(present)
            ),
            status=2,
        )
    for path in write_course(config, folder, chosen, worth(config, chosen)):
        click.echo(_("wrote {path}").format(path=path))
    if config.questions == "personal":
        click.echo(
            _(
                "Each student of this course has a quiz of their own, and nbgrader hands out one notebook: give "
                "students the notebooks of `autograder new --notebook`, or write `questions: shared` in "
                "grading_config.yaml."
            ),
            err=True,
        )
    if submissions is not None:
        handed_in = read_submissions(submissions, config, chosen, layout, roster)
        for line in write_submitted(handed_in, folder, chosen):
            click.echo(_("left out: {line}").format(line=line), err=True)
    click.echo(_("Next, in {folder}: nbgrader generate_assignment EXERCISE").format(folder=folder))
