"""Grades for Moodle, in the two forms that it imports.

The gradebook's ("Grades > Import > CSV file"): one line per student, found by address or ID number, one column per
exercise under the name of its grade item. The assignment's ("Upload grading worksheet"): the very table that Moodle
gave ("Download grading worksheet"), with its column Grade filled in and nothing else changed; Moodle finds the
participant by "Participant 1234567" and refuses lines that were changed elsewhere since.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from autograder.course import CourseConfig
from autograder.course.errors import ConfigurationError
from autograder.course.roster import Roster, decode, delimiter, read_roster
from autograder.exporters.people import People
from autograder.exporters.table import GradeTable
from autograder.language import _
from autograder.reports.cells import ExportFault, Form
from autograder.results.grade import Grade

_GRADE = ("Grade", "Note", "Bewertung")
_MAXIMUM = ("Maximum Grade", "Maximum grade", "Note maximale", "Bestwertung")


def gradebook(sheet: GradeTable, people: People, course: CourseConfig, form: Form) -> bytes:
    """The table for the gradebook's import."""
    titles = {exercise.id: exercise.title for exercise in course.exercises}
    heading = ["First name", "Last name", "ID number", "Email address"]
    rows = [[*heading, *(f"{_('Assignment')}: {titles.get(e, e)} (Real)" for e in sheet.exercises)]]
    for student in sheet.students:
        known = people.of(student)
        number = known.column("ID number") or ("" if "@" in student else student)
        points = [form.number(sheet.final(student, exercise)) for exercise in sheet.exercises]
        rows.append([known.first, known.last, number, known.email, *points])
    return form.table(rows)


@dataclass(frozen=True)
class Filled:
    """A worksheet with grades.

    Attributes:
        content: the file.
        graded: how many lines got a grade.
        without: students with a grade who are not in the worksheet.
        untouched: the worksheet's participants who have no grade here.
    """

    content: bytes
    graded: int
    without: tuple[str, ...]
    untouched: tuple[str, ...]


def worksheet(file: Path, grades: Sequence[Grade], sheet: GradeTable, people: People, form: Form) -> Filled:
    """Fill in the worksheet that Moodle gave for one assignment.

    Args:
        file: the worksheet.
        grades: of one exercise.
        sheet: of the same.
        people: who the students are.
        form: decimal sign and encoding; the delimiter is the worksheet's own.

    Raises:
        ConfigurationError: the file is no worksheet.
        ExportFault: its maximum is not the exercise's, or two students are the same participant.
    """
    try:
        text = decode(file.read_bytes())
    except OSError as error:
        raise ConfigurationError(_("cannot be read: {reason}").format(reason=error.strerror), file=file) from error
    form = replace(form, delimiter=delimiter(text))
    rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=form.delimiter) if any(row)]
    column = {name: rows[0].index(name) for name in rows[0]} if rows else {}
    grade_at = next((column[name] for name in _GRADE if name in column), None)
    if grade_at is None:
        raise ConfigurationError(_("no column 'Grade': this is no grading worksheet of Moodle's"), file=file)
    most_at = next((column[name] for name in _MAXIMUM if name in column), None)
    students = _participants(read_roster(file), grades, people)
    by_student = {grade.student: grade for grade in grades}
    graded, untouched = 0, []
    for row in rows[1:]:
        student = students.get(row[0].strip(), "")
        grade = by_student.get(student)
        points = sheet.final(student, grade.exercise) if grade else None
        if grade is None or points is None:
            untouched.append(" ".join(row[:2]))
            continue
        if most_at is not None and _number(row[most_at]) not in (None, grade.max_points):
            raise ExportFault(
                _("the worksheet's maximum is {there}, the exercise's {here}: set Moodle's to {here}").format(
                    there=row[most_at], here=form.number(grade.max_points)
                )
            )
        row[grade_at] = form.number(points)
        graded += 1
    there = set(students.values())
    without = tuple(grade.student for grade in grades if grade.student not in there)
    # Not made safe for spreadsheets: Moodle must find its own words as it wrote them.
    return Filled(form.table(rows, safe=False), graded, without, tuple(untouched))


def _participants(roster: Roster, grades: Sequence[Grade], people: People) -> Mapping[str, str]:
    """Students by the cell that names the participant."""
    found: dict[str, str] = {}
    for grade in grades:
        known = people.of(grade.student, grade.exercise)
        ids = [text for text in (known.lms_id, grade.student, known.column("ID number")) if text]
        matches = roster.find(ids=ids, email=known.email, name=known.name or grade.student)
        if len(matches) != 1:
            continue
        identifier = next(iter(matches[0].row.values())).strip()
        if identifier in found:
            raise ExportFault(
                _(
                    "{one} and {other} are both {participant} in the worksheet; give a roster that tells them apart"
                ).format(one=found[identifier], other=grade.student, participant=identifier)
            )
        found[identifier] = grade.student
    return found


def _number(text: str) -> float | None:
    try:
        return float(text.strip().replace(",", "."))
    except ValueError:
        return None
