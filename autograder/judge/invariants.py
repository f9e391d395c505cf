"""What holds of the tensors of a call: rows that sum to one, a covariance's symmetry, an order, a range."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

FEW = 8  # numbers of a tensor of which each is looked at by itself
ENOUGH = 6  # numbers that are not in a range by accident
_TINY = 1e-9


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
    if _orders(first):
        return _ranks
    if not first.is_floating_point() or not first.numel():
        return lambda after: after
    known = torch.unique(first)
    if len(known) <= 2 and (bool((known.abs() <= 1).all() and (known % 1 == 0).all()) or first.numel() > FEW):
        # Spins, masks, one number everywhere.
        return lambda after: after if bool(torch.isin(after, known).all()) else None
    sums = next(_sums_to_one(first), None)
    shapes = (_definite, _symmetric) if first.ndim >= 2 and first.shape[-1] > 1 else ()
    orders = (_rising, _falling) if first.numel() >= 3 else ()
    # A row of one number that sums to one is 1, and is not below it.
    above = (_below_one, _at_most_one) if sums is None else ()
    ranges = (_positive, _not_negative, *above) if first.numel() >= ENOUGH else ()
    rules = [rule for rule in (*shapes, *orders, *ranges) if rule(first)]

    def kept(after: Tensor) -> Tensor | None:
        if sums is not None:
            total = after.sum(sums, keepdim=True)
            if bool((total <= _TINY).any() or (after < 0).any()):
                return None
            after = after / total
        return after if all(rule(after) for rule in rules) else None

    return kept


def _orders(values: Tensor) -> bool:
    """Whether every row is an order of the places of a row; of two places it may be so by accident."""
    whole = not (values.is_floating_point() or values.is_complex() or values.dtype is torch.bool)
    return whole and values.ndim > 0 and values.shape[-1] > 2 and torch.equal(values.sort().values, _places(values))


def _places(values: Tensor) -> Tensor:
    return torch.arange(values.shape[-1], dtype=values.dtype).expand(values.shape)


def _ranks(values: Tensor) -> Tensor:
    """The order of places that rows of other numbers come next to."""
    return values.argsort(stable=True).argsort().to(values.dtype)


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
