"""What the sandbox promises, in plain data: limits asked for, layers that hold, how a worker ended."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal, TypedDict

from autograder.sandbox.gpu import OpeningData

MIB = 1024 * 1024

# The layers that can be switched off with `WarmParent(without=...)`, to test what holds without them.
SWITCHES = frozenset({"namespaces", "landlock", "seccomp", "warm_parent"})


@dataclass(frozen=True, kw_only=True)
class WorkerLimits:
    """What one worker may use at most. Memory comes on top of what the warm parent's imports already take; how much of
    it a worker may have at a time is said with `Worker.allow_memory`."""

    memory_bytes: int
    cpu_seconds: int
    scratch_bytes: int = 64 * MIB
    file_bytes: int = 64 * MIB
    open_files: int = 64
    threads: int = 64
    gpu_memory_mb: int = 4096  # where there is a GPU, beyond what the empty worker has of it

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise ValueError(f"limit {name} must be a whole number of at least 1, got {value!r}")


Level = Literal["full", "reduced", "none"]


class IsolationData(TypedDict):
    """An `Isolation` as JSON."""

    level: Level
    layers: list[str]
    missing: list[str]
    why: list[str]
    gpu: str


@dataclass(frozen=True)
class Isolation:
    """The layers that hold around a worker. `why` says, for a missing layer, what the system answered.

    level: "full" (the worker sees a file system of its own), "reduced" (the machine's file system, filtered
    by Landlock and seccomp), "none" (an ordinary process: only for students checking their own work).
    gpu: the one that workers compute on; empty where they have the CPU alone.
    """

    level: Level
    layers: tuple[str, ...]
    missing: tuple[str, ...]
    why: tuple[str, ...] = ()
    gpu: str = ""

    def to_json(self) -> IsolationData:
        return IsolationData(
            level=self.level, layers=list(self.layers), missing=list(self.missing), why=list(self.why), gpu=self.gpu
        )

    @classmethod
    def from_json(cls, data: IsolationData) -> Isolation:
        return cls(data["level"], tuple(data["layers"]), tuple(data["missing"]), tuple(data["why"]), data["gpu"])


GPU_LAYER = "GPU memory limit"  # among the layers, where it is watched
GPU_MEMORY = "GPU memory"
SHARED_MEMORY = "shared memory"
THREADS = "threads"
WATCHED = (THREADS, SHARED_MEMORY, GPU_MEMORY)


class ExitData(TypedDict):
    """An `Exit` as JSON."""

    code: int | None
    signal: int | None
    cpu_seconds: float
    max_rss_bytes: int
    reason: str


@dataclass(frozen=True)
class Exit:
    """How a worker ended. `reason`: "killed" (asked for), one of `WATCHED` (its minder has seen it over that limit),
    "memory", "cpu", "signal N", "exit N" or "lost" (the process that watches it died, and took it along)."""

    code: int | None
    signal: int | None
    cpu_seconds: float
    max_rss_bytes: int
    reason: str

    def to_json(self) -> ExitData:
        return ExitData(
            code=self.code,
            signal=self.signal,
            cpu_seconds=self.cpu_seconds,
            max_rss_bytes=self.max_rss_bytes,
            reason=self.reason,
        )


class ParentOrder(TypedDict):
    """What a process is to be prepared for: the first message to a warm parent, or to an ordinary worker.

    serve: "module:function". root: the folder the framework is loaded from. judge: its process id, and `sys_path` its
    search path. gpu: an `Opening`; unless it is required, they do without where it cannot be had. The rest is as in
    `WarmParent`.
    """

    serve: str
    preload: list[str]
    unprotected: bool
    without: list[str]
    readable: list[str]
    import_path: list[str]
    processor: int | None
    gpu: OpeningData | None
    gpu_required: bool
    root: str
    judge: int
    sys_path: list[str]


class AnswerData(TypedDict, total=False):
    """What a warm parent or a minder answers: one of `ready`, `locked`, `exit`, `allowed`, `refused` or `failed`."""

    ready: IsolationData
    timings: dict[str, float]  # with `ready`: seconds
    locked: list[str]  # the layers of a worker
    unwatched: str  # with `locked`: why its GPU memory is not limited
    pid: int  # with `locked`
    exit: ExitData
    allowed: int  # bytes of memory
    refused: str
    details: str  # with `refused`: a traceback
    failed: str


class IsolationRefused(Exception):
    """This machine can't isolate student code well enough; the message says which layer is missing."""


class WarmParentDied(Exception):
    """The warm parent is gone or never came up; `start()` makes a new one."""
