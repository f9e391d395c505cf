"""`autograder messages`: the catalogues of translations, brought up to date with what they translate."""

from __future__ import annotations

from pathlib import Path

import click

from autograder.commands.faults import CommandFault
from autograder.commands.options import in_course, open_course
from autograder.language import LANGUAGES, _


@click.command("messages")
@click.option("--language", type=click.Choice(LANGUAGES[1:]), default="fr", show_default=True, help="To translate to.")
@click.option("--framework", is_flag=True, help="The framework's own catalogues instead of the course's.")
@click.option("--check", is_flag=True, help="Write nothing; fail where something is untranslated or out of date.")
@in_course
def command(language: str, framework: bool, check: bool, course: Path) -> None:
    """Collect every text there is to translate, and list those that have no translation yet.

    Writes LANGUAGE/LC_MESSAGES/*.po into the course's folder translations. Translations that are there stay;
    those of texts that are gone are dropped. Fill in the empty ones in the .po files, then run this again.
    """
    from autograder.service.translations import up_to_date

    found = up_to_date(language, None if framework else open_course(course), write=not check)
    for path in () if check else found.stale:
        click.echo(_("wrote {path}").format(path=path))
    for problem in found.problems:
        reason = f" ({problem.reason})" if problem.reason else ""
        click.echo(f"{problem.catalogue}: {problem.message!r}{reason}")
    click.echo(
        _("{language}: {translated} of {total} texts are translated.").format(
            language=language, translated=found.total - len(found.problems), total=found.total
        )
    )
    if check and (found.stale or found.problems):
        raise CommandFault(_("translations are out of date or missing; run `autograder messages` and fill in the rest"))
