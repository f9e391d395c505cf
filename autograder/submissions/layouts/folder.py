"""A folder or an archive per student: `FOLDER/<student>/<exercise>.py`.

What is named as it should be is taken. What nearly is (`Markov-Quiz (1).py`, a folder inside the student's) is taken
with a note. Links are never followed.
"""

from __future__ import annotations

import os
from pathlib import Path

from autograder.language import N_, _
from autograder.submissions.layout import Context, Delivery, Identity, Part, Reading, listed_within
from autograder.submissions.names import is_leftover, looks_packed

RANK = 90
TITLE = N_("a folder or an archive per student")
SURE = False


def detect(folder: Path, context: Context) -> str:
    """Every folder may be laid out like this: it is what is left when nothing speaks for another layout."""
    return _("a folder per student")


def read(folder: Path, context: Context) -> Reading:
    """A delivery for each folder and each archive."""
    reading = Reading()
    for item in listed_within(folder, reading.evidence):
        path = folder / item.name
        if is_leftover(item.name):
            reading.ignored.append(path)
            continue
        packed = item.is_file(follow_symlinks=False) and looks_packed(item.name)
        if reason := "" if packed else _no_student(item):
            reading.stranger(path, reason)
            continue
        name = item.name[: item.name.index(".", 1)] if packed else item.name
        if item.name.startswith("."):
            reading.stranger(path, _("the name begins with a dot, as those of systems do"))
            continue
        reading.deliveries.append(Delivery(Identity.own(name), (Part(path),)))
    return reading


def _no_student(item: os.DirEntry[str]) -> str:
    if item.is_symlink():
        return _("a link: links are not followed")
    if item.is_dir(follow_symlinks=False):
        return ""
    return _("belongs into a student's folder: FOLDER/<student>/<exercise>.py")
