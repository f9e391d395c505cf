"""Grades for Canvas ("Grades > Import"): its own columns, a line of maxima, one column per assignment.

A heading "Markov chains (4567)" is the assignment with this number; a heading without a number makes a new one. Where
the roster is Canvas's own export of the gradebook, names, numbers and headings are taken from it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from autograder.course import CourseConfig
from autograder.course.roster import fold
from autograder.exporters.people import Known, People
from autograder.exporters.table import GradeTable
from autograder.language import _
from autograder.reports.cells import Form

_NUMBERED = re.compile(r"^(?P<title>.*\S)\s*\((?P<id>\d+)\)$")


def canvas_csv(
    sheet: GradeTable, people: People, course: CourseConfig, form: Form, headings: Mapping[str, str]
) -> tuple[bytes, list[str]]:
    """The table, and lines about what is missing in it.

    Args:
        sheet: the points.
        people: who the students are.
        course: titles of the exercises.
        form: of the table.
        headings: of assignments, by exercise.
    """
    columns = {exercise: headings.get(exercise) or _heading(exercise, people, course) for exercise in sheet.exercises}
    rows = [["Student", "ID", "SIS User ID", "SIS Login ID", "Section", *columns.values()]]
    rows.append(["    Points Possible", "", "", "", "", *(form.number(sheet.most(e)) for e in sheet.exercises)])
    lines = []
    for exercise, heading in columns.items():
        if not _NUMBERED.match(heading):
            lines.append(
                _("{heading}: no number of an assignment, so Canvas makes a new one (--column {exercise}='... (4567)')")
                .format(heading=heading, exercise=exercise)
            )  # fmt: skip
    for student in sheet.students:
        known = people.of(student)
        cells = _who(known, student)
        if not any(cells[1:4]):
            lines.append(_("{student}: no Canvas number and no SIS id; give --roster").format(student=student))
        rows.append([*cells, *(form.number(sheet.final(student, exercise)) for exercise in sheet.exercises)])
    return form.table(rows), lines


def _who(known: Known, student: str) -> list[str]:
    name = f"{known.last}, {known.first}" if known.first and known.last else known.name or student
    number = known.column("ID") if known.column("SIS Login ID") or known.column("SIS User ID") else ""
    login = known.column("SIS Login ID") or ("" if number or known.lms_id else known.email or student)
    return [name, number or known.lms_id, known.column("SIS User ID"), login, known.column("Section")]


def _heading(exercise: str, people: People, course: CourseConfig) -> str:
    title = next((e.title for e in course.exercises if e.id == exercise), exercise)
    for heading in people.roster.headings if people.roster else ():
        found = _NUMBERED.match(heading)
        if found and fold(found["title"]) in (fold(title), fold(exercise)):
            return heading
    return title
