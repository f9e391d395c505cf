"""A file system of the worker's own: read-only binds of what it may read, a sized scratch folder, no more.

Runs inside the worker, while it still has the capabilities of its namespace. Uses only the classic mount
calls, so that old kernels do it too.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Iterable, Sequence

from autograder.sandbox import kernel
from autograder.sandbox.readable import Readable, devices

SCRATCH = "/scratch"
_PROCESS = f"{SCRATCH}/.process"
_THREADS = 64  # that a driver may name while it starts
# What it may read of its own process.
_FACTS = ("maps", "status", "stat", "statm", "limits", "cmdline", "comm", "cgroup", "mounts", "mountinfo")
_INODES = 16384  # of the scratch folder: empty files cost kernel memory too

# A place to build on: any existing folder will do, as the mount is seen by this process alone.
_BUILDING_GROUNDS = ("/mnt", "/media", "/srv", "/opt", "/run", "/tmp", "/var", "/home")

# statvfs flag -> mount flag. A remount that forgets one of these is refused inside a user namespace.
_KEPT = {
    2: kernel.MS_NOSUID,
    4: kernel.MS_NODEV,
    8: kernel.MS_NOEXEC,
    1024: kernel.MS_NOATIME,
    2048: kernel.MS_NODIRATIME,
    4096: kernel.MS_RELATIME,
}


def enter(readable: Readable, scratch_bytes: int, owner: tuple[int, int], nodes: Sequence[str] = ()) -> None:
    """Make the new root and move in, to stand in its scratch folder, which belongs to `owner` (uid, gid).

    nodes: devices that may be used. Their driver finds something like a /proc/self, see `forget_process`.
    """
    os.umask(0o022)
    kernel.unshare(kernel.CLONE_NEWNS | kernel.CLONE_NEWNET | kernel.CLONE_NEWIPC | kernel.CLONE_NEWUTS)
    kernel.mount(None, "/", None, kernel.MS_REC | kernel.MS_PRIVATE)
    root = _building_ground(readable.paths)
    older = set(_mounts())
    inert = kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC
    kernel.mount("tmpfs", root, "tmpfs", inert, "size=1m,mode=755")
    last = [path for path in readable.paths if _within(path, readable.hidden)]
    for path in (*(path for path in readable.paths if path not in last), *devices(), *nodes):
        _bind(path, root + path)
    for path in readable.hidden:
        kernel.mount("tmpfs", root + path, "tmpfs", inert, "size=1m,mode=755")
    for path in last:
        _bind(path, root + path)
    _make_read_only(root, older, {root + path for path in (*devices(), *nodes)})
    os.mkdir(root + SCRATCH)
    size = f"size={scratch_bytes},nr_inodes={_INODES},mode=700,uid={owner[0]},gid={owner[1]}"
    kernel.mount("tmpfs", root + SCRATCH, "tmpfs", inert, size)
    if nodes:
        _imitate_process(root, owner)
    kernel.mount(None, root, None, kernel.MS_REMOUNT | kernel.MS_BIND | kernel.MS_RDONLY | inert)
    os.chdir(root)
    kernel.call("pivot_root", b".", b".")
    kernel.detach(".")
    os.chdir(SCRATCH)


def _imitate_process(root: str, owner: tuple[int, int]) -> None:
    """What a driver does with its own process's files in /proc while it starts, it does with files of ours: it reads
    some, and writes the names of its threads."""
    place = root + _PROCESS
    for number in range(1, _THREADS + 1):
        os.makedirs(f"{place}/task/{number}")
        with open(f"{place}/task/{number}/comm", "wb"):
            pass
    for name in _FACTS:
        # Not all are there on every kernel, nor may each be read by who is not dumpable.
        with contextlib.suppress(OSError), open(f"/proc/self/{name}", "rb") as there:
            text = there.read()
            with open(f"{place}/{name}", "wb") as here:
                here.write(text)
    os.symlink(os.readlink("/proc/self/exe"), f"{place}/exe")
    for folder, _folders, files in os.walk(place):
        for path in (folder, *(os.path.join(folder, file) for file in files)):
            os.chown(path, *owner, follow_symlinks=False)
    os.makedirs(f"{root}/proc", exist_ok=True)
    os.symlink(_PROCESS, f"{root}/proc/{os.getpid()}")
    os.symlink(str(os.getpid()), f"{root}/proc/self")


def forget_process() -> None:
    """Remove what stood for /proc/self: it was for the driver's start alone."""
    shutil.rmtree(_PROCESS)


def _building_ground(paths: Sequence[str]) -> str:
    for place in _BUILDING_GROUNDS:
        if os.path.isdir(place) and os.path.realpath(place) == place and not _touches(place, paths):
            return place
    raise OSError(2, f"none of {', '.join(_BUILDING_GROUNDS)} can carry the worker's file system")


def _touches(place: str, paths: Sequence[str]) -> bool:
    return any(path == place or path.startswith(place + "/") or place.startswith(path + "/") for path in paths)


def _within(path: str, folders: Iterable[str]) -> bool:
    return any(path.startswith(folder + "/") for folder in folders)


def _bind(source: str, target: str) -> None:
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if os.path.islink(source):
        os.symlink(os.readlink(source), target)
        return
    if os.path.isdir(source):
        os.makedirs(target, exist_ok=True)
    else:
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o644))
    kernel.mount(source, target, None, kernel.MS_BIND | kernel.MS_REC)


def _make_read_only(root: str, older: set[str], nodes: set[str]) -> None:
    """Every mount that is not among the `older`: those that came along with a bound folder too."""
    for number, place in _mounts().items():
        if number not in older and place != root:
            has = os.statvfs(place).f_flag
            flags = sum(flag for bit, flag in _KEPT.items() if has & bit)
            flags |= kernel.MS_REMOUNT | kernel.MS_BIND | kernel.MS_RDONLY | kernel.MS_NOSUID
            kernel.mount(None, place, None, flags if place in nodes else flags | kernel.MS_NODEV)


def _mounts() -> dict[str, str]:
    """The mounts this process sees: number -> place."""
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as table:
        fields = [line.split(" ") for line in table]
    return {row[0]: _unescaped(row[4]) for row in fields}


def _unescaped(text: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), text)
