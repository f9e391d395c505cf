"""Moodle's "Download all submissions": `Ada Lovelace_1234567_assignsubmission_file/toy.py`.

Up to 4.0 the folder's name ends in one more underscore, and a team's submission stands there once for each member,
the team's name before theirs (`Group A-Ada Lovelace_1234567_...`). From 4.1 on a team has one folder, under its own
name and number (`Group A_57_...`, `Default group_...` for those in no team): who is in it, only a roster with groups
can tell. Without folders (an option of Moodle's) the file's name follows: `..._assignsubmission_file_toy.py`. Moodle
takes every underscore out of a name. A person's number is the participant's in this one assignment; where names are
hidden, it is all there is. Text typed into the editor is in `..._assignsubmission_onlinetext/onlinetext.html`. There
is no time in a download: the grading worksheet, given as roster, has it.

After mod/assign/classes/downloader.php (4.1 and later, da5455238d1a) and download_submissions() of
mod/assign/locallib.php (3.1 to 4.0) of github.com/moodle/moodle.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from autograder.course.roster import Claim, Roster, fold
from autograder.language import N_, _, ngettext
from autograder.submissions.layout import Context, Delivery, Identity, Part, Reading

RANK = 20
TITLE = N_('Moodle\'s "Download all submissions"')
SURE = False

_NAME = re.compile(
    r"^(?P<name>[^_]+?)(?:_(?P<id>\d+))?_assignsubmission_(?P<plugin>[a-z0-9]+)(?:_(?P<rest>.*))?$", re.DOTALL
)

# As English, French, German, Spanish and Italian courses call their groups; "Default group" is Moodle's own.
_TEAM = re.compile(r"(?i)\b(group|team|groupe|[ée]quipe|gruppe|grupo|equipo|gruppo|squadra)\b")


def detect(folder: Path, context: Context) -> str:
    """Moodle's own words in the names."""
    found = sum(_NAME.match(item.name) is not None for item in context.listed(folder))
    return (
        ngettext("{n} name with “_assignsubmission_”", "{n} names with “_assignsubmission_”", found).format(n=found)
        if found
        else ""
    )


def read(folder: Path, context: Context) -> Reading:
    """A delivery for each participant or team; what one of them handed in belongs together."""
    reading = Reading()
    parts: dict[tuple[str, str], list[Part]] = {}
    members = False
    for item in context.listed(folder):
        path = item.path
        found = _NAME.match(item.name)
        if found is None or not (item.is_folder or found["rest"] or item.kind == "link"):
            reading.stranger(path, _("the name has not the form of a Moodle submission"))
            continue
        members |= found["rest"] is not None
        own = parts.setdefault((found["name"].strip(), found["id"] or ""), [])
        name = "" if item.is_folder else found["rest"] or ""
        own.append(Part(path, name, typed=found["plugin"] == "onlinetext"))
    hidden = _hidden_names(parts)
    # Where one is a team by its name, all are; who is in them, nothing in the download says.
    # (Up to 4.0 a member's name follows the team's, and the folder's name ends in an underscore.)
    teams = context.roster is None and not members and any(_TEAM.search(name) for name, _number in parts)
    for (name, number), own in parts.items():
        who = Identity(name, group=name) if teams else _identity(name, number, name in hidden, context.roster)
        reading.deliveries.append(Delivery(who, tuple(own)))
    return reading


def _identity(name: str, number: str, hidden: bool, roster: Roster | None) -> Identity:
    if hidden:
        return Identity(f"{name} {number}", (Claim(number, ("moodle",)),), number=number)
    person, group = name, ""
    if roster is not None and not roster.known(Claim(name, ("name",))):
        groups = {fold(known): known for known in roster.groups}
        # People write their own names: a participant's number says that it is no team.
        participant = bool(number) and bool(roster.known(Claim(number, ("moodle",))))
        if (fold(name) in groups and not participant) or not number:
            return Identity(name, group=groups.get(fold(name), name))
        person, group = _member(name, roster)
    elif not number:
        return Identity(name, group=name)
    return Identity(person, (Claim(number, ("moodle",)),), person, number, group)


def _member(name: str, roster: Roster) -> tuple[str, str]:
    """The person and the team in "Group A-Ada Lovelace"; names have hyphens, too."""
    parts = name.split("-")
    for count in range(1, len(parts)):
        person = "-".join(parts[count:]).strip()
        if roster.known(Claim(person, ("name",))):
            return person, "-".join(parts[:count]).strip()
    return name, ""


def _hidden_names(keys: Iterable[tuple[str, str]]) -> set[str]:
    """What stands for every name where Moodle hides names: one word, the same for many."""
    numbers: dict[str, int] = {}
    for name, _number in keys:
        numbers[name] = numbers.get(name, 0) + 1
    many = {name for name, count in numbers.items() if count > 1 and " " not in name and len(numbers) == 1}
    return many | ({"Participant"} & set(numbers))
