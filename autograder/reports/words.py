"""Numbers and outcomes in the reader's language, for pages, tables and the terminal."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from autograder.language import N_, _, mark, number, said
from autograder.results.grade import Grade
from autograder.results.model import LoadingProblem


def points(value: float) -> str:
    """Points with at most two decimals."""
    return number(round(value, 2), "g")


def measured(value: float | None) -> str:
    """A measured number, short."""
    return "–" if value is None or not math.isfinite(value) else number(value, ".3g")


def hundredths(value: float | None) -> str:
    """A number with two decimals, for a column of such."""
    return "–" if value is None or not math.isfinite(value) else number(value, ".2f")


def seconds(value: float | None) -> str:
    """A duration; what is short is all alike."""
    if value is None:
        return "–"
    return f"< {number(0.1, 'g')}" if value < 0.1 else number(value, ".1f" if value < 100 else ".0f")


def percent(part: float, whole: float) -> str:
    """A share from 0 to 100, for the width of a bar."""
    return format(100 * min(max(part / whole, 0.0), 1.0), ".1f") if whole else "0"


# What stands behind points, and what it means.
MARKS = {
    "*": N_("changed by hand"),
    "†": N_("late"),
    "‡": N_("due date extended"),
    "≠": N_("overridden when the checks gave other points: look again"),
    "!": N_("something happened while it was graded: look at its incidents"),
}


def short(grade: Grade, alarm: bool = False) -> str:
    """A grade in a cell: what counts, marks, and in parentheses what the checks gave where that is something else."""
    final = grade.final
    if grade.outcome == "missing" and not final:
        return "–"
    if final is None:
        return _("not graded") if grade.outcome == "error" else outcome_word(grade.outcome)
    by_hand = bool(grade.override or grade.overrides)
    there = zip(MARKS, (by_hand, grade.penalty > 0, grade.extended, grade.stale, alarm), strict=True)
    marks = "".join(mark for mark, holds in there if holds)
    checks = f" ({points(grade.graded)})" if final != grade.graded else ""
    return points(final) + marks + checks


def total(grades: Sequence[Grade], worded: str = "{total}") -> str:
    """The sum of what counts, in these words; grades that are open yet are left out, and their number is said."""
    counted = [(final, grade.max_points) for grade in grades if (final := grade.final) is not None]
    left = sum(grade.open for grade in grades)
    both = f"{points(sum(final for final, _most in counted))} / {points(sum(most for _final, most in counted))}"
    text = worded.format(total=both)
    return " ".join([text] * (bool(counted) or not left) + [_("({n} open)").format(n=left)] * bool(left))


def legend(cells: Iterable[str]) -> str:
    """What the marks in these cells mean; empty where there are none."""
    text = "".join(cells)
    lines = [f"{mark} {_(meaning)}" for mark, meaning in MARKS.items() if mark in text]
    if "(" in text:
        lines.append(_("(in parentheses: the points of the checks)"))
    return f"{mark(';')} ".join(lines)


def called(student: str, names: Mapping[str, str]) -> str:
    """A student by name, with the id beside it."""
    name = names.get(student, "")
    return f"{name} ({student})" if name and name != student else student


def place(line: str) -> str:
    """A line of a file in words: `12`, or `3:12` of a notebook."""
    cell, _colon, number = line.rpartition(":")
    if cell:
        return _("cell {cell}, line {number}").format(cell=cell, number=number)
    return _("line {number}").format(number=number)


def located(problem: LoadingProblem) -> str:
    """What could not be loaded, and where."""
    line = _("{where}, line {line}: {message}")
    return line.format(where=said(problem.where), line=problem.line, message=said(problem.message))


def outcome_word(outcome: str) -> str:
    """What readers call an outcome."""
    return {
        "graded": _("graded"),
        "handed_in_not_gradable": _("not gradable"),
        "missing": _("missing"),
        "not_due": _("not due yet"),
        "excused": _("excused"),
        "passed": _("passed"),
        "failed": _("not passed"),
        "blocked": _("not judged"),
        "error": _("our fault"),
        "skipped": _("skipped"),
        "not_shown": _("not shown"),
    }.get(outcome, outcome)


def kind_word(kind: str) -> str:
    """What readers call a kind of check."""
    kinds = {"exact": _("exact"), "statistical": _("statistical"), "training": _("training"), "quiz": _("quiz")}
    return kinds.get(kind, kind)


def isolation_word(level: str) -> str:
    """What readers call a level of isolation."""
    return {"full": _("full"), "reduced": _("reduced"), "none": _("none")}.get(level, level)
