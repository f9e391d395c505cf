"""Who everybody is: platforms' names, addresses and numbers to the names that results know students by."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, tzinfo
from pathlib import Path

from autograder.course.errors import ConfigurationError
from autograder.course.roster import Person, Roster, fold, name_key, read_table
from autograder.language import _
from autograder.submissions.gathering import Gathering
from autograder.submissions.layout import Delivery, Identity, Unplaced
from autograder.submissions.names import bad_folder, shown
from autograder.submissions.times import parse_time

_WHEN = ("submitted", "submitted at", "time", "timestamp", "created at", "submission time")
_EXERCISE = ("exercise", "assignment")


def by_student(
    downloads: Sequence[Sequence[Delivery]], roster: Roster | None, zone: tzinfo, gathering: Gathering
) -> dict[str, list[Delivery]]:
    """The hand-ins by the name that results know the student by; every doubt is listed."""
    doubles = _doubles(downloads)
    students: dict[str, list[Delivery]] = {}
    said: set[tuple[str, str]] = set()
    for delivery in (delivery for download in downloads for delivery in download):
        who = delivery.who
        student = unicodedata.normalize("NFC", who.student)
        person, doubt = _person(who, roster)
        if person is not None:
            student = person.id
            if delivery.submitted is None and (when := parse_time(person.submitted, zone)):
                delivery = replace(delivery, submitted=when)
        elif _key(student) in doubles and _told_apart(student, who) != student:
            doubt = doubt or _(
                "{count} students are called {name}; a number tells them apart. A roster would name them."
            ).format(count=doubles[_key(student)], name=shown(student))
            student = _told_apart(student, who)
        elif doubt and roster is not None and roster.by_id(student) is not None:
            # Whoever may write their own number must not come to lie on somebody's result.
            student = _told_apart(student, who)
        if reason := bad_folder(student):
            where = delivery.parts[0].path if delivery.parts else gathering.base
            gathering.unplaced.append(Unplaced(where, reason))
            continue
        if doubt and (student, doubt) not in said:
            said.add((student, doubt))
            where = delivery.parts[0].path if delivery.parts else gathering.base
            note = _("{doubt} Graded as {student}.").format(doubt=doubt, student=shown(student))
            gathering.unplaced.append(Unplaced(where, note))
        students.setdefault(student, []).append(delivery)
    return students


def _key(student: str) -> str:
    """Two names of one key would be one folder on some file systems."""
    return unicodedata.normalize("NFC", student).casefold()


def _told_apart(student: str, who: Identity) -> str:
    other = next((text for text in (*who.ids, who.email, who.name) if text and text != student), "")
    return f"{student}_{other.replace('/', '_')}" if other else student


def _doubles(downloads: Sequence[Sequence[Delivery]]) -> dict[str, int]:
    """Names that several students of one download have, and how many."""
    doubles: dict[str, int] = {}
    for download in downloads:
        numbers: dict[str, set[tuple[str, ...]]] = {}
        for delivery in download:
            numbers.setdefault(_key(delivery.who.student), set()).add(delivery.who.ids)
        for name, own in numbers.items():
            if len(own) > 1:
                doubles[name] = max(len(own), doubles.get(name, 0))
    return doubles


def _person(who: Identity, roster: Roster | None) -> tuple[Person | None, str]:
    """Who this is on the roster, or what stands against it."""
    if roster is None:
        return None, ""
    name = who.name or who.student
    found = roster.find(ids=who.ids, email=who.email, name=name)
    if len(found) == 1:
        return found[0], ""
    if not found:
        return None, _("{name} is not on the roster.").format(name=shown(name))
    listing = ", ".join(person.id for person in found)
    return None, _("{name} may be any of these on the roster: {listing}.").format(name=shown(name), listing=listing)


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
            for heading, cell in row.items():
                if heading not in (when, exercise) and cell and cell.strip():
                    about = (row.get(exercise) or "").strip() if exercise else ""
                    for key in {fold(cell), name_key(cell)}:
                        self._times[key, about] = moment

    def of(self, student: str, who: Identity, exercise: str) -> datetime | None:
        """When a student handed in an exercise; None where the file does not say it."""
        keys = [fold(text) for text in (student, who.email, *who.ids) if text] + [name_key(who.name or who.student)]
        for about in (exercise, ""):
            for key in keys:
                if (key, about) in self._times:
                    return self._times[key, about]
        return None
