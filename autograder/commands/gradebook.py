"""`autograder gradebook`: what teachers decide about grades, kept with who, when and why."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from autograder.commands.faults import CommandFault
from autograder.language import _

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from autograder.book.decisions import Decision
    from autograder.course import CourseConfig
    from autograder.results.grade import Grade
    from autograder.results.model import Result

OUT = click.Path(path_type=Path, file_okay=False)
EXISTING = click.Path(path_type=Path, exists=True, file_okay=False)


def _shared(*options: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def add(function: Any) -> Any:
        for option in reversed(options):
            function = option(function)
        return function

    return add


in_course = click.option(
    "--course", type=EXISTING, default=Path("."), help="The course's folder (default: here or above)."
)
database = click.option("--database", help="SQLAlchemy URL of the book (default: SQLite in OUT).")
about = _shared(click.argument("out", type=OUT), click.argument("student"), click.argument("exercise"))
signed = _shared(
    click.option("--why", required=True, help="The reason; it is kept."),
    click.option("--by", envvar="AUTOGRADER_USER", help="Who decides (default: your user name)."),
    in_course,
    database,
)


@click.group("gradebook")
def command() -> None:
    """Override points, mark by rubric, extend due dates, comment; every change is kept with who, when and why.

    The gradebook lies beside the results in OUT and is never touched by a regrade. Nothing in it is changed or removed:
    --withdraw adds a change that takes an earlier one back.
    """


@command.command("show")
@click.argument("out", type=EXISTING)
@click.option("--student", help="Of one student only.")
@click.option("--exercise", help="Of one exercise only.")
@in_course
@database
def show(out: Path, student: str | None, exercise: str | None, course: Path, database: str | None) -> None:
    """Show the final points: checks, overrides, late penalties. What the marks mean stands below the table."""
    from rich.console import Console

    from autograder.exporters.people import People
    from autograder.reports.table import grade_table

    graded = _graded(out, _config(course), database, student, exercise)
    people = People(None, out)
    Console().print(grade_table(graded, {grade.student: people.of(grade.student).name for _result, grade in graded}))


@command.command("override")
@about
@click.argument("points", type=float, required=False)
@click.option("--check", default="", help="Of this check; without it of the whole exercise, before any late penalty.")
@click.option("--bonus", is_flag=True, help="Allow more than there is to be earned.")
@click.option("--withdraw", is_flag=True, help="Take the override back: the checks count again.")
@signed
def override(
    out: Path, student: str, exercise: str, points: float | None, check: str, bonus: bool, withdraw: bool, why: str,
    by: str | None, course: Path, database: str | None,
) -> None:  # fmt: skip
    """Give POINTS to a student for an exercise or a check; they hold after every regrade."""
    if withdraw == (points is not None):
        raise CommandFault(_("give POINTS, or --withdraw"), status=2)
    config = _config(course)
    result = _result(out, config, student, exercise)
    was, most = result.points, result.max_points
    if check:
        found = next((c for c in result.checks if c.id == check), None)
        if found is None:
            known = ", ".join(c.id for c in result.checks) or "none: override the whole exercise"
            raise CommandFault(
                _("{student}'s {exercise} has no check {check!r} (it has: {known})").format(
                    student=student, exercise=exercise, check=check, known=known
                ),
                status=2,
            )
        was, most = found.points, found.max_points
    if points is not None:
        if not math.isfinite(points) or points < 0:
            raise CommandFault(
                _("points are a number from 0 to {most:g}, got {points}").format(most=most, points=points), status=2
            )
        if points > most and not bonus:
            raise CommandFault(
                _("{points:g} is more than the {most:g} to be earned; --bonus allows it").format(
                    points=points, most=most
                ),
                status=2,
            )
    change = {"check": check, "points": points, "was": was, "withdrawn": withdraw}
    _keep(out, config, database, "override", student, exercise, by, why, **change)


@command.command("mark")
@about
@click.argument("item")
@click.argument("points", type=float, required=False)
@click.option("--withdraw", is_flag=True, help="Take the mark back.")
@signed
def mark(
    out: Path, student: str, exercise: str, item: str, points: float | None, withdraw: bool, why: str, by: str | None,
    course: Path, database: str | None,
) -> None:  # fmt: skip
    """Give POINTS for an ITEM of the course's rubric.yaml: figures, free answers. The reason stands on the page."""
    from autograder.book.rubric import find_item, load_rubric

    if withdraw == (points is not None):
        raise CommandFault(_("give POINTS, or --withdraw"), status=2)
    config = _config(course)
    most = find_item(config, load_rubric(config), exercise, item).points
    if points is not None and not 0 <= points <= most:
        raise CommandFault(
            _("points for {item} are a number from 0 to {most:g}, got {points}").format(
                item=item, most=most, points=points
            ),
            status=2,
        )
    _result(out, config, student, exercise)
    _keep(out, config, database, "mark", student, exercise, by, why, check=item, points=points, withdrawn=withdraw)


@command.command("extend")
@about
@click.argument("due", required=False)
@click.option("--withdraw", is_flag=True, help="Take the extension back: the course's due date counts again.")
@signed
def extend(
    out: Path, student: str, exercise: str, due: str | None, withdraw: bool, why: str, by: str | None, course: Path,
    database: str | None,
) -> None:  # fmt: skip
    """Give a student until DUE (2027-02-15 or 2027-02-15T12:00): the late penalty counts from there.

    The student may have no result yet.
    """
    if withdraw == (due is not None):
        raise CommandFault(_("give DUE, or --withdraw"), status=2)
    config = _config(course)
    known = config.exercise(exercise)
    until = None if due is None else _moment(due, config)
    if until is not None and known.due is None:
        raise CommandFault(
            _("{exercise} has no due date: there is nothing to extend").format(exercise=exercise), status=2
        )
    if until is not None and known.due is not None and until <= known.due:
        raise CommandFault(
            _("{until} is not after the course's due date {due}").format(until=until, due=known.due), status=2
        )
    _keep(out, config, database, "extend", student, exercise, by, why, due=until, withdrawn=withdraw)


@command.command("comment")
@about
@click.argument("text", required=False)
@click.option("--private", is_flag=True, help="For teachers alone; never on the student's page.")
@click.option("--withdraw", is_flag=True, help="Take all comments on this student's exercise back.")
@click.option("--by", envvar="AUTOGRADER_USER", help="Who says it (default: your user name).")
@in_course
@database
def comment(
    out: Path, student: str, exercise: str, text: str | None, private: bool, withdraw: bool, by: str | None,
    course: Path, database: str | None,
) -> None:  # fmt: skip
    """Say something on a student's exercise; it stands on the student's page."""
    if withdraw == bool(text and text.strip()):
        raise CommandFault(_("give TEXT, or --withdraw"), status=2)
    config = _config(course)
    _result(out, config, student, exercise)
    why = "comments withdrawn" if withdraw else "comment"
    change = {"text": text or "", "private": private, "withdrawn": withdraw}
    _keep(out, config, database, "comment", student, exercise, by, why, **change)


@command.command("history")
@click.argument("out", type=EXISTING)
@click.option("--student", help="Of one student only.")
@click.option("--exercise", help="Of one exercise only.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
@database
def history(out: Path, student: str | None, exercise: str | None, as_json: bool, database: str | None) -> None:
    """Show every change, the oldest first."""
    from autograder.book.place import read_decisions

    for change in read_decisions(database or out):
        if student in (None, change.student) and exercise in (None, change.exercise):
            click.echo(_json_line(change) if as_json else _line(change))


@command.command("export")
@click.argument("out", type=EXISTING)
@click.option("--wide", is_flag=True, help="One line per student, one column per exercise.")
@click.option("--to", type=click.Path(path_type=Path, dir_okay=False), help="Write this file (default: the terminal).")
@in_course
@database
def export(out: Path, wide: bool, to: Path | None, course: Path, database: str | None) -> None:
    """Write the final points as CSV."""
    from autograder.commands.export import read_grades
    from autograder.reports.cells import Form
    from autograder.results.files import write_atomically

    table = read_grades(out, (), None, course, database).table
    text = Form().text(table.wide(Form()) if wide else table.long(Form()))
    if to is None:
        click.echo(text, nl=False)
    else:
        write_atomically(to, text)


def _config(course: Path) -> CourseConfig:
    from autograder.course import CONFIG_NAME, find_course, load_config

    return load_config(find_course(course) / CONFIG_NAME)


def _graded(
    out: Path, config: CourseConfig, database: str | None, student: str | None, exercise: str | None
) -> Sequence[tuple[Result, Grade]]:
    from autograder.book.grades import grades
    from autograder.book.missing import complete
    from autograder.book.place import read_decisions
    from autograder.book.rubric import load_rubric

    decisions = read_decisions(database or out, config.id)
    results = complete(_results(out), config, decisions)
    found = [
        (result, grade)
        for result, grade in zip(results, grades(results, config, decisions, load_rubric(config)), strict=True)
        if student in (None, grade.student) and exercise in (None, grade.exercise)
    ]
    if not found:
        raise CommandFault(_("{out}: no results of these; grade first").format(out=out), status=2)
    return found


def _results(out: Path) -> Sequence[Result]:
    from autograder.results.files import read_results

    return list(read_results(out))


def _result(out: Path, config: CourseConfig, student: str, exercise: str) -> Result:
    """What a change is about: a result, or the place of one that a known student did not hand in."""
    import difflib

    from autograder.results.model import Result

    results = _results(out)
    found = next((r for r in results if (r.student, r.exercise) == (student, exercise)), None)
    if found is not None:
        return found
    most = config.exercise(exercise).points
    students = {r.student for r in results}
    if student not in students:
        close = difflib.get_close_matches(student, students, n=1)
        suggestion = _("; did you mean {name!r}?").format(name=close[0]) if close else ""
        raise CommandFault(
            _("{out} has no results of {student!r}{suggestion}").format(
                out=out, student=student, suggestion=suggestion
            ),
            status=2,
        )
    return Result(student, exercise, 0.0, most, "missing")


def _moment(text: str, config: CourseConfig) -> datetime:
    from datetime import UTC, datetime, time
    from zoneinfo import ZoneInfo

    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise CommandFault(
            _("{text!r} is no date; write 2027-02-15 or 2027-02-15T12:00").format(text=text), status=2
        ) from None
    if len(text) == len("2027-02-15"):
        # As in the configuration: a date alone is its last second.
        moment = datetime.combine(moment.date(), time(23, 59, 59))
    zone = UTC if config.timezone == "UTC" else ZoneInfo(config.timezone)
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def _keep(
    out: Path, config: CourseConfig, database: str | None, kind: Any, student: str, exercise: str, by: str | None,
    why: str, **what: Any,
) -> None:  # fmt: skip
    import getpass

    from autograder.book.decisions import Decision, now
    from autograder.book.place import open_store

    change = Decision(now(), by or getpass.getuser(), why, kind, student, exercise, **what)
    with open_store(database or out, config.id) as store:
        store.decisions.add(change)
    _follow(out, config, database)
    click.echo(_line(change))


def _follow(out: Path, config: CourseConfig, database: str | None) -> None:
    """What counts has changed: `grades.csv`, where `grade` has written one, says so at once."""
    from autograder.commands.handing_in import grades_csv
    from autograder.results.files import read_results, write_atomically

    file = out / "grades.csv"
    if file.is_file():
        write_atomically(file, grades_csv(read_results(out), config, out, database or out))


def _line(change: Decision) -> str:
    what = f"{change.exercise} {change.check}".strip()
    if change.withdrawn:
        done = _("{kind} withdrawn").format(kind=change.kind)
    elif change.kind == "override":
        done = _("{points:g} points (checks: {was:g})").format(points=change.points, was=change.was)
    elif change.kind == "mark":
        done = _("marked {points:g}").format(points=change.points)
    elif change.kind == "extend":
        done = _("until {due}").format(due=change.due)
    else:
        done = f"{_('private comment') if change.private else _('comment')}: {change.text}"
    reason = "" if change.kind == "comment" else " " + _("because: {why}").format(why=change.why)
    line = f"{change.when.isoformat()} {change.who}: {change.student}, {what}: {done}{reason}"
    # One change is one line, and nothing in it steers a terminal.
    return "".join(sign if sign.isprintable() else " " for sign in line)


def _json_line(change: Decision) -> str:
    import json

    values = {name: v.isoformat() if hasattr(v, "isoformat") else v for name, v in vars(change).items()}
    return json.dumps(values, ensure_ascii=False)
