"""`autograder assign`: exercises/ from solutions/."""

from __future__ import annotations

from pathlib import Path

import click

from autograder.commands.faults import CommandFault
from autograder.commands.options import in_course, open_course
from autograder.language import LANGUAGES, _, ngettext


@click.command("assign")
@click.option("--check", is_flag=True, help="Write nothing; fail where exercises/ is out of date.")
@in_course
@click.option("--lang", "langs", type=click.Choice(LANGUAGES), multiple=True, help="In this language only; repeatable.")
def command(check: bool, course: Path, langs: tuple[str, ...]) -> None:
    """Make the stubs, notebooks and public checks that students get.

    Into exercises/LANG/, in the course's language and in those that it has been translated to.
    """
    from autograder.service.handouts import assign, out_of_date

    of = open_course(course)
    if check:
        differences = out_of_date(of, langs)
        if differences:
            listing = "\n  ".join(differences)
            raise CommandFault(_("exercises/ is not what its sources say:\n  {listing}").format(listing=listing))
        n = len(of.exercises)
        click.echo(
            ngettext("exercises/ is up to date ({n} exercise).", "exercises/ is up to date ({n} exercises).", n)
            .format(n=n)
        )  # fmt: skip
        return
    written = assign(of, langs)
    for path in written:
        click.echo(_("wrote {path}").format(path=path))
    if not written:
        click.echo(_("exercises/ was up to date."))
