"""What a student's exception says, taken with care: its class may lie, raise or never end."""

from __future__ import annotations

import builtins
from collections.abc import Iterator
from dataclasses import dataclass, field
from inspect import CO_OPTIMIZED
from types import FrameType, GetSetDescriptorType
from typing import cast

import numpy as np
import torch

MAX_MESSAGE = 1000
MAX_VALUES = 40  # of one line's function
REPLACED = "Replaced"  # what stands for an exception's class where a probe's answer would not be to be trusted
_BUILTIN = {kind: kind.__name__ for kind in vars(builtins).values() if isinstance(kind, type)}
_NUMBERS: dict[object, str] = {
    kind: kind.__name__.rstrip("_")
    for kind in (bool, int, float, complex, *cast("list[type]", list(np.sctypeDict.values())))
    if kind in (bool, int, float, complex) or issubclass(kind, np.number | np.bool_)
}
# As they are before a line of the submission is there: a student's class, or what it puts on torch's, is never asked.
_shape_of, _dtype_of = (cast("GetSetDescriptorType", one).__get__ for one in (torch.Tensor.shape, torch.Tensor.dtype))
_array_shape_of, _array_dtype_of = (
    cast("GetSetDescriptorType", one).__get__ for one in (np.ndarray.shape, np.ndarray.dtype)
)
_TENSORS: tuple[object, ...] = (torch.Tensor, torch.nn.Parameter)
# Kind (`tensor`, `array` or `number`), type of the entries, shape.
ValueForm = tuple[str, str, tuple[int, ...]]


@dataclass(frozen=True)
class Raised:
    """An exception in plain data.

    Attributes:
        type_name: its class.
        bases: names of its builtin base classes (`ValueError`, ...), for checks of the error's kind.
        message: its text, cut.
        where: the student's cell or file of the innermost frame of theirs, or "".
        line: the line there, 0 where unknown.
        function: the student's function there.
        own: that frame is where it was raised, and not something that the student's code called.
        values: of the tensors, arrays and numbers in that frame what they are, by name; never a value.
    """

    type_name: str
    bases: tuple[str, ...]
    message: str
    where: str
    line: int
    function: str
    own: bool
    values: dict[str, ValueForm] = field(default_factory=dict)


def describe_exception(error: BaseException, student_files: frozenset[str] = frozenset()) -> Raised:
    """Describe an exception without trusting it."""
    kind = type(error)
    bases = tuple(_BUILTIN[base] for base in type.mro(kind) if base in _BUILTIN)  # a class may give itself any name
    where, line, function, own, frame = "", 0, "", False, None
    traceback = error.__traceback__
    while traceback is not None:
        code = traceback.tb_frame.f_code
        own = code.co_filename in student_files
        if own:
            where, line, function, frame = code.co_filename, traceback.tb_lineno, code.co_name, traceback.tb_frame
        traceback = traceback.tb_next
    values = dict(_forms(frame)) if frame is not None else {}
    return Raised(kind.__name__[:100], bases, _text(error), where, line, function[:100], own, values)


def _forms(frame: FrameType) -> Iterator[tuple[str, ValueForm]]:
    """What the local variables of a function are, those of types that no student has written."""
    code, count = frame.f_code, 0
    if not code.co_flags & CO_OPTIMIZED:  # the body of a class may have any mapping
        return
    try:
        local = frame.f_locals
    except BaseException:  # a name that was taken away while it was read
        return
    for name in (*code.co_varnames, *code.co_cellvars, *code.co_freevars):
        if count < MAX_VALUES and name in local and (form := _form(local[name])) is not None:
            count += 1
            yield name[:100], form


def _form(value: object) -> ValueForm | None:
    kind: object = type(value)
    try:
        if kind in _TENSORS:
            return "tensor", str(_dtype_of(value)).removeprefix("torch.")[:20], tuple(_shape_of(value))
        if kind is np.ndarray:
            return "array", _array_dtype_of(value).name[:20], tuple(_array_shape_of(value))
    except BaseException:  # whatever it is, it must not take the exception's own account away
        return None
    return ("number", _NUMBERS[kind], ()) if kind in _NUMBERS else None


def _text(error: BaseException) -> str:
    try:
        text = str(error)
    except BaseException:
        return "(its message could not be read)"
    if type(text) is not str:
        text = str.__str__(text)
    if isinstance(error, KeyError):
        text = f"key {text} not found"
    return text[:MAX_MESSAGE]
