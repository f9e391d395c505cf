"""Moodle's grading worksheet of one assignment, filled in: the table that Moodle gave, with its column Grade written.

Nothing else in it is changed. Moodle finds the participant by "Participant 1234567", wants three columns (who, grade,
when the grade was last changed), passes over what is no grade within the range, and refuses lines that were changed
elsewhere since. It reads numbers as its site's language writes them: 12,5 is 12 for an English one.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from autograder.course.errors import ConfigurationError
from autograder.course.roster import decode, delimiter, name_key
from autograder.exporters.exporter import Given, Written
from autograder.exporters.people import People
from autograder.exporters.table import GradeTable, Row
from autograder.language import _, ngettext
from autograder.reports.cells import ExportFault

# What Moodle calls who, the grade, when it was changed and the maximum: it wants its own language's words back.
_WORDS = (
    ("Identifier", "Grade", "Last modified (grade)", "Maximum Grade"),
    ("Identifiant", "Note", "Dernière modification (note)", "Note maximale"),
    ("ID", "Bewertung", "Zuletzt geändert (Bewertung)", "Bestwertung"),
    ("Identificador", "Calificación", "Última modificación (calificación)", "Calificación máxima"),
    ("Identificativo", "Valutazione", "Ultima modifica (valutazione)", "Valutazione massima"),
)
_PARTICIPANT = re.compile(r"^\D+\s?(?P<number>\d+)$")
_ADDRESS = re.compile(r"^[^\s@]+@[^\s@]+$")
_NUMBER = re.compile(r"^-?\d+(?P<sign>[.,])\d+$")


@dataclass(frozen=True)
class _Line:
    """A participant, and which cells say who it is."""

    cells: list[str]
    participant: str
    number: str
    email: str
    name: str


def fill_in(file: Path, table: GradeTable, people: People, given: Given) -> Written:
    """Fill in the worksheet.

    Args:
        given: decimal sign and encoding, where they are asked for; the delimiter is the worksheet's own.

    Raises:
        ConfigurationError: the file is no worksheet.
        ExportFault: its maximum is not the exercise's, its numbers are written otherwise, or two lines are one student.
    """
    try:
        text = decode(file.read_bytes())
    except OSError as error:
        raise ConfigurationError(_("cannot be read: {reason}").format(reason=error.strerror), file=file) from error
    between = delimiter(text)
    heading, *cells = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=between) if any(row)] or [[]]
    who_at, grade_at, most_at = _columns(file, heading)
    if any(len(row) != len(heading) for row in cells):
        raise ConfigurationError(_("a line has more or fewer cells than the heading; download it anew"), file=file)
    lines = [_line(row, who_at) for row in cells]
    form = replace(given.form, delimiter=between, decimal=_decimal(lines, (most_at, grade_at), given))
    rows = {row.grade.student: row for row in table.rows}
    who, notes = _who_is_who(lines, rows, people)
    filled = 0
    for line in lines:
        row = rows.get(who.get(line.number, ""))
        if row is None or row.final is None:
            notes.append(_("no grade for: {participant}").format(participant=" ".join(line.cells[:2])))
            continue
        there = line.cells[most_at] if most_at is not None else ""
        if _number(there) not in (None, row.grade.max_points):
            raise ExportFault(
                _("the worksheet's maximum is {there}, the exercise's {here}: set Moodle's to {here}").format(
                    there=there, here=form.number(row.grade.max_points)
                )
            )
        if row.final > row.grade.max_points:
            line_over = _("{student}: {points} is more than the maximum, and Moodle leaves it out")
            notes.append(line_over.format(student=row.grade.student, points=form.number(row.final)))
        line.cells[grade_at] = form.number(row.final)
        filled += 1
    there_are = set(who.values())
    notes += [_("not in the worksheet: {student}").format(student=s) for s in rows if s not in there_are]
    # Not made safe for spreadsheets: Moodle must find its own words as it wrote them.
    content = form.table([heading, *(line.cells for line in lines)], safe=False)
    return Written(
        content, ngettext("{n} grade filled in", "{n} grades filled in", filled).format(n=filled), tuple(notes)
    )


def _line(cells: list[str], who_at: int) -> _Line:
    found = _PARTICIPANT.match(cells[who_at].strip())
    email = next((cell.strip() for cell in cells if _ADDRESS.match(cell.strip())), "")
    name = cells[who_at + 1].strip() if who_at + 1 < len(cells) else ""
    return _Line(cells, cells[who_at], found["number"] if found else "", email.casefold(), name)


def _columns(file: Path, heading: Sequence[str]) -> tuple[int, int, int | None]:
    """Where who, the grade and the maximum stand, in a table that Moodle will take."""
    place = {name.strip().casefold(): index for index, name in enumerate(heading)}
    words = max(_WORDS, key=lambda words: sum(word.casefold() in place for word in words[:3]))
    missing = [word for word in words[:3] if word.casefold() not in place]
    if missing:
        raise ConfigurationError(
            _("no grading worksheet that Moodle takes: no column {missing}; download it anew, keep all columns").format(
                missing=", ".join(missing)
            ),
            file=file,
        )
    who, grade, _changed, most = (place.get(word.casefold()) for word in words)
    assert who is not None
    assert grade is not None
    return who, grade, most


def _decimal(lines: Sequence[_Line], columns: Sequence[int | None], given: Given) -> Literal[".", ","]:
    """The sign that the worksheet itself uses, or the one that was asked for where it shows none."""
    for at in columns:
        for line in lines:
            found = _NUMBER.match(line.cells[at].strip()) if at is not None else None
            if found is None:
                continue
            sign: Literal[".", ","] = "," if found["sign"] == "," else "."
            if given.decimal and sign != given.form.decimal:
                line_of = _("the worksheet writes {number}, and Moodle reads nothing else: leave out --decimal")
                raise ExportFault(line_of.format(number=found[0]))
            return sign
    return given.form.decimal


def _who_is_who(lines: Sequence[_Line], rows: Mapping[str, Row], people: People) -> tuple[dict[str, str], list[str]]:
    """Students by the participant's number; what contradicts itself names nobody, and is said."""
    profiles = {student: people.of(student, row.grade.exercise) for student, row in rows.items()}
    by_number = {who.number_in("moodle"): student for student, who in profiles.items() if who.number_in("moodle")}
    by_email: dict[str, list[str]] = {}
    by_name: dict[str, list[str]] = {}
    for student, person in profiles.items():
        by_email.setdefault(person.email.casefold(), []).append(student)
        by_name.setdefault(name_key(person.name or student), []).append(student)
    names: dict[str, int] = {}
    for line in lines:
        names[name_key(line.name)] = names.get(name_key(line.name), 0) + 1
    found: dict[str, str] = {}
    notes = []
    for line in lines:
        numbered = by_number.get(line.number, "")
        addressed = by_email.get(line.email, []) if line.email else []
        if numbered and addressed and numbered not in addressed:
            notes.append(
                _("{participant}: the number is {one}'s, the address {other}'s; neither gets this line").format(
                    participant=line.participant, one=numbered, other=", ".join(addressed)
                )
            )
            continue
        named = by_name.get(name_key(line.name), []) if names[name_key(line.name)] == 1 else []
        candidates = [numbered] if numbered else addressed or named
        if len(candidates) == 1:
            found[line.number] = candidates[0]
    for student in {s for s in found.values() if list(found.values()).count(s) > 1}:
        twice = [number for number, name in found.items() if name == student]
        raise ExportFault(
            _("{student} is {numbers} in the worksheet; give a roster that tells them apart").format(
                student=student, numbers=", ".join(twice)
            )
        )
    return found, notes


def _number(text: str) -> float | None:
    try:
        return float(text.strip().replace(",", "."))
    except ValueError:
        return None
