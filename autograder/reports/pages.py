"""Pages from views: one self-contained HTML file each, that asks the network for nothing and runs no script.

Every value is escaped by Jinja; the one exception is `code`, which escapes by itself before it adds its tags.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from zoneinfo import ZoneInfo

import jinja2
from markupsafe import Markup, escape

from autograder.course import CourseConfig
from autograder.language import _, mark, ngettext
from autograder.reports.class_view import ClassView, ExerciseStats, Listing
from autograder.reports.visible import StudentView
from autograder.reports.words import (
    hundredths,
    isolation_word,
    legend,
    measured,
    outcome_word,
    percent,
    place,
    points,
    seconds,
    short,
    total,
)
from autograder.results.model import Result

_CODE = re.compile(r"`([^`\n]{1,200})`")


@dataclass(frozen=True)
class Links:
    """Where a teacher can go from a student's page: addresses relative to it, escaped as in a URL.

    Attributes:
        index: of all pages.
        report: on the class; empty where there is none.
        before: name and page of the student before in the list, or None; likewise `after`.
    """

    index: str
    report: str = ""
    before: tuple[str, str] | None = None
    after: tuple[str, str] | None = None


def student_page(view: StudentView, course: CourseConfig, language: str, links: Links | None = None) -> str:
    """The page of one student. Only a teacher's has links: a student's tells of nobody else."""
    return render("student.html", course, language, view=view, links=links)


def class_page(
    view: ClassView, course: CourseConfig, language: str, pages: Mapping[str, str] | None = None, index: str = ""
) -> str:
    """The page of the class; `pages`: addresses of students' pages for teachers, `index`: of the list of them."""
    return render("class.html", course, language, view=view, pages=pages or {}, index=index)


def index_page(view: Listing, course: CourseConfig, language: str, pages: Mapping[str, str], report: str = "") -> str:
    """The list of all students' pages; `report`: the class report's address."""
    return render("index.html", course, language, view=view, pages=pages, report=report)


def render(template: str, course: CourseConfig, language: str, **values: object) -> str:
    """A page from its template; moments are those of the course's time zone."""
    zone = UTC if course.timezone == "UTC" else ZoneInfo(course.timezone)

    def moment(value: datetime) -> str:
        return value.astimezone(zone).strftime("%Y-%m-%d %H:%M %Z")

    given = {"language": language, "moment": moment, "colon": mark(":"), "semicolon": mark(";"), **values}
    return _environment().get_template(template).render(**given)


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
    environment.filters["short_grade"] = short
    environment.filters["name"] = name
    environment.globals.update(
        _=_,
        ngettext=ngettext,
        points=points,
        measured=measured,
        hundredths=hundredths,
        seconds=seconds,
        percent=percent,
        outcome=outcome_word,
        isolation=isolation_word,
        short=short,
        total=total,
        legend=legend,
        heat_map=heat_map,
        place=place,
        cells=cells,
    )
    return environment


def name(text: str) -> Markup:
    """A name of code that a narrow screen may break after its underscores."""
    return Markup(str(escape(text)).replace("_", "_<wbr>"))


def code(text: str) -> Markup:
    """Text with what stands between backticks set as code."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(text))))


# --- students × checks of one exercise: every cell has a sign beside its colour

# The class and the sign of a cell, which is as short as HTML allows: there are as many as students times checks.
_CELLS = {"passed": ("p", "✓"), "failed": ("f", "✗"), "blocked": ("b", "▷"), "error": ("e", "!"), "skipped": ("s", "–")}
_ABSENT = "<td>"


def heat_map(stats: ExerciseStats, results: Sequence[Result], names: Mapping[str, str]) -> Markup:
    """The table: students by points, checks by how many pass them."""
    checks = sorted(stats.checks, key=lambda check: -check.share)
    rows = sorted((r for r in results if r.exercise == stats.id and r.checks), key=lambda r: (-r.points, r.student))
    parts = [Markup("<table class=heat><thead><tr><th scope=col>"), escape(_("Student"))]
    parts += [Markup("<th scope=col><span>{}</span>").format(check.id) for check in checks]
    parts.append(Markup("<tbody>"))
    for result in rows:
        outcomes = {check.id: check.outcome for check in result.checks}
        parts.append(Markup("<tr><th scope=row>{}").format(names.get(result.student, result.student)))
        # Signs and classes are ours: nothing in them has to be escaped.
        parts.append(Markup("".join(_cell(outcomes.get(check.id, "")) for check in checks)))
    parts.append(Markup("</table>"))
    return Markup("").join(parts)


def cells() -> Markup:
    """What the cells mean."""
    entries = [
        Markup('<span class="key {}">{}</span> {}').format(name, sign, outcome_word(outcome))
        for outcome, (name, sign) in _CELLS.items()
    ]
    return Markup(" · ").join(entries)


def _cell(outcome: str) -> str:
    name, sign = _CELLS.get(outcome, ("", ""))
    return f"<td class={name}>{sign}" if name else _ABSENT
