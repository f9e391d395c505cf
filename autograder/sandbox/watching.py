"""What a minder looks at while its worker runs, because no limit of the kernel's holds it: each `Sentry` is a look."""

from __future__ import annotations

from collections.abc import Callable

from autograder.sandbox.isolation import GPU_MEMORY, MIB, SHARED_MEMORY, THREADS
from autograder.sandbox.lockdown import OpenedGpu
from autograder.sandbox.memory import Memory

Sentry = Callable[[], str | None]  # the reason to end the worker, where there is one

# Beside what a worker may have: what the C library keeps, what libraries write into their own data.
_LEEWAY = 64 * MIB
# Of a GPU's memory: what libraries take beside the allocator, which keeps to the limit itself and says so.
_GPU_LEEWAY = 512 * MIB


def threads(worker: int, most: int) -> Sentry:
    """It has no more threads."""

    def look() -> str | None:
        with open(f"/proc/{worker}/stat", encoding="utf-8", errors="replace") as file:
            count = int(file.read().rpartition(")")[2].split()[17])
        return THREADS if count > most else None

    return look


def shared_memory(worker: int, memory: Memory) -> Sentry:
    """Where addresses are not limited, the limit of private data says nothing of memory that is shared."""
    before = _resident(worker)

    def look() -> str | None:
        return SHARED_MEMORY if _resident(worker) > before + memory.allowed + _LEEWAY else None

    return look


def gpu_memory(worker: int, gpu: OpenedGpu, megabytes: int) -> Sentry:
    """It has no more of the GPU's memory than what it starts with and so much.

    Raises:
        OSError: nobody says what it has.
    """
    gauge = gpu.driver.gauge(gpu.opening.device)
    before = gauge.used(worker)
    if before is None:
        raise OSError(61, "the driver does not say how much of the GPU's memory a process uses")
    most = before + megabytes * MIB + _GPU_LEEWAY

    def look() -> str | None:
        used = gauge.used(worker)
        return GPU_MEMORY if used is not None and used > most else None

    return look


def _resident(pid: int) -> int:
    """Bytes in memory that belong to no file."""
    with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as file:
        rows = dict(line.split(":", 1) for line in file if line.startswith(("RssAnon", "RssShmem")))
    return sum(int(row.split()[0]) * 1024 for row in rows.values())
