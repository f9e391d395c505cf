"""Canvas's "Download submissions": `lovelaceada_LATE_12345_67890_toy-1.ipynb`, all in one folder.

The name in sortable order without blanks, `LATE` where Canvas counts it as late, the user's number, the file's number,
and the file as the student called it; Canvas adds `-1`, `-2` when the student hands in a file of that name again. Text
comes as `lovelaceada_12345_text.html`. A download has no times: only the mark.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from autograder.language import N_, _
from autograder.submissions.layout import Context, Delivery, Identity, Part, Reading, Unplaced, is_file, listed
from autograder.submissions.names import bad_name

RANK = 40
TITLE = N_('Canvas\'s "Download submissions"')

_NAME = re.compile(
    r"^(?P<name>[^_]+)_(?P<late>LATE_)?(?P<user>\d+)_(?:(?P<file>\d+)_(?P<rest>.+)|(?P<text>(?:LATE_)?(?:text|link)\.html))$",
    re.DOTALL,
)
_AGAIN = re.compile(r"^(?P<stem>.*[^-\d])-(?P<number>\d{1,2})$", re.DOTALL)


def detect(folder: Path, context: Context) -> str:
    """Most files are called as Canvas calls them."""
    files = [item.name for item in listed(folder) if is_file(item)]
    found = sum(_NAME.match(name) is not None for name in files)
    return _("{count} names with a user's and a file's number").format(count=found) if 2 * found > len(files) else ""


def read(folder: Path, context: Context) -> Reading:
    """A hand-in for each file: several of one student may be attempts."""
    reading = Reading()
    for item in listed(folder):
        path = folder / item.name
        found = _NAME.match(item.name)
        reason = ""
        if item.is_symlink():
            reason = _("a link: links are not followed")
        elif found is None or not is_file(item):
            reason = _("the name has not the form of a Canvas submission")
        elif found["text"]:
            reason = _("text or a link typed into Canvas: look at it by hand")
        else:
            reason = bad_name(found["name"])
        if reason or found is None:
            reading.unplaced.append(Unplaced(path, reason))
            continue
        name, attempt = _attempt(found["rest"])
        who = Identity(found["name"], found["name"], ids=(found["user"],), number=found["user"])
        late = bool(found["late"])
        notes = (_("Canvas marks it as late."),) if late else ()
        reading.deliveries.append(Delivery(who, (Part(path, name, attempt),), late=late, notes=notes))
    return reading


def _attempt(name: str) -> tuple[str, int]:
    """The student's own name of a file, and how many of that name came before."""
    stem, suffix = os.path.splitext(name)
    again = _AGAIN.match(stem)
    return (again["stem"] + suffix, int(again["number"])) if again else (name, 0)
