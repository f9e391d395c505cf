"""What the teacher decided about evidence: a table that `grade` writes and `grade --resolve` reads, or a list in YAML.

A line names a file or folder as `grade` showed it, and what to do with it: whose it is, which exercise it is for,
when it was handed in, or one of two words: `ignore` leaves it out, `accept` takes answers to personal questions that
were drawn for another name. Empty cells decide nothing. A decision about a folder holds for everything in it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from difflib import get_close_matches
from pathlib import Path, PurePosixPath
from typing import Literal, cast

from autograder.course.errors import ConfigurationError
from autograder.course.roster import OWN, Claim, Roster, read_table
from autograder.language import _
from autograder.submissions.shown import shown
from autograder.submissions.times import parse_time

COLUMNS = ("path", "student", "exercise", "submitted", "decision", "handed_in_by", "reason", "what_to_do")
Word = Literal["", "ignore", "accept"]


@dataclass(frozen=True)
class Settlement:
    """What was decided about one file or folder.

    Attributes:
        student: whose it is, as results call them; "" where that is not in question.
        exercise: which it is for.
        submitted: when it was handed in.
        word: `ignore` or `accept`.
    """

    student: str = ""
    exercise: str = ""
    submitted: datetime | None = None
    word: Word = ""

    @property
    def decides(self) -> bool:
        """Whether anything was decided."""
        return self != Settlement()


@dataclass(frozen=True)
class Resolutions:
    """Settlements by path below what was graded, as it is shown."""

    settled: Mapping[str, Settlement] = field(default_factory=dict)

    def of(self, path: Path, base: Path) -> Settlement:
        """What was decided about a path, or about a folder or an archive around it."""
        key = key_of(path, base)
        for name in (key, *map(str, PurePosixPath(key).parents)):
            if name in self.settled:
                return self.settled[name]
        return Settlement()

    def within(self, path: Path, base: Path) -> list[Settlement]:
        """What was decided about a path and about everything in it."""
        key = key_of(path, base)
        inside = [settlement for name, settlement in self.settled.items() if name.startswith(f"{key}/")]
        return [self.of(path, base), *inside]

    def exactly(self, path: Path, base: Path) -> Settlement:
        """What was decided about this very path."""
        return self.settled.get(key_of(path, base), Settlement())


def key_of(path: Path, base: Path) -> str:
    """How a path stands in the table."""
    return shown((path.relative_to(base) if path.is_relative_to(base) else path).as_posix())


def read_resolutions(file: Path, exercises: Collection[str], roster: Roster | None, zone: tzinfo) -> Resolutions:
    """Read a table of decisions.

    Args:
        file: a CSV file with the columns of `COLUMNS`; others are left alone. Or a YAML file (`.yaml`, `.yml`): a list
            of entries with these keys, and no others.
        exercises: ids of the course.
        roster: with it, a student may stand there under any of their names.
        zone: of times that name none.

    Raises:
        ConfigurationError: a word, a student, an exercise or a time that there is not; the line is named.
    """
    listed = file.suffix.lower() in (".yaml", ".yml")
    rows = _entries(file) if listed else _lines(file)
    where = _("entry {number}: {reason}") if listed else _("line {number}: {reason}")
    found: dict[str, Settlement] = {}
    for number, row in rows:
        cells = {name: _unquoted((row.get(name) or "").strip()) for name in COLUMNS}

        def wrong(reason: str, number: int = number) -> ConfigurationError:
            return ConfigurationError(where.format(number=number, reason=reason), file=file)

        student, exercise, text, word = (cells[n] for n in ("student", "exercise", "submitted", "decision"))
        if student and roster is not None:
            people = roster.known(Claim(student, OWN))
            if len(people) != 1:
                names = [person.id for person in roster.people]
                raise wrong(
                    _("{name} is nobody on the roster, or several").format(name=shown(student)) + _near(student, names)
                )
            student = people[0].id
        if exercise and exercise not in exercises:
            raise wrong(
                _("the course has no exercise {name}").format(name=shown(exercise)) + _near(exercise, exercises)
            )
        moment = parse_time(text, zone) if text else None
        if text and moment is None:
            raise wrong(_("{text} is no time; write 2027-02-08T23:10:00+01:00").format(text=ascii(text)))
        if word not in ("", "ignore", "accept"):
            raise wrong(_("{word} is no decision; write ignore, accept or nothing").format(word=ascii(word)))
        settlement = Settlement(student, exercise, moment, cast("Word", word))
        if settlement.decides:
            found[cells["path"]] = settlement
    return Resolutions(found)


def _lines(file: Path) -> list[tuple[int, dict[str, str]]]:
    rows, headings = read_table(file)
    if "path" not in headings:
        raise ConfigurationError(
            _("no column 'path' (the file has: {listing})").format(listing=", ".join(headings[:12])), file=file
        )
    return rows


def _entries(file: Path) -> list[tuple[int, dict[str, str]]]:
    import yaml

    try:
        # Texts as they stand: a time is read as in a table, and "007" is no number.
        found: object = yaml.load(file.read_text(encoding="utf-8-sig"), Loader=yaml.BaseLoader)
    except (yaml.YAMLError, RecursionError, UnicodeDecodeError, OSError) as error:
        mark = getattr(error, "problem_mark", None)
        reason = " ".join(str(getattr(error, "problem", None) or error).split())
        line = _("line {number}: {reason}").format(number=mark.line + 1 if mark else 1, reason=reason)
        raise ConfigurationError(line, file=file) from None
    if not isinstance(found, list):
        raise ConfigurationError(_("is no list; write - {path: ..., student: ...} for each decision"), file=file)
    entries = []
    for number, entry in enumerate(found, start=1):
        keys = entry if isinstance(entry, dict) else {}
        if not keys.get("path") or any(key not in COLUMNS or not isinstance(text, str) for key, text in keys.items()):
            reason = _("wants a path, and these keys with texts at most: {listing}").format(listing=", ".join(COLUMNS))
            got = _("{reason}; got {entry}").format(reason=reason, entry=ascii(entry)[:200])
            raise ConfigurationError(_("entry {number}: {reason}").format(number=number, reason=got), file=file)
        entries.append((number, keys))
    return entries


@dataclass(frozen=True)
class Question:
    """Something that a person has to decide.

    Attributes:
        path: as it stands in the table.
        student: whose it is or may be.
        exercise: which it is for; "" where nobody knows.
        claimed: who handed it in, as the platform says it.
        reason: why it is asked.
        advice: what to do.
    """

    path: str
    student: str
    exercise: str
    claimed: str
    reason: str
    advice: str


def template(questions: Iterable[Question], decided: Resolutions | None = None) -> str:
    """The table: what has to be decided, and what has been. What is only possible is left for the teacher to write."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    done = dict(decided.settled) if decided is not None else {}
    for question in sorted(set(questions), key=lambda q: (q.path, q.exercise, q.student)):
        if question.path in done:
            continue
        row = (question.path, "", "", "", "", question.claimed or question.student, question.reason, question.advice)
        writer.writerow(map(_safe, row))
    for path, its in sorted(done.items()):
        moment = its.submitted.isoformat() if its.submitted else ""
        writer.writerow(map(_safe, (path, its.student, its.exercise, moment, its.word, "", "", "")))
    return stream.getvalue()


def _near(text: str, known: Collection[str]) -> str:
    close = get_close_matches(text, list(known), n=1)
    return " " + _("(did you mean {name}?)").format(name=close[0]) if close else ""


def _safe(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula, on one line."""
    text = shown(cell)
    return f"'{text}" if text[:1] in tuple("=+-@") else text


def _unquoted(cell: str) -> str:
    return cell[1:] if cell[:1] == "'" and cell[1:2] in tuple("=+-@") else cell
