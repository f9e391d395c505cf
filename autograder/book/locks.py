"""One grader at a time: two that write into one folder or one book would undo each other's work."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout
from sqlalchemy import Engine, text

from autograder.book.engine import StoreFault
from autograder.language import _

LOCK_SPACE = 0x6175746F  # of PostgreSQL's advisory locks: "auto"


@contextmanager
def file_lock(path: Path, what: str, wait_s: float = 0) -> Iterator[None]:
    """Hold a file's lock for the time of the block. It belongs to the process: the system takes it back on a kill.

    Args:
        what: is guarded, for the message.
        wait_s: seconds to wait for somebody who is soon done.

    Raises:
        StoreFault: somebody else holds it; says who.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path, timeout=wait_s)
    try:
        lock.acquire()
    except Timeout:
        raise StoreFault(
            _("another `autograder grade` is working on {what} ({who}); wait until it has ended").format(
                what=what, who=_holder(path)
            )
        ) from None
    try:
        with suppress(OSError):  # Windows: nobody may look into a file that is locked
            path.write_text(_("process {pid} on {machine}").format(pid=os.getpid(), machine=platform.node()), "utf-8")
        yield
        with suppress(OSError):
            path.write_text("", "utf-8")
    finally:
        lock.release()


@contextmanager
def course_lock(engine: Engine, course: str, name: str) -> Iterator[None]:
    """Hold a course's lock in a PostgreSQL database for the time of the block; other databases have none.

    The lock is the connection's: it goes with a killed process.

    Raises:
        StoreFault: somebody else holds it.
    """
    if engine.dialect.name != "postgresql":
        yield
        return
    with engine.connect() as connection:
        lock = {"space": LOCK_SPACE, "course": f"course {course}"}
        taken = connection.execute(text("SELECT pg_try_advisory_lock(:space, hashtext(:course))"), lock).scalar()
        connection.commit()  # no open transaction for the time of a batch
        if not taken:
            raise StoreFault(
                _("another `autograder grade` is working on this course in {name}; wait until it has ended").format(
                    name=name
                )
            )
        try:
            yield
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(:space, hashtext(:course))"), lock)


def _holder(path: Path) -> str:
    try:
        with path.open(encoding="utf-8") as stream:
            return stream.read(200).strip() or "?"
    except OSError:
        return "?"
