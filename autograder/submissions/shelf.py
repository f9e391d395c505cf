"""Submissions that were read and will be asked for again, as many as there is room for.

A file is read once to see what it is and once to be graded. In between it stays here, so that nothing is read or
parsed twice in a small class, and memory does not grow with a large one: what finds no room is read again.
"""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

from autograder.submissions.model import Submission
from autograder.submissions.reader import read_submission

ROOM = 32_000_000  # characters of code


class Shelf:
    """Keeps what was read last.

    Args:
        room: characters of code at most; without it, `ROOM`.
    """

    def __init__(self, room: int | None = None) -> None:
        self._room = ROOM if room is None else room
        self._kept: OrderedDict[Path, Submission] = OrderedDict()
        self._used = 0

    def look(self, path: Path, base: Path | None) -> Submission:
        """Read a file, and keep it; SubmissionUnreadable where it holds no code."""
        if path in self._kept:
            return self._kept[path]
        submission = read_submission(path, base=base)
        self._kept[path] = submission
        self._used += _size(submission)
        while self._used > self._room:
            self._used -= _size(self._kept.popitem(last=False)[1])
        return submission

    def take(self, path: Path, base: Path | None) -> Submission:
        """What was kept of a file, which is kept no longer; else it is read now."""
        kept = self._kept.pop(path, None)
        if kept is None:
            return read_submission(path, base=base)
        self._used -= _size(kept)
        return kept


def _size(submission: Submission) -> int:
    return sum(len(cell.source) for cell in submission.cells)
