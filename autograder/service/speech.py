"""Public methods speak their course's language, whatever the caller's is."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import wraps
from typing import Concatenate, ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class Speaker(Protocol):
    """Has a language of its own."""

    def speaking(self) -> AbstractContextManager[None]:
        """Make it that of messages for the time of a block."""


S = TypeVar("S", bound=Speaker)


def in_its_language(method: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """A method whose messages are in the language of its object."""

    @wraps(method)
    def speak(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        with self.speaking():
            return method(self, *args, **kwargs)

    return speak
