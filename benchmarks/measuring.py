"""A command measured: wall clock, and the memory of its processes at their largest."""

from __future__ import annotations

import os
import statistics
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

SAMPLE_SECONDS = 0.25


@dataclass(frozen=True)
class Measured:
    """What a command took.

    Attributes:
        seconds: wall clock, from start to end of the process.
        largest_mb: RSS of its largest process, at its largest.
        together_mb: RSS of all its processes together, at its largest (pages that they share count in each).
        output: what it printed.
    """

    seconds: float
    largest_mb: float
    together_mb: float
    output: str


def measure(command: Sequence[str | Path], cores: Sequence[int], environment: Mapping[str, str], at: Path) -> Measured:
    """Run a command on these cores; CalledProcessError with its output where it fails."""
    started = time.perf_counter()
    process = subprocess.Popen(
        [str(word) for word in command],
        cwd=at, env=dict(environment), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, preexec_fn=lambda: os.sched_setaffinity(0, cores),
    )  # fmt: skip
    peaks = [0.0, 0.0]
    over = threading.Event()
    watcher = threading.Thread(target=_watch, args=(process.pid, peaks, over), daemon=True)
    watcher.start()
    output, _ = process.communicate()
    seconds = time.perf_counter() - started
    over.set()
    watcher.join()
    if process.returncode != 0:
        raise subprocess.CalledProcessError(process.returncode, [str(word) for word in command], output[-4000:])
    return Measured(seconds, peaks[0], peaks[1], output)


def _watch(pid: int, peaks: list[float], over: threading.Event) -> None:
    while not over.wait(SAMPLE_SECONDS):
        sizes = []
        try:
            top = psutil.Process(pid)
            for process in (top, *top.children(recursive=True)):
                sizes.append(process.memory_info().rss / 2**20)
        except psutil.NoSuchProcess:
            pass
        if sizes:
            peaks[0], peaks[1] = max(peaks[0], *sizes), max(peaks[1], sum(sizes))


def spread(values: Sequence[float], digits: int = 3) -> dict[str, float]:
    """Median, lowest and highest of some rounds."""
    return {
        "median": round(statistics.median(values), digits),
        "lowest": round(min(values), digits),
        "highest": round(max(values), digits),
        "rounds": len(values),
    }
