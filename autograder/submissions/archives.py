"""Unpacking what strangers packed: zip and tar, into a folder of our own, within limits, regular files only.

An archive is hostile until proved otherwise. Nothing is written outside the target, no link, device or pipe is made,
and sizes are counted as they come out and not as they are announced. Every member has a place: what is refused is
empty there, with its reason, so that it is seen whose it is; a name that no disk takes, or that another has already,
is cut there and remembered whole. Files that no exercise could be (pictures, data) are put there empty, too: their
names are listed, their bytes are not needed.

What can be seen of damage: a zip and a compressed tar have checksums over all that is in them. A plain tar has one
over each header alone: a broken header and a member that was cut off are seen, another byte in a file is not.
"""

from __future__ import annotations

import io
import os
import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from autograder.course.written import Intake
from autograder.language import _
from autograder.submissions.budget import Budget, OverBudget
from autograder.submissions.packed import ARCHIVES, BROKEN, CHUNK, ArchiveRefused, Member, is_archive, short
from autograder.submissions.reader import MAX_BYTES
from autograder.submissions.tars import tar_members
from autograder.submissions.zips import zip_members

_WANTED = (".py", ".ipynb", ".yml", ".yaml", ".csv", ".txt", ".html", ".json", *ARCHIVES)
MAX_PATH = 3_900  # bytes of a whole path: systems take 4,096
MAX_NAME = 140  # bytes of a part of it: disks take 255, encrypted ones 143
MAX_PARTS = 30
MAX_PACKED = 100_000_000  # bytes of an archive of one student's
MAX_RATIO = 200.0  # how many times larger than the archive what comes out may be; asked only beyond FREE bytes
FREE = 32_000_000
# A whole class's download comes from the learning platform; a student's archive is within it.
CLASS = Intake(depth=3, entries=500_000, unpacked_mb=64_000, seconds=3_600)


@dataclass
class Contents:
    """What became of members of archives that could not be put on a disk as they are.

    Attributes:
        names: how what lies under another name is called.
        lost: why a file is empty.
    """

    names: dict[Path, str] = field(default_factory=dict)
    lost: dict[Path, str] = field(default_factory=dict)


def unpack(
    stream: IO[bytes],
    target: Path,
    budget: Budget,
    contents: Contents,
    *,
    packed: int = MAX_PACKED,
    names_only: bool = False,
) -> None:
    """Unpack an open archive into an empty folder.

    Args:
        stream: the archive.
        target: where to.
        budget: what may come out; it is counted there.
        contents: takes what was left out and what is called otherwise.
        packed: most bytes of the archive itself.
        names_only: every file stays empty.

    Raises:
        ArchiveRefused: it is no archive, is damaged or encrypted as a whole, or holds more than the limits allow. What
            had come out until then is still in the folder.
    """
    size = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    if size > packed:
        raise OverBudget(_("the archive is larger than {limit:.0f} MB").format(limit=packed / 1e6))
    start = stream.read(8)
    stream.seek(0)
    members = zip_members(stream, budget) if start.startswith(b"PK") else tar_members(stream, start, budget)
    target.mkdir(parents=True, exist_ok=True)
    try:
        _write(members, _Places(target, contents.names), size, budget, names_only, contents.lost)
    except ArchiveRefused:
        raise
    except BROKEN as error:
        raise ArchiveRefused(_("the archive is damaged: {reason}").format(reason=short(error))) from error


def _write(
    members: Iterator[Member], places: _Places, packed: int, budget: Budget, names_only: bool, lost: dict[Path, str]
) -> None:
    written = 0
    for member in members:
        budget.enter()
        parts, reason = safe_parts(member.name)
        if not reason and member.kind not in ("file", "folder"):
            reason = member.kind
        path = places.of(parts, member.kind == "folder" and not reason)
        needed = not names_only and (parts[-1].lower().endswith(_WANTED) or ".git" in parts)
        if needed and member.size > (MAX_PACKED if is_archive(parts[-1]) else MAX_BYTES) and ".git" not in parts:
            reason = reason or _("too large ({size:.0f} MB)").format(size=member.size / 1e6)
        try:
            if member.kind == "folder" and not reason:
                path.mkdir(parents=True, exist_ok=True)
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            if needed and not reason:
                written = _copy(member, path, budget, written, packed)
            else:
                path.touch()
            if member.mtime is not None:
                os.utime(path, (member.mtime, member.mtime))
        except ArchiveRefused as refusal:
            lost[path] = refusal.message  # as far as it came
            raise
        except BROKEN as error:
            reason = _("damaged in the archive: {reason}").format(reason=short(error))
            if path.is_file():
                os.truncate(path, 0)
        if reason:
            lost[path] = reason


def _copy(member: Member, path: Path, budget: Budget, written: int, packed: int) -> int:
    # O_EXCL: no two members have one place.
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    with os.fdopen(os.open(path, flags, 0o600), "wb") as sink, member.content() as source:
        while chunk := source.read(CHUNK):
            written += len(chunk)
            budget.unpack(len(chunk))
            if written > FREE and written > MAX_RATIO * packed:
                reason = _("what comes out is more than {ratio:.0f} times the archive").format(ratio=MAX_RATIO)
                raise OverBudget(reason)
            sink.write(chunk)
    return written


def safe_parts(name: str) -> tuple[tuple[str, ...], str]:
    """The parts of a member's name as a place below the archive, and why it may not be unpacked there."""
    reason = ""
    if any(unicodedata.category(sign) in ("Cc", "Cs") for sign in name):
        reason = _("the name holds control characters")
        name = "".join("?" if unicodedata.category(sign) in ("Cc", "Cs") else sign for sign in name)
    name = name.replace("\\", "/")
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if name.startswith("/") or re.match(r"^[A-Za-z]:", name) or ".." in parts:
        reason = _("the name leads outside the archive")
        parts = [part for part in (re.sub(r"^[A-Za-z]:", "", part) for part in parts) if part not in ("", "..")]
    if not parts:
        return ("?",), reason or _("the name is blank")
    if len(parts) > MAX_PARTS:
        return (parts[0], parts[-1]), reason or _("the name is too long")
    return tuple(parts), reason


@dataclass
class _Places:
    """Where members of an archive lie below `target`; `names` takes how what lies under another name is called."""

    target: Path
    names: dict[Path, str]
    _folders: dict[tuple[Path, str], Path] = field(default_factory=dict)
    _taken: set[tuple[Path, str]] = field(default_factory=set)
    _again: Counter[tuple[Path, str]] = field(default_factory=Counter)

    def of(self, parts: tuple[str, ...], is_folder: bool) -> Path:
        """A place of its own for a file; for a folder the same as before."""
        if len(os.fsencode(self.target)) + sum(min(MAX_NAME, len(part.encode())) + 1 for part in parts) > MAX_PATH:
            parts = (parts[0], parts[-1])
        place = self.target
        for depth, part in enumerate(parts, start=1):
            folder = depth < len(parts) or is_folder
            known = self._folders.get((place, part)) if folder else None
            place = known or self._new(place, part, folder)
        return place

    def _new(self, place: Path, part: str, folder: bool) -> Path:
        key = place, _alike(part)
        while (place, _alike(name := _cut(part, self._again[key]))) in self._taken:
            self._again[key] += 1
        self._taken.add((place, _alike(name)))
        path = place / name
        if name != part:
            self.names[path] = part
        if folder:
            self._folders[place, part] = path
        return path


def _alike(name: str) -> str:
    """Disks take names for one that differ in case, or in how a letter is composed."""
    return unicodedata.normalize("NFC", name).casefold()


def _cut(part: str, again: int) -> str:
    """A name as a disk takes it: its beginning and its end, and a number where others are cut to the same."""
    mark = f"~{again}" if again else ""
    # Under an old locale a disk takes few letters.
    letters = sys.getfilesystemencoding()
    part = part.encode(letters, "replace").decode(letters)
    stem, suffix = os.path.splitext(part)
    if len(part.encode()) + len(mark) <= MAX_NAME:
        return f"{stem}{mark}{suffix}"
    raw = part.encode()
    return f"{raw[:70].decode(errors='ignore')}~{again}{raw[-50:].decode(errors='ignore')}"
