"""The locked worker tries what must fail, and what must work, before it serves anybody."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import resource
import signal
import socket
import stat
import sys
from collections.abc import Callable
from functools import partial

from autograder.sandbox import jail, kernel
from autograder.sandbox.gpu import escape, open_node
from autograder.sandbox.isolation import WorkerLimits
from autograder.sandbox.lockdown import REPORT, WIRE, Lockdown, OpenedGpu, Owner
from autograder.sandbox.readable import Readable, devices

PRIVATE_FILES = ("/etc/passwd", "/proc/self/status", "/proc/1/environ")
PRIVATE_FOLDERS = ("/", "/root", "/home", "/tmp", "/proc")

TYPING, CARRYING = 0x5412, escape(211)  # ioctls: into a terminal, and one that carries another


def failures(
    plan: Lockdown, limits: WorkerLimits, owner: Owner, readable: Readable, repository: str | None,
    gpu: OpenedGpu | None = None,
) -> list[str]:  # fmt: skip
    """What is not as it must be; an empty list lets the worker serve.

    repository: the folder the framework was loaded from, where that is not an installed package.
    """
    found: list[str] = []
    if owner.uid == 0 or 0 in (os.getuid(), os.geteuid(), os.getegid()):
        found.append("the worker runs as root")
    found += _wrong_states(owner, limits, gpu)
    for name, attempt in _filtered().items():
        found += _must_fail(name, attempt, (errno.EPERM,))
    private = [*PRIVATE_FILES, *readable.samples, *([f"{repository}/autograder/__init__.py"] if repository else [])]
    if plan.landlock:  # a file system of its own may have some of these, with the way to a library and nothing else
        private += [path for path in PRIVATE_FOLDERS if path not in readable.paths]
    for path in private:
        found += _must_fail(f"opening {path}", partial(os.open, path, os.O_RDONLY))
    for path in (os.__file__, *readable.paths):
        if not os.path.islink(path):
            found += _must_work(f"reading {path}", partial(_read, path))
    write = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    for folder in ("/", "/tmp", "/dev/shm", os.path.dirname(os.__file__), *sys.path[-1:]):
        found += _must_fail(f"writing into {folder}", partial(os.open, folder + "/self-test", write))
    if plan.namespaces:
        found += _must_work("writing into the scratch folder", _use_scratch)
    if gpu is not None:
        found += _wrong_about(gpu)
    return found


def _wrong_about(gpu: OpenedGpu) -> list[str]:
    """Its nodes can be opened and asked what a driver is asked, no other node can, and it computes."""
    found = []
    for path in gpu.opening.nodes:
        found += _must_work(f"opening {path}", partial(open_node, path))
    for path in gpu.opening.shut:
        found += _must_fail(f"opening {path}", partial(os.open, path, os.O_RDONLY))
    if gpu.opening.nodes:
        with open(gpu.opening.nodes[0], "rb", buffering=0) as node:
            for request in (TYPING, CARRYING):
                found += _must_fail(f"ioctl {request:#x}", partial(fcntl.ioctl, node, request, b""), (errno.EPERM,))
    return found or _must_work("computing", gpu.driver.compute)


def _wrong_states(owner: Owner, limits: WorkerLimits, gpu: OpenedGpu | None) -> list[str]:
    states = {
        "capabilities": (kernel.capabilities(), 0),
        "no_new_privs": (kernel.prctl(kernel.PR_GET_NO_NEW_PRIVS), 1),
        "dumpable": (kernel.prctl(kernel.PR_GET_DUMPABLE), 0),
        "parent-death signal": (_parent_death_signal(), int(signal.SIGKILL)),
        "identity": (os.getresuid() + os.getresgid(), (owner.uid,) * 3 + (owner.gid,) * 3),
        "open descriptors": (_open_descriptors(gpu), [0, 1, 2, WIRE, REPORT]),
        "core limit": (resource.getrlimit(resource.RLIMIT_CORE), (0, 0)),
        "cpu limit": (max(resource.getrlimit(resource.RLIMIT_CPU)) <= limits.cpu_seconds, True),
        "limit of private data": (resource.RLIM_INFINITY in resource.getrlimit(resource.RLIMIT_DATA), False),
    }
    if gpu is None:
        states["address space limit"] = (resource.RLIM_INFINITY in resource.getrlimit(resource.RLIMIT_AS), False)
    return [f"{name} is {got}, not {wanted}" for name, (got, wanted) in states.items() if got != wanted]


def _parent_death_signal() -> int:
    value = ctypes.c_int()
    kernel.prctl(kernel.PR_GET_PDEATHSIG, ctypes.addressof(value))
    return value.value


def _open_descriptors(gpu: OpenedGpu | None) -> list[int]:
    """Those that are open, but for what a GPU's driver has opened in its jail: its nodes, and what has no name."""
    allowed = {os.stat(path).st_rdev for path in (*gpu.opening.nodes, *devices())} if gpu is not None else set()
    found = []
    for number in range(resource.getrlimit(resource.RLIMIT_NOFILE)[0]):
        try:
            about = os.fstat(number)
        except OSError:
            continue
        device = stat.S_ISCHR(about.st_mode) or stat.S_ISBLK(about.st_mode)
        if gpu is None or number <= REPORT or (device and about.st_rdev not in allowed):
            found.append(number)
    return found


def _filtered() -> dict[str, Callable[[], object]]:
    """What only the filter refuses with EPERM; without it the answer would be another, or success."""
    return {
        "socket": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
        "unix socket": lambda: socket.socket(socket.AF_UNIX),
        "fork": _fork,
        "execve": lambda: os.execv("/nonexistent", ["x"]),
        "ptrace": lambda: kernel.call("ptrace", 16, 0x7FFFFFF0, 0, 0),
        "kill": lambda: os.kill(-1, 0),
        "chmod": lambda: os.chmod("/nonexistent", 0o700),
        "symlink": lambda: os.symlink("/nonexistent", "link"),
        "memfd_create": lambda: kernel.call("memfd_create", b"x", 0),
        "setpriority": lambda: os.setpriority(os.PRIO_PROCESS, 0, os.getpriority(os.PRIO_PROCESS, 0)),
        "shmget": lambda: kernel.call("shmget", 0, 4096, 0o1600),
        "unshare": lambda: kernel.unshare(kernel.CLONE_NEWUSER),
        "emptying a file opened for reading": lambda: os.open("/nonexistent", os.O_RDONLY | os.O_TRUNC),
    }


def _read(path: str) -> None:
    os.close(os.open(path, os.O_RDONLY))


def _fork() -> None:
    if kernel.call("clone", int(signal.SIGCHLD), 0, 0, 0, 0) == 0:
        os._exit(1)


def _use_scratch() -> None:
    place = jail.SCRATCH + "/self-test"
    with open(place, "wb") as file:
        file.write(b"x")
    os.unlink(place)


def _must_fail(name: str, attempt: Callable[[], object], only: tuple[int, ...] = ()) -> list[str]:
    try:
        attempt()
    except OSError as error:
        if only and error.errno not in only:
            return [f"{name} failed with {errno.errorcode.get(error.errno or 0)}, not by the filter"]
        return []
    return [f"{name} was not refused"]


def _must_work(name: str, attempt: Callable[[], object]) -> list[str]:
    try:
        attempt()
    except OSError as error:
        return [f"{name} failed: {error.strerror}"]
    return []
