"""The subcommands of `autograder gradebook` that keep a decision of a teacher's."""

from __future__ import annotations

import click

import autograder
from autograder.commands.about import About, about, reason
from autograder.commands.faults import CommandFault
from autograder.commands.options import open_course
from autograder.language import _


def _require_one(given: bool, withdraw: bool, what: str) -> None:
    if given == withdraw:
        raise CommandFault(_("give {what}, or --withdraw").format(what=what), status=2)


@click.command("override")
@reason
@about
@click.argument("points", type=float, required=False)
@click.option("--check", default="", help="Of this check; without it of the whole exercise, before any late penalty.")
@click.option("--bonus", is_flag=True, help="Allow more than there is to be earned.")
@click.option("--withdraw", is_flag=True, help="Take the override back: the checks count again.")
def override(about: About, points: float | None, check: str, bonus: bool, withdraw: bool) -> None:
    """Give POINTS to a student for an exercise or a check; they hold after every regrade."""
    _require_one(points is not None, withdraw, "POINTS")
    decision = autograder.Decision("override", about.student, about.exercise, check, points, withdrawn=withdraw)
    about.keep(decision, bonus)


@click.command("mark")
@reason
@about
@click.argument("item")
@click.argument("points", type=float, required=False)
@click.option("--withdraw", is_flag=True, help="Take the mark back.")
def mark(about: About, item: str, points: float | None, withdraw: bool) -> None:
    """Give POINTS for an ITEM of the course's rubric.yaml: figures, free answers. The reason stands on the page."""
    _require_one(points is not None, withdraw, "POINTS")
    about.keep(autograder.Decision("mark", about.student, about.exercise, item, points, withdrawn=withdraw))


@click.command("extend")
@reason
@about
@click.argument("due", required=False)
@click.option("--withdraw", is_flag=True, help="Take the extension back: the course's due date counts again.")
def extend(about: About, due: str | None, withdraw: bool) -> None:
    """Give a student until DUE (2027-02-15 or 2027-02-15T12:00): the late penalty counts from there.

    The student may have no result yet.
    """
    _require_one(due is not None, withdraw, "DUE")
    from autograder.service.decisions import moment

    until = moment(due, open_course(about.course).config) if due is not None else None
    about.keep(autograder.Decision("extend", about.student, about.exercise, due=until, withdrawn=withdraw))


@click.command("excuse")
@reason
@about
@click.option("--withdraw", is_flag=True, help="Take the excuse back: the exercise counts again.")
def excuse(about: About, withdraw: bool) -> None:
    """Excuse a student from an exercise: it counts nothing for them, whatever they handed in.

    Points that are given later for the whole exercise take its place.
    """
    about.keep(autograder.Decision("excuse", about.student, about.exercise, withdrawn=withdraw))


@click.command("comment")
@about
@click.argument("text", required=False)
@click.option("--line", default="", help="Of the file, which it is about: 12; in a notebook 3:12, line 12 of cell 3.")
@click.option("--private", is_flag=True, help="For teachers alone; never on the student's page.")
@click.option("--withdraw", is_flag=True, help="Take all comments on this student's exercise back.")
def comment(about: About, text: str | None, line: str, private: bool, withdraw: bool) -> None:
    """Say something on a student's exercise; it stands on the student's page."""
    _require_one(bool(text and text.strip()), withdraw, "TEXT")
    decision = autograder.Decision(
        "comment", about.student, about.exercise, text=text or "", private=private, line=line, withdrawn=withdraw,
        why="comments withdrawn" if withdraw else "comment",
    )  # fmt: skip
    about.keep(decision)


COMMANDS = (override, mark, extend, excuse, comment)
