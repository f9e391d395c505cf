"""What reading a handed-in file gives: cells of text, or the reason why there are none."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypedDict

from autograder.errors import AutograderError

Format = Literal["py", "ipynb"]
# content: the file is not what it should be; access: it could not be opened here, never a student's zero.
Blame = Literal["content", "access"]


@dataclass(frozen=True)
class Cell:
    """A piece of code that may fail by itself."""

    index: int  # in a notebook: counted from 1 over all its cells; in a script: over its `# %%` parts
    label: str  # for the student: "cell 3" of the code cells, as Jupyter counts, or the script's name
    source: str  # lines end with \n
    first_line: int  # number of its first line: in the file for a script, 1 for a notebook's cell


@dataclass(frozen=True)
class LeftOut:
    """A part of a file that is not run: where it stands, its first line, why, and what it would define."""

    where: str
    line: int
    reason: str
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Submission:
    """One file that could be read."""

    student: str
    exercise: str
    path: Path
    sha256: str  # of the bytes as handed in
    format: Format
    cells: tuple[Cell, ...]
    problems: tuple[str, ...] = ()  # notes for the student: what was strange, and what was made of it
    left_out: tuple[LeftOut, ...] = ()  # code in cells that are no code cells


class SubmissionUnreadable(AutograderError):
    """A file that gives no code; `message` is for the student."""

    status = 1

    def __init__(
        self,
        message: str,
        *,
        student: str = "",
        exercise: str = "",
        path: Path | None = None,
        sha256: str = "",
        fault: Blame = "content",
    ) -> None:
        self.message = message
        self.student = student
        self.exercise = exercise
        self.path = path
        self.sha256 = sha256  # empty where no byte was read
        self.fault: Blame = fault
        super().__init__(message)


class CodeCell(TypedDict):
    """A cell as the worker takes it: its text, its place in the student's words, the name that tracebacks show for its
    file, and the number of its first line there."""

    source: str
    where: str
    filename: str
    first_line: int
