"""Pages from views: one self-contained HTML file each, that asks the network for nothing and runs no script.

Every value is escaped by Jinja; the one exception is `code`, which escapes by itself before it adds its tags.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import jinja2
from markupsafe import Markup, escape

from autograder.course import CourseConfig
from autograder.language import _, ngettext
from autograder.reports.class_plots import Plots
from autograder.reports.class_view import ClassView
from autograder.reports.visible import StudentView
from autograder.reports.words import figure, isolation_word, outcome_word, percent, points, seconds, short

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
        ngettext=ngettext,
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
