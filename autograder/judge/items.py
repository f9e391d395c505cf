"""Which of pytest's items are checks, and the order in which they are judged."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pytest

from autograder.course.discovery import PUBLIC_CHECKS
from autograder.judge.check import CheckInfo


def info_of(item: pytest.Item) -> CheckInfo | None:
    """What a test declares as a check, or None for an ordinary test."""
    info = getattr(getattr(item, "function", None), "check", None)
    return info if isinstance(info, CheckInfo) else None


def is_public(item: pytest.Item) -> bool:
    """Whether it is one of the checks that students have."""
    return item.path.name in (PUBLIC_CHECKS, "quiz.py")


def forbidden_names(items: Iterable[pytest.Item]) -> tuple[str, ...]:
    """All library functions that one of these checks forbids."""
    return tuple(sorted({name for item in items if (info := info_of(item)) is not None for name in info.forbids}))


def refuse_double_ids(items: Iterable[pytest.Item]) -> None:
    """A check's id is unique in its exercise; pytest.UsageError otherwise."""
    seen: dict[tuple[str, str], str] = {}
    for item in items:
        info = info_of(item)
        if info is None:
            continue
        key = (f"{item.path.parent}/{is_public(item)}", info.id)
        if key in seen:
            raise pytest.UsageError(f"{item.nodeid}: the check id {info.id!r} is already used by {seen[key]}")
        seen[key] = item.nodeid


def in_order(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """The items with every check after those that it needs; pytest.UsageError where there is a circle."""
    by_key = {(i.path.parent, info.id): i for i in items if (info := info_of(i)) is not None}
    ordered: dict[pytest.Item, None] = {}

    def place(item: pytest.Item, trail: tuple[str, ...]) -> None:
        info = info_of(item)
        if item in ordered:
            return
        if info is not None:
            if info.id in trail:
                raise pytest.UsageError(f"{item.nodeid}: the check requires itself ({' -> '.join(trail)})")
            for required in info.needs:
                if (item.path.parent, required) in by_key:
                    place(by_key[item.path.parent, required], (*trail, info.id))
        ordered[item] = None

    for item in items:
        place(item, ())
    return list(ordered)
