"""Pages from views: one self-contained HTML file each, that asks the network for nothing and runs no script.

Every value is escaped by Jinja; the one exception is `code`, which escapes by itself before it adds its tags.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import jinja2
from markupsafe import Markup, escape

from autograder.course import CourseConfig
from autograder.language import _
from autograder.reports.class_plots import Plots
from autograder.reports.class_view import ClassView
from autograder.reports.visible import StudentView
from autograder.results.grade import Grade

_CODE = re.compile(r"`([^`\n]{1,200})`")


def student_page(view: StudentView, course: CourseConfig, language: str) -> str:
    """The page of one student."""
    return _render("student.html", course, language, view=view)


def class_page(view: ClassView, plots: Plots, course: CourseConfig, language: str) -> str:
    """The page of the class."""
    return _render("class.html", course, language, view=view, plots=plots)


def _render(template: str, course: CourseConfig, language: str, **values: Any) -> str:
    zone = UTC if course.timezone == "UTC" else ZoneInfo(course.timezone)

    def moment(value: datetime) -> str:
        return value.astimezone(zone).strftime("%Y-%m-%d %H:%M %Z")

    return _environment().get_template(template).render(language=language, moment=moment, **values)


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("autograder.reports"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["code"] = code
    environment.globals.update(
        _=_,
        points=points,
        figure=figure,
        seconds=seconds,
        percent=percent,
        outcome=outcome_word,
        isolation=isolation_word,
        short=short,
    )
    return environment


def code(text: str) -> Markup:
    """Text with what stands between backticks set as code."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(text))))


def points(value: float) -> str:
    """Points with at most two decimals."""
    return format(round(value, 2), "g")


def figure(value: float | None) -> str:
    """A measured number, short."""
    return "–" if value is None or not math.isfinite(value) else format(value, ".3g")


def seconds(value: float | None) -> str:
    """A duration; what is short is all alike."""
    if value is None:
        return "–"
    return "< 0.1" if value < 0.1 else format(value, ".1f" if value < 100 else ".0f")


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
        "passed": _("passed"),
        "failed": _("not passed"),
        "blocked": _("not judged"),
        "error": _("our fault"),
        "skipped": _("skipped"),
        "not_shown": _("not shown"),
    }[outcome]


def isolation_word(level: str) -> str:
    """What readers call a level of isolation."""
    return {"full": _("full"), "reduced": _("reduced"), "none": _("none")}.get(level, level)
