"""Opening a file that a student controls: no links, nothing but regular files, nothing larger than announced.

The checks are made on the open descriptor, so that nothing can be exchanged between looking and reading.
"""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from autograder.language import _
from autograder.submissions.model import SubmissionUnreadable

# O_NONBLOCK: a FIFO must not make us wait for its writer. Windows has neither flag.
_FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
_BINARY = getattr(os, "O_BINARY", 0)
_HAS_DIR_FD = os.open in os.supports_dir_fd
_CHUNK = 1 << 20


@dataclass(frozen=True)
class RawFile:
    """The bytes of a file, and how many names it has in its file system."""

    content: bytes
    links: int


def read_regular(path: Path, max_bytes: int, base: Path | None = None) -> RawFile:
    """Read a regular file of at most `max_bytes`.

    Args:
        path: the file.
        max_bytes: a larger file is refused before it is read.
        base: a folder above the file; no folder between the two may be a link. Without it, only the file
            itself may be none.

    Raises:
        SubmissionUnreadable: with `fault="access"` where the system did not let us, else with the reason.
    """
    try:
        descriptor = _open(path, base)
    except OSError as error:
        raise _refusal(error) from error
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise SubmissionUnreadable(_("This is not an ordinary file (a folder, a pipe or a device)."))
        if status.st_size > max_bytes:
            raise _too_large(status.st_size, max_bytes)
        content = _read(descriptor, max_bytes)
    except OSError as error:
        raise _refusal(error) from error
    finally:
        os.close(descriptor)
    return RawFile(content, status.st_nlink)


def _open(path: Path, base: Path | None) -> int:
    if not hasattr(os, "O_NOFOLLOW"):
        for above in (path, *path.parents):
            if above == base:
                break
            if above.is_symlink():
                raise OSError(errno.ELOOP, "a link")
            if base is None:
                break
    if base is None or not _HAS_DIR_FD:
        return os.open(path, _FLAGS | _BINARY)
    folder = os.open(base, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0))
    *folders, name = path.relative_to(base).parts
    try:
        for part in folders:
            inner = os.open(part, _FLAGS | getattr(os, "O_DIRECTORY", 0), dir_fd=folder)
            os.close(folder)
            folder = inner
        return os.open(name, _FLAGS, dir_fd=folder)
    finally:
        os.close(folder)


def _read(descriptor: int, max_bytes: int) -> bytes:
    # The file may grow while it is read: one byte too many is enough to know.
    chunks = []
    left = max_bytes + 1
    while left > 0 and (chunk := os.read(descriptor, min(_CHUNK, left))):
        chunks.append(chunk)
        left -= len(chunk)
    if left == 0:
        raise _too_large(max_bytes + 1, max_bytes)
    return b"".join(chunks)


def _refusal(error: OSError) -> SubmissionUnreadable:
    # O_NOFOLLOW gives ELOOP (EMLINK on some systems); with O_DIRECTORY a link gives ENOTDIR.
    if error.errno in (errno.ELOOP, errno.EMLINK, errno.ENOTDIR):
        return SubmissionUnreadable(_("This is a link to another file. Hand in the file itself."))
    if error.errno == errno.EISDIR:
        return SubmissionUnreadable(_("This is not an ordinary file (a folder, a pipe or a device)."))
    return SubmissionUnreadable(
        _("The file could not be opened: {reason}.").format(reason=(error.strerror or str(error)).rstrip(".")),
        fault="access",
    )


def _too_large(size: int, max_bytes: int) -> SubmissionUnreadable:
    return SubmissionUnreadable(
        _(
            "The file is too large ({size:.1f} MB; at most {limit:.0f} MB are read). "
            "Clear the outputs of the notebook, or take data out of the file."
        ).format(size=size / 1e6, limit=max_bytes / 1e6)
    )
