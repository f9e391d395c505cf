"""What a book holds at one moment, and the results that count by it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from functools import cached_property
from typing import overload

from autograder.book.counting import counting
from autograder.book.decisions import Decision
from autograder.book.grades import excused, excuses, extensions
from autograder.book.handed_in import Handed
from autograder.book.missing import expected, not_handed_in
from autograder.book.store import Store
from autograder.results.attempt import Known, Name
from autograder.results.model import Result
from autograder.service.course import Course, in_its_language


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


class Held:
    """A book as it is now."""

    def __init__(self, course: Course, store: Store | None) -> None:
        self.course = course
        self._config = course.config
        self._store = store

    @cached_property
    def known(self) -> dict[Name, Known]:
        """The newest attempt of each student at each exercise."""
        return self._store.attempts.latest() if self._store else {}

    @cached_property
    def decisions(self) -> list[Decision]:
        """Every decision, oldest first."""
        return self._store.decisions.history() if self._store else []

    @cached_property
    def times(self) -> dict[Name, dict[str, Handed]]:
        """When files were handed in, by SHA-256."""
        found: dict[Name, dict[str, Handed]] = defaultdict(dict)
        for handed in self._store.handed_in.files() if self._store else ():
            found[handed.student, handed.exercise][handed.sha256] = handed
        return found

    def results(self, student: str | None = None, exercises: Sequence[str] = ()) -> Results:
        """The results that count, and `missing` ones; arguments as of `Book.results`."""
        return Results(
            (
                name
                for name in self._names
                if student in (None, name[0]) and (not exercises or name[1] in exercises)
            ),
            self.result,
        )  # fmt: skip

    @in_its_language
    def result(self, name: Name) -> Result:
        """The result that counts of a student at an exercise, with what is known by now of when it was handed in."""
        result = self._result(name)
        return excused(result) if name in self._excuses else result

    def _result(self, name: Name) -> Result:
        known = self.known.get(name)
        times, extension = self.times.get(name, {}), self._extensions.get(name)
        if known is None or self._store is None:
            return not_handed_in(self._config, name, extension)
        if name in self._several:
            graded = [(one.sha256, one.result) for one in self._store.attempts.history(*name)]
        else:
            graded = [(known.sha256, self._store.attempts.result(known.id))]
        return counting(self._config, graded, times, extension)

    @cached_property
    def _several(self) -> set[Name]:
        return self._store.attempts.several() if self._store else set()

    @cached_property
    def _excuses(self) -> set[Name]:
        return excuses(self.decisions)

    @cached_property
    def _extensions(self) -> dict[Name, datetime]:
        return extensions(self.decisions)

    @cached_property
    def _names(self) -> list[Name]:
        hidden = self._store.roll.hidden() if self._store else set()
        students = {*(self._store.handed_in.students() if self._store else ())} - hidden
        shown = [name for name in self.known if name[0] not in hidden]
        names = expected(self._config, shown, (d for d in self.decisions if d.student not in hidden), students)
        # What was handed in and waits to be graded is not missing.
        return [name for name in names if name in self.known or name not in self.times]
