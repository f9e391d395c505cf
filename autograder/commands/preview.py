"""`autograder preview`: an exercise as students will read it."""

from __future__ import annotations

from pathlib import Path

import click

from autograder.commands.options import WRITTEN, in_course, in_language, open_course
from autograder.language import _


@click.command("preview")
@click.argument("exercise")
@click.option("--to", type=WRITTEN, help="Write this file (default: EXERCISE.html).")
@in_course
@in_language
def command(exercise: str, to: Path | None, course: Path, lang: str | None) -> None:
    """Write EXERCISE as a page, as students will read it: statement, given code, what is left to write."""
    from autograder.results.files import write_atomically
    from autograder.service.handouts import preview

    page = to or Path(f"{exercise}.html")
    write_atomically(page, preview(open_course(course, lang), exercise))
    click.echo(_("wrote {path}").format(path=page))
