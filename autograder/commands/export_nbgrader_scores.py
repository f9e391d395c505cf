"""`autograder export nbgrader-scores`: our results into nbgrader's gradebook."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import click

from autograder.commands.faults import CommandFault
from autograder.language import _, ngettext

EXISTING = click.Path(path_type=Path, exists=True, file_okay=False)


@click.command("nbgrader-scores")
@click.argument("out", type=EXISTING)
@click.option(
    "--gradebook", default="gradebook.db", show_default=True, help="nbgrader's gradebook: a file, or an SQLAlchemy URL."
)
@click.option("--course", type=EXISTING, default=Path("."), help="The course's folder (default: here or above).")
@click.option("--exercise", "exercises", multiple=True, help="Only this exercise; may be repeated.")
@click.option("--database", help="SQLAlchemy URL of the book (default: SQLite in OUT).")
def command(out: Path, gradebook: str, course: Path, exercises: tuple[str, ...], database: str | None) -> None:
    """Write the results in OUT into nbgrader's gradebook, through nbgrader's own API.

    Points of each check, corrections, late penalties. nbgrader need not have seen the notebooks.
    """
    if importlib.util.find_spec("nbgrader") is None:
        raise CommandFault(_("nbgrader is not installed here: pip install 'genmodels-autograder[nbgrader]'"), status=2)
    from autograder.book.grades import grades
    from autograder.book.missing import complete
    from autograder.book.place import read_decisions
    from autograder.book.rubric import load_rubric
    from autograder.bridges.asking import worth, worth_of
    from autograder.bridges.nbgrader_scores import database_url, write_scores
    from autograder.course import CONFIG_NAME, find_course, load_config
    from autograder.results.files import read_results

    config = load_config(find_course(course) / CONFIG_NAME)
    known = {exercise.id for exercise in config.exercises}
    wanted = {config.exercise(exercise).id for exercise in exercises} or known
    decisions = read_decisions(database or out, config.id)
    results = [r for r in complete(list(read_results(out)), config, decisions) if r.exercise in wanted]
    if not results:
        raise CommandFault(_("{out}: no results of these; grade first").format(out=out), status=2)
    checks = {r.exercise: worth_of(r) for r in results if r.checks}
    rest = sorted({r.exercise for r in results} - set(checks))
    if rest:
        checks |= worth(config, rest)
    url = database_url(gradebook)
    written = write_scores(url, config, results, grades(results, config, decisions, load_rubric(config)), checks)
    click.echo(ngettext("wrote {n} result to {url}", "wrote {n} results to {url}", written).format(n=written, url=url))
    for result in results:
        if result.outcome == "error":
            click.echo(
                _("left out: {student} {exercise} could not be graded").format(
                    student=result.student, exercise=result.exercise
                ),
                err=True,
            )
