"""Values as a student reads them beside a public check, whose inputs and answers are no secret."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor

from autograder.judge.answers import describe
from autograder.judge.remote import Handle
from autograder.wire.values import Array

MOST = 12  # numbers that are written out
LONG = 2 * MOST  # numbers of an example's answer; one with more is begun
_LONGEST = 60  # characters of a text


def text_of(value: object) -> str:
    """A value in short: written out where it is small, else by its kind, its shape and how it begins."""
    if isinstance(value, Handle):
        return value._label
    if isinstance(value, Array):
        return text_of(value.tensor)
    if isinstance(value, Tensor):
        if value.numel() <= MOST:
            return _numbers(value.tolist())
        return begun(value)
    if isinstance(value, bool | int | float):
        return _numbers(value)
    if isinstance(value, str):
        return repr(value[:_LONGEST])
    if isinstance(value, list | tuple) and len(value) <= MOST:
        inside = ", ".join(text_of(item) for item in value)
        text = f"[{inside}]" if isinstance(value, list) else f"({inside})"
        return text if len(text) <= 4 * _LONGEST else describe(value)
    return describe(value)


def shown_call(label: str, args: Sequence[object], kwargs: Mapping[str, object]) -> str:
    """A call with the values that were passed."""
    passed = [*map(text_of, args), *(f"{name}={text_of(value)}" for name, value in kwargs.items())]
    return f"{label}({', '.join(passed)})"


def example_value(value: object) -> str:
    """A value as Python writes it, to four digits; empty for what cannot be written so, or is too long to be read."""
    if isinstance(value, Array):
        value = value.tensor
    if isinstance(value, Tensor):
        return f"tensor({_short(value.tolist())})" if value.numel() <= LONG else describe(value)
    if isinstance(value, list | tuple):
        items = [example_value(item) or describe(item) for item in value]
        inside = ", ".join(items)
        return f"[{inside}]" if isinstance(value, list) else f"({inside}{',' * (len(items) == 1)})"
    if isinstance(value, dict):
        entries = [f"{_short(key)}: {example_value(item) or describe(item)}" for key, item in value.items()]
        return f"{{{', '.join(entries)}}}"
    return _short(value) if value is None or isinstance(value, bool | int | float | str) else ""


def begun(value: Tensor) -> str:
    """A long tensor by its kind, its shape, and how its first rows begin, as Python writes them, to four digits."""
    return f"{describe(value)} {_begun(value)}"


def _begun(value: Tensor) -> str:
    few = 2 if value.ndim <= 2 else 1
    rows = [_begun(row) if row.ndim else _short(row.item()) for row in value[:few]]
    return f"[{', '.join(rows)}{', ...' if len(value) > few else ''}]"


def _short(value: object) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_short, value))}]"
    if isinstance(value, float):
        text = f"{value:.4g}"
        return text if any(mark in text for mark in ".en") else f"{text}."
    return repr(value[:_LONGEST]) if isinstance(value, str) else str(value)


def _numbers(value: object) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_numbers, value))}]"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
