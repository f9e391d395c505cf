"""What the judge holds of a worker, whatever stands around it."""

from __future__ import annotations

import os
import socket
from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self

from autograder.sandbox.isolation import Exit, Isolation


class Worker(ABC):
    """A process on the other end of `socket`. Nothing that arrives there is to be trusted.

    As a context manager it is killed at the end.
    """

    def __init__(self, wire: socket.socket, isolation: Isolation, pid: int) -> None:
        self.socket = wire
        self.isolation = isolation
        self.pid = pid

    @abstractmethod
    def wait(self, timeout: float | None) -> Exit | None:
        """How the worker ended; None if it still runs after `timeout` seconds (None waits for ever)."""

    @abstractmethod
    def kill(self) -> None:
        """End the worker with everything it started, and close its socket. May be called again."""

    @abstractmethod
    def allow_memory(self, memory_bytes: int) -> None:
        """From now on the worker may have so much memory, at most what it was made with: it keeps what it has."""

    def works_unasked(self) -> bool:
        """Whether a thread that the student's code left behind computes, though nothing has been asked.

        The main thread waits for the wire, or is about to. Where there is no /proc, False.
        """
        try:
            threads = [thread for thread in os.listdir(f"/proc/{self.pid}/task") if thread != str(self.pid)]
            return any(_state(self.pid, thread) == "R" for thread in threads)
        except OSError:
            return False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()


def _state(pid: int, thread: str) -> str:
    with open(f"/proc/{pid}/task/{thread}/stat", encoding="utf-8", errors="replace") as file:
        return file.read().rpartition(")")[2].split()[0]
