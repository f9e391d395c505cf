"""`autograder grade`: a folder of submissions to results and grades."""

from __future__ import annotations

import shlex
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import click

from autograder.commands.cluster_options import cluster_options, read_cluster
from autograder.commands.faults import CommandFault
from autograder.commands.handing_in import reading_options
from autograder.language import LANGUAGES, _, ngettext

EXISTING = click.Path(path_type=Path, exists=True, file_okay=False)


@click.command("grade")
@click.argument("folder", type=click.Path(path_type=Path, exists=True))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Where results go.")
@click.option("--course", type=EXISTING, default=Path("."), help="The course's folder (default: here or above).")
@reading_options
@click.option("--workers", type=click.IntRange(1), help="Judge processes (default: one per core).")
@click.option("--exercise", "exercises", multiple=True, help="Only this exercise; may be repeated.")
@click.option("--student", "students", multiple=True, help="Only this student; may be repeated.")
@click.option(
    "--only",
    multiple=True,
    metavar="EXERCISE[/CHECK]",
    help="Only exercises, or checks that have changed, whose names match this pattern (* and ?); may be repeated.",
)
@click.option("--force", is_flag=True, help="Grade again what has not changed, too.")
@click.option("--failed", is_flag=True, help="Only what could not be graded the last time.")
@click.option("--figures", is_flag=True, help="Draw figures for the pages of `report`; what has none is graded again.")
@click.option("--dry-run", is_flag=True, help="Say what would be graded and why, and grade nothing.")
@click.option("--database", help="SQLAlchemy URL of the book (default: SQLite in OUT).")
@click.option("--lang", type=click.Choice(LANGUAGES), help="Language of messages (default: the course's).")
@click.option(
    "--unprotected",
    is_flag=True,
    help="Run student code WITHOUT isolation where this machine has none. It can then read and change everything "
    "that you can.",
)
@cluster_options
def command(
    folder: Path,
    out: Path,
    course: Path,
    layout: str,
    roster: Path | None,
    submitted_from: str | None,
    resolve: Path | None,
    damaged: bool,
    workers: int | None,
    exercises: tuple[str, ...],
    students: tuple[str, ...],
    only: tuple[str, ...],
    force: bool,
    failed: bool,
    figures: bool,
    dry_run: bool,
    database: str | None,
    lang: str | None,
    unprotected: bool,
    **cluster_given: Any,
) -> None:
    """Grade FOLDER/<student>/<exercise>.py or .ipynb, or what a learning platform gives: a folder or an archive.

    Writes OUT/results/<student>/<exercise>.json, OUT/grades.csv, and what could not be placed into OUT/unplaced.csv.
    What is unchanged since the last run keeps its result; an interrupted run goes on with the same command.

    Exit status: 0 graded; 1 something could not be graded (it is listed); 2 wrong usage or configuration.
    """
    from autograder.batch.grade import Options, grade_folder
    from autograder.batch.plan import make_plan
    from autograder.batch.pool import default_workers
    from autograder.book.place import has_book, open_store
    from autograder.commands.handing_in import (
        after_the_batch,
        before_the_batch,
        lines,
        not_graded,
        read_submissions,
    )
    from autograder.commands.outcome import left_out, tell, todo
    from autograder.commands.progress import progress
    from autograder.course import CONFIG_NAME, find_course, load_config, load_secret
    from autograder.language import use_language

    config = load_config(find_course(course) / CONFIG_NAME)
    use_language(lang or config.language, config.translations)
    for exercise in exercises:
        config.exercise(exercise)
    ids = [exercise.id for exercise in config.exercises]
    for pattern in only:
        _require_match(pattern, ids)
    secret = load_secret(config, config.root, lambda line: click.echo(line, err=True))
    scan = read_submissions(
        folder, config, exercises, layout, roster, submitted_from, resolve, damaged, without=(out,)
    )
    cluster = read_cluster(cluster_given, workers, config.device)
    workers = workers or default_workers()
    options = Options(workers, exercises, students, force, failed, unprotected, lang, only, figures)
    _require_known(students, [*scan.students, *scan.absent])
    if dry_run:
        # An output folder that is not there yet is not made.
        known = {}
        if has_book(database or out):
            with open_store(database or out, config.id) as store:
                known = store.attempts.latest()
        plan = make_plan(config, secret, scan, known, options, out)
        for line in (*lines(scan), *not_graded(scan), *todo(plan)):
            click.echo(line)
        for exercise, names in plan.identical():
            click.echo(
                _("identical files for {exercise}: {listing}").format(exercise=exercise, listing=", ".join(names))
            )
        click.echo(
            _("{todo} would be graded, {kept} keep their result, {unreadable} cannot be read.").format(
                todo=len(plan.todo), kept=len(plan.kept.keys() - plan.left), unreadable=len(plan.unreadable)
            )
        )
        for line in left_out(plan):
            click.echo(line)
        return
    store = open_store(database or out, config.id)
    _end_like_ctrl_c()
    left: list[float | None] = [None]
    done = 0
    try:
        with _runner(cluster, config, secret, options) as runner, progress(_("grading")) as bar:

            def advance(result: Any, total: int) -> None:
                nonlocal done
                done += 1
                seconds = left[0] / workers if left[0] is not None else None
                bar.advance(total, f"{result.student} {result.exercise}", seconds)

            for one in (*before_the_batch(config, scan, secret, store, lang or config.language, unprotected), scan):
                batch = grade_folder(
                    config, secret, one, out, options, advance, store, runner,
                    on_left=lambda seconds: left.__setitem__(0, seconds),
                )  # fmt: skip
        after_the_batch(config, batch, out, store)
    except KeyboardInterrupt:
        raise CommandFault(_go_on(done), 130) from None
    finally:
        store.close()
    tell(batch, out, config, database or out)
    sys.exit(1 if batch.faults else 0)


@contextmanager
def _runner(cluster: Any, config: Any, secret: bytes, options: Any) -> Iterator[Any]:
    """What runs the jobs: a cluster's workers, or None for judges on this machine."""
    if cluster is None:
        yield None
        return
    from autograder.batch.cluster import connect
    from autograder.batch.cluster_run import ClusterRunner
    from autograder.batch.keys import Keys

    keys = Keys(config, secret, options.language or config.language, options.unprotected)
    with connect(cluster) as client:
        yield ClusterRunner(client, config, keys, cluster.resources, cluster.course)


def _require_match(pattern: str, exercises: list[str]) -> None:
    if not any(fnmatchcase(exercise, pattern.partition("/")[0]) for exercise in exercises):
        raise CommandFault(
            _("--only {pattern}: no exercise matches; there are: {listing}").format(
                pattern=pattern, listing=", ".join(exercises)
            ),
            2,
        )


def _require_known(students: Sequence[str], known: Sequence[str]) -> None:
    for student in students:
        if student not in known:
            near = get_close_matches(student.casefold(), {name.casefold(): name for name in known}, 5, 0.5)
            similar = [name for name in sorted(known) if name.casefold() in near] or sorted(known)[:10]
            raise CommandFault(
                _("--student {name}: nobody of this name handed in anything here; there are: {listing}").format(
                    name=student, listing=", ".join(similar) + (", ..." if len(similar) < len(known) else "")
                ),
                2,
            )


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
