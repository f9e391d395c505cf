"""What a wrong answer is to the right one, in a word: where no known mistake explains it, and never by a value.

A relation is named only where it holds for every number of two different inputs; of several, the simplest.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from autograder.language import _

RTOL = 1e-6
SINGLE = 2e-6  # of the largest value: what single precision loses


@dataclass(frozen=True)
class Compared:
    """A wrong answer and the right one, with the sizes of the dimensions of what was passed."""

    got: Tensor
    right: Tensor
    sizes: frozenset[int] = frozenset()


def relation(pairs: Sequence[Compared]) -> str | None:
    """The simplest relation that holds for all pairs, as a sentence; None where none does, or inputs are too few."""
    pairs = [Compared(p.got.to(torch.float64), p.right.to(torch.float64), p.sizes) for p in pairs if _usable(p)]
    wrong = [pair for pair in pairs if pair.got.shape != pair.right.shape or not _near(pair.got, pair.right)]
    if len(wrong) < 2 or all(_near(pair.right, wrong[0].right) for pair in wrong[1:]):
        return None
    return next((text() for holds, text in _relations(wrong) if all(holds(pair) for pair in wrong)), None)


def _usable(pair: Compared) -> bool:
    real = not (pair.got.is_complex() or pair.right.is_complex())
    return real and bool(pair.got.numel()) and bool(pair.got.isfinite().all()) and bool(pair.right.isfinite().all())


def _near(a: Tensor, b: Tensor) -> bool:
    if a.shape != b.shape:
        return False
    size = float(b.abs().max()) if b.numel() else 0.0
    return bool(torch.allclose(a, b, rtol=RTOL, atol=1e-7 * size))


Holds = Callable[[Compared], bool]


def _of_values(change: Callable[[Tensor], Tensor]) -> Holds:
    """Whether the answer is this function of the right values, which then says something of more than one number."""

    def holds(pair: Compared) -> bool:
        wrong = change(pair.right)
        return bool(wrong.isfinite().all()) and _near(pair.got, wrong)

    return holds


def _relations(pairs: Sequence[Compared]) -> Iterator[tuple[Holds, Callable[[], str]]]:
    """From the simplest to the least."""
    yield (
        _precise,
        lambda: _("The values are right to the precision of float32 only: is something converted on the way?"),
    )
    yield _of_values(lambda x: -x), lambda: _("Every value has the opposite sign of the right one.")
    for factor, text in _factors():
        yield _of_values(lambda x, factor=factor: factor * x), text  # type: ignore[misc]
    yield (
        _by_size(lambda n: n),
        lambda: _("Every value is too large by the length of a dimension: is it a sum where a mean is meant?"),
    )
    yield (
        _by_size(lambda n: 1 / n),
        lambda: _("Every value is too small by the length of a dimension: is it a mean where a sum is meant?"),
    )
    yield (
        _by_size(lambda n: n / (n - 1)),
        lambda: _("Every value is too large by n/(n-1): it is divided by n - 1, where n is meant."),
    )
    yield (
        _by_size(lambda n: (n - 1) / n),
        lambda: _("Every value is too small by (n-1)/n: it is divided by n, where n - 1 is meant."),
    )
    yield _of_values(lambda x: x**2), lambda: _("Every value is the square of the right one.")
    yield _of_values(torch.sqrt), lambda: _("Every value is the square root of the right one.")
    yield _of_values(torch.log), lambda: _("Every value is the logarithm of the right one.")
    yield _of_values(torch.exp), lambda: _("Every value is the exponential of the right one.")
    yield _of_values(lambda x: 1 / x), lambda: _("Every value is one over the right one.")
    yield _of_values(lambda x: 1 - x), lambda: _("Every value is one minus the right one.")
    yield _of_values(torch.abs), lambda: _("The values have lost their signs.")
    if all(pair.right.ndim >= 2 for pair in pairs):
        yield _of_values(lambda x: x.mT), lambda: _("The answer is the right one transposed.")
    if all(pair.right.ndim >= 1 for pair in pairs):
        yield _of_values(lambda x: x.flip(0)), lambda: _("The answer is the right one in reverse order.")
        yield _of_values(lambda x: x.flip(-1)), lambda: _("Each row is the right one in reverse order.")
        yield _of_values(lambda x: x.cumsum(-1)), lambda: _("The values are added up along the last dimension.")
        yield _of_values(lambda x: x.cumsum(0)), lambda: _("The values are added up along the first dimension.")
        yield _of_values(lambda x: x[:1].expand_as(x)), lambda: _("Every row is the first one of the right ones.")
        yield _summed(torch.sum), lambda: _("The answer is the sum of the right values over a dimension.")
        yield _summed(torch.mean), lambda: _("The answer is the mean of the right values over a dimension.")
    if (constant := _constant(pairs)) is not None:
        yield _of_values(lambda x: constant * x), lambda: _("Every value is the right one times the same number.")
    if (shift := _shift(pairs)) is not None:
        yield _of_values(lambda x: x + shift), lambda: _("The same number is added to every value.")


def _factors() -> Iterator[tuple[float, Callable[[], str]]]:
    yield 2.0, lambda: _("Every value is twice the right one.")
    yield 0.5, lambda: _("Every value is half of the right one.")
    yield 1 / math.log(2), lambda: _("Every value is the right one over ln 2: which logarithm is meant?")
    yield math.log(2), lambda: _("Every value is the right one times ln 2: which logarithm is meant?")
    yield 2 * math.pi, lambda: _("Every value is the right one times 2π.")
    yield 1 / (2 * math.pi), lambda: _("Every value is the right one over 2π.")
    yield math.sqrt(2), lambda: _("Every value is the right one times the root of 2.")
    yield math.sqrt(0.5), lambda: _("Every value is the right one over the root of 2.")
    yield -2.0, lambda: _("Every value is twice the right one, with the opposite sign.")
    yield -0.5, lambda: _("Every value is half of the right one, with the opposite sign.")


def _precise(pair: Compared) -> bool:
    size = float(pair.right.abs().max())
    return pair.got.shape == pair.right.shape and float((pair.got - pair.right).abs().max()) <= SINGLE * size


def _by_size(of_size: Callable[[int], float]) -> Holds:
    return lambda pair: any(_near(pair.got, of_size(n) * pair.right) for n in pair.sizes if n > 1)


def _summed(over: Callable[[Tensor, int], Tensor]) -> Holds:
    def holds(pair: Compared) -> bool:
        right = pair.right
        axes = [axis for axis in range(right.ndim) if right.shape[axis] > 1]
        return any(
            _near(pair.got, summed) or _near(pair.got, summed.unsqueeze(axis))
            for axis in axes
            for summed in (over(right, axis),)
        )

    return holds


def _constant(pairs: Sequence[Compared]) -> float | None:
    """The one factor between all values, from the largest; whether it holds is seen then."""
    if sum(pair.right.numel() for pair in pairs) < 3:
        return None
    right, got = pairs[0].right.reshape(-1), pairs[0].got.reshape(-1)
    place = int(right.abs().argmax())
    if len(got) != len(right) or right[place] == 0 or got[place] == 0:
        return None
    return float(got[place] / right[place])


def _shift(pairs: Sequence[Compared]) -> float | None:
    if pairs[0].got.shape != pairs[0].right.shape or sum(pair.right.numel() for pair in pairs) < 3:
        return None
    return float((pairs[0].got - pairs[0].right).reshape(-1)[0])
