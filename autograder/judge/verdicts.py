"""How a check ends other than by passing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from autograder.language import said
from autograder.results.outcomes import PartOutcome
from autograder.sandbox import IsolationRefused, WarmParentDied

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class RaisedIn:
    """The student's line that an exception came from: the file's name in tracebacks, the line there, and what the
    function's variables were, in words, by name."""

    file: str
    line: int
    values: Mapping[str, str]


class CheckFailed(AssertionError):
    """The student's answer is not right.

    Args:
        message: for the student: what was expected in kind, what was got; never a hidden value.
        hint: what to look at next.
        mistake: id of the known mistake that gives this very answer.
        parts: what came out of each part of a check over several functions, where it came to its end.
    """

    def __init__(
        self, message: str, hint: str = "", mistake: str | None = None, parts: Mapping[str, PartOutcome] | None = None
    ) -> None:
        super().__init__(message)
        # What a check's author made of parts (an f-string) is translated here, whole.
        self.message = said(message)
        self.hint = said(hint)
        self.mistake = mistake
        self.parts = dict(parts or {})
        self.raised_in: RaisedIn | None = None
        # What `compare` found different, and its name. Only examples look, where a check runs on public numbers.
        self.compared: tuple[Tensor, Tensor, str] | None = None


class StudentError(CheckFailed):
    """The student's code raised, hung, died or answered something that is no data."""

    def __init__(self, message: str, hint: str = "", kind: str = "raised", bases: tuple[str, ...] = ()) -> None:
        super().__init__(message, hint)
        self.kind = kind
        self.bases = bases


class Blocked(Exception):
    """A check that cannot be judged because another one did not pass."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class FrameworkFault(Exception):
    """Something of ours went wrong: never a student's zero."""


OURS = (FrameworkFault, WarmParentDied, IsolationRefused, OSError, MemoryError)  # whatever was answered
