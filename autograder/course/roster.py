"""The roster of a course: who is in it, and under which names, addresses and numbers other programs know them.

Read from a CSV file as registrars and learning platforms export it: any of the usual delimiters and encodings, columns
in any order, known by their headings. Moodle's grading worksheet and Canvas's gradebook export are rosters as they are.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from autograder.course.errors import ConfigurationError
from autograder.language import _

MAX_BYTES = 32_000_000

# Headings as they are written in English, French and German exports; compared without case, accents and punctuation.
_FULL_NAME = ("full name", "name", "student", "student name", "nom complet", "vollstandiger name", "nom et prenom")
_FIRST = ("first name", "firstname", "given name", "prenom", "vorname")
_LAST = ("last name", "lastname", "surname", "family name", "nom", "nom de famille", "nachname")
_EMAIL = ("email", "email address", "e mail", "mail", "adresse de courriel", "courriel", "e mail adresse")
_SUBMITTED = (
    "last modified submission",
    "submitted",
    "derniere modification travail remis",
    "derniere modification remise",
)
# The first of these that a file has names the student in results.
_ID = ("student id", "student number", "id number", "numero d identification", "matrikelnummer", "sis login id",
       "login", "username", "github username", "identifier github", "roster identifier", "sis user id", "sid",
       "id")  # fmt: skip
_OTHER_IDS = (
    "identifier",
    "identifiant",
    "participant",
    "participant id",
    "moodle id",
    "canvas id",
    "user id",
    "github",
)
_HEADINGS = {*_FULL_NAME, *_FIRST, *_LAST, *_EMAIL, *_ID, *_OTHER_IDS}
_PARTICIPANT = re.compile(r"^\D{0,40}\s(\d+)$")  # "Participant 1234567", in any language
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@dataclass(frozen=True)
class Person:
    """One student of the roster.

    Attributes:
        id: names the student in results; never empty.
        name: as written, "Ada Lovelace" or "Lovelace, Ada".
        ids: every other id, login and number, as written.
        row: the whole line, by heading.
        given: whether the file gives the id; else it was made of the address or the name.
    """

    id: str
    name: str = ""
    first: str = ""
    last: str = ""
    email: str = ""
    ids: tuple[str, ...] = ()
    row: Mapping[str, str] = field(default_factory=dict)
    given: bool = True

    def column(self, *headings: str) -> str:
        """The first of these columns that the line has and that is not empty."""
        for heading, value in self.row.items():
            if _plain(heading) in headings and value.strip():
                return value.strip()
        return ""

    @property
    def moodle_id(self) -> str:
        """The number in "Participant 1234567", where the roster has it."""
        found = _PARTICIPANT.match(self.column("identifier", "identifiant", "participant"))
        return found.group(1) if found else self.column("participant id", "moodle id")

    @property
    def submitted(self) -> str:
        """When the work was handed in, as the file writes it."""
        return self.column(*_SUBMITTED)


@dataclass(frozen=True)
class Roster:
    """The students of a course, and how to find one of them."""

    people: tuple[Person, ...]
    headings: tuple[str, ...] = ()
    file: Path | None = None

    def by_id(self, student: str) -> Person | None:
        """The person whose results lie under this name."""
        return self._by_id.get(student)

    def find(self, *, ids: Sequence[str] = (), email: str = "", name: str = "") -> list[Person]:
        """Everybody whom this may mean: by id where an id fits, else by address, else by name.

        Where an id is one person's and the address another's, it may mean both: some platforms let students write
        their own id.
        """
        by_ids, by_email, by_name = self._index
        found = [person for key in dict.fromkeys(map(fold, ids)) for person in by_ids.get(key, ())]
        addressed = by_email.get(fold(email), [])
        if not {person.id for person in found} & {person.id for person in addressed}:
            found = [*found, *addressed]
        found = found or by_name.get(name_key(name), [])
        return list({person.id: person for person in found}.values())

    @cached_property
    def _by_id(self) -> dict[str, Person]:
        return {person.id: person for person in self.people}

    @cached_property
    def _index(self) -> tuple[dict[str, list[Person]], dict[str, list[Person]], dict[str, list[Person]]]:
        tables: tuple[dict[str, list[Person]], ...] = ({}, {}, {})
        for person in self.people:
            for table, keys in zip(tables, (_ids(person), {fold(person.email)} - {""}, _names(person)), strict=True):
                for key in keys:
                    table.setdefault(key, []).append(person)
        return tables[0], tables[1], tables[2]


def _ids(person: Person) -> set[str]:
    own = (person.id, *person.ids, person.email, person.email.partition("@")[0], person.moodle_id)
    return {key for key in map(fold, own) if key}


def _names(person: Person) -> set[str]:
    return {name_key(person.name), name_key(f"{person.first} {person.last}"), fold(person.last + person.first)} - {""}


def fold(text: str) -> str:
    """A text for comparing: without case, accents, blanks and punctuation."""
    plain = unicodedata.normalize("NFKD", text).casefold()
    return "".join(sign for sign in unicodedata.normalize("NFKD", plain) if sign.isalnum() or sign == "@")


def name_key(name: str) -> str:
    """A name for comparing, whatever the order of its parts: "Lovelace, Ada" is "Ada Lovelace"."""
    return " ".join(sorted(filter(None, (fold(part) for part in re.split(r"[\s,;._]+", name)))))


def read_roster(path: Path) -> Roster:
    """Read a roster.

    Raises:
        ConfigurationError: no such file, no column that could name a student, or a name given twice.
    """
    rows, headings = read_table(path)
    plain = [_plain(heading) for heading in headings]
    if not set(plain) & _HEADINGS:
        raise ConfigurationError(
            _("no column names a student; one of: id, username, email, name (the file has: {listing})").format(
                listing=", ".join(headings[:12])
            ),
            file=path,
        )
    found = [(number, person) for number, row in rows if (person := _person(row, path, number)) is not None]
    people: list[Person] = []
    seen: dict[str, int] = {}
    shared = {name for name, count in Counter(person.id for _line, person in found).items() if count > 1}
    for number, person in found:
        if person.id in shared and not person.given:
            # A name made of an address or of a name: what is longer tells them apart, where there is anything.
            longer = person.email if "@" in person.email else f"{person.id}_{person.moodle_id}".rstrip("_")
            person = replace(person, id=longer)
        if person.id in seen:
            raise ConfigurationError(
                _("line {number}: the student {id!r} stands in line {seen} already").format(
                    number=number, id=person.id, seen=seen[person.id]
                ),
                file=path,
            )
        seen[person.id] = number
        people.append(person)
    return Roster(tuple(people), tuple(headings), path)


def read_table(path: Path) -> tuple[list[tuple[int, dict[str, str]]], list[str]]:
    """The lines of a CSV file by heading, each with its number; delimiter and encoding are found out.

    Raises:
        ConfigurationError: there is no such file, or it is no table.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(_("cannot be read: {strerror}").format(strerror=error.strerror), file=path) from error
    if len(content) > MAX_BYTES:
        raise ConfigurationError(
            _("is larger than {max_bytes:g} MB; that is no roster").format(max_bytes=MAX_BYTES / 1000000.0), file=path
        )
    text = decode(content)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter(text))
    try:
        lines = [(reader.line_num, line) for line in reader if any(cell.strip() for cell in line)]
    except csv.Error as error:
        raise ConfigurationError(
            _("line {line_num} is no CSV: {error}").format(line_num=reader.line_num, error=error), file=path
        ) from error
    if not lines:
        raise ConfigurationError(_("the table is empty"), file=path)
    headings = [cell.strip() for cell in lines[0][1]]
    return [(number, dict(zip(headings, line, strict=False))) for number, line in lines[1:]], headings


def decode(content: bytes) -> str:
    """Text in UTF-8 with or without its mark, UTF-16 with its mark, else in Windows' Latin-1."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def delimiter(text: str) -> str:
    """What separates the cells: the sign that stands most often in the first line, outside quotes."""
    first = re.sub(r'"[^"]*"', "", text.lstrip("\r\n").partition("\n")[0])
    return max(",;\t|", key=first.count)


def _plain(heading: str) -> str:
    text = unicodedata.normalize("NFKD", heading).casefold()
    text = "".join(sign if sign.isalnum() else " " for sign in text if not unicodedata.combining(sign))
    return " ".join(text.split())


def _person(row: dict[str, str], path: Path, number: int) -> Person | None:
    cells = {_plain(heading): (value or "").strip() for heading, value in row.items()}

    def first_of(names: Sequence[str]) -> str:
        return next((cells[name] for name in names if cells.get(name)), "")

    first, last, email = first_of(_FIRST), first_of(_LAST), first_of(_EMAIL)
    name = first_of(_FULL_NAME) or f"{first} {last}".strip()
    if name in ("Points Possible", "Student, Test"):
        return None  # Canvas's line of maxima, and the student that it makes for trying things out
    if not first and not last and "," in name:
        last, _comma, first = (part.strip() for part in name.partition(","))
    ids = [cells[key] for key in (*_ID, *_OTHER_IDS) if cells.get(key)]
    given = first_of(_ID)
    student = given or email.partition("@")[0] or name or first_of(_OTHER_IDS)
    if not student:
        return None
    student = unicodedata.normalize("NFC", student)
    if "/" in student or student in (".", "..") or any(not s.isprintable() or s in _BIDI for s in student):
        raise ConfigurationError(
            _("line {number}: {student!r} cannot name a student's folder").format(number=number, student=student),
            file=path,
        )
    if len(student.encode()) > 200:
        raise ConfigurationError(
            _("line {number}: the student's name is longer than 200 bytes").format(number=number), file=path
        )
    return Person(student, name, first, last, email, tuple(dict.fromkeys(ids)), dict(row), bool(given))
