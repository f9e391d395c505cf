"""What a student's answer is, in words for the student, and as a tensor for us."""

from __future__ import annotations

import torch
from torch import Tensor

from autograder.judge.remote import Handle
from autograder.language import _, ngettext
from autograder.wire.values import Array, Unusable

MAX_TENSORS = 10_000  # in a list that is to be one tensor


def describe(value: object) -> str:
    """The kind and the shape of an answer: "a tensor of shape (3, 2), float64", "None", "a list of 4 items"."""
    if value is None:
        return "None"
    if isinstance(value, Tensor):
        return _("a tensor of shape {shape}, {dtype}").format(shape=tuple(value.shape), dtype=dtype_name(value.dtype))
    if isinstance(value, Array):
        return _("a NumPy array of shape {shape}, {dtype}").format(
            shape=tuple(value.tensor.shape), dtype=dtype_name(value.tensor.dtype)
        )
    if isinstance(value, Unusable):
        return value.why
    if isinstance(value, Handle):
        return _("an object of type {type}").format(type=value._type_name)
    if isinstance(value, bool | int | float | complex):
        return _("the {type} {value}").format(type=type(value).__name__, value=repr(value)[:40])
    if isinstance(value, str):
        return _("the text {text}").format(text=repr(value[:60]))
    if isinstance(value, list | tuple | set | dict):
        return ngettext("a {type} of {n} item", "a {type} of {n} items", len(value)).format(
            type=type(value).__name__, n=len(value)
        )
    return _("something of type {type}").format(type=type(value).__name__)


def dtype_name(dtype: torch.dtype) -> str:
    """`float64` for `torch.float64`."""
    return str(dtype).removeprefix("torch.")


def as_tensor(value: object) -> Tensor | None:
    """The answer as a tensor if it is one in any coat: tensor, NumPy array, number, (nested) list of numbers."""
    if isinstance(value, Tensor):
        return value
    if isinstance(value, Array):
        return value.tensor
    if isinstance(value, bool | int | float):
        return _build(value)
    if isinstance(value, list | tuple) and value:
        return _from_sequence(value)
    return None


def _from_sequence(value: list[object] | tuple[object, ...]) -> Tensor | None:
    kinds = _kinds(value)
    if kinds and kinds <= {bool, int, float}:
        return _build(value, float in kinds)  # one call for all: a tensor per row would take seconds for a million rows
    if len(value) > MAX_TENSORS:
        return None
    items = [as_tensor(item) for item in value]
    tensors = [item for item in items if item is not None]
    if len(tensors) < len(items) or any(t.shape != tensors[0].shape for t in tensors):
        return None
    dtype = _common(tensors)
    return torch.stack([t.to(dtype) for t in tensors])


def _kinds(value: list[object] | tuple[object, ...]) -> set[type]:
    """The types of what a nested list holds at its ends."""
    kinds: set[type] = set()
    level = [value]
    while level:
        kinds |= {type(item) for row in level for item in row}
        level = [item for row in level for item in row if type(item) is list or type(item) is tuple]
    return kinds - {list, tuple}


def _build(value: object, floating: bool | None = None) -> Tensor | None:
    if floating is None:
        floating = isinstance(value, float)
    try:
        return torch.tensor(value, dtype=torch.float64 if floating else None)
    except (RuntimeError, OverflowError, ValueError, TypeError):  # beyond 64 bits; rows of several lengths
        return None


def _common(tensors: list[Tensor]) -> torch.dtype:
    dtype = tensors[0].dtype
    for tensor in tensors[1:]:
        dtype = torch.promote_types(dtype, tensor.dtype)
    return dtype
