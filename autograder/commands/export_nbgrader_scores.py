"""`autograder export nbgrader-scores`: our results into nbgrader's gradebook."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import click

from autograder.commands.faults import CommandFault
from autograder.commands.options import EXISTING, in_book, in_course, of_exercises, open_book, open_course
from autograder.language import _, ngettext


@click.command("nbgrader-scores")
@click.argument("out", type=EXISTING)
@click.option(
    "--gradebook", default="gradebook.db", show_default=True, help="nbgrader's gradebook: a file, or an SQLAlchemy URL."
)
@in_course
@of_exercises
@in_book
def command(out: Path, gradebook: str, course: Path, exercises: tuple[str, ...], book: str | None) -> None:
    """Write the results in OUT into nbgrader's gradebook, through nbgrader's own API.

    Points of each check, overrides, late penalties. nbgrader need not have seen the notebooks.
    """
    if importlib.util.find_spec("nbgrader") is None:
        line = _("nbgrader is not installed here: in the course's folder: pip install '.[nbgrader]'")
        raise CommandFault(line, status=2)
    from autograder.bridges.nbgrader_scores import database_url, write_scores

    of = open_course(course)
    kept, chosen = open_book(of, out, book), of.chosen(exercises)
    if not kept.results(exercises=chosen):
        raise CommandFault(_("{out}: no results of these; grade first").format(out=out), status=2)
    url = database_url(gradebook)
    scores = write_scores(url, kept, chosen)
    n = scores.written
    click.echo(ngettext("wrote {n} result to {url}", "wrote {n} results to {url}", n).format(n=n, url=url))
    for grade in scores.left_out:
        line = _("left out: {student} {exercise} could not be graded")
        click.echo(line.format(student=grade.student, exercise=grade.exercise), err=True)
