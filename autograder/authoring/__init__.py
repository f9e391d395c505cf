"""From one source to what students get: stubs, notebooks, personal numbers; and the bank of mistakes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

_Definition = TypeVar("_Definition")


def mistake(
    identity: str,
    *,
    title: str = "",
    hint: str = "",
    loses: tuple[str, ...] = (),
    may_lose: tuple[str, ...] = (),
    read_on: str | None = None,
) -> Callable[[_Definition], _Definition]:
    """The decorator of mistakes.py, for editors: those files are parsed (`overlay.py`), never imported."""
    return lambda definition: definition
