"""What an answer is called in messages: the call that gave it, in the contract's words, `kl_divergence(mu, logvar)`.

A comparison that is not told what it compares finds the call of its answer here. Names of parameters are those of the
reference solution; numbers and texts short enough to be read stand as they were passed, everything else by its name.
"""

from __future__ import annotations

import re
import weakref
from collections.abc import Mapping, Sequence

from torch import Tensor

from autograder.language import _

LONGEST = 12  # characters of an argument that is written as it is
_WITHIN = 2  # levels of lists, tuples and dicts in which an answer is looked for


def written(
    label: str, args: Sequence[object], kwargs: Mapping[str, object], parameters: Mapping[str, Sequence[str]]
) -> str:
    """A call as its author could have written it.

    Args:
        label: what is called, as sessions name it: `f`, `VAE`, `VAE(...)`, `VAE(...).encode`.
        args, kwargs: what it is called with.
        parameters: names of parameters by function, class and `Class.method`.
    """
    name = re.sub(r"\(\.\.\.\)", "", label) + (".forward" if label.endswith("(...)") else "")
    names = list(parameters.get(name, ()))
    names += ["..."] * (len(args) - len(names))
    shown = [_argument(value, name) for value, name in zip(args, names, strict=False)]
    shown += [f"{name}={_argument(value, name)}" for name, value in kwargs.items()]
    while shown[-2:] == ["...", "..."]:
        del shown[-1]
    return f"{label}({', '.join(shown)})"


def _argument(value: object, name: str) -> str:
    if value is None or isinstance(value, bool | int | float | str):
        text = repr(value)
        return text if len(text) <= LONGEST else name
    return name


class Labels:
    """The names of the answers of one check, by the very objects that they are."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[object, str]] = {}
        self._made: dict[int, tuple[weakref.ref[Tensor], str]] = {}
        self._last: tuple[object, str] = (None, "")

    def keep(self, value: object, label: str) -> None:
        """Remember what an answer is called, as long as the check lasts."""
        self._last = (value, label)
        if value is not None and not isinstance(value, bool | int | str):  # which may be the same object elsewhere
            self._known[id(value)] = (value, label)

    def keep_made(self, tensor: Tensor, label: str) -> None:
        """Remember what a tensor made of an answer is called, as long as somebody holds it."""
        self._made[id(tensor)] = (weakref.ref(tensor), label)

    def of(self, value: object) -> str:
        """What this answer, or a part of one, is called; "the answer" where it is none."""
        if isinstance(value, Tensor) and id(value) in self._made and self._made[id(value)][0]() is value:
            return self._made[id(value)][1]
        if id(value) in self._known:
            return self._known[id(value)][1]
        for whole, label in reversed(self._known.values()):
            place = _place(whole, value, _WITHIN)
            if place:
                return label + place
        last, label = self._last
        if label and type(last) is type(value) and isinstance(value, bool | int | str) and last == value:
            return label
        return _("the answer")


def _place(whole: object, part: object, levels: int) -> str:
    """Where in an answer a part of it stands: `[1]`, `["loss"]`; empty where it is not in it."""
    if levels == 0 or part is None or isinstance(part, bool | int | str):
        return ""
    items: list[tuple[object, object]] = []
    if isinstance(whole, list | tuple):
        items = list(enumerate(whole[:100]))
    elif isinstance(whole, dict):
        items = [(key, item) for key, item in whole.items() if isinstance(key, str | int)]
    for key, item in items:
        place = f'["{key}"]' if isinstance(key, str) else f"[{key}]"
        if item is part:
            return place
        deeper = _place(item, part, levels - 1)
        if deeper:
            return place + deeper
    return ""
