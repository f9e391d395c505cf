"""The floor of a grader's time: the same checks, called in one warm process, without worker, wire or isolation.

Run by the benchmarks as a process of its own; speaks the same lines as `autograder.judge.process`.
"""

from __future__ import annotations

import contextlib
import socket
import sys
import types

from autograder.judge.engine import Engine, Kit
from autograder.judge.messages import Job, Start, from_line
from autograder.judge.process import JobLoop, run_loop
from autograder.judge.transport import LocalTransport, Transport


class FloorEngine(Engine):
    """An engine whose submissions run in its own process."""

    def start(self) -> None:
        """No warm parent."""

    def transport(self, job: Job, kit: Kit) -> Transport:
        """The submission as a module of this process; a cell that fails leaves its names undefined."""
        module = types.ModuleType(f"floor_{job.exercise}")
        sys.modules[module.__name__] = module
        for cell in job.cells:
            with contextlib.suppress(Exception):
                exec(compile(cell["source"], "floor.py", "exec"), module.__dict__)
        return LocalTransport(module)


class FloorLoop(JobLoop):
    """A judge's loop on a FloorEngine."""

    engine_class = FloorEngine


if __name__ == "__main__":
    stream = socket.socket(fileno=int(sys.argv[1])).makefile("rw", encoding="utf-8", newline="\n")
    start = from_line(stream.readline(), Start)
    run_loop(FloorLoop(stream, start), start.order)
