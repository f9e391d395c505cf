"""From one source to what students get: stubs, notebooks, personal numbers; and the bank of mistakes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

_Definition = TypeVar("_Definition")


def mistake(
    identity: str,
    title: str = "",
    *,
    hint: str = "",
    check: str = "",
    also: Mapping[str, str] | None = None,
    function: str | None = None,
    old: str = "",
    new: str = "",
    guards: bool = True,
) -> Callable[[_Definition], _Definition]:
    """An entry of mistakes.py, for editors: those files are parsed (`mistakes.py` here), never imported."""
    return lambda definition: definition
