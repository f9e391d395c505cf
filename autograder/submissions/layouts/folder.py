"""A folder or an archive per student: `FOLDER/<student>/<exercise>.py`.

What is named as it should be is taken. What nearly is (`Markov-Quiz (1).py`, a folder inside the student's) is taken
with a note. Everything else is listed with the reason why it could not be placed. Links are never followed.
"""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

from autograder.language import N_, _
from autograder.submissions.archives import is_archive
from autograder.submissions.layout import Context, Delivery, Identity, Part, Reading, Unplaced, listed_within
from autograder.submissions.names import bad_name, is_leftover, long_name, looks_packed

RANK = 90
TITLE = N_("a folder or an archive per student")


def detect(folder: Path, context: Context) -> str:
    """Every folder may be laid out like this: it is what is left when nothing speaks for another layout."""
    return _("a folder per student")


def read(folder: Path, context: Context) -> Reading:
    """One folder or archive per student."""
    reading = Reading()
    students: dict[str, str] = {}
    for item in listed_within(folder, reading.unplaced):
        path = folder / item.name
        if is_leftover(item.name):
            reading.ignored.append(path)
            continue
        packed = item.is_file(follow_symlinks=False) and is_archive(item.name)
        name = item.name[: item.name.index(".", 1)] if packed else item.name
        student = unicodedata.normalize("NFC", name)
        reason = bad_name(item.name) or long_name(student) or ("" if packed else _no_student(item))
        if not reason and student in students:
            reason = _("the same name as {other}, written in another Unicode form").format(
                other=ascii(students[student])
            )
            if packed or students[student] == name:
                reason = _("a second one of this student; {other} is read").format(other=ascii(students[student]))
        if reason:
            reading.unplaced.append(Unplaced(path, reason))
            continue
        students[student] = item.name
        who = Identity(student, name=student, email=student if "@" in student else "", ids=(student,))
        reading.deliveries.append(Delivery(who, (Part(path),)))
    return reading


def _no_student(item: os.DirEntry[str]) -> str:
    if item.is_symlink():
        return _("a link: links are not followed")
    if item.is_dir(follow_symlinks=False):
        return ""
    if looks_packed(item.name):
        return _("an archive: unpack it into a folder per student")
    return _("belongs into a student's folder: FOLDER/<student>/<exercise>.py")
