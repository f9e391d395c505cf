"""One grader at a time: two that write into one folder or one database would undo each other's work."""

from __future__ import annotations

import contextlib
import os
import platform
from collections.abc import Iterator
from pathlib import Path

from autograder.batch.state import State, StateFault
from autograder.language import _


@contextlib.contextmanager
def only_grader(out: Path, state: State) -> Iterator[None]:
    """Keep other graders out of this folder and this database for the time of the block.

    The locks belong to the process: the system takes them back when it is killed, nothing has to be cleaned up.

    Raises:
        StateFault: somebody else is grading there; says who.
    """
    out.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as locks:
        locks.enter_context(_file_lock(out / ".lock", str(out)))
        file = state.file
        if file is not None:
            locks.enter_context(_file_lock(file.with_name(file.name + ".lock"), str(file)))
        if not locks.enter_context(state.alone()):
            raise StateFault(
                _("another `autograder grade` is working on this course in {name}; wait until it has ended").format(
                    name=state.name
                )
            )
        yield


@contextlib.contextmanager
def _file_lock(path: Path, what: str) -> Iterator[None]:
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    with path.open("a+", encoding="utf-8") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            stream.seek(0)
            raise StateFault(
                _("another `autograder grade` is working on {what} ({who}); wait until it has ended").format(
                    what=what, who=stream.read(200).strip() or "?"
                )
            ) from None
        stream.truncate(0)
        stream.write(_("process {pid} on {machine}").format(pid=os.getpid(), machine=platform.node()))
        stream.flush()
        yield
        stream.truncate(0)
