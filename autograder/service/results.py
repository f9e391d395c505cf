"""A class's results, each made when it is looked at: together they need not fit into memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import overload

from autograder.results.attempt import Name
from autograder.results.model import Result


class Results(Sequence[Result]):
    """Results by name.

    Args:
        names: student and exercise of each, in their order.
        read: makes the result of a name.
    """

    def __init__(self, names: Iterable[Name], read: Callable[[Name], Result]) -> None:
        self.names = tuple(names)
        self._read = read

    def __len__(self) -> int:
        return len(self.names)

    def __iter__(self) -> Iterator[Result]:
        return map(self._read, self.names)

    @overload
    def __getitem__(self, at: int) -> Result: ...
    @overload
    def __getitem__(self, at: slice[int | None, int | None, int | None]) -> Results: ...
    def __getitem__(self, at: int | slice[int | None, int | None, int | None]) -> Result | Results:
        if isinstance(at, slice):
            return Results(self.names[at], self._read)
        return self._read(self.names[at])

    def of(self, wanted: Iterable[Name]) -> Results:
        """Those of these names."""
        kept = set(wanted)
        return Results((name for name in self.names if name in kept), self._read)
