"""Smaller and rounder arguments of a call that goes on failing: fewer rows, then integers, then fewer digits.

What holds of a tensor before (rows that sum to one, a covariance's symmetry, an order, a range) holds after, so that a
call that the contract allows stays one that it allows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

SIZES = 1, 2, 3, 4  # that a dimension is cut to, the smallest that still fails
ENOUGH = 6  # numbers that are not in a range by accident
FEW = 8  # numbers of a tensor of which each is tried by itself
_TINY = 1e-9


class OutOfSteps(Exception):
    """As many calls as were allowed have been tried."""


@dataclass(frozen=True)
class Arguments:
    """What a call passes: tensors, numbers, texts, and lists of such."""

    args: tuple[object, ...]
    kwargs: Mapping[str, object] = field(default_factory=dict)

    def map(self, change: Callable[[object], object]) -> Arguments:
        """The same call with every leaf changed."""
        return Arguments(
            tuple(_map(value, change) for value in self.args),
            {name: _map(value, change) for name, value in self.kwargs.items()},
        )

    @property
    def leaves(self) -> list[object]:
        """Tensors, numbers and what else is passed, in order."""
        found: list[object] = []

        def note(leaf: object) -> object:
            found.append(leaf)
            return leaf

        self.map(note)
        return found

    @property
    def numbers(self) -> int:
        """How many numbers and words somebody would have to read."""
        return sum(map(_size, self.leaves))

    def copy(self) -> Arguments:
        """The same in tensors of its own, which a function may change."""
        return self.map(lambda leaf: leaf.clone() if isinstance(leaf, Tensor) else leaf)


def _size(leaf: object) -> int:
    if isinstance(leaf, Tensor):
        return leaf.numel()
    return len(leaf.split()) if isinstance(leaf, str) else int(isinstance(leaf, int | float))


def _map(value: object, change: Callable[[object], object]) -> object:
    if isinstance(value, list):
        return [_map(item, change) for item in value]
    if isinstance(value, tuple):
        return tuple(_map(item, change) for item in value)
    return change(value)


def shrink(call: Arguments, fails: Callable[[Arguments], bool], steps: int) -> Arguments:
    """The smallest arguments found on which `fails` still holds.

    Args:
        call: arguments on which it holds.
        fails: tried at most `steps` times.
    """
    tried: set[str] = set()
    rules = Rules()

    def holds(candidate: Arguments) -> bool:
        written = _written(candidate)
        if written in tried:
            return False
        if len(tried) == steps:
            raise OutOfSteps
        tried.add(written)
        return fails(candidate)

    try:
        # Fewer rows again: what they are divided by, or neighbours that are counted, may have kept them.
        for candidates in (_shorter, _fewer, _smaller_numbers, _shorter, _fewer, _rounder, _single):
            changed = True
            while changed:
                changed = False
                for candidate in candidates(call, rules):
                    if holds(candidate):
                        call, changed = candidate, True
                        break
    except OutOfSteps:
        pass
    return call


def _written(call: Arguments) -> str:
    leaves = [leaf.tolist() if isinstance(leaf, Tensor) else leaf for leaf in call.leaves]
    return f"{leaves} {call.args if not leaves else ''}"


def _shorter(call: Arguments, rules: Rules) -> Iterator[Arguments]:
    """Every dimension of one size cut to the same smaller one, with the numbers that state it and without."""
    tensors = [leaf for leaf in call.leaves if isinstance(leaf, Tensor)]
    lists = [value for value in (*call.args, *call.kwargs.values()) if isinstance(value, list | tuple)]
    sizes = {size for tensor in tensors for size in tensor.shape} | {len(value) for value in lists}
    for size in sorted(sizes, reverse=True):
        for target in SIZES:
            if target >= size:
                continue
            for start in (0, size - target):
                cut = Arguments(
                    tuple(_cut(value, size, start, target, rules) for value in call.args),
                    {name: _cut(value, size, start, target, rules) for name, value in call.kwargs.items()},
                )
                if sum(leaf is None for leaf in cut.leaves) > sum(leaf is None for leaf in call.leaves):
                    continue
                if any(type(leaf) is int and leaf == size for leaf in call.leaves):
                    yield cut.map(lambda leaf, s=size, t=target: t if type(leaf) is int and leaf == s else leaf)  # type: ignore[misc]
                yield cut


def _cut(value: object, size: int, start: int, target: int, rules: Rules) -> object:
    if isinstance(value, list | tuple):
        items = [_cut(item, size, start, target, rules) for item in value]
        return type(value)(items[start : start + target] if len(items) == size else items)
    if not isinstance(value, Tensor) or size not in value.shape:
        return value
    cut = value
    for axis, length in enumerate(value.shape):
        if length == size:
            cut = cut.narrow(axis, start, target)
    return rules.kept(value, cut.clone())


def _fewer(call: Arguments, rules: Rules) -> Iterator[Arguments]:
    """One list or text with a part left out: a half, or one item."""
    for place, value in enumerate(call.args):
        for fewer in _parts_left_out(value):
            yield Arguments((*call.args[:place], fewer, *call.args[place + 1 :]), call.kwargs)
    for name, value in call.kwargs.items():
        for fewer in _parts_left_out(value):
            yield Arguments(call.args, {**call.kwargs, name: fewer})


def _parts_left_out(value: object) -> Iterator[object]:
    if isinstance(value, str) and " " in value:
        yield from (" ".join(map(str, words)) for words in _left_out(value.split()))
    elif isinstance(value, list | tuple):
        yield from (type(value)(items) for items in _left_out(value))
        if len(value) <= FEW:
            for place, item in enumerate(value):
                for fewer in _parts_left_out(item):
                    yield type(value)([*value[:place], fewer, *value[place + 1 :]])


def _left_out(items: Sequence[object]) -> Iterator[list[object]]:
    n = len(items)
    size = n // 2
    while size:
        for start in range(0, n, size):
            yield [*items[:start], *items[start + size :]]
        size //= 2


def _smaller_numbers(call: Arguments, rules: Rules) -> Iterator[Arguments]:
    """One whole number of several, smaller."""
    for place, leaf in enumerate(call.leaves):
        if type(leaf) is int:
            for target in SIZES:
                if abs(leaf) > target:
                    yield _with(call, place, target if leaf > 0 else -target)


def _rounder(call: Arguments, rules: Rules) -> Iterator[Arguments]:
    """All of one tensor or number with fewer digits; what is nearly nothing, as a tenth."""
    for place, leaf in enumerate(call.leaves):
        if isinstance(leaf, Tensor) and leaf.is_floating_point():
            # Adding 0 takes the sign of -0 away.
            for number, rounded in enumerate((*(leaf.round(decimals=d) + 0.0 for d in (0, 1, 2)), _no_small(leaf))):
                if number < 3 and torch.equal(rounded, leaf):
                    break
                kept = rules.kept(leaf, rounded)
                if kept is not None and not torch.equal(kept, leaf):
                    yield _with(call, place, kept)
        elif type(leaf) is float:
            for digits in (0, 1, 2):
                if (shorter := round(leaf, digits)) == leaf:
                    break
                if shorter or not leaf:
                    yield _with(call, place, shorter)


def _no_small(leaf: Tensor) -> Tensor:
    return torch.where((leaf != 0) & (leaf.abs() < 0.1), leaf.sign() * 0.1, leaf).round(decimals=1)


def _single(call: Arguments, rules: Rules) -> Iterator[Arguments]:
    """One number of a small tensor, as 0 or 1."""
    for place, leaf in enumerate(call.leaves):
        if not isinstance(leaf, Tensor) or not leaf.is_floating_point() or leaf.numel() > FEW:
            continue
        for index in range(leaf.numel()):
            for simple in (0.0, 1.0):
                before = float(leaf.reshape(-1)[index])
                if before == simple or (before == 0.0 and simple == 1.0):
                    continue
                changed = leaf.clone().reshape(-1)
                changed[index] = simple
                kept = rules.kept(leaf, changed.reshape(leaf.shape))
                if kept is not None and not torch.equal(kept, leaf):
                    yield _with(call, place, kept)


def _with(call: Arguments, place: int, leaf: object) -> Arguments:
    counter = iter(range(10**9))
    return call.map(lambda old: leaf if next(counter) == place else old)


class Rules:
    """What holds of the tensors of a call from its beginning, and is to hold of what is made of them."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Tensor, Callable[[Tensor], Tensor | None]]] = {}

    def kept(self, before: Tensor, after: Tensor) -> Tensor | None:
        """What was made of a tensor, with what held of the first one; None where that cannot be."""
        rule = self._known[id(before)][1] if id(before) in self._known else _rule_of(before)
        made = rule(after)
        for tensor in (before, made):
            if tensor is not None:
                self._known[id(tensor)] = tensor, rule  # kept, so that its number stays its own
        return made


def _rule_of(first: Tensor) -> Callable[[Tensor], Tensor | None]:
    if not first.is_floating_point() or not first.numel():
        return lambda after: after
    known = torch.unique(first)
    if len(known) <= 2 and (bool((known.abs() <= 1).all() and (known % 1 == 0).all()) or first.numel() > FEW):
        # Spins, masks, one number everywhere.
        return lambda after: after if bool(torch.isin(after, known).all()) else None
    sums = next(_sums_to_one(first), None)
    shapes = (_definite, _symmetric) if first.ndim >= 2 and first.shape[-1] > 1 else ()
    orders = (_rising, _falling) if first.numel() >= 3 else ()
    ranges = (_positive, _not_negative, _below_one, _at_most_one) if first.numel() >= ENOUGH else ()
    rules = [rule for rule in (*shapes, *orders, *ranges) if rule(first)]

    def kept(after: Tensor) -> Tensor | None:
        if sums is not None:
            total = after.sum(sums, keepdim=True)
            if bool((total <= _TINY).any() or (after < 0).any()):
                return None
            after = after / total
        return after if all(rule(after) for rule in rules) else None

    return kept


def _sums_to_one(values: Tensor) -> Iterator[tuple[int, ...]]:
    if not bool((values >= 0).all()) or values.ndim == 0:
        return
    for axes in ((-1,), (-2,), tuple(range(values.ndim))):
        if max(-axis for axis in axes) <= values.ndim or axes == tuple(range(values.ndim)):
            total = values.sum(axes)
            if bool(torch.isclose(total, torch.ones_like(total), rtol=1e-5).all()):
                yield axes
                return


def _positive(x: Tensor) -> bool:
    return bool((x > 0).all())


def _not_negative(x: Tensor) -> bool:
    return bool((x >= 0).all())


def _at_most_one(x: Tensor) -> bool:
    return bool((x.abs() <= 1).all())


def _below_one(x: Tensor) -> bool:
    return bool((x.abs() < 1).all())


def _symmetric(x: Tensor) -> bool:
    return x.ndim >= 2 and x.shape[-1] == x.shape[-2] and torch.allclose(x, x.mT)


def _definite(x: Tensor) -> bool:
    return _symmetric(x) and bool((torch.linalg.eigvalsh(x) > 1e-6).all())


def _rising(x: Tensor) -> bool:
    return x.ndim == 1 and bool((x.diff() > 0).all())


def _falling(x: Tensor) -> bool:
    return x.ndim == 1 and bool((x.diff() < 0).all())
