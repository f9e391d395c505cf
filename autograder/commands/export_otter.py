"""`autograder export otter`: the exercises for otter-grader."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import click

from autograder.commands.faults import CommandFault
from autograder.language import _

EXISTING = click.Path(path_type=Path, exists=True, file_okay=False)


@click.command("otter")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@click.option("--course", type=EXISTING, default=Path("."), help="The course's folder (default: here or above).")
@click.option("--exercise", "exercises", multiple=True, help="Only this exercise; may be repeated.")
@click.option("--no-zip", is_flag=True, help="Leave out the autograder zip, which otter-grader itself makes.")
def command(folder: Path, course: Path, exercises: tuple[str, ...], no_zip: bool) -> None:
    """Write each exercise for otter-grader: DIR/EXERCISE/student, and DIR/EXERCISE/autograder with its zip.

    The zip holds the hidden checks and the solution: it belongs on the instructors' machine or into Gradescope's
    autograder, never to students.
    """
    from autograder.bridges.asking import public_worth, worth
    from autograder.bridges.otter_course import write_autograder, write_student
    from autograder.course import CONFIG_NAME, find_course, load_config
    from autograder.language import use_language

    config = load_config(find_course(course) / CONFIG_NAME)
    use_language(config.language, config.root / "translations")
    chosen = [config.exercise(exercise).id for exercise in exercises] or [e.id for e in config.exercises]
    if not no_zip and importlib.util.find_spec("otter") is None:
        raise CommandFault(
            _(
                "otter-grader is not installed here, and makes the zip: pip install 'genmodels-autograder[otter]', or "
                "--no-zip"
            ),
            status=2,
        )
    hidden, public = worth(config, chosen), public_worth(config, chosen)
    for exercise in chosen:
        place = folder / exercise
        click.echo(_("wrote {path}").format(path=write_student(config, exercise, place / "student", public[exercise])))
        write_autograder(config, exercise, place / "autograder", hidden[exercise])
        if not no_zip:
            click.echo(_("wrote {path}").format(path=_zip(place / "autograder", f"{exercise}-autograder.zip")))
    if config.questions == "personal":
        click.echo(
            _(
                "Each student of this course has a quiz of their own: give students the notebooks of `autograder new "
                "--notebook` and name the student in AUTOGRADER_STUDENT when you grade, or write `questions: shared` "
                "in grading_config.yaml."
            ),
            err=True,
        )


def _zip(folder: Path, name: str) -> Path:
    """Have otter make the zip from the folder, so that it is what this version of otter reads."""
    command_line = [
        sys.executable, "-m", "otter", "generate", "-t", "tests", "-c", "otter_config.json", "-o", name, "files",
    ]  # fmt: skip
    done = subprocess.run(command_line, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        lines = (done.stderr or done.stdout).strip().splitlines() or [""]
        raise CommandFault(_("otter generate failed: {reason}").format(reason=lines[-1]))
    return folder / name
