"""From what is said of a submission to a line of its file, for remarks at that line.

The file is text here as everywhere in this room: names are found by how they are written, nothing is parsed as
Python. In a notebook lines are counted in the file itself, as tools that show differences count them.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from autograder.language import _
from autograder.submissions.code import places
from autograder.submissions.model import Submission, SubmissionUnreadable
from autograder.submissions.opening import read_regular
from autograder.submissions.text import decode

MAX_BYTES = 5_000_000  # in a larger file nobody reads remarks
LOOK_AHEAD = 5_000  # lines of outputs between two cells
_CODE = re.compile(r"^(\w+)|`(\w+)|(\w+)\(")  # messages begin with what was called


def excerpt(submission: Submission, line: str, around: int = 1) -> tuple[tuple[int, str], ...]:
    """The line that a comment is about (`12`, or `3:12` of a notebook's cell 3) with its neighbours, if it is there."""
    cell, _colon, number = line.rpartition(":")
    wanted = _("cell {number}").format(number=cell)
    for one in submission.cells:
        lines = one.source.splitlines()
        at = int(number) - one.first_line
        if 0 <= at < len(lines) and (not cell or one.label.partition(" (")[0] == wanted):
            first = max(0, at - around)
            return tuple(enumerate(lines[first : at + around + 1], start=one.first_line + first))
    return ()


class LineFinder:
    """The lines of one file.

    Args:
        submission: what was read from it.
        base: the folder that it was found in.
    """

    def __init__(self, submission: Submission, base: Path | None = None) -> None:
        self._submission = submission
        # Messages call a cell "cell 3", tracebacks "vae_mnist.ipynb, cell 3".
        self._cells = {name: cell for cell, *names in places(submission) for name in reversed(names)}
        try:
            text, _notes = decode(read_regular(submission.path, MAX_BYTES, base).content)
        except SubmissionUnreadable:
            text = ""
        self._raw = text.splitlines()
        self._starts = self._places() if submission.format == "ipynb" else {}

    def of_place(self, where: str, line: int) -> int | None:
        """The line of the file for a place as messages name it: the file or a cell, and a line in it."""
        cell = self._cells.get(where)
        if cell is None:
            return None
        if self._submission.format == "py":
            return line if 0 < line <= len(self._raw) else None
        places = self._starts.get(cell.index, [])
        return places[line - 1] if 0 < line <= len(places) else None

    def of_message(self, message: str, title: str = "") -> int | None:
        """The line that a message is about: one that it names, else that of a function that it names."""
        for where in self._cells:
            found = re.search(rf"(\d{{1,7}}) \w+ {re.escape(where)}(?!\w)", message)
            if found and (line := self.of_place(where, int(found[1]))) is not None:
                return line
        for name in ["".join(found) for found in _CODE.findall(f"{message}\n{title}")]:
            if (line := self.of_definition(name)) is not None:
                return line
        return None

    def of_definition(self, name: str) -> int | None:
        """The line where a function or class of this name is defined last."""
        pattern = re.compile(rf"^\s*\"?\s*(?:async def|def|class)\s+{re.escape(name)}\b")
        return next((n for n in range(len(self._raw), 0, -1) if pattern.match(self._raw[n - 1])), None)

    def _places(self) -> dict[int, list[int]]:
        """For each cell of a notebook the line of the file that holds each of its lines."""
        places: dict[int, list[int]] = {}
        at = 0
        if len(self._raw) < sum(cell.source.count("\n") for cell in self._submission.cells):
            return places  # written without line breaks
        for cell in self._submission.cells:
            found = []
            for line in cell.source.split("\n"):
                ways = {json.dumps(line, ensure_ascii=plain)[1:-1] for plain in (True, False)}
                window = range(at, min(at + LOOK_AHEAD, len(self._raw)))
                following = next((n for n in window if any(way in self._raw[n] for way in ways)), None)
                if following is None:
                    found.append(at)
                    continue
                found.append(following + 1)
                at = following + 1 if line.strip() else following
            places[cell.index] = [max(1, n) for n in found]
        return places
