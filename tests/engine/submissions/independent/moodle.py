"""A class's download of an assignment as Moodle makes it, written after Moodle's own source and not after our reader.

What it follows, all of the repository `moodle/moodle`:

- `mod/assign/classes/downloader.php` at da5455238d1a24a0246b11f4b682b73664993c0b (4.1 and later): `get_student_prefix`,
  `load_submissionplugin_filelist`, `get_zip_filename`. Underscores of a name become blanks before `_<number>` is put
  after it; a team has one folder, with the group's number; those in no group, or in several, share `Default group`.
- `mod/assign/locallib.php` at 9ec2c12f3d4e1ea91d8364ea39d2375ae34a86b3, `download_rewrite_pluginfile_urls`: before 4.1
  a team's files stand once for each member, under `<group>-<full name>_<number>`. `download_submissions` of then was
  read in plugins that copied it: there a folder's name ends in one underscore more.
- `mod/assign/submission/onlinetext/locallib.php` at 00ab44ee529a6a38a1467a24055414eb7e8b1bb1, `get_files`: text is a
  page, and what was put into the text lies beside it under its own name.
- `clean_filename` is `clean_param` of PARAM_FILE (`lib/moodlelib.php`): it strips control characters and any of
  ``& < > " ` | ' : \\ /``, and keeps letters with accents; PARAM_PATH does that to each part of a path.
- `mod/assign/gradingtable.php` at 003699dba49307f965604f9a6caeff669a27f79e: the columns of the grading worksheet, which
  `mod/assign/feedback/offline/importgradeslib.php` at 452e36fcf584677c104e53bc9998e8b53f7533e8 reads again.
"""

from __future__ import annotations

import csv
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

STRIPPED = re.compile(r"""[\x00-\x1f\x7f]|[&<>"`|':\\/]""")
PAGE = '<!DOCTYPE html><html><head><meta charset="UTF-8"></head><body>{}</body></html>'


class Form(Enum):
    """How the zip is laid out: the preference `assign_downloadasfolders`, and the version."""

    FLAT = "files, 4.1 and later"
    FOLDERS = "folders, 4.1 and later"
    FLAT_BEFORE = "files, before 4.1"
    FOLDERS_BEFORE = "folders, 3.1 to 4.0"

    @property
    def folders(self) -> bool:
        return self in (Form.FOLDERS, Form.FOLDERS_BEFORE)

    @property
    def before(self) -> bool:
        return self in (Form.FLAT_BEFORE, Form.FOLDERS_BEFORE)


@dataclass(frozen=True)
class Participant:
    """Somebody who may hand in: Moodle's number for them in this assignment, and their name as the site shows it."""

    number: int
    name: str
    email: str = ""


@dataclass(frozen=True)
class Team:
    """A group of the course."""

    number: int
    name: str


@dataclass(frozen=True)
class Work:
    """What was handed in: files by their path in the student's file area, text, and what was put into the text."""

    files: Mapping[str, bytes] = field(default_factory=dict)
    text: str | None = None
    attached: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class Assignment:
    """An assignment with all who are enrolled, in Moodle's order.

    Attributes:
        work: by the participant's number; of a team, by that of whichever member: all members share it.
        teams: the team of a participant; empty where students hand in alone.
        hidden: names are hidden from whoever marks.
    """

    participants: tuple[Participant, ...]
    work: Mapping[int, Work]
    teams: Mapping[int, Team] = field(default_factory=dict)
    hidden: bool = False

    def mates(self, who: Participant) -> frozenset[int]:
        """All who hand in with somebody, themselves included; those in no team are one together."""
        if not self.teams:
            return frozenset({who.number})
        team = self.teams.get(who.number)
        return frozenset(mate.number for mate in self.participants if self.teams.get(mate.number) == team)

    def work_of(self, who: Participant) -> Work | None:
        """What counts as handed in by somebody: their own, or their team's."""
        return next((self.work[number] for number in self.mates(who) if number in self.work), None)


@dataclass(frozen=True)
class Member:
    """A file of the zip: where it lies, whose it is (a team's is every member's), and what is in it."""

    path: str
    numbers: frozenset[int]
    content: bytes


def clean_filename(name: str) -> str:
    """Moodle's `clean_filename`."""
    cleaned = STRIPPED.sub("", name)
    return "" if cleaned in (".", "..") else cleaned


def clean_path(path: str) -> str:
    """Moodle's `clean_param(..., PARAM_PATH)`."""
    parts = path.replace("\\", "/").split("/")
    joined = "/".join(part if part == "." and not at else clean_filename(part) for at, part in enumerate(parts))
    return re.sub("/(?:\\./)+", "/", re.sub("//+", "/", joined))


def prefix(assignment: Assignment, who: Participant, form: Form) -> str:
    """What every file or folder of somebody's begins with."""
    team = assignment.teams.get(who.number)
    group = team.name if team else "Default group"
    if assignment.teams and not form.before:
        return clean_filename(group.replace("_", " ") + (f"_{team.number}" if team else ""))
    shown = "Participant" if assignment.hidden else who.name
    if assignment.teams:
        shown = f"{group}-{shown}"
    return clean_filename(f"{shown.replace('_', ' ')}_{who.number}")


def handed_in(work: Work) -> Iterator[tuple[str, str, bytes]]:
    """What each plugin gives: its type, the path in its area, what is in it."""
    if work.text is not None:
        yield "onlinetext", "onlinetext.html", PAGE.format(work.text).encode()
        for name, content in work.attached.items():
            yield "onlinetext", name, content
    for path, content in work.files.items():
        yield "file", path, content


def placed(start: str, kind: str, path: str, form: Form) -> str:
    """Where a file lies in the zip."""
    folder, _, name = path.rpartition("/")
    if not form.folders:
        return clean_filename(f"{start}_assignsubmission_{kind}_{name}")
    top = clean_filename(f"{start}_assignsubmission_{kind}" + ("_" if form.before else ""))
    return clean_path(f"{top}/{folder}/{name}" if kind == "file" and folder else f"{top}/{name}")


def members(assignment: Assignment, form: Form) -> list[Member]:
    """The files of the zip, a team's being all its members'. Of two of one path the later is there, as with Moodle."""
    found: dict[str, Member] = {}
    for who in assignment.participants:
        work = assignment.work_of(who)
        for kind, path, content in handed_in(work) if work else ():
            place = placed(prefix(assignment, who, form), kind, path, form)
            found[place] = Member(place, assignment.mates(who), content)
    return list(found.values())


def write(assignment: Assignment, form: Form, folder: Path, course: str = "GM", name: str = "Toy") -> Path:
    """Write the zip into a folder, called as Moodle calls it."""
    path = folder / clean_filename(f"{course}-{name}-{4711}.zip")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member in members(assignment, form):
            archive.writestr(member.path, member.content)
    return path


def worksheet(assignment: Assignment, path: Path) -> Path:
    """Write the grading worksheet of the assignment: everybody enrolled, whether they handed in or not."""
    columns: dict[str, Callable[[Participant], str]] = {"Identifier": lambda who: f"Participant {who.number}"}
    if not assignment.hidden:
        columns |= {"Full name": lambda who: who.name, "Email address": lambda who: who.email}
    columns["Status"] = lambda who: "Submitted for grading - " if assignment.work_of(who) else "No submission - "
    if assignment.teams:
        columns["Group"] = lambda who: team.name if (team := assignment.teams.get(who.number)) else "Default group"
    columns |= {
        "Grade": lambda _who: "",
        "Maximum Grade": lambda _who: "10.00",
        "Grade can be changed": lambda _who: "Yes",
        "Last modified (submission)": lambda who: (
            "Monday, 8 February 2027, 11:10 PM" if assignment.work_of(who) else "-"
        ),
        "Online text": lambda who: (work.text or "") if (work := assignment.work_of(who)) else "",
        "Last modified (grade)": lambda _who: "-",
        "Feedback comments": lambda _who: "",
    }
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(columns)
        rows.writerows([column(who) for column in columns.values()] for who in assignment.participants)
    return path
