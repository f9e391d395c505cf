"""The members of a tar, compressed or not, as strangers made it: to its end, whatever its headers announce."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
from collections.abc import Iterator
from functools import partial
from typing import IO, cast

from autograder.language import _
from autograder.submissions.budget import Budget, OverBudget
from autograder.submissions.packed import BROKEN, CHUNK, ArchiveRefused, Member, short


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
        chunk = self._source.read(min(size, CHUNK) if size >= 0 else CHUNK)
        self.left -= len(chunk)
        if self.left < 0:
            raise OverBudget(_("too much comes out of the archive"))
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
            raise ArchiveRefused(_("the archive is damaged: {reason}").format(reason=short(error))) from error


# Two blocks of zeros are an archive's end; anything else is a cut or a broken header.
_END: type[Exception] = tarfile.EOFHeaderError  # type: ignore[attr-defined]
_CUT = tarfile.HeaderError


def tar_members(stream: IO[bytes], start: bytes, budget: Budget) -> Iterator[Member]:
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
        limit = min(limit, stream.seek(0, io.SEEK_END) + CHUNK)
        stream.seek(0)
    bounded = _Bounded(stream, limit, budget)
    try:
        archive = tarfile.open(  # noqa: SIM115 - see below
            fileobj=cast("IO[bytes]", bounded), mode="r|", errorlevel=1, tarinfo=_Header
        )
    except BROKEN as error:
        raise ArchiveRefused(_("this is no archive that can be read: {reason}").format(reason=short(error))) from error
    with archive:
        for info in archive:
            archive.members = []  # type: ignore[attr-defined]  # or each is kept until the end
            # It would be skipped block by block, for as long as the size says.
            if info.size < 0 or (plain and info.size > bounded.left):
                reason = _("a file of {size} bytes is announced, and there are less").format(size=info.size)
                raise ArchiveRefused(_("the archive is damaged: {reason}").format(reason=reason))
            if info.size > bounded.left:
                budget.unpack(info.size)
            content = partial(_extracted, archive, info)
            yield Member(_tar_name(info.name), _tar_kind(info), info.size, _tar_time(info), content)
        while bounded.read(CHUNK):  # to its end, where compressions have their checksum
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
