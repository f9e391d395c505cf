"""Smaller and rounder arguments of a call that goes on failing: fewer rows, then integers, then fewer digits.

What is passed may have been made by other calls (`recording.Made`), whose arguments become smaller as well. A tensor or
an object that stands in two places is one thing, and stays one.

What holds of a tensor before (rows that sum to one, a covariance's symmetry, an order, a range) holds after, so that a
call that the contract allows stays one that it allows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Literal, get_args

import torch
from torch import Tensor

from autograder.judge.arguments import Arguments, written
from autograder.judge.invariants import FEW, Rules
from autograder.judge.plain_tensors import CONSTANT, eye_like, is_matrix, is_plain, takes_a_name
from autograder.judge.recording import Made

SMALL = 6  # numbers of an example that is small
SIZES = 1, 2, 3, 4  # that a dimension is cut to, the smallest that still fails


Dimensions = Literal["everywhere", "first", "last", "alone"]
DIMENSIONS: tuple[Dimensions, ...] = get_args(Dimensions)


class OutOfSteps(Exception):
    """As many calls as were allowed have been tried."""


def shrink(call: Arguments, fails: Callable[[Arguments], bool], steps: int) -> Arguments:
    """The smallest arguments found on which `fails` still holds.

    Args:
        call: arguments on which it holds.
        fails: tried at most `steps` times.
    """
    tried: set[str] = set()
    rules = Rules()

    def holds(candidate: Arguments) -> bool:
        text = written(candidate)
        if text in tried:
            return False
        if len(tried) == steps:
            raise OutOfSteps
        tried.add(text)
        return fails(candidate)

    try:
        for candidates in STEPS:
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


def _shorter(call: Arguments, rules: Rules) -> Iterator[Arguments]:
    """Every dimension of one size cut to the same smaller one, with the numbers that state it and without."""
    for size in sorted(call.sizes, reverse=True):
        often = sum(leaf.shape.count(size) for leaf in call.leaves if isinstance(leaf, Tensor)) > 1
        ways = [(target, start) for target in SIZES if target < size for start in (0, size - target)]
        for where in DIMENSIONS if often else DIMENSIONS[:1]:
            for target, start in ways:
                yield from cut_sizes(call, size, start, target, rules, where)


def cut_sizes(
    call: Arguments, size: int, start: int, target: int, rules: Rules, where: Dimensions = "everywhere"
) -> Iterator[Arguments]:
    """Dimensions and lists of one length cut, with the whole numbers that state it and without; nothing where what
    holds of a tensor would not hold any more.

    Args:
        where: in which dimensions of this size: two things of one size need not be one.
    """
    cut = _cut(call, size, start, target, rules, where)
    if sum(leaf is None for leaf in cut.leaves) > sum(leaf is None for leaf in call.leaves):
        return
    if any(type(leaf) is int and leaf == size for leaf in call.leaves):
        yield cut.map(lambda leaf: target if type(leaf) is int and leaf == size else leaf)
    yield cut


def _cut(call: Arguments, size: int, start: int, target: int, rules: Rules, where: Dimensions) -> Arguments:
    def shorter(items: Sequence[object]) -> Sequence[object]:
        return items[start : start + target] if len(items) == size else items

    def narrower(leaf: object) -> object:
        if not isinstance(leaf, Tensor) or size not in leaf.shape:
            return leaf
        cut = leaf
        for axis, length in enumerate(leaf.shape):
            if length == size and _is_at(where, axis, leaf.ndim):
                cut = cut.narrow(axis, start, target)
        return rules.kept(leaf, cut.clone())

    return call.map(narrower, shorter)


def _is_at(where: Dimensions, axis: int, dimensions: int) -> bool:
    match where:
        case "everywhere":
            return True
        case "first":
            return axis == 0
        case "last":
            return axis == dimensions - 1 > 0
        case "alone":
            return dimensions == 1


def shared(call: Arguments, rules: Rules) -> Arguments:
    """The same with one tensor in the place of all of its form in which what holds of theirs holds of it.

    The one that fits in most places, and of these the one of most values. What is plain stays: its shape says it.
    """
    forms: dict[object, list[Tensor]] = {}
    for leaf in call.leaves:
        if isinstance(leaf, Tensor) and takes_a_name(leaf) and not is_plain(leaf):
            forms.setdefault((leaf.shape, leaf.dtype), []).append(leaf)

    def fits(one: Tensor, leaf: Tensor) -> bool:
        kept = rules.kept(leaf, one)
        return kept is not None and torch.equal(kept, one)

    instead: dict[int, Tensor] = {}
    for alike in forms.values():
        one = max(alike, key=lambda one: (sum(fits(one, leaf) for leaf in alike), len(torch.unique(one))))
        instead |= {id(leaf): one for leaf in alike if fits(one, leaf)}
    return call.map(lambda leaf: instead.get(id(leaf), leaf))


def _shared(call: Arguments, rules: Rules) -> Iterator[Arguments]:
    """One tensor for all of its form, where there would be too much to read."""
    if call.numbers > SMALL:
        yield shared(call, rules)


def _fewer(call: Arguments, rules: Rules) -> Iterator[Arguments]:
    """One list or text with a part left out: a half, or one item."""
    for place, value in enumerate(call.args):
        for fewer in (*_parts_left_out(value), *_nested(value)):
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


def _left(call: Arguments, rules: Rules) -> Iterator[Arguments]:
    """One argument that may be left out."""
    for place, value in enumerate(call.args):
        for fewer in _without(value):
            yield Arguments((*call.args[:place], fewer, *call.args[place + 1 :]), call.kwargs)


def _without(value: object) -> Iterator[Made]:
    if not isinstance(value, Made):
        return
    for name in value.kwargs:
        yield replace(value, kwargs={key: item for key, item in value.kwargs.items() if key != name})
    if len(value.args) > 1:
        yield replace(value, args=value.args[:-1])
    if value.of is not None:
        yield from (replace(value, of=of) for of in _without(value.of))
    for place, item in enumerate(value.args):
        for fewer in _without(item):
            yield replace(value, args=(*value.args[:place], fewer, *value.args[place + 1 :]))


def _nested(value: object) -> Iterator[object]:
    """What is passed to the calls that made a value, with one of them shorter."""
    if not isinstance(value, Made):
        return
    if value.of is not None:
        for of in _nested(value.of):
            assert isinstance(of, Made)
            yield replace(value, of=of)
    for place, item in enumerate(value.args):
        for fewer in (*_parts_left_out(item), *_nested(item)):
            yield replace(value, args=(*value.args[:place], fewer, *value.args[place + 1 :]))
    for name, item in value.kwargs.items():
        for fewer in (*_parts_left_out(item), *_nested(item)):
            yield replace(value, kwargs={**value.kwargs, name: fewer})


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
        elif isinstance(leaf, Tensor) and _whole(leaf):
            for simpler in _simpler(leaf):
                kept = rules.kept(leaf, simpler)
                if kept is not None and not torch.equal(kept, leaf):
                    yield _with(call, place, kept)


def _simpler(leaf: Tensor) -> Iterator[Tensor]:
    """Whole numbers that are all the same; then with one of them smaller."""
    if leaf.numel() > 1:
        yield from (torch.full_like(leaf, low) for low in (0, 1))
    for index in range(leaf.numel() if leaf.numel() <= FEW else 0):
        for low in (0, 1, 2):
            if int(leaf.reshape(-1)[index]) > low:
                changed = leaf.clone()
                changed.reshape(-1)[index] = low
                yield changed


def _whole(leaf: Tensor) -> bool:
    return not (leaf.is_floating_point() or leaf.is_complex() or leaf.dtype is torch.bool)


def _constant(call: Arguments, rules: Rules) -> Iterator[Arguments]:
    """All numbers of one larger tensor the same; a matrix as the identity, its rows in their places or moved on."""
    for place, leaf in enumerate(call.leaves):
        if not isinstance(leaf, Tensor) or not leaf.is_floating_point() or is_plain(leaf):
            continue
        simple = [torch.full_like(leaf, number) for number in (0.0, 1.0, 0.5)] if leaf.numel() > CONSTANT else []
        for one in (*simple, *((eye_like(leaf), eye_like(leaf, 1)) if is_matrix(leaf) else ())):
            kept = rules.kept(leaf, one)
            if kept is not None and torch.equal(kept, one):
                yield _with(call, place, kept)


def _rounder(call: Arguments, rules: Rules) -> Iterator[Arguments]:
    """All of one tensor or number with fewer digits; what is nearly nothing, as a tenth."""
    for place, leaf in enumerate(call.leaves):
        if isinstance(leaf, Tensor) and leaf.is_floating_point():
            # Adding 0 makes 0 of what rounding has made -0.
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
        if not isinstance(leaf, Tensor) or not leaf.is_floating_point() or leaf.numel() > FEW or is_plain(leaf):
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


# Numbers that have become smaller may let sizes become so.
STEPS = (_shorter, _left, _fewer, _smaller_numbers, _shorter, _constant, _rounder, _single, _shorter, _shared)
