"""Folders and files that are closed to us, for tests that may run as root, to whom nothing is closed."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from collections.abc import Iterator
from pathlib import Path

VERSION = 0x20080522  # of Linux's capability calls: two words of 32 for each set
OVERRIDES = (1 << 1) | (1 << 2)  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH


@contextlib.contextmanager
def closed(*paths: Path, mode: int = 0) -> Iterator[None]:
    """In this thread nobody may look into these, or as far as their mode lets them; opened again at the end."""
    modes = {path: path.stat().st_mode for path in paths}
    for path in paths:
        path.chmod(mode)
    try:
        with as_anybody():
            yield
    finally:
        for path, before in modes.items():
            path.chmod(before)


@contextlib.contextmanager
def as_anybody() -> Iterator[None]:
    """In this thread root is told of closed files what others are."""
    if os.geteuid() != 0 or sys.platform != "linux":
        yield
        return
    libc = ctypes.CDLL(None, use_errno=True)
    # Effective, permitted, inheritable; then the same of the second word.
    header, before = (ctypes.c_uint32 * 2)(VERSION, 0), (ctypes.c_uint32 * 6)()
    _must(libc.capget(header, before))
    less = (ctypes.c_uint32 * 6)(*before)
    less[0] &= ~OVERRIDES
    _must(libc.capset(header, less))
    try:
        yield
    finally:
        _must(libc.capset(header, before))


def _must(status: int) -> None:
    if status:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
