"""`autograder new`: a student's own copy of an exercise, with their own questions."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from subprocess import list2cmdline

import click

import autograder
from autograder.commands.faults import CommandFault
from autograder.language import LANGUAGES, _, use_language


@click.command("new")
@click.argument("exercises", nargs=-1, required=True, metavar="EXERCISE...")
@click.option("--student", help="Your name as your course knows it: the quiz's numbers depend on it.")
@click.option(
    "--roster",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="For teachers: a copy for everybody on this CSV of the course's students, in a folder of theirs.",
)
@click.option("--notebook", is_flag=True, help="A notebook instead of a script.")
@click.option("--to", "folder", type=click.Path(path_type=Path, file_okay=False), help="Folder (default: ./STUDENT).")
@click.option("--force", is_flag=True, help="Replace a file that is already there.")
@click.option("--lang", type=click.Choice(LANGUAGES), help="Language of the quiz (default: the course's).")
@click.option("--course", type=click.Path(path_type=Path, exists=True), default=Path("."), help="Where the course is.")
def command(
    exercises: tuple[str, ...], student: str | None, roster: Path | None, notebook: bool, folder: Path | None,
    force: bool, lang: str | None, course: Path,
) -> None:  # fmt: skip
    """Make your own copy of EXERCISE, to fill in, check and hand in."""
    from autograder.service.handouts import hand_out, on_roster

    of = autograder.Course.handed_out(course, lang)
    use_language(of.language, of.config.translations)
    if student is not None and roster is None:
        folders = {student: folder or Path(student)}
    elif roster is not None and student is None:
        folders = {name: (folder or Path()) / name for name in on_roster(roster)}
    else:
        raise CommandFault(_("say --student NAME, or --roster FILE for everybody"), status=2)
    for exercise in of.chosen(exercises):
        for target in hand_out(of, exercise, folders, notebook=notebook, force=force):
            click.echo(_("wrote {target}").format(target=target))
            if roster is None:
                click.echo(_("Fill it in, then: autograder check {target}").format(target=_as_typed(target)))


def _as_typed(path: Path) -> str:
    """A path as a shell takes it: names may have spaces."""
    return list2cmdline([str(path)]) if os.name == "nt" else shlex.quote(str(path))
