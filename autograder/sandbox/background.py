"""Whether threads that the student's code has left behind compute, though nothing has been asked.

A thread that shows a progress bar, or fetches the next batch, may be at it at any moment, and wait long for its turn on
a loaded machine: that it can run says nothing. One that computes for nobody uses up processor time, half a second and
more, with hardly a pause.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import NamedTuple

LOOK_EVERY = 0.01  # seconds
MOST_LOOKS = 1000  # a processor that is shared by so many that no half second is used meanwhile slows nobody down
ENOUGH = 0.5  # seconds of processor time
PAUSES = 0.2  # of all looks at a thread that computes, at most; and one more


class Look(NamedTuple):
    """What there is to see of a process: does any thread but the first run or wait for its turn, and the processor time
    that all have used up, in seconds."""

    running: bool
    seconds: float


def works_unasked(pid: int) -> bool:
    """Whether threads compute in this process, whose first thread waits for the wire, or is about to.

    Where there is no /proc, False. Takes no time where none runs, and else until it is sure.
    """
    try:
        return keeps_computing(lambda: _look(pid), time.sleep)
    except OSError:
        return False


def keeps_computing(look: Callable[[], Look], wait: Callable[[float], None]) -> bool:
    """Whether what is seen in one look after the other is computing with hardly a pause."""
    first = look()
    if not first.running and not look().running:  # looked at twice: between two threads' turns none may run
        return False
    pauses = 0
    for looks in range(1, MOST_LOOKS):
        wait(LOOK_EVERY)
        now = look()
        pauses += not now.running
        if pauses > 1 + PAUSES * looks:
            return False
        if now.seconds - first.seconds >= ENOUGH:
            return True
    return False


def _look(pid: int) -> Look:
    threads = [name for name in os.listdir(f"/proc/{pid}/task") if name != str(pid)]
    running = any(_fields(f"/proc/{pid}/task/{name}/stat")[0] == "R" for name in threads)
    own, systems = _fields(f"/proc/{pid}/stat")[11:13]
    return Look(running, (int(own) + int(systems)) / os.sysconf("SC_CLK_TCK"))


def _fields(path: str) -> list[str]:
    """The fields of a stat file from the state on; `X`, as if it were dead, where the thread has just ended."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return ["X", *["0"] * 20]
