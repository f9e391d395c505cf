"""Moodle's "Download all submissions": `Ada Lovelace_1234567_assignsubmission_file_/toy.py`.

With folders or (an option of Moodle's) without: `Ada Lovelace_1234567_assignsubmission_file_toy.py`. Moodle itself
takes every underscore out of a name. The number is the participant's in this assignment; where names are hidden, it is
all there is ("Participant_1234567_..."). Text typed into Moodle's editor comes as `..._assignsubmission_onlinetext_`.
There is no time in a download: the grading worksheet, given as roster, has it.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from html.parser import HTMLParser
from pathlib import Path

from autograder.language import N_, _
from autograder.submissions.layout import Context, Delivery, Identity, Part, Reading, Unplaced, is_folder, listed
from autograder.submissions.model import SubmissionUnreadable
from autograder.submissions.names import bad_name
from autograder.submissions.opening import read_regular
from autograder.submissions.reader import MAX_BYTES
from autograder.submissions.text import decode

RANK = 20
TITLE = N_('Moodle\'s "Download all submissions"')

_NAME = re.compile(r"^(?P<name>[^_]+)_(?P<id>\d+)_assignsubmission_(?P<kind>file|onlinetext)_(?P<rest>.*)$", re.DOTALL)


def detect(folder: Path, context: Context) -> str:
    """Moodle's own words in the names."""
    found = sum(_NAME.match(item.name) is not None for item in listed(folder))
    return _("{count} names with “_assignsubmission_”").format(count=found) if found else ""


def read(folder: Path, context: Context) -> Reading:
    """A hand-in for each participant; the files of one participant belong together."""
    reading = Reading()
    parts: dict[tuple[str, str], list[Part]] = {}
    for item in listed(folder):
        path = folder / item.name
        found = _NAME.match(item.name)
        if found is None:
            reading.unplaced.append(Unplaced(path, _("the name has not the form of a Moodle submission")))
        elif reason := bad_name(found["name"]):
            reading.unplaced.append(Unplaced(path, reason))
        elif item.is_symlink():
            reading.unplaced.append(Unplaced(path, _("a link: links are not followed")))
        else:
            key = (found["name"].strip(), found["id"])
            own = parts.setdefault(key, [])
            if found["kind"] == "onlinetext":
                _list_typed(path, is_folder(item), reading)
            else:
                own.append(Part(path, found["rest"]))
    hidden = _hidden_names(parts)
    for (name, number), own in parts.items():
        who = Identity(
            f"{name} {number}" if name in hidden else name, "" if name in hidden else name, ids=(number,), number=number
        )
        if own:
            reading.deliveries.append(Delivery(who, tuple(own)))
    return reading


def _hidden_names(keys: Iterable[tuple[str, str]]) -> set[str]:
    """What stands for every name where Moodle hides names: one word, the same for many."""
    numbers: dict[str, int] = {}
    for name, _number in keys:
        numbers[name] = numbers.get(name, 0) + 1
    many = {name for name, count in numbers.items() if count > 1 and " " not in name and len(numbers) == 1}
    return many | ({"Participant"} & set(numbers))


def _list_typed(path: Path, folder: bool, reading: Reading) -> None:
    """Text typed into the editor is HTML and no file of code: somebody has to look at it."""
    for file in [path / item.name for item in listed(path)] if folder else [path]:
        reason = _("text typed into Moodle's editor: look at it by hand")
        try:
            if not _words(decode(read_regular(file, MAX_BYTES, path.parent).content)[0]):
                reason = _("text typed into Moodle's editor, and it is empty")
        except SubmissionUnreadable as unreadable:
            reason = unreadable.message
        reading.unplaced.append(Unplaced(file, reason))


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []

    def handle_data(self, data: str) -> None:
        self.words += data.split()


def _words(markup: str) -> str:
    parser = _Text()
    parser.feed(html.unescape(markup[:100_000]))
    return " ".join(parser.words)
