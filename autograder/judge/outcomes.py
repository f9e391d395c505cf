"""How a public call ended on some code, and what of that the contract settles.

What the reference and every alternative agree on is right: the values, the values up to their signs (directions that
may point either way) or to their order, or the kind and the shape alone (networks with weights of their own). Of
generators it may be that two answers are the same, or that they differ.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from autograder.judge.answers import as_tensor, describe, dtype_name
from autograder.judge.arguments import Arguments
from autograder.judge.compare import same
from autograder.judge.draw import subseed
from autograder.judge.labels import Labels
from autograder.judge.recording import Made, NoPart, Seeded, evaluate
from autograder.judge.remote import Handle
from autograder.judge.session import Session
from autograder.judge.shown import LONG, begun, example_value, text_of
from autograder.judge.verdicts import StudentError
from autograder.language import _
from autograder.wire.values import Array

LARGEST = 100_000  # numbers of a call that is looked at
CLEARLY = 1e-3  # relative: what rounding would hide shows nothing
DUST = 1e-12
ROUNDING, SINGLE = 1e-6, 1e-4  # the same of two right answers

Asked = Literal["value", "twice", "seeds", "free", "pair"]
Settled = Literal["values", "signs", "order", "kind", "dtype"]


@dataclass(frozen=True)
class Ended:
    """How a call ended: what it answered, or the builtin exception that it raised."""

    value: object = None
    raised: str = ""


@dataclass(frozen=True)
class Right:
    """What is right, and how much of it."""

    ended: Ended
    settled: Settled = "values"


class CannotGoOn(Exception):
    """The code that is asked answers no more, or has not been written."""


def outcome(session: Session, asked: Asked, call: Arguments) -> Ended:
    """How a call ends on this code.

    Args:
        asked: its value; or whether it answers the same `twice` with one generator, with generators of two `seeds`, or
            without one (`free`); or whether a `pair` of calls do.

    Raises:
        CannotGoOn: no answer was to be had, and none is due.
    """
    (made, *others) = call.args
    if asked == "value":
        return _ended(session, made, 0)
    if asked == "pair":
        first, second = _ended(session, (made, others[0]), 0), Ended()
        if isinstance(first.value, tuple):
            first, second = (Ended(item) for item in first.value)
    elif asked == "twice":
        first, second = _ended(session, made, 0), _ended(session, made, 1)
    elif asked == "seeds":
        first, second = _ended(session, made, 0), _ended(session, with_seeds(made, 1), 0)
    else:
        free = with_seeds(made, None)
        first, second = _ended(session, free, 0), _ended(session, free, 1)
    if first.raised or second.raised:
        return Ended(raised=first.raised or second.raised)
    alike = not differ(first.value, second.value, SINGLE if _single(first.value) else ROUNDING)
    return Ended("alike" if alike else "apart")


def with_seeds(made: object, step: int | None) -> object:
    """The same with generators of other seeds, so much further on; without generators where None."""

    def change(leaf: object) -> object:
        if isinstance(leaf, Seeded):
            return None if step is None else Seeded(leaf.seed + step)
        return leaf

    return Arguments((made,)).map(change).args[0]


def _ended(session: Session, made: object, seed: int) -> Ended:
    if not session.can_answer:
        raise CannotGoOn
    session.trace, session.labels = [], Labels()
    try:
        session.next_seed = subseed(seed, "example")
        return Ended(_detached(evaluate(session, made)))
    except NoPart:
        return Ended(None)
    except StudentError as error:
        if not shows_something(error):
            raise CannotGoOn from None
        return Ended(raised=error.bases[0])


def shows_something(error: StudentError) -> bool:
    """Whether a call that did not answer says something of what is wrong: not where it is not written yet, or hung."""
    return error.kind == "raised" and bool(error.bases) and "NotImplementedError" not in error.bases


def _detached(value: object) -> object:
    if isinstance(value, Tensor):
        return value.detach()
    if isinstance(value, list | tuple):
        return type(value)(map(_detached, value))
    return value


def settled(outcomes: Sequence[Ended], types: bool = False) -> Right | None:
    """What all these outcomes of right code have in common; None where it is nothing that can be shown.

    Args:
        types: look at what containers and dtypes they have, and not at the values.
    """
    right, *others = outcomes
    if any(other.raised != right.raised for other in others):
        return None
    if right.raised:
        return Right(right) if right.raised == "ValueError" else None
    if not _showable(right.value):
        return None
    if types:
        alike = all(_type(other.value) == _type(right.value) for other in others)
        return Right(right, "dtype") if alike and _type(right.value) else None
    for how in ("values", "signs", "order", "kind"):
        found = Right(right, how)
        by = SINGLE if any(_single(one.value) for one in outcomes) else ROUNDING
        if not any(departs(other, found, by) for other in others):
            return found
    return None


def departs(got: Ended, right: Right, by: float = CLEARLY) -> bool:
    """Whether an outcome is wrong."""
    if got.raised or right.ended.raised:
        return got.raised != right.ended.raised
    if right.settled == "dtype":
        return _type(got.value) != _type(right.ended.value)
    if right.settled == "kind":
        if isinstance(got.value, dict) and isinstance(right.ended.value, dict):
            return not right.ended.value.keys() <= got.value.keys()  # other keys are free
        return _kind(got.value) != _kind(right.ended.value)
    if right.settled in _FREE:
        change = _FREE[right.settled]
        return differ(change(got.value), change(right.ended.value), by)
    return differ(got.value, right.ended.value, by)


def differ(got: object, right: object, by: float) -> bool:
    """Whether two answers are apart, of their size."""
    a, b = as_tensor(got), as_tensor(right)
    if a is not None and b is not None:
        if a.is_complex() or b.is_complex():
            return a.is_complex() != b.is_complex() or not torch.equal(a, b)
        b = b.to(torch.float64)
        finite = b[b.isfinite()]
        size = float(finite.abs().max()) if finite.numel() else 0.0
        return a.shape != b.shape or not same(a.to(torch.float64), b, by, by * size + 1e-12)
    if isinstance(right, list | tuple):
        if not isinstance(got, list | tuple) or len(got) != len(right):
            return True
        return any(differ(one, other, by) for one, other in zip(got, right, strict=True))
    if isinstance(right, dict):
        apart = not isinstance(got, dict) or not right.keys() <= got.keys()  # other keys are free
        return apart or any(differ(got[key], right[key], by) for key in right)  # type: ignore[index]
    if isinstance(got, Handle) and isinstance(right, Handle):
        return False
    return type(got) is not type(right) or got != right


def _unsigned(value: object) -> object:
    tensor = as_tensor(value)
    return tensor.abs() if tensor is not None and tensor.dtype is not torch.bool else value


def _sorted(value: object) -> object:
    tensor = as_tensor(value)
    return tensor.sort().values if tensor is not None and tensor.ndim == 1 and not tensor.is_complex() else value


_FREE: dict[Settled, Callable[[object], object]] = {"signs": _unsigned, "order": _sorted}


def _single(value: object) -> bool:
    tensor = as_tensor(value)
    return tensor is not None and tensor.dtype in (torch.float32, torch.float16, torch.bfloat16)


def _kind(value: object) -> object:
    """A tensor's shape, a list's length, a type."""
    tensor = as_tensor(value)
    if tensor is not None:
        return tuple(tensor.shape), bool(tensor.is_complex())
    return (list, len(value)) if isinstance(value, list | tuple) else type(value).__name__


def _type(value: object) -> str:
    """Which container an answer has, and which dtype; empty for what has none."""
    if isinstance(value, Tensor):
        return dtype_name(value.dtype)
    if isinstance(value, Array):
        return "numpy"
    if isinstance(value, list | tuple):
        return f"{len(value)}: {','.join(map(_type, value))}"
    return type(value).__name__ if isinstance(value, bool | int | float | str) else ""


def _showable(value: object) -> bool:
    """Whether an answer is data with nothing in it that is no number."""
    if isinstance(value, Handle) or value is None:
        return False
    if isinstance(value, dict):
        return bool(value) and all(isinstance(key, str) for key in value)
    items: Sequence[object] = value if isinstance(value, list | tuple) else [value]
    for item in items:
        tensor = as_tensor(item)
        if tensor is not None and not tensor.is_complex() and (tensor.isnan().any() or tensor.numel() > LARGEST):
            return False
        if isinstance(item, Handle) and items is not value:
            return False
    return bool(items)


def text_of_outcome(ended: Ended, settled_: Settled, asked: Asked = "value") -> str:
    """What came, as far as it says something."""
    if ended.raised:
        return ended.raised
    if asked != "value":
        return _("the same answer twice") if ended.value == "alike" else _("two different answers")
    if settled_ == "kind":
        tensor = as_tensor(ended.value)
        if isinstance(ended.value, dict):
            return _("a dict with {keys}").format(keys=", ".join(sorted(map(repr, ended.value)))[:80])
        return describe(ended.value if tensor is None or tensor.ndim == 0 else tensor)
    if settled_ == "dtype":
        return describe(ended.value)
    value = _without_dust(ended.value)
    tensor = as_tensor(value)
    if tensor is not None and tensor.numel() > LONG:
        return begun(tensor)
    return example_value(value) or text_of(value)


def _without_dust(value: object) -> object:
    """0 for what is 0 but for rounding."""
    if isinstance(value, Tensor) and value.is_floating_point():
        return torch.where(value.abs() < DUST, torch.zeros_like(value), value)
    if isinstance(value, list | tuple):
        return type(value)(map(_without_dust, value))
    if isinstance(value, dict):
        return {key: _without_dust(item) for key, item in value.items()}
    return 0.0 if isinstance(value, float) and abs(value) < DUST else value


def parts_of(made: Made, value: object) -> Sequence[Made]:
    """The parts of an answer that are data, as values of their own."""
    if isinstance(value, dict):
        return [Made("part", key, made) for key, item in value.items() if not isinstance(item, Handle)]
    if isinstance(value, list | tuple) and as_tensor(value) is None:
        return [Made("part", place, made) for place, item in enumerate(value[:6]) if not isinstance(item, Handle)]
    return []
