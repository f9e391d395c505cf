"""Tables that teachers lay beside the submissions: who handed in when, and who works with whom."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from os.path import isfile
from pathlib import Path

from autograder.course.errors import ConfigurationError
from autograder.course.roster import OWN, Claim, Person, Roster, Space, fold, name_key, read_roster, read_table
from autograder.language import _
from autograder.submissions.layout import Identity, listed
from autograder.submissions.times import parse_time

TIMES = "submissions.csv"
GROUPS = "groups.csv"
TABLES = (".csv", ".tsv", ".xlsx", ".ods")  # what may lie beside downloads and is nobody's work
_WHEN = ("submitted", "submitted at", "time", "timestamp", "created at", "submission time")
_EXERCISE = ("exercise", "assignment")
_GROUP = ("group", "team", "group name")


class Times:
    """`submissions.csv`: who handed in when, where the platform's download does not say it.

    Args:
        file: with a column `submitted`, one that names the student (id, name or address) and, if it differs between
            exercises, one that names the exercise.
        zone: the course's.

    Raises:
        ConfigurationError: it is no such table, or a time cannot be understood.
    """

    def __init__(self, file: Path, zone: tzinfo) -> None:
        rows, headings = read_table(file)
        when = next((h for h in headings if h.casefold() in _WHEN), None)
        exercise = next((h for h in headings if h.casefold() in _EXERCISE), "")
        if when is None:
            raise ConfigurationError(_("no column 'submitted' (the file has: {listing})").format(
                listing=", ".join(headings[:12])), file=file)  # fmt: skip
        self._times: dict[tuple[str, str], datetime] = {}
        self._rows: list[tuple[int, str, set[str]]] = []
        self._asked: set[str] = set()
        for number, row in rows:
            cells = {heading: cell.strip() for heading, cell in row.items() if cell and cell.strip()}
            text, about = cells.pop(when, ""), cells.pop(exercise, "")
            moment = parse_time(text, zone)
            if text and moment is None:
                reason = _("line {number}: {text} is no time; write 2027-02-08T23:10:00+01:00")
                raise ConfigurationError(reason.format(number=number, text=ascii(text)), file=file)
            if moment is not None:
                keys = {key for cell in cells.values() for key in (fold(cell), name_key(cell))}
                self._rows.append((number, ", ".join(cells.values()), keys))
                self._times |= {(key, about): moment for key in keys}

    def of(self, student: str, who: Identity, exercise: str) -> datetime | None:
        """When a student handed in an exercise; None where the file does not say it."""
        keys = [fold(text) for text in (student, *(claim.text for claim in who.claims)) if text]
        keys.append(name_key(who.name or who.student))
        self._asked.update(keys)
        for about in (exercise, ""):
            for key in keys:
                if (key, about) in self._times:
                    return self._times[key, about]
        return None

    def unknown(self, roster: Roster | None) -> list[tuple[int, str]]:
        """Lines about nobody who handed in anything or is on the roster: their numbers, and whom they name."""
        people = roster.people if roster is not None else ()
        known = self._asked | {key for one in people for key in (*one.identities, name_key(one.name))}
        return [(number, text) for number, text, keys in self._rows if not keys & known]


@dataclass(frozen=True)
class Rosters:
    """Who is in the course, as each download numbers them.

    Attributes:
        everybody: None where nothing says it.
        grouped: the same with the groups of a table of its own, which may be there without a roster.
        sheets: Moodle's grading worksheets of several downloads: its numbers and times are each assignment's own.
        said: where this was found.
    """

    everybody: Roster | None = None
    grouped: Roster | None = None
    sheets: tuple[Roster, ...] = ()
    said: tuple[str, ...] = ()

    @classmethod
    def beside(cls, folder: Path, given: Roster | None) -> Rosters:
        """The roster that was given, else one that lies beside the downloads, or Moodle's worksheets of all of them."""
        found: list[Roster] = []
        for item in listed(folder, {}) if given is None else ():
            if item.name.lower().endswith(TABLES[:2]) and item.name not in (TIMES, GROUPS) and item.is_file:
                with suppress(ConfigurationError):
                    found.append(read_roster(item.path))
        found = [roster for roster in found if roster.people]
        sheets = tuple(found) if len(found) > 1 and all(map(_is_sheet, found)) else ()
        everybody = given or (found[0] if len(found) == 1 else _together(sheets) if sheets else None)
        grouped = with_groups(everybody, folder / GROUPS) if isfile(folder / GROUPS) else everybody
        names = ", ".join(roster.file.name for roster in found if roster.file is not None)
        said = _("roster: {file}, found beside the submissions") if everybody is not None else _(
            "{file} may each be the roster: none is taken; say which with --roster"
        )  # fmt: skip
        return cls(everybody, grouped, sheets, (said.format(file=names),) if found else ())

    def of(self, download: str) -> Rosters:
        """With the numbers and times of a download's own worksheet, where there are several."""
        sheets = [sheet for sheet in self.sheets if sheet.file is not None and _same(sheet.file.stem, download)]
        if len(sheets) != 1:
            return self
        own = {_who(person): person for person in sheets[0].people}

        def numbered(roster: Roster | None) -> Roster | None:
            people = [(p, own.get(_who(p))) for p in roster.people] if roster is not None else []
            changed = [replace(p, known_as=s.known_as, row=s.row) if s is not None else p for p, s in people]
            return replace(roster, people=tuple(changed)) if roster is not None else None

        return replace(self, everybody=numbered(self.everybody), grouped=numbered(self.grouped))


def _is_sheet(roster: Roster) -> bool:
    """Whether it is a worksheet of Moodle's that tells everybody apart by more than a number."""
    known = {_who(person) for person in roster.people if person.moodle_id} - {""}
    return len(known) == len(roster.people)


def _who(person: Person) -> str:
    return fold(person.email) or name_key(person.name)


def _together(sheets: Sequence[Roster]) -> Roster:
    """Everybody on several worksheets, without what is each assignment's own."""
    people: dict[str, Person] = {}
    for person in (person for sheet in sheets for person in sheet.people):
        taken = {other.id for who, other in people.items() if who != _who(person)}
        others: dict[Space, tuple[str, ...]] = {space: t for space, t in person.known_as.items() if space != "moodle"}
        own = person.email if person.id in taken and person.email else person.id
        people.setdefault(_who(person), replace(person, id=own, known_as=others, row={}))
    return Roster(tuple(people.values()), sheets[0].headings, sheets[0].file)


def _same(sheet: str, download: str) -> bool:
    """Whether a worksheet is of a download: Moodle writes the assignment's name and number behind both."""
    numbers = [re.search(r"-(\d+)(?:\s*\(\d+\))?$", text) for text in (sheet, download.partition(".")[0])]
    if numbers[0] is not None and numbers[1] is not None:
        return numbers[0][1] == numbers[1][1]
    return fold(download.partition(".")[0]) in fold(sheet)


def with_groups(roster: Roster | None, file: Path) -> Roster:
    """The roster with the groups of `groups.csv`: a column `group`, and one that names a student.

    Raises:
        ConfigurationError: it is no such table, or names somebody who is not on the roster.
    """
    rows, headings = read_table(file)
    group = next((h for h in headings if h.casefold() in _GROUP), None)
    names = [heading for heading in headings if heading != group]
    if group is None or not names:
        raise ConfigurationError(
            _("no columns 'group' and 'student' (the file has: {listing})").format(listing=", ".join(headings[:12])),
            file=file,
        )
    people = {person.id: person for person in roster.people} if roster is not None else {}
    for number, row in rows:
        cells = {heading: (cell or "").strip() for heading, cell in row.items()}
        text = next((cells[name] for name in names if cells.get(name)), "")
        found = [Person(text, text)] if roster is None else roster.known(Claim(text, OWN))
        if text and len(found) != 1:
            reason = _("line {number}: {text} is nobody on the roster, or several")
            raise ConfigurationError(reason.format(number=number, text=ascii(text)), file=file)
        people |= {person.id: replace(person, group=cells.get(group, "")) for person in found if text}
    whole = roster or Roster((), tuple(headings), file)
    return replace(whole, people=tuple(people.values()))
