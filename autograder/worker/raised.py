"""What a student's exception says, taken with care: its class may lie, raise or never end."""

from __future__ import annotations

import builtins
from dataclasses import dataclass

MAX_MESSAGE = 1000
REPLACED = "Replaced"  # what stands for an exception's class where a probe's answer would not be to be trusted
_BUILTIN = {kind: kind.__name__ for kind in vars(builtins).values() if isinstance(kind, type)}


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
    """

    type_name: str
    bases: tuple[str, ...]
    message: str
    where: str
    line: int
    function: str
    own: bool


def describe_exception(error: BaseException, student_files: frozenset[str] = frozenset()) -> Raised:
    """Describe an exception without trusting it."""
    kind = type(error)
    bases = tuple(_BUILTIN[base] for base in type.mro(kind) if base in _BUILTIN)  # a class may give itself any name
    where, line, function, own = "", 0, "", False
    traceback = error.__traceback__
    while traceback is not None:
        code = traceback.tb_frame.f_code
        own = code.co_filename in student_files
        if own:
            where, line, function = code.co_filename, traceback.tb_lineno, code.co_name
        traceback = traceback.tb_next
    return Raised(kind.__name__[:100], bases, _text(error), where, line, function[:100], own)


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
