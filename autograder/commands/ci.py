"""`autograder ci`: a repository checked by continuous integration, its results in the forms that such services show."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from autograder.commands.faults import CommandFault
from autograder.commands.options import EXISTING, WRITTEN, gathered, in_language, of_exercises
from autograder.errors import AutograderError
from autograder.language import use_language

if TYPE_CHECKING:
    from autograder.bridges.ci.writers import Files

OK, BAD, FAULT = 0, 1, 3


def _files(junit: Path | None, summary: Path | None, code_quality: Path | None, classroom: Path | None) -> Files:
    from autograder.bridges.ci.writers import Files

    return Files(junit, summary, code_quality, classroom)


@click.command("ci")
@click.argument("folder", type=EXISTING, default=Path("."))
@click.option("--course", type=EXISTING, help="Where the course is (default: FOLDER or above).")
@of_exercises
@click.option("--student", help="Whose repository it is (default: the folder's name). Hidden checks draw by it.")
@click.option(
    "--checks",
    type=click.Choice(["auto", "public", "hidden"]),
    default="auto",
    show_default=True,
    help="auto: the hidden ones where the course has them, else the public ones.",
)
@click.option("--teacher", is_flag=True, help="Show everything: for logs that students cannot read.")
@gathered(
    "files",
    _files,
    click.option("--junit", type=WRITTEN, help="Write JUnit XML."),
    click.option(
        "--summary", type=WRITTEN, help="Write a Markdown summary (default: $GITHUB_STEP_SUMMARY, added to it)."
    ),
    click.option("--code-quality", type=WRITTEN, help="Write GitLab's Code Quality report."),
    click.option("--classroom", type=WRITTEN, help="Write GitHub Classroom's result (base64; also in $GITHUB_OUTPUT)."),
)
@click.option("--no-fail", is_flag=True, help="Exit status 0 also where checks did not pass.")
@click.option("--unprotected", is_flag=True, help="Hidden checks WITHOUT isolation where this machine has none.")
@in_language
def command(
    folder: Path, course: Path | None, exercises: tuple[str, ...], student: str | None,
    checks: Literal["auto", "public", "hidden"], teacher: bool, files: Files, no_fail: bool, unprotected: bool,
    lang: str | None,
) -> None:  # fmt: skip
    """Check the exercises in FOLDER, a student's repository.

    Students see of hidden checks what the configuration lets them see. An exercise of which nothing is written yet is
    listed and fails nobody.

    Exit status: 0 everything that may be seen passed; 1 something did not; 2 wrong usage or configuration; 3 the
    framework could not check.
    """
    from autograder.bridges.ci.log import log
    from autograder.bridges.ci.report import status
    from autograder.bridges.ci.repository import Repository

    repository = Repository.find(
        folder, course, checks, lang, lambda line: click.echo(line, err=True), teacher=teacher, unprotected=unprotected
    )
    use_language(repository.any.language, repository.any.config.translations)
    try:
        sections = repository.check(student or folder.resolve().name, exercises)
    except AutograderError as fault:
        # What is 1 elsewhere is what students' checks give here.
        raise CommandFault(str(fault), FAULT if fault.status == 1 else fault.status) from None
    click.echo(log(sections), nl=False)
    files.write(sections)
    outcome = status(sections)
    sys.exit(FAULT if outcome == "error" else BAD if outcome == "fail" and not no_fail else OK)
