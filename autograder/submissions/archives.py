"""Unpacking what strangers packed: zip and tar, into a folder of our own, within limits, regular files only.

An archive is hostile until proved otherwise. Nothing is written outside the target, no link, device or pipe is made,
sizes are counted as they come out and not as they are announced, and whatever is refused is said with its reason.
Files that no exercise could be (pictures, data) are put there empty: their names are listed, their bytes are not
needed.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import re
import stat
import struct
import tarfile
import time
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, cast

from autograder.course.written import Intake
from autograder.errors import AutograderError
from autograder.language import _
from autograder.submissions.budget import Budget, OverBudget
from autograder.submissions.model import SubmissionUnreadable
from autograder.submissions.reader import MAX_BYTES

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
_WANTED = (".py", ".ipynb", ".yml", ".yaml", ".csv", ".txt", ".html", ".json", *ARCHIVES)
_CHUNK = 1 << 16
MAX_PATH = 3_900  # bytes of a whole path: systems take 4,096
MAX_PACKED = 100_000_000  # bytes of an archive of one student's
MAX_RATIO = 200.0  # how many times larger than the archive what comes out may be; asked only beyond FREE bytes
FREE = 32_000_000
# What readers of broken archives raise, libraries of three compressions included.
BROKEN = (
    zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, struct.error, EOFError, OSError, ValueError,
    NotImplementedError, RuntimeError, OverflowError, IndexError, KeyError, AssertionError, MemoryError,
)  # fmt: skip
# A whole class's download comes from the learning platform; a student's archive is within it.
CLASS = Intake(depth=3, entries=500_000, unpacked_mb=64_000, seconds=3_600)


@dataclass(frozen=True)
class Refused:
    """A member that was not unpacked, and why."""

    name: str
    reason: str


class ArchiveRefused(AutograderError):
    """The archive as a whole is not unpacked: `message` says why, `over` that a limit is what it broke."""

    def __init__(self, message: str, over: bool = False) -> None:
        self.message = message
        self.over = over
        super().__init__(message)


@dataclass(frozen=True)
class _Member:
    name: str
    kind: str  # file, folder, or the reason why it is neither
    size: int
    mtime: float | None
    content: Callable[[], IO[bytes]] | None = None  # opens it


def is_archive(name: str) -> bool:
    """Whether a file is called as an archive that can be unpacked here."""
    return name.lower().endswith(ARCHIVES)


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
    members = _zip_members(stream, budget) if start.startswith(b"PK") else _tar_members(stream, start, budget)
    target.mkdir(parents=True, exist_ok=True)
    try:
        _write(members, target, size, budget, names_only, refused)
    except ArchiveRefused:
        raise
    except OverBudget as over:
        raise ArchiveRefused(over.message, over=True) from over
    except BROKEN as error:
        raise ArchiveRefused(_("the archive is damaged: {reason}").format(reason=_short(error))) from error


def _write(
    members: Iterator[_Member], target: Path, packed: int, budget: Budget, names_only: bool, refused: list[Refused]
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
            refused.append(Refused(member.name, _("damaged in the archive: {reason}").format(reason=_short(error))))


def _copy(member: _Member, path: Path, budget: Budget, written: int, packed: int) -> int:
    # O_EXCL: what is there is ours already, a second member of that name was refused above.
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    assert member.content is not None
    with member.content() as source, os.fdopen(os.open(path, flags, 0o600), "wb") as sink:
        while chunk := source.read(_CHUNK):
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


# --- zip


def _zip_members(stream: IO[bytes], budget: Budget) -> Iterator[_Member]:
    _hold_directory(stream, budget.intake.entries)
    try:
        archive = zipfile.ZipFile(stream)
    except BROKEN as error:
        raise ArchiveRefused(_("this is no zip archive: {reason}").format(reason=_short(error))) from error
    with archive:
        for info in archive.infolist():
            yield _Member(
                _zip_name(info), _zip_kind(info), info.file_size, _zip_time(info), partial(archive.open, info)
            )


def _hold_directory(stream: IO[bytes], entries: int) -> None:
    """Each entry of the directory becomes an object before anybody can count: so its bytes are counted first."""
    try:
        ending = zipfile._EndRecData(stream)  # type: ignore[attr-defined]
    except BROKEN as error:
        raise ArchiveRefused(_("this is no zip archive: {reason}").format(reason=_short(error))) from error
    if not ending:
        raise ArchiveRefused(_("this is no zip archive, or it was cut off"))
    if ending[5] > entries * 400 + 65_536:  # 46 bytes and a name, for each
        raise ArchiveRefused(_("more than {limit} files").format(limit=entries), over=True)
    stream.seek(0)


def _zip_name(info: zipfile.ZipInfo) -> str:
    name: str = info.orig_filename
    if not info.flag_bits & 0x800:
        # No flag says UTF-8, but most programs write it all the same; zipfile took it for DOS's letters.
        try:
            name = name.encode("cp437").decode("utf-8")
        except UnicodeError:
            return name
    return name


def _zip_kind(info: zipfile.ZipInfo) -> str:
    mode = stat.S_IFMT(info.external_attr >> 16)
    if info.flag_bits & 0x1:
        return _("encrypted: hand it in without a password")
    if mode == stat.S_IFLNK:
        return _("a link: links are not followed")
    if mode not in (0, stat.S_IFREG, stat.S_IFDIR):
        return _("not an ordinary file (a pipe, a socket or a device)")
    return "folder" if info.orig_filename.endswith(("/", "\\")) or mode == stat.S_IFDIR else "file"


def _zip_time(info: zipfile.ZipInfo) -> float | None:
    try:
        return time.mktime((*info.date_time, 0, 0, -1)) if info.date_time[0] > 1980 else None
    except (ValueError, OverflowError):
        return None


# --- tar


class _Bounded(io.RawIOBase):
    """What comes out of a compressed tar, up to a limit: a header may announce gigabytes of a name."""

    def __init__(self, source: IO[bytes], limit: int, budget: Budget) -> None:
        super().__init__()
        self._source = source
        self.left = limit
        self._budget = budget

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        chunk = self._source.read(min(size, _CHUNK) if size >= 0 else _CHUNK)
        self.left -= len(chunk)
        if self.left < 0:
            raise ArchiveRefused(_("too much comes out of the archive"), over=True)
        self._budget.tick()
        return chunk


class _Header(tarfile.TarInfo):
    """A member's header. The library takes a damaged one, or none at all, for the archive's end, without a word."""

    @classmethod
    def fromtarfile(cls, tarfile: tarfile.TarFile) -> tarfile.TarInfo:  # type: ignore[override]
        try:
            return super().fromtarfile(tarfile)
        except _END:
            raise
        except _CUT as error:
            raise ArchiveRefused(_("the archive is damaged: {reason}").format(reason=_short(error))) from error


# Two blocks of zeros are an archive's end; anything else is a cut or a broken header.
_END: type[Exception] = tarfile.EOFHeaderError  # type: ignore[attr-defined]
_CUT = tarfile.HeaderError


def _tar_members(stream: IO[bytes], start: bytes, budget: Budget) -> Iterator[_Member]:
    packed = stream
    if start.startswith(b"\x1f\x8b"):
        stream = cast("IO[bytes]", gzip.GzipFile(fileobj=stream))
    elif start.startswith(b"BZh"):
        stream = cast("IO[bytes]", bz2.BZ2File(stream))
    elif start.startswith(b"\xfd7zXZ"):
        stream = cast("IO[bytes]", lzma.LZMAFile(stream))  # noqa: SIM115 - closed with the archive below
    plain = stream is packed
    limit = int(budget.intake.unpacked_mb * 1_000_000) + budget.intake.entries * 2048
    if plain:
        limit = min(limit, stream.seek(0, io.SEEK_END) + _CHUNK)
        stream.seek(0)
    bounded = _Bounded(stream, limit, budget)
    try:
        archive = tarfile.open(  # noqa: SIM115 - see below
            fileobj=cast("IO[bytes]", bounded), mode="r|", errorlevel=1, tarinfo=_Header
        )
    except BROKEN as error:
        raise ArchiveRefused(_("this is no archive that can be read: {reason}").format(reason=_short(error))) from error
    with archive:
        for info in archive:
            archive.members = []  # type: ignore[attr-defined]  # or each is kept until the end
            # It would be skipped block by block, for as long as the size says.
            if info.size < 0 or (plain and info.size > bounded.left):
                reason = _("a file of {size} bytes is announced, and there are less").format(size=info.size)
                raise ArchiveRefused(_("the archive is damaged: {reason}").format(reason=reason))
            if info.size > bounded.left:
                budget.unpack(info.size)
            yield _Member(
                _tar_name(info.name), _tar_kind(info), info.size, _tar_time(info),
                partial(_extracted, archive, info),
            )  # fmt: skip
        while bounded.read(_CHUNK):  # to its end, where compressions have their checksum
            pass


def _tar_name(name: str) -> str:
    """A name in the letters of the system that wrote it, where it is not UTF-8."""
    raw = name.encode("utf-8", "surrogateescape")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")


def _tar_kind(info: tarfile.TarInfo) -> str:
    if info.isdir():
        return "folder"
    if info.issym() or info.islnk():
        return _("a link: links are not followed")
    if not info.isreg() or info.issparse():
        return _("not an ordinary file (a pipe, a socket or a device)")
    return "file"


def _tar_time(info: tarfile.TarInfo) -> float | None:
    # A pax header may hold anything that float() takes.
    return float(info.mtime) if 0 < info.mtime < 2**33 else None


def _extracted(archive: tarfile.TarFile, info: tarfile.TarInfo) -> IO[bytes]:
    stream = archive.extractfile(info)
    if stream is None:
        raise ValueError("no content")
    return stream


def _short(error: BaseException) -> str:
    if isinstance(error, SubmissionUnreadable):
        return error.message
    text = str(error) or type(error).__name__
    return "".join(sign if sign.isprintable() else "?" for sign in text)[:120]
