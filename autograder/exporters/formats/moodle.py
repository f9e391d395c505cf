"""Grades for Moodle, in the two forms that it imports.

The gradebook's ("Grades", "Import", "CSV file"): one line per student, one column per exercise under the name of its
grade item. Moodle looks a student up by one column that the teacher chooses; one line that it does not find aborts the
import, and a line without an entry there may be given to the student before. So every column that can be chosen is
complete, and holds nothing but what is Moodle's. The assignment's worksheet is in `worksheet.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from autograder.exporters.exporter import Given, Graded, Option, Written
from autograder.language import N_, _
from autograder.reports.cells import ExportFault, safe_cell

if TYPE_CHECKING:
    from autograder.exporters.people import Profile

TITLE = N_("Grades for Moodle's gradebook import, or its offline worksheet.")
HELP = (
    N_('Write the final grades in OUT for Moodle\'s gradebook ("Grades", "Import", "CSV file").'),
    N_(
        "Students are found there by address or by the roster's ID number, or by our own ids with --ids-are. An empty "
        "cell takes away a grade that is there."
    ),
    N_(
        "With --worksheet and one --exercise: the assignment's own table with its column Grade filled in, for \"Upload "
        'grading worksheet". An empty cell leaves the grade that is there.'
    ),
)
OPTIONS = (
    Option("worksheet", N_("Fill in this grading worksheet, downloaded from one assignment."), "file"),
    Option(
        "ids-are",
        N_("What our ids of students are in Moodle, where the roster does not say."),
        choices=("id-number", "username"),
    ),
)
TABLE = True

ID_NUMBER, EMAIL, USERNAME = "ID number", "Email address", "Username"
_ID_NUMBERS = (ID_NUMBER, "Numéro d'identification", "ID-Nummer", "Número de ID", "Codice identificativo")


def write(graded: Graded, given: Given) -> Written:
    """The table for the gradebook's import, or the worksheet."""
    file = given.file("worksheet")
    if file is None:
        return _gradebook(graded, given)
    if len(graded.exercises) != 1:
        raise ExportFault(_("a worksheet is of one assignment: say which with --exercise"))
    from autograder.exporters.worksheet import fill_in

    return fill_in(file, graded.table, graded.people, given)


def _gradebook(graded: Graded, given: Given) -> Written:
    titles = {exercise.id: exercise.title for exercise in graded.course.exercises}
    table, form, ids_are = graded.table, given.form, given.text("ids-are")
    profiles = {student: graded.people.of(student) for student in table.students}
    found = {
        heading: {student: value for student, who in profiles.items() if (value := _proper(of(who)))}
        for heading, of in _identities(ids_are).items()
    }
    main = max(found, key=lambda heading: len(found[heading]))
    if not found[main]:
        raise ExportFault(
            _("Moodle knows none of these students: give --roster with addresses or ID numbers, or --ids-are")
        )
    students = [student for student in table.students if student in found[main]]
    complete = [heading for heading, values in found.items() if all(student in values for student in students)]
    for heading in complete:
        _refuse_one_twice(found[heading], students)
    grades = [f"{_('Assignment')}: {titles.get(e, e)} (Real)" for e in table.exercises]
    rows: list[Sequence[str]] = [["First name", "Last name", *complete, *grades]]
    for student in students:
        points = [form.number(table.final(student, exercise)) for exercise in table.exercises]
        who = profiles[student]
        rows.append([who.first, who.last, *(found[heading][student] for heading in complete), *points])
    left = [student for student in table.students if student not in found[main]]
    reason = _("no address") if main == EMAIL else _("no {heading}").format(heading=main)
    notes = [_("left out: {student}: {reason}").format(student=student, reason=reason) for student in left]
    return Written(form.table(rows), notes=tuple(notes))


def _identities(ids_are: str) -> dict[str, Callable[[Profile], str]]:
    """The columns by which Moodle may find a student, the one that is preferred first."""

    def id_number(profile: Profile) -> str:
        own = profile.student if ids_are == "id-number" else ""
        return next((cell for heading in _ID_NUMBERS if (cell := profile.column(heading))), own)

    identities: dict[str, Callable[[Profile], str]] = {EMAIL: lambda profile: profile.email, ID_NUMBER: id_number}
    if ids_are == "username":
        identities[USERNAME] = lambda profile: profile.student
    return identities


def _proper(text: str) -> str:
    """A cell that stays as it is; what a spreadsheet would take for a formula names nobody in Moodle either."""
    return text if safe_cell(text) == text else ""


def _refuse_one_twice(values: dict[str, str], students: Sequence[str]) -> None:
    seen: dict[str, str] = {}
    for student in students:
        first = seen.setdefault(values[student].casefold(), student)
        if first != student:
            raise ExportFault(
                _("{first} and {second} would both be Moodle's {who}; give a roster that tells them apart").format(
                    first=first, second=student, who=values[student]
                )
            )
