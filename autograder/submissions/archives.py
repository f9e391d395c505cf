"""Unpacking what strangers packed: zip and tar, into a folder of our own, within limits, regular files only.

An archive is hostile until proved otherwise. Nothing is written outside the target, no link, device or pipe is made,
sizes are counted as they come out and not as they are announced, and whatever is refused is said with its reason.
Files that no exercise could be (pictures, data) are put there empty: their names are listed, their bytes are not
needed.
"""

from __future__ import annotations

import io
import os
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from autograder.course.written import Intake
from autograder.language import _
from autograder.submissions.budget import Budget, OverBudget
from autograder.submissions.packed import ARCHIVES, BROKEN, CHUNK, ArchiveRefused, Member, Refused, is_archive, short
from autograder.submissions.reader import MAX_BYTES
from autograder.submissions.tars import tar_members
from autograder.submissions.zips import zip_members

_WANTED = (".py", ".ipynb", ".yml", ".yaml", ".csv", ".txt", ".html", ".json", *ARCHIVES)
MAX_PATH = 3_900  # bytes of a whole path: systems take 4,096
MAX_PACKED = 100_000_000  # bytes of an archive of one student's
MAX_RATIO = 200.0  # how many times larger than the archive what comes out may be; asked only beyond FREE bytes
FREE = 32_000_000
# A whole class's download comes from the learning platform; a student's archive is within it.
CLASS = Intake(depth=3, entries=500_000, unpacked_mb=64_000, seconds=3_600)


def unpack(
    stream: IO[bytes],
    target: Path,
    budget: Budget,
    refused: list[Refused],
    *,
    packed: int = MAX_PACKED,
    names_only: bool = False,
) -> None:
    """Unpack an open archive into an empty folder.

    Args:
        stream: the archive.
        target: where to.
        budget: what may come out; it is counted there.
        refused: takes what was left out, and why.
        packed: most bytes of the archive itself.
        names_only: every file stays empty.

    Raises:
        ArchiveRefused: it is no archive, is damaged or encrypted as a whole, or holds more than the limits allow. What
            had come out until then is still in the folder.
    """
    size = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    if size > packed:
        raise ArchiveRefused(_("the archive is larger than {limit:.0f} MB").format(limit=packed / 1e6), over=True)
    start = stream.read(8)
    stream.seek(0)
    members = zip_members(stream, budget) if start.startswith(b"PK") else tar_members(stream, start, budget)
    target.mkdir(parents=True, exist_ok=True)
    try:
        _write(members, target, size, budget, names_only, refused)
    except ArchiveRefused:
        raise
    except OverBudget as over:
        raise ArchiveRefused(over.message, over=True) from over
    except BROKEN as error:
        raise ArchiveRefused(_("the archive is damaged: {reason}").format(reason=short(error))) from error


def _write(
    members: Iterator[Member], target: Path, packed: int, budget: Budget, names_only: bool, refused: list[Refused]
) -> None:
    seen: dict[str, str] = {}
    written = 0
    for member in members:
        budget.enter()
        parts = safe_parts(member.name)
        reason = parts if isinstance(parts, str) else _too_long(target, parts)
        if not reason and member.kind not in ("file", "folder"):
            reason = member.kind
        if not reason and isinstance(parts, tuple):
            reason = _collision(parts, member.kind, seen)
        if reason or isinstance(parts, str):
            refused.append(Refused(member.name, reason))
            continue
        path = target.joinpath(*parts)
        needed = not names_only and (path.name.lower().endswith(_WANTED) or ".git" in parts)
        if needed and member.size > (MAX_PACKED if is_archive(path.name) else MAX_BYTES) and ".git" not in parts:
            needed = False
            refused.append(Refused(member.name, _("too large ({size:.0f} MB)").format(size=member.size / 1e6)))
            continue
        try:
            if member.kind == "folder":
                path.mkdir(parents=True, exist_ok=True)
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            if needed:
                written = _copy(member, path, budget, written, packed)
            else:
                path.touch()
            if member.mtime is not None:
                os.utime(path, (member.mtime, member.mtime))
        except ArchiveRefused:
            raise
        except BROKEN as error:
            if member.kind == "file":
                path.unlink(missing_ok=True)
            refused.append(Refused(member.name, _("damaged in the archive: {reason}").format(reason=short(error))))


def _copy(member: Member, path: Path, budget: Budget, written: int, packed: int) -> int:
    # O_EXCL: what is there is ours already, a second member of that name was refused above.
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    with member.content() as source, os.fdopen(os.open(path, flags, 0o600), "wb") as sink:
        while chunk := source.read(CHUNK):
            written += len(chunk)
            budget.unpack(len(chunk))
            if written > FREE and written > MAX_RATIO * packed:
                reason = _("what comes out is more than {ratio:.0f} times the archive").format(ratio=MAX_RATIO)
                raise ArchiveRefused(reason, over=True)
            sink.write(chunk)
    return written


def _too_long(target: Path, parts: tuple[str, ...]) -> str:
    length = len(os.fsencode(target)) + sum(len(os.fsencode(part)) + 1 for part in parts)
    return _("the name is too long") if length > MAX_PATH else ""


def safe_parts(name: str) -> tuple[str, ...] | str:
    """The parts of a member's name below the archive, or the reason why it may not be written."""
    if any(unicodedata.category(sign) in ("Cc", "Cs") for sign in name):
        return _("the name holds control characters")
    name = name.replace("\\", "/")
    if name.startswith("/") or re.match(r"^[A-Za-z]:", name):
        return _("the name leads outside the archive")
    parts = tuple(part for part in name.split("/") if part not in ("", "."))
    if ".." in parts:
        return _("the name leads outside the archive")
    if not parts:
        return _("the name is blank")
    if len(parts) > 30 or any(len(part.encode()) > 250 for part in parts):
        return _("the name is too long")
    return parts


def _collision(parts: tuple[str, ...], kind: str, seen: dict[str, str]) -> str:
    """Why a name cannot stand beside an earlier one; a name that can is remembered."""
    for depth in range(1, len(parts) + 1):
        name = "/".join(parts[:depth])
        key = unicodedata.normalize("NFC", name).casefold()
        here = "folder" if depth < len(parts) else kind
        known = seen.get(key)
        if known is None:
            seen[key] = f"{here} {name}"
        elif known != f"{here} {name}" or here == "file":
            if known == f"{here} {name}":
                return _("a second file of this name in the archive")
            other = known.partition(" ")[2]
            return _("the name differs from {other} only in case, or one is a file and one a folder").format(
                other=ascii(other)
            )
    return ""
