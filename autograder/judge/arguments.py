"""What a call passes: tensors, numbers, texts, lists of such, and what other calls have made of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

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
    def leaves(self) -> list[object]:
        """Tensors, numbers and what else is passed, in order; what stands in two places, once."""
        found: list[object] = []

        def note(leaf: object) -> object:
            found.append(leaf)
            return leaf

        self.map(note)
        return found

    @property
    def sizes(self) -> set[int]:
        """The lengths of dimensions and of lists."""
        sizes = {size for leaf in self.leaves if isinstance(leaf, Tensor) for size in leaf.shape}

        def note(items: Sequence[object]) -> Sequence[object]:
            sizes.add(len(items))
            return items

        self.map(lambda leaf: leaf, note)
        return sizes

    @property
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


def written(call: Arguments) -> str:
    """What tells two versions of one call from each other: numbers, and the shapes of lists around them."""
    leaves = [(leaf.dtype, leaf.tolist()) if isinstance(leaf, Tensor) else leaf for leaf in call.leaves]
    sizes: list[object] = []

    def note(items: Sequence[object]) -> Sequence[object]:
        sizes.append(len(items))
        return items

    call.map(lambda leaf: leaf, note)
    return f"{leaves} {sizes} {[_names(value) for value in call.args]}"


def _names(value: object) -> object:
    """What is passed where, of a call and those within it."""
    if not isinstance(value, Made):
        return None
    return [_names(value.of), len(value.args), list(value.kwargs), *map(_names, value.args)]
