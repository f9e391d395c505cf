"""What the judge holds of a worker, whatever stands around it."""

from __future__ import annotations

import socket
from abc import ABC, abstractmethod
from typing import Self

from autograder.sandbox.background import works_unasked
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
        """Whether threads that the student's code left behind compute, though nothing has been asked."""
        return works_unasked(self.pid)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.kill()
