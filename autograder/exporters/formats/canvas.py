"""Grades for Canvas ("Gradebook", "Import"): its own columns, a line of maxima, one column per assignment.

A heading "Markov chains (4567)" is the assignment with this number; a heading without a number makes a new one. Where
the roster is Canvas's own export of the gradebook, names, numbers and headings are taken from it. A student's number
and login are Canvas's or left out: any other would be somebody else's there; Canvas then looks for the name.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from autograder.exporters.exporter import Given, Graded, Option, Written
from autograder.language import N_, _
from autograder.reports.cells import ExportFault

if TYPE_CHECKING:
    from autograder.exporters.people import Profile

TITLE = N_("Grades for Canvas's gradebook import.")
HELP = (
    N_('Write the final grades in OUT for Canvas ("Gradebook", "Import").'),
    N_(
        "The best --roster is Canvas's own export of the gradebook: it has the numbers of students and assignments. An "
        "empty cell takes away a grade that is there."
    ),
)
OPTIONS = (
    Option(
        "column",
        N_("The assignment's heading in Canvas, as 'markov_quiz=Markov chains (4567)'; may be repeated."),
        "texts",
        "EXERCISE=HEADING",
    ),
)
TABLE = True

_NUMBERED = re.compile(r"^(?P<title>.*\S)\s+\((?P<id>\d+)\)$")
# Canvas leaves out every column whose heading contains one of these, and never looks for a second column of one name.
_CALCULATED = re.compile(
    "Current Score|Current Points|Current Grade|Final Score|Final Points|Final Grade|Override Score|Override Grade|"
    "Override Status"
)
_IDENTITY = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")


def write(graded: Graded, given: Given) -> Written:
    """The table, and what is missing in it."""
    form, table = given.form, graded.table
    if form.delimiter not in (",", ";") or form.encoding == "latin-1":
        raise ExportFault(_("Canvas reads commas or semicolons between cells, and UTF-8 alone"))
    headings, notes = _headings(graded, given)
    rows = [[*_IDENTITY, *headings.values()]]
    rows.append(["    Points Possible", "", "", "", "", *(form.number(table.most(e)) for e in table.exercises)])
    for student in table.students:
        cells = _who(graded.people.of(student), student)
        if not any(cells[1:4]):
            notes.append(_("{student}: no Canvas number and no SIS id; give --roster").format(student=student))
        rows.append([*cells, *(form.number(table.final(student, exercise)) for exercise in table.exercises)])
    return Written(form.table(rows), notes=tuple(notes))


def _who(profile: Profile, student: str) -> list[str]:
    name = f"{profile.last}, {profile.first}" if profile.first and profile.last else profile.name or student
    of_canvas = profile.column("SIS Login ID") or profile.column("SIS User ID") or profile.column("Section")
    number = profile.column("ID") if of_canvas else ""
    return [
        name,
        number or profile.number_in("canvas"),
        profile.column("SIS User ID"),
        profile.column("SIS Login ID"),
        profile.column("Section"),
    ]


def _headings(graded: Graded, given: Given) -> tuple[dict[str, str], list[str]]:
    """A heading per exercise that Canvas takes for an assignment, and what to say of them."""
    asked = {}
    for column in given.texts("column"):
        exercise, equals, heading = column.partition("=")
        if not equals or not heading.strip():
            raise ExportFault(_("--column is EXERCISE=HEADING, got {column}").format(column=column))
        asked[graded.course.exercise(exercise).id] = heading.strip()
    wanted = {exercise: asked.get(exercise) or _known_heading(exercise, graded) for exercise in graded.table.exercises}
    often = Counter(wanted.values())
    headings: dict[str, str] = {}
    notes = []
    for exercise, heading in wanted.items():
        numbered = _NUMBERED.match(heading)
        kept = _CALCULATED.search(heading)
        if kept or heading in _IDENTITY or (often[heading] > 1 and not numbered):
            headings[exercise] = f"{exercise} ({numbered['id']})" if numbered else exercise
            if kept:
                line = _("{heading}: Canvas keeps “{word}” for itself; the column is called {instead}")
                notes.append(line.format(heading=heading, word=kept[0], instead=headings[exercise]))
        else:
            headings[exercise] = heading
        if not numbered:
            notes.append(
                _("{heading}: no number of an assignment, so Canvas makes a new one (--column {exercise}='... (4567)')")
                .format(heading=headings[exercise], exercise=exercise)
            )  # fmt: skip
    _refuse_one_number_twice(headings)
    return headings, notes


def _refuse_one_number_twice(headings: dict[str, str]) -> None:
    seen: dict[str, str] = {}
    for exercise, heading in headings.items():
        numbered = _NUMBERED.match(heading)
        if numbered and (first := seen.setdefault(numbered["id"], exercise)) != exercise:
            raise ExportFault(
                _("{first} and {second} would both be the assignment ({number})").format(
                    first=first, second=exercise, number=numbered["id"]
                )
            )


def _known_heading(exercise: str, graded: Graded) -> str:
    from autograder.course.roster import fold

    title = next((e.title for e in graded.course.exercises if e.id == exercise), exercise)
    for heading in graded.people.roster.headings if graded.people.roster else ():
        found = _NUMBERED.match(heading)
        if found and fold(found["title"]) in (fold(title), fold(exercise)):
            return heading
    return title
