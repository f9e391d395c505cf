"""The student's objects as a check sees them: every use of them is a message to the worker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeAlias

from autograder.wire.values import HandleReference, Value

if TYPE_CHECKING:
    from autograder.judge.session import Session

Answered: TypeAlias = "Value[Handle]"  # what the student's code has answered


class Function(Protocol):
    """Anything that a check can call: a function of the student's, or one around it."""

    def __call__(self, *args: object, **kwargs: object) -> object: ...


class Handle:
    """An object in the worker: call it, call its methods, read its attributes."""

    _label: str
    _type_name: str

    def __init__(self, session: Session, reference: HandleReference, label: str) -> None:
        self._session = session
        self._reference = reference
        self._generation = session.generation
        self._label = label
        self._type_name = reference.type_name

    def __getattr__(self, name: str) -> Answered:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._session.get(self, name)

    def __call__(self, *args: object, **kwargs: object) -> Answered:
        return self._session.call(self, args, kwargs)

    def __del__(self) -> None:
        self._session.released(self)

    def __repr__(self) -> str:
        return f"<{self._label}: {self._type_name} in the worker>"


class Student:
    """The submission: `student.f(x)` calls the student's `f`, `student.ANSWERS` reads a value."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def __getattr__(self, name: str) -> Answered:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._session.get_public(name)


class Probe:
    """`probe.name(...)` runs a probe beside the student's code."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def __getattr__(self, name: str) -> Function:
        if name.startswith("__"):
            raise AttributeError(name)

        def run(*args: object, **kwargs: object) -> Answered:
            return self._session.probe(name, args, kwargs)

        return run
