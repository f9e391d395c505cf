"""`autograder grade`: a folder of submissions to results and grades."""

from __future__ import annotations

import shlex
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import click

from autograder.commands.faults import CommandFault
from autograder.commands.grading_options import choice_options, cluster_options
from autograder.commands.options import in_book, in_course, in_language, open_book, open_course, with_workers
from autograder.commands.reading import ReadingOptions, reading_options
from autograder.language import _, ngettext

if TYPE_CHECKING:
    from autograder import Choice, Cluster


@click.command("grade")
@click.argument("folder", type=click.Path(path_type=Path, exists=True))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Where results go.")
@in_course
@reading_options
@with_workers
@choice_options
@click.option("--figures", is_flag=True, help="Draw figures for the pages of `report`; what has none is graded again.")
@click.option("--dry-run", is_flag=True, help="Say what would be graded and why, and grade nothing.")
@in_book
@click.option("--gradebook", hidden=True, help="Of version 0.1: a database whose decisions are taken over.")
@in_language
@click.option(
    "--unprotected",
    is_flag=True,
    help="Run student code WITHOUT isolation where this machine has none. It can then read and change everything "
    "that you can.",
)
@cluster_options
def command(
    folder: Path, out: Path, course: Path, reading: ReadingOptions, workers: int | None, choice: Choice, figures: bool,
    dry_run: bool, book: str | None, gradebook: str | None, lang: str | None, unprotected: bool,
    cluster: Cluster | None,
) -> None:  # fmt: skip
    """Grade FOLDER/<student>/<exercise>.py or .ipynb, or what a learning platform gives: a folder or an archive.

    Writes OUT/results/<student>/<exercise>.json, OUT/grades.csv, and what could not be placed into OUT/unplaced.csv.
    What is unchanged since the last run keeps its result; an interrupted run goes on with the same command.

    Exit status: 0 graded; 1 a fault of ours (it is listed); 2 wrong usage or configuration; 3 something needs a person.
    """
    from autograder.commands.outcome import tell
    from autograder.commands.planned import tell_plan
    from autograder.commands.progress import GradingProgress, progress

    of = open_course(course, lang)
    handed_in = reading.of(of, folder, choice.exercises, out)
    kept = open_book(of, out, book)
    if gradebook is not None and gradebook != book:
        click.echo(
            _("decisions are in the book now; those of {url} are taken over").format(url=kept.take_over(gradebook)),
            err=True,
        )
    with of.grader((), workers, unprotected, cluster, figures) as grader:
        if dry_run:
            tell_plan(handed_in, grader.plan(handed_in, kept, choice))
            return
        _end_like_ctrl_c()
        with progress(_("grading")) as bar:
            listener = GradingProgress(bar, grader.workers)
            try:
                batch = grader.grade_class(handed_in, kept, choice, listener)
            except KeyboardInterrupt:
                raise CommandFault(_go_on(bar.done), 130) from None
    tell(batch, kept, out)
    sys.exit(1 if batch.faults else 3 if batch.open_questions else 0)


def _end_like_ctrl_c() -> None:
    """A polite end (SIGTERM, as from a batch system) stops as cleanly as Ctrl-C does."""

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, interrupt)


def _go_on(done: int) -> str:
    command = shlex.join(["autograder", *sys.argv[1:]])
    return ngettext(
        "interrupted; {n} result of this run is kept. Go on with:\n  {command}",
        "interrupted; {n} results of this run are kept. Go on with:\n  {command}",
        done,
    ).format(n=done, command=command)
