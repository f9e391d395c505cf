"""Results in the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograder.language import N_, _, said
from autograder.reports.words import outcome_word, points, short
from autograder.results.grade import Grade
from autograder.results.model import Result

_SHORT = {"unreadable": N_("unreadable"), "missing": "–", "error": N_("not graded")}
_STYLES = {"passed": "green", "failed": "red", "error": "bold magenta", "blocked": "yellow", "skipped": "dim"}


def class_table(results: Sequence[Result]) -> Any:
    """A rich table students × exercises. Names are shown as text: markup in them means nothing."""
    from rich.table import Table
    from rich.text import Text

    exercises = list(dict.fromkeys(result.exercise for result in results))
    students = list(dict.fromkeys(result.student for result in results))
    cells = {(result.student, result.exercise): result for result in results}
    table = Table(title=None, header_style="bold")
    table.add_column(_("student"))
    for exercise in exercises:
        table.add_column(exercise, justify="right")
    table.add_column(_("total"), justify="right")
    for student in students:
        row = [cells.get((student, exercise)) for exercise in exercises]
        found = [result for result in row if result is not None]
        total = f"{points(sum(r.points for r in found))} / {points(sum(r.max_points for r in found))}"
        table.add_row(Text(student), *(_cell(result) for result in row), Text(total))
    return table


def grade_table(grades: Sequence[Grade]) -> Any:
    """A rich table of final points, students × exercises, with the marks of `short`."""
    from rich.table import Table
    from rich.text import Text

    exercises = list(dict.fromkeys(grade.exercise for grade in grades))
    by_student: dict[str, dict[str, Grade]] = {}
    for grade in grades:
        by_student.setdefault(grade.student, {})[grade.exercise] = grade
    table = Table(header_style="bold")
    table.add_column(_("student"))
    for column in (*exercises, _("total")):
        table.add_column(column, justify="right")
    for student, own in by_student.items():
        cells = [f"{short(own[e])} / {points(own[e].max_points)}" if e in own else "" for e in exercises]
        total = f"{points(sum(g.final for g in own.values()))} / {points(sum(g.max_points for g in own.values()))}"
        table.add_row(Text(student), *(Text(cell) for cell in cells), Text(total))
    return table


def _cell(result: Result | None) -> Any:
    from rich.text import Text

    if result is None:
        return Text("")
    if result.outcome != "graded":
        style = "bold magenta" if result.outcome == "error" else "dim" if result.outcome == "missing" else "red"
        return Text(_(_SHORT[result.outcome]), style=style)
    style = "green" if result.points >= result.max_points else "red" if result.points == 0 else ""
    mark = " !" if result.alarms else ""
    return Text(f"{points(result.points)} / {points(result.max_points)}{mark}", style=style)


def result_table(result: Result) -> Any:
    """A rich table of one result's checks, with what helps the student."""
    from rich.table import Table
    from rich.text import Text

    table = Table(header_style="bold", show_lines=False)
    for column, justify in ((_("check"), "left"), ("", "left"), (_("points"), "right"), (_("what to look at"), "left")):
        table.add_column(column, justify=justify)  # type: ignore[arg-type]
    for check in result.checks:
        help_text = " ".join(said(text) for text in (check.message, check.hint) if text)
        table.add_row(
            Text(said(check.title)),
            Text(outcome_word(check.outcome), style=_STYLES[check.outcome]),
            Text(f"{points(check.points)} / {points(check.max_points)}" if check.max_points else ""),
            Text(help_text),
        )
    return table
