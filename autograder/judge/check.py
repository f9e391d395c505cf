"""The declaration of a check: points, prerequisites and kind stand beside the function, its docstring is its title."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import FunctionType
from typing import TypeVar

from autograder.results.outcomes import CheckKind

F = TypeVar("F", bound=FunctionType)
EVERY_PART = "*"  # of `substance`: the parts that it does not name


@dataclass(frozen=True)
class CheckInfo:
    """What a check declares.

    Attributes:
        id: the function's name without `test_`.
        title: first paragraph of the docstring.
        points: what it earns of the exercise's points.
        kind: `exact`, `statistical`, `training` or `quiz`.
        requires: ids of checks that must have passed.
        covers: keys of the exercise's contract, and public names: what it is about.
        time_limit: seconds of the student's code; None takes the course's limit.
        forbids: names of library functions that the student's code may not call here.
        substance: ids of the checks of a function's values, by the part (`each`) that earns nothing unless they have
            passed; `*` is for parts that are not named.
    """

    id: str
    title: str
    points: float
    kind: CheckKind
    requires: tuple[str, ...] = ()
    covers: tuple[str, ...] = ()
    time_limit: float | None = None
    forbids: tuple[str, ...] = field(default=())
    substance: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def needs(self) -> tuple[str, ...]:
        """Ids of the checks that are judged before it: what it requires, and what its parts' substance is."""
        return tuple(dict.fromkeys((*self.requires, *(name for names in self.substance.values() for name in names))))

    def substance_of(self, part: str) -> tuple[str, ...]:
        """Ids of the checks without which a part earns nothing."""
        return self.substance.get(part, self.substance.get(EVERY_PART, ()))


def check(
    *,
    points: float = 0.0,
    kind: CheckKind = "exact",
    requires: Sequence[str] = (),
    covers: Sequence[str] = (),
    time_limit: float | None = None,
    forbids: Sequence[str] = (),
    substance: Mapping[str, Sequence[str]] | None = None,
) -> Callable[[F], F]:
    """Declare a test function as a check. See `docs/reference/writing-checks.md`.

    Raises:
        ValueError: the function is not named `test_...`, has no docstring, or gives negative points.
    """

    def declare(function: F) -> F:
        name = function.__name__
        if not name.startswith("test_"):
            raise ValueError(f"check {name}: a check's function is named test_<id>")
        title = " ".join((inspect.getdoc(function) or "").split("\n\n")[0].split())
        if not title:
            raise ValueError(f"check {name}: give it a docstring; it is the title that students see")
        if points < 0:
            raise ValueError(f"check {name}: points must not be negative, got {points}")
        info = CheckInfo(
            name.removeprefix("test_"), title, float(points), kind, _names(requires), _names(covers), time_limit,
            _names(forbids), {part: _names(ids) for part, ids in (substance or {}).items()},
        )  # fmt: skip
        function.check = info  # type: ignore[attr-defined]
        return function

    return declare


def _names(value: Sequence[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)
