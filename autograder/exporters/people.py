"""Under which names other programs know the students of results."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from autograder.book.handed_in import Handed
from autograder.course.roster import OWN, Claim, Person, Roster


@dataclass(frozen=True)
class Profile:
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
        handed_in: what the platforms told of students with their files, of each the last at the end.
        names: of the students of whom something else than the id is known.
    """

    def __init__(
        self, roster: Roster | None, handed_in: Iterable[Handed] = (), names: Mapping[str, str] | None = None
    ) -> None:
        self._roster = roster
        self._names = names or {}
        self._handed_in: dict[tuple[str, str], Handed] = {}
        self._numbers: dict[str, dict[str, str]] = {}
        for one in handed_in:
            self._handed_in[one.student, one.exercise] = one
            self._handed_in.setdefault((one.student, ""), one)
            self._numbers.setdefault(one.student, {}).update(_numbers(one))
        self._by_number = {person.moodle_id: person for person in roster.people if person.moodle_id} if roster else {}

    @property
    def roster(self) -> Roster | None:
        """The roster, where one was given."""
        return self._roster

    def of(self, student: str, exercise: str = "") -> Profile:
        """What is known of a student; numbers that a platform gives per assignment are the exercise's."""
        told = self._handed_in.get((student, exercise)) or self._handed_in.get((student, "")) or Handed(student, "", "")
        # Moodle gives a student another number in each assignment; every other platform's is one for all.
        numbers = {name: text for name, text in self._numbers.get(student, {}).items() if name != "moodle"}
        numbers |= _numbers(told)
        person = self._person(student, told, numbers.get("moodle", ""))
        if person is None:
            name, email = told.name or self._names.get(student, ""), told.email
            email = email or (student if "@" in student else "")
            first, _space, last = name.rpartition(" ")
            return Profile(student, name, first or name, last if first else "", email, numbers)
        email = person.email or told.email
        first, last = person.first, person.last
        if not first and not last:
            first, _space, last = person.name.rpartition(" ")
        name = f"{first} {last}".strip() or person.name
        # A platform that told us its own number is believed before the roster.
        if person.moodle_id:
            numbers.setdefault("moodle", person.moodle_id)
        return Profile(student, name, first, last, email, numbers, person.row)

    def _person(self, student: str, told: Handed, number: str) -> Person | None:
        if self._roster is None:
            return None
        person = self._roster.by_id(student) or self._by_number.get(number)
        if person is not None:
            return person
        # Another roster than the one that named the results: by address or name, where only one fits.
        claims = Claim(told.email, ("email",)), Claim(student, OWN)
        found = self._roster.find(*claims, name=told.name)
        return found[0] if len(found) == 1 else None


def _numbers(told: Handed) -> dict[str, str]:
    """A platform's number of the student. One of earlier versions does not say whose it is, and is Moodle's."""
    platform, _space, number = told.lms_id.rpartition(" ")
    return {platform or "moodle": number} if number.isdigit() else {}
