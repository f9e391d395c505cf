"""Decisions from a table: a line for each student, in its cells what is decided.

Which kind a decision is follows from the cells that are filled: `due` extends, `points` overrides (those of `check`, or
of the whole exercise) or, with `item`, marks; `text` comments (on `line`, for teachers alone where `private` says yes);
`excuse` excuses. A heading that is an item of the exercise's rubric holds marks. Empty cells decide nothing, other
columns are passed over.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from autograder.book.decisions import Decision
from autograder.book.rubric import load_rubric
from autograder.course import ConfigurationError, CourseConfig
from autograder.course.roster import read_table
from autograder.errors import AutograderError
from autograder.language import _
from autograder.service.decisions import DecisionFault, moment

_STUDENT, _EXERCISE = ("student", "id"), ("exercise", "assignment")
_YES, _NO = ("yes", "true", "1", "x"), ("", "no", "false", "0")
_DECIDING = ("due", "points", "text", "excuse")


Faults = dict[int, AutograderError]  # what is wrong, by line


def read_decisions(
    file: Path, config: CourseConfig, exercise: str = "", why: str = ""
) -> tuple[list[tuple[int, Decision]], Faults]:  # fmt: skip
    """What a CSV file decides, each with its line; and what is in some lines that cannot be read.

    Args:
        exercise: what lines are about that do not say it.
        why: the reason where a line gives none.

    Raises:
        ConfigurationError: it is no such table.
    """
    rows, headings = read_table(file)
    names = {heading.casefold(): heading for heading in headings}
    items = {item.id for items in load_rubric(config).values() for item in items}
    if not names.keys() & set(_STUDENT):
        raise ConfigurationError(_("no column 'student' (the file has: {listing})").format(
            listing=", ".join(headings[:12])), file=file)  # fmt: skip
    if not names.keys() & ({*_DECIDING} | items):
        raise ConfigurationError(_("no column that decides anything: {listing}, or an item of the rubric").format(
            listing=", ".join(_DECIDING)), file=file)  # fmt: skip
    found: list[tuple[int, Decision]] = []
    faults: Faults = {}
    for number, row in rows:
        cells = {name: (row.get(heading) or "").strip() for name, heading in names.items()}
        try:
            found += [(number, decision) for decision in _of_line(cells, config, items, exercise, why)]
        except AutograderError as fault:
            faults[number] = fault
    return found, faults


def refuse(file: Path, faults: Faults) -> None:
    """Raise a DecisionFault where there is something wrong."""
    if faults:
        line = _("line {number}: {what}")
        lines = [line.format(number=number, what=faults[number]) for number in sorted(faults)]
        raise DecisionFault("\n".join([_("{file}: nothing of it is kept").format(file=file), *lines]))


def _of_line(
    cells: Mapping[str, str], config: CourseConfig, items: Collection[str], exercise: str, why: str
) -> Iterator[Decision]:
    student = next((text for name in _STUDENT if (text := cells.get(name, ""))), "")
    about = next((text for name in _EXERCISE if (text := cells.get(name, ""))), exercise)
    reason = cells.get("why", "") or why
    decided = {name: text for name, text in cells.items() if text and (name in _DECIDING or name in items)}
    if not decided:
        return
    if not about:
        raise DecisionFault(_("it does not say which exercise; add a column, or --exercise"))
    for name, text in decided.items():
        if name != "text" and not reason and not (name == "excuse" and not _yes(text)):
            raise DecisionFault(_("every change says {name}; it is empty here").format(name="why"))
        if name == "due":
            yield Decision("extend", student, about, due=moment(text, config), why=reason)
        elif name == "text":
            private, line = _yes(cells.get("private", "")), cells.get("line", "")
            yield Decision("comment", student, about, text=text, private=private, line=line, why="comment")
        elif name == "excuse":
            if _yes(text):
                yield Decision("excuse", student, about, why=reason)
        elif name in items:
            yield Decision("mark", student, about, name, _number(text), why=reason)
        elif cells.get("item"):
            yield Decision("mark", student, about, cells["item"], _number(text), why=reason)
        else:
            yield Decision("override", student, about, cells.get("check", ""), _number(text), why=reason)


def _number(text: str) -> float:
    try:
        return float(text.replace(",", "."))
    except ValueError:
        raise DecisionFault(_("{text!r} is no number").format(text=text)) from None


def _yes(text: str) -> bool:
    if text.casefold() not in (*_YES, *_NO):
        raise DecisionFault(_("{text!r} is neither yes nor no").format(text=text))
    return text.casefold() in _YES


def new_ones(given: Sequence[tuple[int, Decision]], history: Sequence[Decision]) -> list[tuple[int, Decision]]:
    """Without those that are in force already: a table may be applied again when there is more in it."""
    holds: dict[tuple[str, ...], set[object]] = {}
    for one in history:
        kept = holds.setdefault(_about(one), set())
        if one.kind != "comment" or one.withdrawn:
            kept.clear()
        if not one.withdrawn:
            kept.add(_content(one))
    return [(number, one) for number, one in given if _content(one) not in holds.get(_about(one), ())]


def _about(one: Decision) -> tuple[str, ...]:
    return one.kind, one.student, one.exercise, one.check


def _content(one: Decision) -> tuple[object, ...]:
    return one.points, one.due, one.text, one.private, one.line, "" if one.kind == "comment" else one.why
