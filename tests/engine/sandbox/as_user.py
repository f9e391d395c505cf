"""Run a command as another user, with a Python that this user can read.

    python as_user.py UID command...            needs root

An interpreter under /root, which only root may enter, is bound to the same place under a folder everybody may
enter, in a mount namespace that only the command sees.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from autograder.sandbox import kernel

GROUND = "/mnt"


def main() -> None:
    uid, command = int(sys.argv[1]), sys.argv[2:]
    kernel.unshare(kernel.CLONE_NEWNS)
    kernel.mount(None, "/", None, kernel.MS_REC | kernel.MS_PRIVATE)
    closed = [p for p in reversed(Path(sys.base_prefix).parents) if not p.stat().st_mode & 1]
    if closed:
        _open_way(str(closed[0]), sys.base_prefix)
    if uid != os.getuid():
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    os.execvp(command[0], command)


def _open_way(closed: str, prefix: str) -> None:
    kernel.mount("tmpfs", GROUND, "tmpfs", 0, "mode=755")
    os.mkdir(f"{GROUND}/python")
    kernel.mount(prefix, f"{GROUND}/python", None, kernel.MS_BIND | kernel.MS_REC)
    kernel.mount("tmpfs", closed, "tmpfs", 0, "mode=755")
    os.makedirs(prefix)
    kernel.mount(f"{GROUND}/python", prefix, None, kernel.MS_BIND | kernel.MS_REC)
    kernel.detach(GROUND)


if __name__ == "__main__":
    main()
