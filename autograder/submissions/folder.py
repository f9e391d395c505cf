"""A class of submissions in `FOLDER/<student>/<exercise>.py|.ipynb`, with everything in the folder accounted for.

What is named as it should be is taken. What nearly is (`Markov-Quiz (1).py`, a folder inside the student's) is taken
with a note. Everything else is listed with the reason why it could not be placed. Links are never followed.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.course.errors import ConfigurationError
from autograder.language import _
from autograder.submissions import gathering as walking
from autograder.submissions.archives import is_archive
from autograder.submissions.gathering import Candidate, Entry, Gathering, choose, gather
from autograder.submissions.layout import Context, HandIn, Identity, Piece, Reading, Unplaced
from autograder.submissions.names import bad_name, is_leftover, long_name, looks_packed

__all__ = ["Entry", "FolderScan", "Unplaced", "detect", "read", "scan_folder", "scan_student"]


@dataclass(frozen=True)
class FolderScan:
    """A class's submissions, read through once.

    Attributes:
        folder: of all submissions; an entry's own `base` goes before it.
        students: all with a folder or on the roster, also those who handed in nothing.
        entries: by student, then in the order of the course.
        unplaced: what is not graded, or needs a look.
        ignored: leftovers of systems and tools, and the course's own files.
        earlier: earlier attempts, oldest first, where all of them are graded.
        detected: which layout was read, and what it was known by.
        absent: students of the roster who handed in nothing at all.
    """

    folder: Path
    students: tuple[str, ...]
    entries: tuple[Entry, ...]
    unplaced: tuple[Unplaced, ...]
    ignored: tuple[Path, ...]
    earlier: tuple[Entry, ...] = ()
    detected: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()


def scan_folder(folder: Path, exercises: Sequence[str]) -> FolderScan:
    """Find the submissions of a class in our own layout, archives left alone.

    Args:
        folder: holds one folder per student.
        exercises: the ids of the course, in its order.

    Raises:
        ConfigurationError: there is no such folder.
    """
    gathering = _gathering(folder, exercises)
    reading = _read(folder, gathering, archives=False)
    entries = [entry for hand_in in reading.hand_ins for entry in _entries(hand_in, gathering)]
    return _scan(gathering, [hand_in.who.student for hand_in in reading.hand_ins], entries)


def scan_student(folder: Path, student: str, exercises: Sequence[str]) -> FolderScan:
    """Find the submissions of one student, whose folder this is.

    Args:
        folder: holds the student's files: a repository, or what a platform has unpacked.
        student: whose it is.
        exercises: the ids of the course, in its order.

    Raises:
        ConfigurationError: there is no such folder.
    """
    gathering = _gathering(folder, exercises)
    return _scan(gathering, [student], _entries(HandIn(Identity(student), (Piece(folder),)), gathering))


def _gathering(folder: Path, exercises: Sequence[str]) -> Gathering:
    if not folder.is_dir():
        raise ConfigurationError(_("there is no such folder of submissions"), file=folder)
    return Gathering(exercises, folder)


def _entries(hand_in: HandIn, gathering: Gathering) -> list[Entry]:
    groups: dict[str, list[Candidate]] = {exercise: [] for exercise in gathering.exercises}
    for candidate in gather(hand_in, gathering):
        groups[candidate.exercise].append(candidate)
    return [choose(hand_in.who.student, group, gathering) for group in groups.values() if group]


def _scan(gathering: Gathering, students: Sequence[str], entries: Sequence[Entry]) -> FolderScan:
    unplaced, ignored = tuple(gathering.unplaced), tuple(gathering.ignored)
    return FolderScan(gathering.base, tuple(students), tuple(entries), unplaced, ignored)


def detect(folder: Path, context: Context) -> str:
    """Every folder may be laid out like this: it is what is left when nothing speaks for another layout."""
    return _("a folder per student")


def read(folder: Path, context: Context) -> Reading:
    """One folder or archive per student."""
    return _read(folder, Gathering(context.exercises, folder), archives=True)


def _read(folder: Path, gathering: Gathering, archives: bool) -> Reading:
    reading = Reading([], gathering.unplaced, gathering.ignored)
    students: dict[str, str] = {}
    for item in walking._listed(folder, gathering.unplaced):
        path = folder / item.name
        if is_leftover(item.name):
            gathering.ignored.append(path)
            continue
        packed = archives and item.is_file(follow_symlinks=False) and is_archive(item.name)
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
            gathering.unplaced.append(Unplaced(path, reason))
            continue
        students[student] = item.name
        who = Identity(student, name=student, email=student if "@" in student else "", ids=(student,))
        reading.hand_ins.append(HandIn(who, (Piece(path),)))
    return reading


def _no_student(item: os.DirEntry[str]) -> str:
    if item.is_symlink():
        return _("a link: links are not followed")
    if item.is_dir(follow_symlinks=False):
        return ""
    if looks_packed(item.name):
        return _("an archive: unpack it into a folder per student")
    return _("belongs into a student's folder: FOLDER/<student>/<exercise>.py")
