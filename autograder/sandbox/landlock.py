"""Landlock: a process gives up every path but a few, without any privilege (Linux 5.13 and newer)."""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterable

from autograder.sandbox import kernel

WRITE_FILE, READ_FILE, READ_DIR = 1 << 1, 1 << 2, 1 << 3
REMOVE_DIR, REMOVE_FILE, MAKE_DIR, MAKE_REG = 1 << 4, 1 << 5, 1 << 7, 1 << 8
REFER, TRUNCATE, IOCTL_DEV = 1 << 13, 1 << 14, 1 << 15

# Bits of file access that each version of the interface knows: 13 at first, then one more now and then.
_FILE_BITS = {1: 13, 2: 14, 3: 15, 4: 15}
_FILE_BITS_NEWEST = 16

OF_A_FILE = READ_FILE | WRITE_FILE | TRUNCATE | IOCTL_DEV
READ = READ_FILE | READ_DIR
DEVICE = READ_FILE | WRITE_FILE | IOCTL_DEV  # the last where this kernel knows it
SCRATCH = READ | WRITE_FILE | TRUNCATE | REFER | REMOVE_DIR | REMOVE_FILE | MAKE_DIR | MAKE_REG


def version() -> int:
    """The version of the kernel's interface, 0 where there is none."""
    try:
        return kernel.call("landlock_create_ruleset", None, 0, 1)
    except OSError:
        return 0


def restrict(rules: Iterable[tuple[str, int]]) -> None:
    """Allow only `rules` (path, rights) from here on, for ever. A path that does not exist is an OSError.

    All file rights that this kernel knows are taken, then the network rights and the reach of signals and
    abstract sockets where it knows those.
    """
    known = version()
    handled = (1 << _FILE_BITS.get(known, _FILE_BITS_NEWEST)) - 1
    network = 0b11 if known >= 4 else 0
    scoped = 0b11 if known >= 6 else 0
    attributes = ctypes.create_string_buffer(struct.pack("=QQQ", handled, network, scoped), 24)
    ruleset = kernel.call("landlock_create_ruleset", attributes, 24, 0)
    try:
        for path, rights in rules:
            place = os.open(path, os.O_PATH | os.O_CLOEXEC)
            try:
                if not os.path.isdir(path):
                    rights &= OF_A_FILE
                rule = ctypes.create_string_buffer(struct.pack("=Qi", rights & handled, place), 12)
                kernel.call("landlock_add_rule", ruleset, 1, rule, 0)
            finally:
                os.close(place)
        kernel.call("landlock_restrict_self", ruleset, 0)
    finally:
        os.close(ruleset)
