"""The table of objects that stay in the worker and cross the wire as handles."""

from __future__ import annotations

from autograder.wire.values import HandleReference, WireError


class Objects:
    """Numbers for objects. Number 0 is the student's module."""

    def __init__(self) -> None:
        self._table: dict[int, object] = {}
        self._next = 1

    def set_module(self, module: object) -> None:
        self._table[0] = module

    @property
    def module(self) -> object:
        """The student's module; None before it is loaded."""
        return self._table.get(0)

    def make_handle(self, value: object) -> HandleReference:
        number = self._next
        self._next += 1
        self._table[number] = value
        return HandleReference(number, type(value).__name__, callable(value))

    def take(self, reference: HandleReference) -> object:
        if reference.number not in self._table:
            raise WireError(f"no object {reference.number}")
        return self._table[reference.number]

    def release(self, numbers: list[int]) -> None:
        for number in numbers:
            if number:
                self._table.pop(number, None)
