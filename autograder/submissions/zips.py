"""The members of a zip, as strangers made it."""

from __future__ import annotations

import stat
import time
import zipfile
from collections.abc import Iterator
from functools import partial
from typing import IO

from autograder.language import _
from autograder.submissions.budget import Budget, OverBudget
from autograder.submissions.packed import BROKEN, ArchiveRefused, Member, short


def zip_members(stream: IO[bytes], budget: Budget) -> Iterator[Member]:
    _hold_directory(stream, budget.intake.entries)
    try:
        archive = zipfile.ZipFile(stream)
    except BROKEN as error:
        raise ArchiveRefused(_("this is no zip archive: {reason}").format(reason=short(error))) from error
    with archive:
        for info in archive.infolist():
            content = partial(archive.open, info)
            yield Member(_zip_name(info), _zip_kind(info), info.file_size, _zip_time(info), content)


def _hold_directory(stream: IO[bytes], entries: int) -> None:
    """Each entry of the directory becomes an object before anybody can count: so its bytes are counted first."""
    try:
        ending = zipfile._EndRecData(stream)  # type: ignore[attr-defined]
    except BROKEN as error:
        raise ArchiveRefused(_("this is no zip archive: {reason}").format(reason=short(error))) from error
    if not ending:
        raise ArchiveRefused(_("this is no zip archive, or it was cut off"))
    if ending[5] > entries * 400 + 65_536:  # 46 bytes and a name, for each
        raise OverBudget(_("more than {limit} files").format(limit=entries))
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
