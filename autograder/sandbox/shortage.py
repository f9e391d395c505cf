"""Whether the kernel has killed somebody for want of memory: what it counts, of this machine and of our control groups.

A worker cannot kill itself, and no limit of its own ends it by SIGKILL but that of processor time. One that has died so
was killed from outside. That a kernel short of memory did it shows in these counts.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path

_MACHINE = Path("/proc/vmstat")
_GROUPS = Path("/sys/fs/cgroup")
_WORDS = (b"oom_kill", b"oom_group_kill")


def kills(files: Sequence[Path] | None = None) -> tuple[int, ...]:
    """How often it has killed so far, by each count that there is; to be compared with what it was before.

    files: where it is read; None: where this machine's kernel tells it.
    """
    found = []
    for file in _sources() if files is None else files:
        with contextlib.suppress(OSError, ValueError):
            lines = [line.split() for line in file.read_bytes().splitlines()]
            found += [int(line[1]) for line in lines if len(line) == 2 and line[0] in _WORDS]
    return tuple(found)


@cache
def _sources() -> tuple[Path, ...]:
    """The counts of the machine, and of the groups that this process belongs to, in both versions."""
    found = [_MACHINE]
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text(encoding="utf-8", errors="surrogateescape").splitlines():
            _number, controllers, place = line.split(":", 2)
            if controllers and "memory" not in controllers.split(","):
                continue
            root, name = (_GROUPS / "memory", "memory.oom_control") if controllers else (_GROUPS, "memory.events")
            folder = root / place.lstrip("/")
            found += [inner / name for inner in (folder, *folder.parents) if inner == root or root in inner.parents]
    return tuple(file for file in found if file.is_file())
