"""The one error of an exercise's sources: which file, which line, what is wrong, what to do."""

from __future__ import annotations

from pathlib import Path

from autograder.errors import AutograderError


class AuthoringError(AutograderError):
    """A source of an exercise is wrong; the message is meant for its author as it stands."""

    def __init__(self, message: str, *, file: Path, line: int | None = None) -> None:
        self.message = message
        self.file = file
        self.line = line
        super().__init__(f"{file}{'' if line is None else f':{line}'}: {message}")
