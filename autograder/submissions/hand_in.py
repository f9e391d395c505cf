"""What reading a class gives: its hand-in, with what is to be graded and everything that is not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import TracebackType

from autograder.submissions.layout import Identity, Unplaced
from autograder.submissions.model import Submission
from autograder.submissions.reader import read_submission


@dataclass(frozen=True)
class Entry:
    """One file to grade.

    Attributes:
        notes: for student and instructor: how it was found, what was not taken for it.
        submitted: with its time zone; None where nobody knows.
        late: the platform marks it as late.
        base: folder above the file that holds no link between; None: the folder of all submissions.
        who: the student, as the platform knows them.
    """

    student: str
    exercise: str
    path: Path
    notes: tuple[str, ...] = ()
    submitted: datetime | None = None
    late: bool = False
    base: Path | None = None
    who: Identity | None = None


@dataclass(frozen=True)
class HandIn:
    """What a class handed in, read through once. As a context manager it removes what was unpacked.

    Attributes:
        folder: of all submissions; an entry's own `base` goes before it.
        students: all who handed in anything or are on the roster, also those who handed in nothing.
        entries: by student, then in the order of the course.
        unplaced: what is not graded, or needs a look.
        ignored: leftovers of systems and tools, and the course's own files.
        earlier: earlier attempts, oldest first, where all of them are graded.
        detected: which layout was read, and what it was known by.
        absent: students of the roster who handed in nothing at all.
    """

    folder: Path
    students: tuple[str, ...]
    entries: tuple[Entry, ...]
    unplaced: tuple[Unplaced, ...]
    ignored: tuple[Path, ...]
    earlier: tuple[Entry, ...] = ()
    detected: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    remove: Callable[[], None] = field(default=lambda: None, compare=False, repr=False)

    def __enter__(self) -> HandIn:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def read(self, entry: Entry) -> Submission:
        """The code of an entry; SubmissionUnreadable where there is none."""
        base = entry.base or self.folder
        return read_submission(entry.path, student=entry.student, exercise=entry.exercise, base=base)

    def close(self) -> None:
        """Remove what was unpacked: the entries that lie there cannot be read any more."""
        self.remove()
