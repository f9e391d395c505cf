"""What archives of both kinds have in common: members, a refusal, and what readers raise where they are broken."""

from __future__ import annotations

import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO

from autograder.errors import AutograderError
from autograder.submissions.model import SubmissionUnreadable

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
CHUNK = 1 << 16
# What readers of broken archives raise, libraries of three compressions included.
BROKEN = (
    zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, struct.error, EOFError, OSError, ValueError,
    NotImplementedError, RuntimeError, OverflowError, IndexError, KeyError, AssertionError, MemoryError,
)  # fmt: skip


class ArchiveRefused(AutograderError):
    """The archive as a whole is not unpacked: `message` says why."""

    def __init__(self, message: str) -> None:
        self.message = message
        super().__init__(message)


@dataclass(frozen=True)
class Member:
    """A file or folder in an archive.

    Attributes:
        kind: `file`, `folder`, or the reason why it is neither.
        size: as announced, in bytes.
        mtime: seconds since 1970; None where there is none.
        content: opens it.
    """

    name: str
    kind: str
    size: int
    mtime: float | None
    content: Callable[[], IO[bytes]]


def is_archive(name: str) -> bool:
    """Whether a file is called as an archive that can be unpacked here."""
    return name.lower().endswith(ARCHIVES)


def short(error: BaseException) -> str:
    if isinstance(error, SubmissionUnreadable):
        return error.message
    text = str(error) or type(error).__name__
    return "".join(sign if sign.isprintable() else "?" for sign in text)[:120]
