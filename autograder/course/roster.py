"""The roster of a course: who is in it, and under which names, addresses and numbers other programs know them.

Read from a CSV file as registrars and learning platforms export it: any of the usual delimiters and encodings, columns
in any order, known by their headings. Moodle's grading worksheet and Canvas's gradebook export are rosters as they are.
"""

from __future__ import annotations

import csv
import io
import itertools
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Literal

from autograder.course.errors import ConfigurationError
from autograder.language import _

MAX_BYTES = 32_000_000

# Which name space a column's texts are of. A number of a platform's is never looked up among the course's own ids, nor
# an id among numbers: where the two collide, one student would get another's grade.
Space = Literal["id", "email", "login", "local", "moodle", "canvas", "anonymous", "github", "name", "group"]
# The names that teachers call folders and files by, in the order in which they are tried.
OWN: tuple[Space, ...] = ("id", "email", "login", "github", "local", "name")

# Headings as English, French, German, Spanish and Italian exports write them; without case, accents and punctuation.
_FULL_NAME = ("full name", "name", "student", "student name", "nom complet", "vollstandiger name", "nom et prenom",
              "nombre completo", "nome completo", "apellido s nombre")  # fmt: skip
_FIRST = ("first name", "firstname", "given name", "prenom", "vorname", "nombre", "nome")
_LAST = ("last name", "lastname", "surname", "family name", "nom", "nom de famille", "nachname", "apellidos",
         "apellido s", "cognome")  # fmt: skip
_EMAIL = ("email", "email address", "e mail", "mail", "adresse de courriel", "courriel", "e mail adresse",
          "direccion de correo", "correo electronico", "indirizzo email")  # fmt: skip
_GROUP = ("group", "group name", "team", "groupe", "equipe", "gruppe", "grupo", "equipo", "gruppo")
_SUBMITTED = ("last modified submission", "submitted", "derniere modification travail remis",
              "derniere modification remise", "zuletzt geandert abgabe", "ultima modificacion entrega",
              "ultima modifica consegna", "ultima modifica invio")  # fmt: skip
_HEADINGS_OF: tuple[tuple[Space, tuple[str, ...]], ...] = (
    ("id", ("student id", "student number", "id number", "numero d identification", "numero etudiant",
            "matrikelnummer", "id nummer", "numero de id", "numero id", "matricola", "numero di matricola",
            "sis user id", "roster identifier", "sid", "id")),
    ("login", ("sis login id", "login", "username", "user name", "nom d utilisateur", "benutzername", "anmeldename",
               "nombre de usuario", "nome utente")),
    ("github", ("github username", "identifier github", "github")),
    ("moodle", ("identifier", "identifiant", "participant", "participant id", "moodle id", "identificador",
                "identificativo", "teilnehmer in")),
    ("canvas", ("canvas id", "canvas user id", "user id")),
    ("anonymous", ("anonymous id",)),
)  # fmt: skip
_SPACES: Mapping[str, Space] = {heading: space for space, headings in _HEADINGS_OF for heading in headings}
# The first of these that a file has names the student in results.
# What is called an id is the course's own, whatever numbers and logins stand beside it.
_OWN_ID = ("id", "identifier", "roster identifier")
_ID = ("student id", "student number", "id number", "numero d identification", "matrikelnummer", "numero etudiant",
       "id nummer", "numero de id", "matricola", "numero di matricola", "sis login id", "login", "username",
       "nom d utilisateur", "benutzername", "nombre de usuario", "nome utente", "github username",
       "identifier github", "roster identifier", "sis user id", "sid", "id")  # fmt: skip
_HEADINGS = {*_FULL_NAME, *_FIRST, *_LAST, *_EMAIL, *_SPACES}
_PARTICIPANT = re.compile(r"^\D{1,40}?(\d+)$")  # "Participant 1234567", in any language
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@dataclass(frozen=True)
class Claim:
    """Something that says who a person is.

    Attributes:
        text: an id, a number, an address, a name.
        spaces: what it may be. The first in which the roster knows it counts.
    """

    text: str
    spaces: tuple[Space, ...]


@dataclass(frozen=True)
class Person:
    """One student of the roster.

    Attributes:
        id: names the student in results; never empty.
        name: as written, "Ada Lovelace" or "Lovelace, Ada".
        known_as: texts that other programs know the student by, by name space.
        given: whether the file gives the id; else it was made of the address or the name.
    """

    id: str
    name: str = ""
    first: str = ""
    last: str = ""
    email: str = ""
    known_as: Mapping[Space, tuple[str, ...]] = field(default_factory=dict)
    group: str = ""
    row: Mapping[str, str] = field(default_factory=dict)
    given: bool = True

    @property
    def called(self) -> str:
        """The name as people say it; empty where the file has none."""
        return f"{self.first} {self.last}" if self.first and self.last else self.name

    def column(self, *headings: str) -> str:
        """The first of these columns that the line has and that is not empty."""
        for heading, value in self.row.items():
            if _plain(heading) in headings and value.strip():
                return value.strip()
        return ""

    @property
    def moodle_id(self) -> str:
        """The number in "Participant 1234567", where the roster has it."""
        return next(iter(self.known_as.get("moodle", ())), "")

    @property
    def submitted(self) -> str:
        """When the work was handed in, as the file writes it."""
        return self.column(*_SUBMITTED)

    @property
    def identities(self) -> set[str]:
        """Everything that this student may have typed as a name of their own, for comparing."""
        names = (self.id, self.name, f"{self.first} {self.last}", self.email, self.email.partition("@")[0])
        return {fold(text) for text in (*names, *itertools.chain(*self.known_as.values()))} - {""}


@dataclass(frozen=True)
class Roster:
    """The students of a course, and how to find one of them."""

    people: tuple[Person, ...]
    headings: tuple[str, ...] = ()
    file: Path | None = None

    def by_id(self, student: str) -> Person | None:
        """The person whose results lie under this name."""
        return self._by_id.get(student)

    def known(self, claim: Claim) -> list[Person]:
        """Everybody whom a claim means, in the first of its name spaces that knows it: as written, else nearly so."""
        for space in claim.spaces:
            for key in dict.fromkeys((claim.text.strip(), _folded(space, claim.text))):
                if key and (found := self._index.get((space, key))):
                    return found
        return []

    def find(self, *claims: Claim, name: str = "") -> list[Person]:
        """Everybody whom these claims mean, together; by name only where nothing else says anything.

        Where one claim means one person and another somebody else, the answer is both: it is nobody's.
        """
        found = [person for claim in claims if claim.text for person in self.known(claim)]
        if not found and name:
            found = self.known(Claim(name, ("name",)))
        return list({person.id: person for person in found}.values())

    def members(self, group: str) -> list[Person]:
        """The students of a group."""
        return self.known(Claim(group, ("group",)))

    @property
    def groups(self) -> tuple[str, ...]:
        """The names of all groups."""
        return tuple(dict.fromkeys(person.group for person in self.people if person.group))

    def texts(self, space: Space) -> set[str]:
        """Everything that stands in one name space."""
        return {text for person in self.people for text in person.known_as.get(space, ())}

    @cached_property
    def _by_id(self) -> dict[str, Person]:
        return {person.id: person for person in self.people}

    @cached_property
    def _index(self) -> dict[tuple[Space, str], list[Person]]:
        index: dict[tuple[Space, str], list[Person]] = {}
        for person in self.people:
            names = (*turned(person.name), f"{person.first} {person.last}", person.last + person.first)
            spaces: dict[Space, tuple[str, ...]] = {
                **person.known_as, "email": (person.email,), "local": (person.email.partition("@")[0],),
                "name": names, "group": (person.group,),
                # What the student is called in results is one of the course's own names, whatever column it is from.
                "id": (person.id, *person.known_as.get("id", ())),
            }  # fmt: skip
            for space, texts in spaces.items():
                keys = {key for text in texts for key in (text.strip(), _folded(space, text), _squeezed(space, text))}
                for key in keys - {""}:
                    index.setdefault((space, key), []).append(person)
        return index


def _folded(space: Space, text: str) -> str:
    return name_key(text) if space == "name" else fold(text)


def _squeezed(space: Space, text: str) -> str:
    """Canvas writes "Lovelace, Ada" as "lovelaceada", and a group's name likewise."""
    return fold(text) if space in ("name", "group") else ""


def fold(text: str) -> str:
    """A text for comparing: without case, accents, blanks and punctuation."""
    plain = unicodedata.normalize("NFKD", text).casefold()
    return "".join(sign for sign in unicodedata.normalize("NFKD", plain) if sign.isalnum() or sign == "@")


def name_key(name: str) -> str:
    """A name for comparing, whatever the order of its parts: "Lovelace, Ada" is "Ada Lovelace"."""
    return " ".join(sorted(filter(None, (fold(part) for part in re.split(r"[\s,;._]+", name)))))


def turned(name: str) -> tuple[str, ...]:
    """A name beginning at each of its words: Canvas glues the family name, of whatever length, before the rest."""
    words = name.split()
    return tuple(" ".join(words[start:] + words[:start]) for start in range(len(words))) or (name,)


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
    known_as = _known_as(cells)

    def first_of(names: Sequence[str]) -> str:
        return next((cells[name] for name in names if cells.get(name)), "")

    first, last, email = first_of(_FIRST), first_of(_LAST), first_of(_EMAIL)
    name = first_of(_FULL_NAME) or f"{first} {last}".strip()
    if name in ("Points Possible", "Student, Test"):
        return None  # Canvas's line of maxima, and the student that it makes for trying things out
    if not first and not last and "," in name:
        last, _comma, first = (part.strip() for part in name.partition(","))
    own = (cells[h] for h in _OWN_ID if cells.get(h) and _space(h, cells) not in ("moodle", "canvas"))
    given = next(own, "") or next((cells[h] for h in _ID if cells.get(h) and _space(h, cells) != "moodle"), "")
    others = [text for texts in known_as.values() for text in texts]
    student = given or email.partition("@")[0] or name or next(iter(others), "")
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
    return Person(student, name, first, last, email, known_as, first_of(_GROUP), dict(row), bool(given))


def _known_as(cells: Mapping[str, str]) -> dict[Space, tuple[str, ...]]:
    """The texts of a line by name space."""
    found: dict[Space, list[str]] = {}
    for heading, text in cells.items():
        space = _space(heading, cells)
        if space is None or not text:
            continue
        participant = _PARTICIPANT.match(text) if space == "moodle" else None
        found.setdefault(space, []).append(participant[1] if participant else text)
    return {space: tuple(dict.fromkeys(texts)) for space, texts in found.items()}


def _space(heading: str, cells: Mapping[str, str]) -> Space | None:
    """The name space of a column. "ID" is two platforms' heading for a number of their own."""
    if heading == "id" and not {"sis user id", "sis login id"}.isdisjoint(cells):
        return "canvas"  # its gradebook's export
    if heading == "identifier" and "github username" in cells:
        return "id"  # GitHub Classroom's own roster
    if heading == "id" and "status" in cells and _PARTICIPANT.match(cells["id"]):
        return "moodle"  # its grading worksheet in German
    return _SPACES.get(heading)
