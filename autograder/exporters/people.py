"""Under which names other programs know the students of results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from autograder.course.errors import ConfigurationError
from autograder.course.roster import OWN, Claim, Person, Roster, read_table

HANDED_IN = "handed_in.csv"
HANDED_IN_COLUMNS = ("student", "exercise", "file", "submitted", "late", "name", "email", "lms_id", "notes")


@dataclass(frozen=True)
class Known:
    """A student as other programs know them; empty where nobody does.

    Attributes:
        numbers: platforms' own numbers, by platform: Moodle's participant, Canvas's user. Never another's.
        row: the roster's line, by heading.
    """

    student: str
    name: str = ""
    first: str = ""
    last: str = ""
    email: str = ""
    numbers: Mapping[str, str] = field(default_factory=dict)
    row: Mapping[str, str] | None = None

    def number_in(self, platform: str) -> str:
        """The number that a platform knows the student by; empty where nobody said."""
        return self.numbers.get(platform, "")

    def column(self, heading: str) -> str:
        """A cell of the roster's line."""
        cells = {name.casefold(): value for name, value in (self.row or {}).items()}
        return (cells.get(heading.casefold()) or "").strip()


class People:
    """Finds students by the name that results know them by.

    Args:
        roster: of the course.
        out: the folder of results; `grade` writes there who handed in what.
    """

    def __init__(self, roster: Roster | None, out: Path) -> None:
        self._roster = roster
        self._handed_in = _handed_in(out / HANDED_IN)
        self._by_number = {person.moodle_id: person for person in roster.people if person.moodle_id} if roster else {}

    @property
    def roster(self) -> Roster | None:
        """The roster, where one was given."""
        return self._roster

    def of(self, student: str, exercise: str = "") -> Known:
        """What is known of a student; numbers that a platform gives per assignment are the exercise's."""
        told = self._handed_in.get((student, exercise)) or self._handed_in.get((student, "")) or {}
        number = told.get("lms_id", "")
        # Files of earlier versions do not say whose number it is; they knew Moodle's alone how to give back.
        numbers = {told.get("platform") or "moodle": number} if number.isdigit() else {}
        person = self._person(student, told, numbers.get("moodle", ""))
        if person is None:
            name, email = told.get("name", ""), told.get("email", "")
            email = email or (student if "@" in student else "")
            first, _space, last = name.rpartition(" ")
            return Known(student, name, first or name, last if first else "", email, numbers)
        email = person.email or told.get("email", "")
        first, last = person.first, person.last
        if not first and not last:
            first, _space, last = person.name.rpartition(" ")
        name = f"{first} {last}".strip() or person.name
        # A platform that told us its own number is believed before the roster.
        if person.moodle_id:
            numbers.setdefault("moodle", person.moodle_id)
        return Known(student, name, first, last, email, numbers, person.row)

    def _person(self, student: str, told: Mapping[str, str], number: str) -> Person | None:
        if self._roster is None:
            return None
        person = self._roster.by_id(student) or self._by_number.get(number)
        if person is not None:
            return person
        # Another roster than the one that named the results: by address or name, where only one fits.
        claims = Claim(told.get("email", ""), ("email",)), Claim(student, OWN)
        found = self._roster.find(*claims, name=told.get("name", ""))
        return found[0] if len(found) == 1 else None


def _handed_in(file: Path) -> dict[tuple[str, str], dict[str, str]]:
    try:
        rows, _headings = read_table(file)
    except ConfigurationError:
        return {}
    found: dict[tuple[str, str], dict[str, str]] = {}
    for _number, row in rows:
        cells = {name: _unquoted(value) for name, value in row.items()}
        found[cells.get("student", ""), cells.get("exercise", "")] = cells
        found.setdefault((cells.get("student", ""), ""), cells)
    return found


def _unquoted(cell: str) -> str:
    """A cell without the apostrophe that kept it from being a formula."""
    return cell[1:] if cell[:1] == "'" and cell[1:2] in tuple("-=+@") else cell
