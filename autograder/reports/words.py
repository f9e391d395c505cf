"""Numbers and outcomes in the reader's language, for pages, tables and the terminal."""

from __future__ import annotations

import math

from autograder.language import _, number
from autograder.results.grade import Grade


def points(value: float) -> str:
    """Points with at most two decimals."""
    return number(round(value, 2), "g")


def figure(value: float | None) -> str:
    """A measured number, short."""
    return "–" if value is None or not math.isfinite(value) else number(value, ".3g")


def seconds(value: float | None) -> str:
    """A duration; what is short is all alike."""
    if value is None:
        return "–"
    return f"< {number(0.1, 'g')}" if value < 0.1 else number(value, ".1f" if value < 100 else ".0f")


def percent(part: float, whole: float) -> str:
    """A share from 0 to 100, for the width of a bar."""
    return format(100 * min(max(part / whole, 0.0), 1.0), ".1f") if whole else "0"


def short(grade: Grade) -> str:
    """A grade in a cell: what counts, and marks for what a teacher decided or should look at."""
    if grade.outcome == "error" and grade.correction is None:
        return _("not graded")
    if grade.outcome == "missing" and grade.correction is None:
        return "–"
    by_hand = "*" if grade.correction or grade.corrected else ""
    marks = by_hand + ("†" if grade.penalty else "") + ("‡" if grade.extended else "") + ("!" if grade.stale else "")
    return points(grade.final) + marks


def outcome_word(outcome: str) -> str:
    """What readers call an outcome."""
    return {
        "graded": _("graded"),
        "unreadable": _("unreadable"),
        "missing": _("missing"),
        "passed": _("passed"),
        "failed": _("not passed"),
        "blocked": _("not judged"),
        "error": _("our fault"),
        "skipped": _("skipped"),
        "not_shown": _("not shown"),
    }.get(outcome, outcome)


def isolation_word(level: str) -> str:
    """What readers call a level of isolation."""
    return {"full": _("full"), "reduced": _("reduced"), "none": _("none")}.get(level, level)
