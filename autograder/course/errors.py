"""The one error of the course's own files: which file, which line, what was got, what is allowed."""

from __future__ import annotations

from pathlib import Path

from autograder.errors import AutograderError


class ConfigurationError(AutograderError):
    """A file of the course is missing or wrong; the message is meant for the instructor as it stands."""

    def __init__(self, message: str, *, file: Path | None = None, line: int | None = None, path: str = "") -> None:
        self.message = message
        self.file = file
        self.line = line
        self.path = path
        where = "" if file is None else str(file)
        if line is not None:
            where += f":{line}"
        if path:
            where += f" ({path})" if where else path
        super().__init__(f"{where}: {message}" if where else message)
