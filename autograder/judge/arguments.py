"""What a call passes: tensors, numbers, texts, lists of such, and what other calls have made of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from torch import Tensor

from autograder.judge.plain_tensors import numbers_in_all
from autograder.judge.recording import Made, Seeded


@dataclass(frozen=True)
class Arguments:
    """What a call passes: tensors, numbers, texts, and lists of such."""

    args: tuple[object, ...]
    kwargs: Mapping[str, object] = field(default_factory=dict)

    def map(
        self, change: Callable[[object], object], of_list: Callable[[Sequence[object]], Sequence[object]] = list
    ) -> Arguments:
        """The same call with every leaf changed, and every list as `of_list` makes it of its changed items."""
        known: dict[int, object] = {}
        return Arguments(
            tuple(_map(value, change, of_list, known) for value in self.args),
            {name: _map(value, change, of_list, known) for name, value in self.kwargs.items()},
        )

    @property
    def leaves(self) -> Sequence[object]:
        """Tensors, numbers and what else is passed, in order; what stands in two places, once."""
        return self._noted[0]

    @property
    def lengths(self) -> Sequence[int]:
        """Of lists, the inner ones first."""
        return self._noted[1]

    @cached_property
    def _noted(self) -> tuple[list[object], list[int]]:
        found: tuple[list[object], list[int]] = [], []
        seen: set[int] = set()
        for value in (*self.args, *self.kwargs.values()):
            _note(value, *found, seen)
        return found

    @property
    def sizes(self) -> set[int]:
        """The lengths of dimensions and of lists."""
        return {size for leaf in self.leaves if isinstance(leaf, Tensor) for size in leaf.shape} | set(self.lengths)

    @cached_property
    def numbers(self) -> int:
        """How many numbers and words somebody would have to read."""
        tensors = [leaf for leaf in self.leaves if isinstance(leaf, Tensor)]
        return numbers_in_all(tensors) + sum(map(_size, self.leaves))

    def copy(self) -> Arguments:
        """The same in tensors of its own, which a function may change."""
        return self.map(lambda leaf: leaf.clone() if isinstance(leaf, Tensor) else leaf)


def _size(leaf: object) -> int:
    return len(leaf.split()) if isinstance(leaf, str) else int(isinstance(leaf, int | float | Seeded))


def _map(
    value: object,
    change: Callable[[object], object],
    of_list: Callable[[Sequence[object]], Sequence[object]],
    known: dict[int, object],
) -> object:
    if isinstance(value, list | tuple):
        return type(value)(of_list([_map(item, change, of_list, known) for item in value]))
    if isinstance(value, dict):
        return {key: _map(item, change, of_list, known) for key, item in value.items()}
    if isinstance(value, Made | Tensor):
        if id(value) not in known:
            if isinstance(value, Made):
                known[id(value)] = value.mapped(lambda one: _map(one, change, of_list, known))
            else:
                known[id(value)] = change(value)
        return known[id(value)]
    return change(value)


def _note(value: object, leaves: list[object], lengths: list[int], seen: set[int]) -> None:
    """Note what `_map` would change, in its order."""
    if isinstance(value, list | tuple):
        for item in value:
            _note(item, leaves, lengths, seen)
        lengths.append(len(value))
    elif isinstance(value, dict):
        for item in value.values():
            _note(item, leaves, lengths, seen)
    elif isinstance(value, Made | Tensor):
        if id(value) in seen:
            return
        seen.add(id(value))
        if isinstance(value, Tensor):
            leaves.append(value)
            return
        if value.of is not None:
            _note(value.of, leaves, lengths, seen)
        for item in (*value.args, *value.kwargs.values()):
            _note(item, leaves, lengths, seen)
    else:
        leaves.append(value)


def written(call: Arguments) -> str:
    """What tells two versions of one call from each other: numbers, and the shapes of lists around them."""
    leaves = [(leaf.dtype, leaf.tolist()) if isinstance(leaf, Tensor) else leaf for leaf in call.leaves]
    return f"{leaves} {call.lengths} {[_names(value) for value in call.args]}"


def _names(value: object) -> object:
    """What is passed where, of a call and those within it."""
    if not isinstance(value, Made):
        return None
    return [_names(value.of), len(value.args), list(value.kwargs), *map(_names, value.args)]
