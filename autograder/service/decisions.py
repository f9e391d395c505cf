"""Whether what a teacher decided can be: it is about something that is there, and its points can be earned."""

from __future__ import annotations

import getpass
import math
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, time
from typing import TYPE_CHECKING

from autograder.book.decisions import Decision
from autograder.book.late import in_zone
from autograder.book.missing import not_handed_in
from autograder.book.place import has_book
from autograder.book.rubric import find_item, load_rubric
from autograder.course import CourseConfig
from autograder.errors import AutograderError
from autograder.language import _
from autograder.results.model import Result
from autograder.service.roll import require_student

if TYPE_CHECKING:
    from autograder.service.book import Book
    from autograder.service.held import Results
    from autograder.service.roll import Listed


_NOBODY = ("", "root", "nobody")  # students read who decided


class DecisionFault(AutograderError):
    """A decision makes no sense; says which and why."""


def checked(
    decision: Decision, book: Book, bonus: bool, results: Results | None = None, among: Sequence[Listed] | None = None
) -> Decision:  # fmt: skip
    """The decision, with what the checks had given then.

    Args:
        results: the book's, where they are known.
        among: the class, likewise.

    Raises:
        RollFault: there is no such student.
        DecisionFault: there is no such check, due date, or the points are out of range.
        ConfigurationError: there is no such exercise or item of the rubric.
    """
    config = book.course.config
    exercise = config.exercise(decision.exercise)
    if decision.kind not in ("extend", "excuse") and not has_book(book.place):
        # Those may come before anything was handed in; a book of other decisions alone is nobody's intention.
        raise DecisionFault(_("{out}: no results of these; grade first").format(out=book.place))
    require_student(decision.student, book, among=among)
    if decision.kind == "extend":
        if decision.due is not None:
            _require_later(decision.due, exercise.due, exercise.id)
        return decision
    results = book.results() if results is None else results
    if decision.kind == "excuse" and all(name[1] != exercise.id for name in results.names):
        return decision  # it may come before anything was handed in
    result = _result(decision, book, results)
    if decision.kind == "comment" and decision.line:
        _require_line(decision.line, result)
    if decision.kind == "override":
        was, most = result.points, result.max_points
        if decision.check:
            was, most = _of_check(decision, result)
        if decision.points is not None:
            _require_within(decision.points, most, bonus)
        return replace(decision, was=was)
    if decision.kind == "mark":
        item = find_item(config, load_rubric(config), exercise.id, decision.check)
        if decision.points is not None and not 0 <= decision.points <= item.points:
            raise DecisionFault(
                _("points for {item} are a number from 0 to {most:g}, got {points}").format(
                    item=item.id, most=item.points, points=decision.points
                )
            )
    return decision


def signature(by: str = "") -> str:
    """Who decides: as given, else this process's user.

    Raises:
        DecisionFault: that is nobody's name: an administrator's account, or one without a name.
    """
    if by.strip():
        return by
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user, whom the system does not know
        user = ""
    if user in _NOBODY:
        raise DecisionFault(
            _("say who decides with --by NAME or in AUTOGRADER_USER: your user name is {user!r}, and that is nobody")
            .format(user=user)
        )  # fmt: skip
    return user


def moment(text: str, config: CourseConfig) -> datetime:
    """A due date as a teacher writes it, in the course's time zone; a date alone is its last second.

    Raises:
        DecisionFault: it is no date.
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise DecisionFault(
            _("{text!r} is no date; write 2027-02-15 or 2027-02-15T12:00").format(text=text)
        ) from None  # fmt: skip
    if len(text) == len("2027-02-15"):
        found = datetime.combine(found.date(), time(23, 59, 59))
    return in_zone(config, found)


def _result(decision: Decision, book: Book, results: Results) -> Result:
    """What a decision is about: a result, or the place of one that a known student did not hand in."""
    student, exercise = decision.student, decision.exercise
    if (student, exercise) in results.names:
        return results.of([(student, exercise)])[0]
    return not_handed_in(book.course.config, (student, exercise))


def _of_check(decision: Decision, result: Result) -> tuple[float, float]:
    found = next((check for check in result.checks if check.id == decision.check), None)
    if found is None:
        known = ", ".join(check.id for check in result.checks) or _("none: override the whole exercise")
        raise DecisionFault(
            _("{student}'s {exercise} has no check {check!r} (it has: {known})").format(
                student=decision.student, exercise=decision.exercise, check=decision.check, known=known
            )
        )
    return found.points, found.max_points


def _require_line(line: str, result: Result) -> None:
    notebook = result.submission.format == "ipynb"
    if not re.fullmatch(r"[1-9]\d{0,6}:[1-9]\d{0,6}" if notebook else r"[1-9]\d{0,6}", line):
        form = _("3:12 for line 12 of cell 3") if notebook else _("12")
        raise DecisionFault(_("{line!r} is no line of {file}: write {form}").format(
            line=line, file=result.submission.file or result.exercise, form=form))  # fmt: skip


def _require_within(points: float, most: float, bonus: bool) -> None:
    if not math.isfinite(points) or points < 0:
        raise DecisionFault(_("points are a number from 0 to {most:g}, got {points}").format(most=most, points=points))
    if points > most and not bonus:
        raise DecisionFault(
            _("{points:g} is more than the {most:g} to be earned; --bonus allows it").format(points=points, most=most)
        )


def _require_later(until: datetime, due: datetime | None, exercise: str) -> None:
    if due is None:
        raise DecisionFault(_("{exercise} has no due date: there is nothing to extend").format(exercise=exercise))
    if until <= due:
        raise DecisionFault(_("{until} is not after the course's due date {due}").format(until=until, due=due))
