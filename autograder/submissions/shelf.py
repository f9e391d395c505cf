"""Submissions that were read and will be asked for again, as many as there is room for.

A file is read once to see what it is and once to be graded. In between it stays here, so that nothing is read or
parsed twice in a small class, and memory does not grow with a large one: what finds no room is read again.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from autograder.submissions.contracts import Content, content_of
from autograder.submissions.model import Submission, SubmissionUnreadable
from autograder.submissions.reader import read_submission

ROOM = 32_000_000  # characters of code


@dataclass(frozen=True)
class Looked:
    """What a file holds, or why there is no code in it."""

    submission: Submission | None = None
    fault: SubmissionUnreadable | None = None

    @cached_property
    def content(self) -> Content:
        """What it defines, looked at only where there is something to choose."""
        return content_of(self.submission) if self.submission is not None else Content()

    @property
    def can_be_graded(self) -> bool:
        """Whether there is code; what could not be opened here is our fault, and is said by whoever grades."""
        return self.submission is not None or (self.fault is not None and self.fault.fault == "access")

    @property
    def sha256(self) -> str:
        """Of its bytes; "" where none could be read."""
        found = self.submission or self.fault
        return found.sha256 if found is not None else ""


class Shelf:
    """Keeps what was read last.

    Args:
        room: characters of code at most; without it, `ROOM`.
    """

    def __init__(self, room: int | None = None) -> None:
        self._room = ROOM if room is None else room
        self._kept: OrderedDict[Path, Submission] = OrderedDict()
        self._used = 0

    def look(self, path: Path, base: Path | None) -> Looked:
        """Read a file, and keep it."""
        if path in self._kept:
            return Looked(self._kept[path])
        try:
            submission = read_submission(path, base=base)
        except SubmissionUnreadable as fault:
            return Looked(fault=fault)
        self._kept[path] = submission
        self._used += _size(submission)
        while self._used > self._room:
            self._used -= _size(self._kept.popitem(last=False)[1])
        return Looked(submission)

    def take(self, path: Path, base: Path | None) -> Submission:
        """What was kept of a file, which is kept no longer; else it is read now."""
        kept = self._kept.pop(path, None)
        if kept is None:
            return read_submission(path, base=base)
        self._used -= _size(kept)
        return kept


def _size(submission: Submission) -> int:
    return sum(len(cell.source) for cell in submission.cells)
