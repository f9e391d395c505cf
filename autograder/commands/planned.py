"""What of a plan `autograder grade` prints: in a dry run all of it, afterwards what was left out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

import click

from autograder.commands.reading import lines, not_graded
from autograder.language import _
from autograder.reports.words import called
from autograder.submissions.shown import shown

if TYPE_CHECKING:
    from autograder import HandIn
    from autograder.service.grader import Plan

MOST_STUDENTS = 60  # in a table of the terminal; a larger class gets a line per exercise
MOST_NAMES = 20


def tell_plan(handed_in: HandIn, plan: Plan) -> None:
    """Say what would be graded and why, in a dry run."""
    say((*lines(handed_in), *not_graded(handed_in), *_todo(plan), *identical(plan, handed_in.names)))
    click.echo(
        _("{todo} would be graded, {kept} keep their result, {unreadable} cannot be read.").format(
            todo=len(plan.todo), kept=len(plan.kept.keys() - plan.left), unreadable=len(plan.not_gradable)
        )
    )
    say(left_out(plan))


def say(said: Iterable[str]) -> None:
    """Print lines, whatever names of files are in them: nothing in those steers a terminal."""
    for line in said:
        click.echo(shown(line))


def left_out(plan: Plan) -> list[str]:
    """What a run with --failed or --only does not look at."""
    line = _("{n} new or changed ones are left for a run without --failed and --only")
    return [line.format(n=len(plan.left))] if plan.left else []


def identical(plan: Plan, known: Mapping[str, str]) -> Iterator[str]:
    """Who handed in the same bytes; `known`: the names of students."""
    for exercise, names in plan.identical():
        listing = ", ".join(called(name, known) for name in names[:MOST_NAMES])
        if len(names) > MOST_NAMES:
            listing = _("{names} and {n} more").format(names=listing, n=len(names) - MOST_NAMES)
        yield _("identical files for {exercise}: {listing}").format(exercise=exercise, listing=listing)


def _todo(plan: Plan) -> Iterator[str]:
    """A line for each submission, or for each exercise and reason of a large class."""
    groups: dict[tuple[str, str], list[str]] = {}
    for item in plan.todo:
        groups.setdefault((item.entry.exercise, item.why), []).append(item.entry.student)
    if len({item.entry.student for item in plan.todo}) <= MOST_STUDENTS:
        yield from (f"{item.entry.student} {item.entry.exercise}: {item.why}" for item in plan.todo)
        return
    for (exercise, why), students in sorted(groups.items()):
        names = ", ".join(students[:MOST_NAMES]) + (", ..." if len(students) > MOST_NAMES else "")
        yield f"{exercise}: {len(students)} ({names}): {why}"
