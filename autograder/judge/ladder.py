"""Small versions of a call, made by rule: which of them shows a fault is seen by asking, from the smallest on.

Shrinking by trying (`shrink`) asks hundreds of times, and other things of each submission, so that what right code says
has to be found anew. These are the same for every submission: right code is asked once in a judge, and a submission a
few times.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from autograder.judge.arguments import Arguments, written
from autograder.judge.invariants import Rules
from autograder.judge.plain_tensors import CONSTANT, eye_like, is_matrix, is_plain, is_square, numbers_of_eye
from autograder.judge.recording import Made, exchanged, passed, uses
from autograder.judge.shrink import SMALL, cut_sizes, shared

MOST = 16  # numbers of an example: a larger one is nothing to look at
CUTS = 120  # versions by size that are looked at
TARGETS = ((1, 2, 3), (1, 2, 3), (1, 2, 3), (1, 2, 3), (1, 2))  # of a size, by how many sizes a call has
ALIKE = 2  # versions with the same count of numbers that are tried before others
FORM = 3  # of these that differ in little
OTHERS = 36, 8  # versions that are tried where those show nothing: small ones, and larger ones
STAND_INS = Made("probe", "half"), Made("probe", "bowl")  # the simplest networks: of one value for each, and for a row
LOW = 2, 1  # steps, layers, neighbours: with one, much that is wrong cannot be seen
LEVELS = (0.5, 1.0, 0.0, 0.8)  # of a tensor that is too large to be written out


def rungs(calls: Sequence[Arguments], answered: Callable[[Arguments], bool]) -> Iterator[Arguments]:
    """Versions of at most `MOST` numbers: first a few of each count up to `SMALL`, the smallest first; then others.

    Args:
        calls: a call, and others that do in its place.
        answered: whether right code has an answer to a version.
    """
    rules, seen = Rules(), set(map(written, calls[:1]))
    tried: Counter[int] = Counter()
    others: list[tuple[int, int, Arguments]] = []
    for cut in _cuts(calls, rules):
        found: Arguments | None = None
        rank = 0
        for version in _also_shared(_filled(cut, rules), rules):
            numbers = version.numbers
            if numbers > MOST or (text := written(version)) in seen:
                continue
            if found is not None and version is cut:  # nothing else than what has been tried with rounder numbers
                continue
            seen.add(text)
            if found is not None or tried[numbers] >= ALIKE or numbers > SMALL:
                others.append((rank, numbers, version))
                rank += 1
            elif answered(version):
                found = version
                tried[numbers] += 1
                yield version
    # With other digits a version of the same sizes seldom shows more.
    others.sort(key=lambda other: other[0] + other[1])
    small = [version for _rank, numbers, version in others if numbers <= SMALL]
    larger = [version for _rank, numbers, version in others if numbers > SMALL]
    for most, part in zip(OTHERS, (small, larger), strict=True):
        for version in itertools.islice(_different(part, answered), most):
            # Of a small one more can be left out than of the call that it was made from.
            if version.numbers > SMALL and written(fewer := _left_out(version, answered)) not in seen:
                seen.add(written(fewer))
                yield fewer
            yield version


def _different(versions: Sequence[Arguments], answered: Callable[[Arguments], bool]) -> Iterator[Arguments]:
    """Those of them that are answered, but for some that differ from others in digits, or in sizes of what is plain."""
    forms: Counter[object] = Counter()
    for version in versions:
        form = tuple(_form(leaf) for leaf in version.leaves)
        if forms[form] < FORM and answered(version):
            forms[form] += 1
            yield version


def _form(leaf: object) -> object:
    if not isinstance(leaf, Tensor):
        return type(leaf)
    return float(leaf.reshape(-1)[0]) if is_plain(leaf) else leaf.shape


def plainer(
    call: Arguments, answered: Callable[[Arguments], bool], is_object: Callable[[Made], bool]
) -> Iterator[Arguments]:
    """The same with one simple network in the place of objects that are passed; and each of these with low counts, and
    without what can be left out.

    Args:
        answered: whether right code has an answer to a version.
        is_object: whether something that was made is an object.
    """
    objects = list(map(id, filter(is_object, passed(call.args))))
    starts = [call, *_stood_for(call, objects, answered)]
    yield from starts[1:]
    for start in starts:
        seen = [start]
        for low in LOW:
            fewer = _left_out(_counted_low(start, low, answered), answered)
            if all(written(fewer) != written(one) for one in seen):
                seen.append(fewer)
                yield fewer


def _stood_for(call: Arguments, objects: Sequence[int], answered: Callable[[Arguments], bool]) -> Iterator[Arguments]:
    """With one simple network in the place of these objects, by their ids, or of one of them; with two, of two."""
    alone = [[one] for one in objects] if len(objects) > 1 else []
    ways = [[dict.fromkeys(some, simple) for some in (objects, *alone)] for simple in STAND_INS if objects]
    if len(objects) == 2:
        ways.append([dict(zip(objects, two, strict=True)) for two in itertools.permutations(STAND_INS)])
    for several in ways:
        versions = (Arguments(exchanged(call.args, way)) for way in several)
        if (found := next(filter(answered, versions), None)) is not None:
            yield found


def _counted_low(call: Arguments, low: int, answered: Callable[[Arguments], bool]) -> Arguments:
    """The same with a low number in the place of whole ones that are no size: of steps, of layers, of neighbours."""
    sizes = call.sizes

    def is_count(leaf: object) -> bool:
        return type(leaf) is int and leaf > low and leaf not in sizes

    if not any(map(is_count, call.leaves)):
        return call
    every = call.map(lambda leaf: low if is_count(leaf) else leaf)
    if answered(every):
        return every
    for count in [leaf for leaf in call.leaves if is_count(leaf)]:
        lower = call.map(lambda leaf, count=count: low if type(leaf) is int and leaf == count else leaf)  # type: ignore[misc]
        call = lower if answered(lower) else call
    return call


def _left_out(call: Arguments, answered: Callable[[Arguments], bool]) -> Arguments:
    """The same without names and last arguments, as far as right code has defaults for them.

    A count of steps stays, for the one that stands in its place may be a thousand; in our own probes none does.
    """
    place, fewer = 0, call

    def without(made: Made, shorter: Made) -> bool:
        nonlocal fewer
        tried = Arguments(exchanged(fewer.args, {id(made): shorter}))
        if not answered(tried):
            return False
        fewer = tried
        return True

    while place < len(mades := [one for one in uses(fewer.args) if isinstance(one, Made)]):
        made, place = mades[place], place + 1
        for name in [name for name, value in made.kwargs.items() if type(value) is not int]:
            shorter = replace(made, kwargs={key: value for key, value in made.kwargs.items() if key != name})
            made = shorter if without(made, shorter) else made
        counts = [kept for kept, value in enumerate(made.args) if type(value) is int and made.how == "call"]
        fewest = counts[-1] + 1 if counts else 0
        for kept in range(fewest, len(made.args)) if made.how in ("call", "probe") and not made.kwargs else ():
            if without(made, replace(made, args=made.args[:kept])):
                break
    return fewer


def _cuts(calls: Sequence[Arguments], rules: Rules) -> list[Arguments]:
    """These calls with their sizes cut in every combination, with the numbers that state them and without."""
    found = [cut for call in calls for cut in _cuts_of(call, rules)]
    return sorted(found, key=lambda cut: (_large(cut), _least(cut)))[:CUTS]


def _cuts_of(call: Arguments, rules: Rules) -> list[Arguments]:
    sizes = sorted(call.sizes - {0, 1})
    # As many rows as columns by chance: the rows alone.
    twice = [size for size in sizes if any(isinstance(x, Tensor) and x.shape.count(size) > 1 for x in call.leaves)]
    found = [call, *(cut for size in twice for cut in cut_sizes(call, size, 0, 1, rules, "first"))]
    targets = TARGETS[len(sizes)] if len(sizes) < len(TARGETS) else (1,)
    # From the smallest on: what a size is cut to is never one that is still to be cut.
    for size in sizes[-6:]:
        for one in found[:]:
            found += [cut for target in targets if target < size for cut in cut_sizes(one, size, 0, target, rules)]
        found = found[: 4 * CUTS]
    return [cut for cut in found if _least(cut, eyes=True) <= MOST]


def _least(call: Arguments, eyes: bool = False) -> int:
    """How many numbers a call has once its larger tensors are all one number; its matrices the identity."""

    def least(leaf: object) -> int:
        if not isinstance(leaf, Tensor):
            return 1
        if eyes and is_matrix(leaf):
            return numbers_of_eye(*leaf.shape[-2:])
        return leaf.numel() if leaf.numel() <= CONSTANT else leaf.ndim + 1

    return sum(map(least, call.leaves))


def _large(call: Arguments) -> bool:
    """Whether a tensor is in it that only its shape and one number can show."""
    return any(isinstance(leaf, Tensor) and leaf.numel() > MOST and not is_plain(leaf) for leaf in call.leaves)


def _filled(call: Arguments, rules: Rules) -> Iterator[Arguments]:
    """The same with whole numbers, with tenths, and with hundredths; what is large, as one number everywhere.

    Then the same with the lowest integers that have the order of those in its tensors: places in what has been cut; and
    with two of them in turn.
    """
    yield from _filled_as_it_is(call, rules)
    seen = {written(call)}
    for most in (None, 2):
        lowest = call.map(lambda leaf, most=most: _lowest(leaf, most, rules) if isinstance(leaf, Tensor) else leaf)  # type: ignore[misc]
        if written(lowest) not in seen:
            seen.add(written(lowest))
            yield from _filled_as_it_is(lowest, rules)


def _also_shared(versions: Iterator[Arguments], rules: Rules) -> Iterator[Arguments]:
    """These, and behind one that is not small the same with one tensor for all of its form, if that makes it small."""
    for version in versions:
        yield version
        if version.numbers > SMALL and (fewer := shared(version, rules)).numbers <= SMALL:
            yield fewer


def _lowest(leaf: Tensor, most: int | None, rules: Rules) -> Tensor:
    if leaf.is_floating_point() or leaf.is_complex() or leaf.dtype is torch.bool or not leaf.numel():
        return leaf
    _values, places = torch.unique(leaf, return_inverse=True)
    lowest: Tensor = (places if most is None else places % most).to(leaf.dtype)
    kept = rules.kept(leaf, lowest)
    return leaf if kept is None else kept


def _filled_as_it_is(call: Arguments, rules: Rules) -> Iterator[Arguments]:
    squares, matrices = itertools.count(), itertools.count()
    fillings: list[Callable[[Tensor], Tensor]] = [_whole, _squares, _balanced, _tenths]
    if any(isinstance(leaf, Tensor) and is_square(leaf) for leaf in call.leaves):
        # Two that are passed need not be the same one; where they are, there is less to read.
        fillings.insert(0, lambda leaf: eye_like(leaf, next(squares)) if is_square(leaf) else _whole(leaf))
        fillings.insert(1, lambda leaf: eye_like(leaf) if is_square(leaf) else _whole(leaf))
    if any(isinstance(leaf, Tensor) and is_matrix(leaf) and not is_square(leaf) for leaf in call.leaves):
        fillings.append(lambda leaf: eye_like(leaf, next(matrices)) if is_matrix(leaf) else _whole(leaf))
    if any(isinstance(leaf, Tensor) and leaf.numel() > CONSTANT and not is_plain(leaf) for leaf in call.leaves):
        fillings += [lambda leaf, to=level: _level(rules, leaf, to) for level in LEVELS]  # type: ignore[misc]
    for change in (*fillings, lambda leaf: leaf.round(decimals=2)):
        if (version := _changed(call, rules, change)) is not None:
            yield version
    yield call


def _changed(call: Arguments, rules: Rules, change: Callable[[Tensor], Tensor]) -> Arguments | None:
    """The call with other numbers in its tensors; None where what holds of one cannot hold then."""
    lost = False

    def changed(leaf: object) -> object:
        nonlocal lost
        if type(leaf) is float:
            return float(f"{leaf:.2g}")
        if not isinstance(leaf, Tensor) or not leaf.is_floating_point():
            return leaf
        kept = rules.kept(leaf, change(leaf))
        lost = lost or kept is None
        return kept

    made = call.map(changed)
    return None if lost else made


def _whole(leaf: Tensor) -> Tensor:
    """Odd numbers that count up: none is 0, and no two are the same or cancel each other."""
    counted = 2.0 * torch.arange(leaf.numel(), dtype=leaf.dtype).reshape(leaf.shape) + 1
    return torch.where(leaf == 0, 0.0, leaf.sign() * counted)


def _balanced(leaf: Tensor) -> Tensor:
    """Pairs of a number and its opposite: what is summed over all of it vanishes, and over a part does not."""
    counted = torch.arange(leaf.numel(), dtype=leaf.dtype).reshape(leaf.shape)
    return torch.where(leaf == 0, 0.0, (2 * (counted / 2).floor() + 1) * (1 - 2 * (counted % 2)))


def _squares(leaf: Tensor) -> Tensor:
    """Squares that count up: rows of more than one direction, which counting numbers are not."""
    counted = (torch.arange(leaf.numel(), dtype=leaf.dtype).reshape(leaf.shape) + 1) ** 2
    return torch.where(leaf == 0, 0.0, leaf.sign() * counted)


def _tenths(leaf: Tensor) -> Tensor:
    """Rounded so that no number vanishes: nothing is seen of what is multiplied by 0."""
    return leaf.sign() * (leaf.abs() * 10).ceil() / 10 + 0.0


def _level(rules: Rules, leaf: Tensor, level: float) -> Tensor:
    """One number everywhere in a larger tensor: this one, or another that may stand there."""
    if leaf.numel() <= CONSTANT:
        return _tenths(leaf)
    versions = [torch.full_like(leaf, number) for number in (level, *LEVELS)]
    return next((version for version in versions if rules.kept(leaf, version) is not None), versions[0])
