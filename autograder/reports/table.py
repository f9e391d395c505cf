"""Results in the terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from statistics import median
from typing import TYPE_CHECKING

from autograder.language import _, said
from autograder.reports.words import called, legend, outcome_word, points, short, total
from autograder.results.grade import Grade
from autograder.results.model import CheckResult, Result

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

STYLES = {"passed": "green", "failed": "red", "error": "bold magenta", "blocked": "yellow", "skipped": "dim"}


def grade_table(graded: Iterable[tuple[Result, Grade]], names: Mapping[str, str] | None = None) -> Table:
    """Final points, students × exercises, with what their marks mean. Names are shown as text, whatever is in them."""
    from rich.table import Table
    from rich.text import Text

    own: dict[str, dict[str, tuple[str, Grade]]] = {}
    for result, grade in graded:
        own.setdefault(grade.student, {})[grade.exercise] = short(grade, bool(result.alarms)), grade
    exercises = list(dict.fromkeys(exercise for cells in own.values() for exercise in cells))
    meaning = legend(text for cells in own.values() for text, _grade in cells.values())
    table = Table(header_style="bold", caption=Text(meaning) if meaning else None, caption_justify="left")
    table.add_column(_("student"))
    for column in (*exercises, _("total")):
        table.add_column(column, justify="right")
    for student, cells in own.items():
        table.add_row(
            Text(called(student, names or {})),
            *(_cell(*cells[exercise]) if exercise in cells else Text("") for exercise in exercises),
            Text(total([grade for _text, grade in cells.values()])),
        )
    return table


def class_table(grades: Iterable[Grade]) -> Table:
    """A line per exercise, for a class that is too large for a line per student."""
    from rich.table import Table

    outcomes: dict[str, Counter[str]] = {}
    shares: dict[str, list[float]] = {}
    for grade in grades:
        outcomes.setdefault(grade.exercise, Counter())[grade.outcome] += 1
        if grade.outcome == "graded" and grade.final is not None:
            shares.setdefault(grade.exercise, []).append(grade.final / max(grade.max_points, 1e-9))
    table = Table(header_style="bold")
    table.add_column(_("exercise"))
    for column in (_("graded"), _("not gradable"), _("missing"), _("not graded"), _("median")):
        table.add_column(column, justify="right")
    for exercise, found in outcomes.items():
        numbers = [str(found[name]) for name in ("graded", "handed_in_not_gradable", "missing", "error")]
        table.add_row(exercise, *numbers, f"{100 * median(shares[exercise]):.0f} %" if exercise in shares else "")
    return table


def _cell(text: str, grade: Grade) -> Text:
    from rich.text import Text

    final = grade.final
    if final is None or text == "–":
        styles = {"error": "bold magenta", "handed_in_not_gradable": "red"}
        return Text(text, style=styles.get(grade.outcome, "dim"))
    style = "green" if final >= grade.max_points else "red" if final == 0 else ""
    return Text(f"{text} / {points(grade.max_points)}", style=style)


def _points(check: CheckResult, grade: Grade | None) -> str:
    override = grade.overrides.get(check.id) if grade is not None else None
    return points(check.points) if override is None else f"{points(override.points)}* ({points(check.points)})"


def result_table(result: Result, grade: Grade | None = None) -> Table:
    """One result's checks, with what helps the student; points that a teacher gave have the check's own beside them."""
    from rich.table import Table
    from rich.text import Text

    table = Table(header_style="bold", show_lines=False)
    table.add_column(_("check"))
    table.add_column()
    with_points = any(check.max_points for check in result.checks)  # public checks have none
    if with_points:
        table.add_column(_("points"), justify="right")
    table.add_column(_("what to look at"))
    for check in result.checks:
        help_text = " ".join(said(text) for text in (check.message, check.hint) if text)
        table.add_row(
            Text(said(check.title)),
            Text(outcome_word(check.outcome), style=STYLES[check.outcome]),
            *([Text(f"{_points(check, grade)} / {points(check.max_points)}")] if with_points else []),
            Text(help_text),
        )
    return table
