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
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from autograder.course.roster import Claim, Person, Roster, fold
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
    found = [match for item in context.listed(folder) if (match := _NAME.match(item.name)) is not None]
    if not found:
        return ""
    text = ngettext("{n} name with “_assignsubmission_”", "{n} names with “_assignsubmission_”", len(found))
    if context.roster is None and not any(match["rest"] is not None for match in found):
        text += _("; without a roster nobody can tell a team that is called like a person from one")
    return text.format(n=len(found))


def read(folder: Path, context: Context) -> Reading:
    """A delivery for each participant or team; what one of them handed in belongs together."""
    reading = Reading()
    parts: dict[tuple[str, str], list[Part]] = {}
    members = False
    for item in context.listed(folder):
        found = _NAME.match(item.name)
        if found is None or not (item.is_folder or found["rest"] or item.kind == "link"):
            reading.stranger(item.path, _("the name has not the form of a Moodle submission"))
            continue
        members |= found["rest"] is not None
        own = parts.setdefault((found["name"].strip(), found["id"] or ""), [])
        name = "" if item.is_folder else found["rest"] or ""
        own.append(Part(item.path, name, typed=found["plugin"] == "onlinetext"))
    hidden = _hidden_names(parts)
    named = [key for key in parts if key[0] not in hidden]
    tell = _unnamed_teams(named, members) if context.roster is None else _Teams(named, context.roster).tell
    for (name, number), own in parts.items():
        claims = (Claim(number, ("moodle",)),)
        who = Identity(f"{name} {number}", claims, number=number) if name in hidden else tell(name, number)
        reading.deliveries.append(Delivery(who, tuple(own)))
    return reading


def _participant(name: str, number: str, group: str = "", doubt: str = "") -> Identity:
    return Identity(name, (Claim(number, ("moodle",)),) if number else (), name, number, group, doubted_group=doubt)


def _unnamed_teams(named: Sequence[tuple[str, str]], members: bool) -> Callable[[str, str], Identity]:
    """Without a roster: where one is a team by its name, all are. Who is in them, nothing in the download says.

    Up to 4.0 a member's name follows the team's, and the folder's name ends in an underscore.
    """
    teams = not members and any(_TEAM.search(name) for name, _number in named)
    return lambda name, number: Identity(name, group=name) if teams or not number else _participant(name, number)


class _Teams:
    """Tells teams from people by a roster, and by all names of a download, for people write their own.

    An assignment is handed in by teams or by people. What may be both, such as a team called like a person, or with a
    number that is a participant's, is what the others of the download are; where these do not tell, it is in doubt.

    Args:
        named: names and numbers.
        roster: who is in the course, and in which groups.
    """

    def __init__(self, named: Sequence[tuple[str, str]], roster: Roster) -> None:
        self._roster = roster
        self._groups = {fold(group): group for group in roster.groups}
        numbers = roster.texts("moodle")
        teams = people = sure = 0
        self._before = False  # up to 4.0: every folder is a person's
        for name, number in named:
            group, member = self._team(name)
            known = self._people(name)
            sure += any(person in known for person in self._roster.known(Claim(number, ("moodle",))))
            teams += bool(group) and not known and (bool(member) or number not in numbers)
            people += bool(known) and not group
            self._before |= bool(member)
        self._are_people = people > teams or bool(sure)
        self._are_teams = teams > people and not sure

    def tell(self, name: str, number: str) -> Identity:
        """Who handed in."""
        group, member = self._team(name)
        stranger = not (self._people(name) or self._roster.known(Claim(number, ("moodle",))) or self._are_people)
        if not number or ((self._are_teams or stranger) and not group and not self._before):
            return Identity(name, group=group or name)
        if not group or (self._are_people and self._people(name)):
            return _participant(name, number)
        if self._are_teams:
            return _participant(member, number, group) if member else Identity(name, group=group)
        return _participant(member or name, number, doubt=group)

    def _people(self, name: str) -> list[Person]:
        return self._roster.known(Claim(name, ("name",)))

    def _team(self, name: str) -> tuple[str, str]:
        """The team, and the member in "Group A-Ada Lovelace"; names have hyphens, too."""
        if group := self._groups.get(fold(name), ""):
            return group, ""
        parts = name.split("-")
        for count in range(1, len(parts)):
            member = "-".join(parts[count:]).strip()
            if self._people(member) and not self._people(name):
                group = "-".join(parts[:count]).strip()
                return self._groups.get(fold(group), group), member
        return "", ""


def _hidden_names(keys: Iterable[tuple[str, str]]) -> set[str]:
    """What stands for every name where Moodle hides names: one word, the same for many."""
    numbers: dict[str, int] = {}
    for name, _number in keys:
        numbers[name] = numbers.get(name, 0) + 1
    many = {name for name, count in numbers.items() if count > 1 and " " not in name and len(numbers) == 1}
    return many | ({"Participant"} & set(numbers))
