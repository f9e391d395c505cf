"""`autograder grade`: a folder of submissions to results and grades."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from autograder.language import _

EXISTING = click.Path(path_type=Path, exists=True, file_okay=False)


@click.command("grade")
@click.argument("folder", type=EXISTING)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Where results go.")
@click.option("--course", type=EXISTING, default=Path("."), help="The course's folder (default: here or above).")
@click.option("--workers", type=click.IntRange(1), help="Judge processes (default: one per core).")
@click.option("--exercise", "exercises", multiple=True, help="Only this exercise; may be repeated.")
@click.option("--student", "students", multiple=True, help="Only this student; may be repeated.")
@click.option("--force", is_flag=True, help="Grade everything again.")
@click.option("--failed", is_flag=True, help="Only what could not be graded the last time.")
@click.option("--dry-run", is_flag=True, help="Say what would be graded and why, and grade nothing.")
@click.option("--database", help="SQLAlchemy URL of the batch's state (default: SQLite in OUT).")
@click.option("--lang", type=click.Choice(["en", "fr"]), help="Language of messages (default: the course's).")
@click.option(
    "--unprotected",
    is_flag=True,
    help="Run student code WITHOUT isolation where this machine has none. It can then read and change everything "
    "that you can.",
)
def command(
    folder: Path,
    out: Path,
    course: Path,
    workers: int | None,
    exercises: tuple[str, ...],
    students: tuple[str, ...],
    force: bool,
    failed: bool,
    dry_run: bool,
    database: str | None,
    lang: str | None,
    unprotected: bool,
) -> None:
    """Grade FOLDER/<student>/<exercise>.py or .ipynb.

    Writes OUT/results/<student>/<exercise>.json and OUT/grades.csv. What is unchanged since the last run keeps its
    result; an interrupted run goes on with the same command.

    Exit status: 0 graded; 1 something could not be graded (it is listed); 2 wrong usage or configuration.
    """
    from rich.console import Console

    from autograder.batch.grade import Options, grade_folder
    from autograder.batch.plan import make_plan
    from autograder.batch.pool import default_workers
    from autograder.batch.state import State
    from autograder.commands.progress import progress
    from autograder.course import CONFIG_NAME, find_course, load_config, load_secret
    from autograder.language import use_language
    from autograder.reports.spreadsheet import grades_csv
    from autograder.reports.table import class_table
    from autograder.results.files import write_atomically
    from autograder.submissions import scan_folder
    from autograder.submissions.names import shown

    config = load_config(find_course(course) / CONFIG_NAME)
    use_language(lang or config.language, config.translations)
    for exercise in exercises:
        config.exercise(exercise)
    secret = load_secret(config, config.root, lambda line: click.echo(line, err=True))
    scan = scan_folder(folder, [exercise.id for exercise in config.exercises])
    options = Options(workers or default_workers(), exercises, students, force, failed, unprotected, lang)
    state = State(out, database)
    if dry_run:
        plan = make_plan(config, secret, scan, state.latest(), options)
        for item in plan.todo:
            click.echo(f"{item.entry.student} {item.entry.exercise}: {item.why}")
        click.echo(
            _("{todo} would be graded, {kept} keep their result, {unreadable} cannot be read.").format(
                todo=len(plan.todo), kept=len(plan.kept), unreadable=len(plan.unreadable)
            )
        )
        return
    with progress(_("grading")) as bar:
        batch = grade_folder(
            config, secret, scan, out, options,
            lambda r, total: bar.advance(total, f"{r.student} {r.exercise}"), state,
        )  # fmt: skip
    state.close()
    write_atomically(out / "grades.csv", grades_csv(batch.results))
    console = Console()
    if batch.results:
        console.print(class_table(batch.results))
    for unplaced in scan.unplaced:
        line = shown(
            _("not graded: {path}: {reason}").format(path=unplaced.path, reason=unplaced.reason)
        )  # a file's name may hold anything
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    for fault in batch.faults:
        console.print(
            _("could not be graded: {student} {exercise}: {why}").format(
                student=fault.student, exercise=fault.exercise, why=_why(fault)
            ),
            markup=False, highlight=False, soft_wrap=True, style="bold magenta",
        )  # fmt: skip
    if batch.plan.kept:
        console.print(_("{n} unchanged since the last run (--force grades them again)").format(n=len(batch.plan.kept)))
    for exercise, names in batch.plan.identical():
        console.print(
            _("identical files for {exercise}: {listing}").format(exercise=exercise, listing=", ".join(names)),
            markup=False,
            soft_wrap=True,
        )
    levels = sorted({r.environment["isolation"]["level"] for r in batch.results if "isolation" in r.environment})
    if levels:
        console.print(_("isolation: {listing}").format(listing=", ".join(levels)), highlight=False)
    console.print(_("results: {out}").format(out=out / "results"), soft_wrap=True, highlight=False)
    console.print(_("grades:  {out}").format(out=out / "grades.csv"), soft_wrap=True, highlight=False)
    sys.exit(1 if batch.faults else 0)


def _why(fault: object) -> str:
    message: str = getattr(fault, "message", "")
    if message:
        return message
    broken = [c for c in getattr(fault, "checks", []) if c.outcome == "error"]
    return "; ".join(f"check {c.id}: {c.message}" for c in broken)
