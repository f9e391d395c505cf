"""A command that ends with a message for the user and an exit status."""

from __future__ import annotations

from autograder.errors import AutograderError


class CommandFault(AutograderError):
    """Ends a command: 1 for what could not be graded or proved, 2 for wrong usage."""

    def __init__(self, message: str, status: int = 1) -> None:
        super().__init__(message)
        self.status = status
