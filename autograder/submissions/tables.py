"""Tables that teachers lay beside the submissions: who handed in when, and who works with whom."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, tzinfo
from pathlib import Path

from autograder.course.errors import ConfigurationError
from autograder.course.roster import OWN, Claim, Person, Roster, fold, name_key, read_table
from autograder.language import _
from autograder.submissions.layout import Identity
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
        exercise = next((h for h in headings if h.casefold() in _EXERCISE), None)
        if when is None:
            raise ConfigurationError(_("no column 'submitted' (the file has: {listing})").format(
                listing=", ".join(headings[:12])), file=file)  # fmt: skip
        self._times: dict[tuple[str, str], datetime] = {}
        self._rows: list[tuple[int, str, set[str]]] = []
        self._asked: set[str] = set()
        for number, row in rows:
            text = (row.get(when) or "").strip()
            if not text:
                continue
            moment = parse_time(text, zone)
            if moment is None:
                raise ConfigurationError(
                    _("line {number}: {text} is no time; write 2027-02-08T23:10:00+01:00").format(
                        number=number, text=ascii(text)
                    ),
                    file=file,
                )
            named = [c for h, c in row.items() if h not in (when, exercise) and c and c.strip()]
            self._rows.append((number, ", ".join(named), {key for c in named for key in (fold(c), name_key(c))}))
            for heading, cell in row.items():
                if heading not in (when, exercise) and cell and cell.strip():
                    about = (row.get(exercise) or "").strip() if exercise else ""
                    for key in {fold(cell), name_key(cell)}:
                        self._times[key, about] = moment

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
    if roster is None:
        people = [
            Person(text, text, group=(row.get(group) or "").strip()) for _n, row in rows if (text := _first(row, names))
        ]
        return Roster(tuple(people), tuple(headings), file)
    groups: dict[str, str] = {}
    for number, row in rows:
        text = _first(row, names)
        found = roster.known(Claim(text, OWN)) if text else []
        if text and len(found) != 1:
            raise ConfigurationError(
                _("line {number}: {text} is nobody on the roster, or several").format(number=number, text=ascii(text)),
                file=file,
            )
        groups |= {person.id: (row.get(group) or "").strip() for person in found}
    changed = tuple(replace(person, group=groups.get(person.id, person.group)) for person in roster.people)
    return Roster(changed, roster.headings, roster.file)


def _first(row: dict[str, str], headings: list[str]) -> str:
    return next(((row.get(heading) or "").strip() for heading in headings if (row.get(heading) or "").strip()), "")
