"""Unpacking what strangers packed: zip and tar, into a folder of our own, within limits, regular files only.

An archive is hostile until proved otherwise. Nothing is written outside the target, no link, device or pipe is made,
sizes are counted as they come out and not as they are announced, and whatever is refused is said with its reason. Files
that no exercise could be (pictures, data) are put there empty: their names are listed, their bytes are not needed.
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
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from autograder.errors import AutograderError
from autograder.language import _
from autograder.submissions.model import SubmissionUnreadable
from autograder.submissions.reader import MAX_BYTES

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
_WANTED = (".py", ".ipynb", ".yml", ".yaml", ".csv", ".txt", ".html", ".json", *ARCHIVES)
_CHUNK = 1 << 16
# What readers of broken archives raise, libraries of three compressions included.
BROKEN = (
    zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, struct.error, EOFError, OSError, ValueError,
    NotImplementedError, RuntimeError, OverflowError, IndexError, KeyError, AssertionError, MemoryError,
)  # fmt: skip


@dataclass(frozen=True)
class Limits:
    """What one archive may hold.

    Attributes:
        packed: bytes of the archive itself.
        members: files and folders.
        total: bytes of what comes out.
        ratio: how many times larger than the archive that may be; asked only beyond `free` bytes.
    """

    packed: int = 100_000_000
    members: int = 5_000
    total: int = 256_000_000
    ratio: float = 200.0
    free: int = 32_000_000


# A whole class's download comes from the learning platform; a student's archive is within it.
CLASS_LIMITS = Limits(packed=64_000_000_000, members=500_000, total=64_000_000_000, ratio=200.0)


@dataclass(frozen=True)
class Refused:
    """A member that was not unpacked, and why."""

    name: str
    reason: str


class ArchiveRefused(AutograderError):
    """The archive as a whole is not unpacked: `message` says why."""

    def __init__(self, message: str) -> None:
        self.message = message
        super().__init__(message)


@dataclass(frozen=True)
class _Member:
    name: str
    kind: str  # file, folder, or the reason why it is neither
    size: int
    mtime: float | None
    content: Any = None  # a callable that opens it


def is_archive(name: str) -> bool:
    """Whether a file is called as an archive that can be unpacked here."""
    return name.lower().endswith(ARCHIVES)


def unpack(stream: IO[bytes], target: Path, limits: Limits, names_only: bool = False) -> list[Refused]:
    """Unpack an open archive into an empty folder; with `names_only` every file in it stays empty.

    Returns:
        What was left out, and why.

    Raises:
        ArchiveRefused: it is no archive, is broken or encrypted as a whole, or holds more than the limits allow. What
            had come out until then is still in the folder.
    """
    size = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    if size > limits.packed:
        raise ArchiveRefused(_("the archive is larger than {limit:.0f} MB").format(limit=limits.packed / 1e6))
    start = stream.read(8)
    stream.seek(0)
    members = _zip_members(stream, limits) if start.startswith(b"PK") else _tar_members(stream, start, limits)
    target.mkdir(parents=True, exist_ok=True)
    try:
        return _write(members, target, size, limits, names_only)
    except ArchiveRefused:
        raise
    except BROKEN as error:
        raise ArchiveRefused(_("the archive is damaged: {reason}").format(reason=_short(error))) from error


def _write(members: Iterator[_Member], target: Path, packed: int, limits: Limits, names_only: bool) -> list[Refused]:
    refused: list[Refused] = []
    seen: dict[str, str] = {}
    count = total = 0
    for member in members:
        count += 1
        if count > limits.members:
            raise ArchiveRefused(_("more than {limit} files in the archive").format(limit=limits.members))
        parts = safe_parts(member.name)
        reason = parts if isinstance(parts, str) else ""
        if not reason and member.kind not in ("file", "folder"):
            reason = member.kind
        if not reason and isinstance(parts, tuple):
            reason = _collision(parts, member.kind, seen)
        if reason or isinstance(parts, str):
            refused.append(Refused(member.name, reason))
            continue
        path = target.joinpath(*parts)
        if member.kind == "folder":
            path.mkdir(parents=True, exist_ok=True)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        needed = not names_only and (path.name.lower().endswith(_WANTED) or ".git" in parts)
        if needed and member.size > (limits.packed if is_archive(path.name) else MAX_BYTES) and ".git" not in parts:
            needed = False
            refused.append(Refused(member.name, _("too large ({size:.0f} MB)").format(size=member.size / 1e6)))
            continue
        try:
            if needed:
                total += _copy(member, path, limits, total, packed)
            else:
                path.touch()
        except ArchiveRefused:
            raise
        except BROKEN as error:
            path.unlink(missing_ok=True)
            refused.append(Refused(member.name, _("damaged in the archive: {reason}").format(reason=_short(error))))
            continue
        if member.mtime is not None:
            os.utime(path, (member.mtime, member.mtime))
    return refused


def _copy(member: _Member, path: Path, limits: Limits, before: int, packed: int) -> int:
    written = 0
    # O_EXCL: what is there is ours already, a second member of that name was refused above.
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    with member.content() as source, os.fdopen(os.open(path, flags, 0o600), "wb") as sink:
        while chunk := source.read(_CHUNK):
            written += len(chunk)
            total = before + written
            if total > limits.total:
                raise ArchiveRefused(
                    _("more than {limit:.0f} MB would come out of the archive").format(limit=limits.total / 1e6)
                )
            if total > limits.free and total > limits.ratio * packed:
                raise ArchiveRefused(
                    _("what comes out is more than {ratio:.0f} times the archive").format(ratio=limits.ratio)
                )
            sink.write(chunk)
    return written


def safe_parts(name: str) -> tuple[str, ...] | str:
    """The parts of a member's name below the archive, or the reason why it may not be written."""
    if "\0" in name or any(unicodedata.category(sign) in ("Cc", "Cs") for sign in name):
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


def _zip_members(stream: IO[bytes], limits: Limits) -> Iterator[_Member]:
    _hold_directory(stream, limits)
    try:
        archive = zipfile.ZipFile(stream)
    except BROKEN as error:
        raise ArchiveRefused(_("this is no zip archive: {reason}").format(reason=_short(error))) from error
    with archive:
        for info in archive.infolist():
            yield _Member(
                _zip_name(info), _zip_kind(info), info.file_size, _zip_time(info), lambda info=info: archive.open(info)
            )


def _hold_directory(stream: IO[bytes], limits: Limits) -> None:
    """Each entry of the directory becomes an object before anybody can count: so its bytes are counted first."""
    try:
        ending = cast("Any", zipfile)._EndRecData(stream)
    except BROKEN as error:
        raise ArchiveRefused(_("this is no zip archive: {reason}").format(reason=_short(error))) from error
    if not ending:
        raise ArchiveRefused(_("this is no zip archive, or it was cut off"))
    if ending[5] > limits.members * 400 + 65_536:  # 46 bytes and a name, for each
        raise ArchiveRefused(_("more than {limit} files in the archive").format(limit=limits.members))
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

    def __init__(self, source: IO[bytes], limit: int) -> None:
        super().__init__()
        self._source = source
        self._left = limit

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        chunk = self._source.read(min(size, _CHUNK) if size >= 0 else _CHUNK)
        self._left -= len(chunk)
        if self._left < 0:
            raise ArchiveRefused(_("too much comes out of the archive"))
        return chunk


def _tar_members(stream: IO[bytes], start: bytes, limits: Limits) -> Iterator[_Member]:
    if start.startswith(b"\x1f\x8b"):
        stream = cast("IO[bytes]", gzip.GzipFile(fileobj=stream))
    elif start.startswith(b"BZh"):
        stream = cast("IO[bytes]", bz2.BZ2File(stream))
    elif start.startswith(b"\xfd7zXZ"):
        stream = cast("IO[bytes]", lzma.LZMAFile(stream))  # noqa: SIM115 - closed with the archive below
    bounded = _Bounded(stream, limits.total + limits.members * 2048)
    try:
        archive = tarfile.open(fileobj=cast("IO[bytes]", bounded), mode="r|", errorlevel=1)  # noqa: SIM115 - see below
    except BROKEN as error:
        raise ArchiveRefused(_("this is no archive that can be read: {reason}").format(reason=_short(error))) from error
    with archive:
        for info in archive:
            archive.members = []  # type: ignore[attr-defined]  # or each is kept until the end
            yield _Member(
                info.name, _tar_kind(info), info.size, _tar_time(info), lambda info=info: _extracted(archive, info)
            )


def _tar_kind(info: tarfile.TarInfo) -> str:
    if info.isdir():
        return "folder"
    if info.issym() or info.islnk():
        return _("a link: links are not followed")
    if not info.isreg() or info.issparse():
        return _("not an ordinary file (a pipe, a socket or a device)")
    return "file"


def _tar_time(info: tarfile.TarInfo) -> float | None:
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
