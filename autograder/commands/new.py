"""`autograder new`: a student's own copy of an exercise, with their own questions."""

from __future__ import annotations

import re
from pathlib import Path

import click

from autograder.commands.faults import CommandFault
from autograder.language import LANGUAGES, _, use_language


@click.command("new")
@click.argument("exercise")
@click.option("--student", help="Your name as your course knows it: the quiz's numbers depend on it.")
@click.option("--roster", type=click.Path(path_type=Path, exists=True, dir_okay=False),
              help="For teachers: a copy for everybody on this CSV of the course's students, in a folder of theirs.")
@click.option("--notebook", is_flag=True, help="A notebook instead of a script.")
@click.option("--to", "folder", type=click.Path(path_type=Path, file_okay=False), help="Folder (default: ./STUDENT).")
@click.option("--force", is_flag=True, help="Replace a file that is already there.")
@click.option("--lang", type=click.Choice(LANGUAGES), help="Language of the quiz (default: the course's).")
@click.option("--course", type=click.Path(path_type=Path, exists=True), default=Path("."), help="Where the course is.")
def command(
    exercise: str, student: str | None, roster: Path | None, notebook: bool, folder: Path | None, force: bool,
    lang: str | None, course: Path,
) -> None:  # fmt: skip
    """Make your own copy of EXERCISE, to fill in, check and hand in."""
    from autograder.authoring.personal import personalise
    from autograder.course.handout import find_handout

    if (student is None) == (roster is None):
        raise CommandFault(_("say --student NAME, or --roster FILE for everybody"), status=2)
    students = [student] if student is not None else _on(roster)
    for name in students:
        if not name.strip() or re.search(r"[\x00-\x1f/\\]", name) or name in (".", ".."):
            raise CommandFault(
                _("--student {student!r}: a name without slashes and control characters is needed").format(
                    student=name
                ),
                status=2,
            )
    handout = find_handout(course, lang)
    use_language(lang or handout.config.language, handout.config.translations)
    place = handout.exercise(exercise)
    stub = handout.file(exercise, f"{exercise}.py").read_text(encoding="utf-8")
    file = f"{exercise}.{'ipynb' if notebook else 'py'}"
    targets = {name: _folder(folder, name, roster) / file for name in students}
    for target in targets.values():
        if target.exists() and not force:
            raise CommandFault(
                _("{target} is already there and may hold your work; --force replaces it").format(target=target),
                status=2,
            )
    for name, target in targets.items():
        text = personalise(stub, place, name, quiz=handout.file(exercise, "quiz.py"))
        if notebook:
            from autograder.authoring.notebook import to_notebook

            text = to_notebook(text, exercise)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        click.echo(_("wrote {target}").format(target=target))
    if roster is None:
        click.echo(_("Fill it in, then: autograder check {target}").format(target=target))


def _folder(folder: Path | None, student: str, roster: Path | None) -> Path:
    if roster is not None:
        return (folder or Path()) / student
    return folder or Path(student)


def _on(roster: Path | None) -> list[str]:
    """Everybody on a roster, as results will call them."""
    from autograder.course.roster import read_roster

    return [person.id for person in read_roster(roster).people] if roster is not None else []
