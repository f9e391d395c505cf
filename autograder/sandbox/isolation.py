"""What the sandbox promises, in plain data: limits asked for, layers that hold, how a worker ended."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

MIB = 1024 * 1024

# The layers that can be switched off with `WarmParent(without=...)`, to test what holds without them.
SWITCHES = frozenset({"namespaces", "landlock", "seccomp", "warm_parent"})


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one worker may use at most. Memory comes on top of what the warm parent's imports already take; how much of
    it a worker may have at a time is said with `Worker.allow_memory`."""

    memory_bytes: int
    cpu_seconds: int
    scratch_bytes: int = 64 * MIB
    file_bytes: int = 64 * MIB
    open_files: int = 64
    threads: int = 64

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise ValueError(f"limit {name} must be a whole number of at least 1, got {value!r}")


@dataclass(frozen=True)
class Isolation:
    """The layers that hold around a worker. `why` says, for a missing layer, what the system answered.

    level: "full" (the worker sees a file system of its own), "reduced" (the machine's file system, filtered
    by Landlock and seccomp), "none" (an ordinary process: only for students checking their own work).
    """

    level: Literal["full", "reduced", "none"]
    layers: tuple[str, ...]
    missing: tuple[str, ...]
    why: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Isolation:
        return cls(data["level"], tuple(data["layers"]), tuple(data["missing"]), tuple(data.get("why", ())))


@dataclass(frozen=True)
class Exit:
    """How a worker ended. `reason`: "killed" (asked for), "memory", "cpu", "threads", "signal N", "exit N" or
    "lost" (the process that watches it died, and took it along)."""

    code: int | None
    signal: int | None
    cpu_seconds: float
    max_rss_bytes: int
    reason: str


class IsolationRefused(Exception):
    """This machine can't isolate student code well enough; the message says which layer is missing."""


class WarmParentDied(Exception):
    """The warm parent is gone or never came up; `start()` makes a new one."""
