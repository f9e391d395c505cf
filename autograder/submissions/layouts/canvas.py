"""Canvas's "Download submissions": `lovelaceada_LATE_12345_67890_toy-1.ipynb`, all in one folder.

The name in sortable order without blanks, `LATE` where Canvas counts it as late, the user's number, the file's
number, and the file as the student called it. Where names are hidden, `anon_aB3xY` stands for name and number,
`LATE_` before it. Where a student hands in a file under a name that they used before, Canvas calls it `toy-1.py`: the
number is of that name alone, and the download has the files of the last attempt. For a group there are the files of
one member, under the group's name and that member's number. Text and links come as `lovelaceada_12345_text.html`. A
download has no times: only the mark.

After lib/content_zipper.rb (05e9653c12ef) and app/models/attachment.rb of github.com/instructure/canvas-lms.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Set
from dataclasses import dataclass
from pathlib import Path

from autograder.course.roster import Claim, Roster, fold
from autograder.language import N_, _, ngettext
from autograder.submissions.layout import Context, Delivery, Identity, Part, Reading

RANK = 40
TITLE = N_('Canvas\'s "Download submissions"')
SURE = False

_NUMBER = re.compile(r"(?:^|_)(?P<late>LATE_)?(?:anon_(?P<anonymous>[A-Za-z0-9]+)|(?P<user>\d+))_")
_REST = re.compile(r"(?P<file>\d+)_(?P<name>.+)|(?P<page>(?:text|link)\.html)", re.DOTALL)


@dataclass(frozen=True)
class _Name:
    """The parts of a file's name."""

    name: str
    number: str  # of the user, or `anon_aB3xY`
    late: bool
    file: str  # as the student called it
    typed: bool


def detect(folder: Path, context: Context) -> str:
    """Most files are called as Canvas calls them."""
    files = [item.name for item in context.listed(folder) if item.is_file]
    found = sum(_parse(name, frozenset()) is not None for name in files)
    text = ngettext("{n} name with a user's and a file's number", "{n} names with a user's and a file's number", found)
    return text.format(n=found) if 2 * found > len(files) else ""


def read(folder: Path, context: Context) -> Reading:
    """A delivery for each user or group: all files of it are one attempt."""
    reading = Reading()
    numbers = context.roster.texts("canvas") if context.roster is not None else set()
    parts: dict[tuple[str, str, bool], list[Part]] = {}
    for item in context.listed(folder):
        found = _parse(item.name, numbers)
        if found is None or not (item.is_file or item.kind == "link"):
            reading.stranger(item.path, _("the name has not the form of a Canvas submission"))
            continue
        own = parts.setdefault((found.name, found.number, found.late), [])
        own.append(Part(item.path, found.file, found.typed))
    people = _people({name for name, _number, _late in parts}, context.roster)
    for (name, number, late), own in parts.items():
        notes = (_("Canvas marks it as late."),) if late else ()
        who = _identity(name, number, context.roster, people)
        reading.deliveries.append(Delivery(who, tuple(own), late=late, notes=notes, renames=True))
    return reading


def _parse(name: str, numbers: Set[str]) -> _Name | None:
    """The parts of a name. Where names hold numbers, too, the roster tells the user's; else it is the first."""
    possible: list[_Name] = []
    start = 0
    while found := _NUMBER.search(name, start):
        rest = _REST.fullmatch(name, found.end())
        before = name[: found.start()]
        # Canvas keeps letters, digits and the marks that scripts put on them, which are no `\w` here.
        if rest is not None and all(sign == "_" or unicodedata.category(sign)[0] in "LNM" for sign in before):
            number = found["user"] or f"anon_{found['anonymous']}"
            possible.append(_Name(before, number, bool(found["late"]), rest["name"] or name, bool(rest["page"])))
        start = found.start() + 1
    return next((one for one in possible if one.number in numbers), possible[0] if possible else None)


def _people(names: Set[str], roster: Roster | None) -> bool:
    """Whether people hand in, and not groups: one is called as a person and as no group."""
    groups = {fold(group) for group in roster.groups} if roster is not None else set()
    return roster is not None and any(roster.known(Claim(n, ("name",))) for n in names if fold(n) not in groups)


def _identity(name: str, number: str, roster: Roster | None, people: bool) -> Identity:
    if number.startswith("anon_"):
        return Identity(number, (Claim(number.removeprefix("anon_"), ("anonymous",)),), number=number)
    groups = roster.groups if roster is not None else ()
    group = next((group for group in groups if name and fold(group) == fold(name)), "")
    handing_in = roster.known(Claim(number, ("canvas",))) if roster is not None else []
    # People write their own names: only a member hands in for a group.
    member = any(fold(person.group) == fold(group) for person in handing_in)
    if group and (member or not (handing_in or people)):
        return Identity(name, group=group)
    return Identity(name or number, (Claim(number, ("canvas",)),), name, number, doubted_group=group)
