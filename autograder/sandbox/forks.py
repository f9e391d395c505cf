"""Forks of a zygote, as seen by whoever asks for them: processes that have imported torch when they begin.

Two imports of torch for each judge, its own and its warm parent's, are most of the time that a small batch takes.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, TypedDict

import autograder
from autograder.sandbox.environment import environment
from autograder.sandbox.isolation import AnswerData

PRELOAD = ("numpy", "torch", "torch._dynamo", "matplotlib.pyplot", "matplotlib.backends.backend_agg")
SERVICE = "autograder.worker.service"
ROOT = str(Path(autograder.__file__).resolve().parent.parent)

_START_SECONDS = 300.0  # a cold disk, a loaded machine: importing torch can take very long
_BOOT = (
    "import sys; sys.path.insert(0, sys.argv[2]); from autograder.sandbox.zygote import main; main(int(sys.argv[1]))"
)


class Request(TypedDict):
    """What a zygote is to fork: the child's descriptors come with it, a judge's `JudgeOrder` in the third of them."""

    role: Literal["judge", "warm parent"]


class JudgeOrder(TypedDict):
    """What a judge is told about itself. `path`: what comes first on its search path; the rest as in `ParentOrder`."""

    module: str
    environment: dict[str, str]
    folder: str
    path: list[str]
    sys_path: list[str]
    root: str
    dont_write_bytecode: bool


class Fork:
    """A child of the zygote. Has of `subprocess.Popen` what its users need."""

    def __init__(self, pid: int, handle: int) -> None:
        self.pid = pid
        self._handle = handle

    def __del__(self) -> None:
        os.close(self._handle)

    def kill(self) -> None:
        """End it now."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._handle, signal.SIGKILL)

    def wait(self, timeout: float | None = None) -> None:
        """Wait for its end; subprocess.TimeoutExpired if that takes longer than `timeout` seconds."""
        poll = select.poll()
        poll.register(self._handle, select.POLLIN)
        if not poll.poll(None if timeout is None else timeout * 1000):
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0.0)


class Zygote:
    """A way to ask the zygote for forks.

    Args:
        channel: a SOCK_SEQPACKET connection to it.
        zygote: the process, where it is a child of this one.
    """

    def __init__(self, channel: socket.socket, zygote: subprocess.Popen[bytes] | None = None) -> None:
        self._channel = channel
        self._zygote = zygote
        self._lock = threading.Lock()
        self._owner = os.getpid()

    @property
    def usable(self) -> bool:
        """False in a fork of the process that it was made for, and when the zygote is known to have ended."""
        return self._owner == os.getpid() and (self._zygote is None or self._zygote.poll() is None)

    def fork(self, request: Request, descriptors: Sequence[int]) -> Fork:
        """A new child that has been given these descriptors; OSError if there is none to be had."""
        with self._lock:
            self._channel.settimeout(_START_SECONDS)
            socket.send_fds(self._channel, [json.dumps(request).encode()], descriptors)
            message, handles, _flags, _address = socket.recv_fds(self._channel, 1 << 16, 1)
        answer: AnswerData = json.loads(message) if message else {"failed": "the zygote has ended"}
        if "failed" in answer:
            raise OSError(answer["failed"])
        return Fork(answer["pid"], handles[0])

    def close(self) -> None:
        """Hang up: a zygote that this process has started ends; its forks do not."""
        self._channel.close()
        if self._zygote is not None and self._owner == os.getpid():
            self._zygote.kill()  # it may be in the middle of its imports, and has nothing to put in order
            self._zygote.wait()


_line: Zygote | None = None
_starting = threading.Lock()


def use(channel: socket.socket) -> None:
    """In a fork of the zygote: the line on which it can be asked for more."""
    global _line
    _line = Zygote(channel)


def known() -> Zygote | None:
    """The line of this process, if it has one."""
    return _line if _line is not None and _line.usable else None


def possible() -> bool:
    """Whether this system has what a zygote needs."""
    return sys.platform == "linux" and hasattr(os, "pidfd_open")


def line() -> Zygote:
    """The line of this process to a zygote of its own, which is started where there is none."""
    global _line
    with _starting:
        found = known()
        if found is None:
            if _line is not None:
                _line.close()
            found = _line = _start()
            atexit.register(found.close)
        return found


def _start() -> Zygote:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-s", "-P", "-c", _BOOT, str(theirs.fileno()), ROOT],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,  # what cannot be imported is said by those who then do without a zygote
            env=environment(),
            cwd="/",
            pass_fds=(theirs.fileno(),),
            start_new_session=True,
        )
    ours.send(json.dumps({"sys_path": sys.path, "preload": [*PRELOAD, SERVICE], "root": ROOT}).encode())
    return Zygote(ours, process)


def judge(module: str, connection: int, settings: dict[str, str]) -> Fork:
    """A judge process: `module.main()` with `sys.argv[1]` the descriptor, in this process's environment.

    Raises:
        OSError: no fork is to be had.
    """
    python_path = [os.path.abspath(e) for e in os.environ.get("PYTHONPATH", "").split(os.pathsep) if e]
    order: JudgeOrder = {
        "module": module,
        "environment": dict(os.environ) | settings,
        "folder": os.getcwd(),
        "path": python_path,
        "sys_path": sys.path,
        "root": ROOT,
        "dont_write_bytecode": sys.dont_write_bytecode,
    }
    # In a file that the fork alone reads: the environment may hold the course secret, and what the zygote has once read
    # its later forks, the workers' parents, could find in their memory.
    sealed = os.memfd_create("order")
    try:
        os.write(sealed, json.dumps(order).encode())
        return line().fork({"role": "judge"}, [connection, 2, sealed])
    finally:
        os.close(sealed)
