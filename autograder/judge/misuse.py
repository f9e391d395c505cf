"""Answers that a check trips over: the student's loss, not a fault of the check."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from pathlib import Path

from autograder.judge.answers import describe
from autograder.judge.expect import Expect
from autograder.judge.session import Answer
from autograder.language import _


def misused_answer(check_file: Path, error: BaseException, trace: Sequence[Answer]) -> str | None:
    """What to tell the student; None for every other error."""
    if isinstance(error, AttributeError):
        for answer in trace:
            if answer.value is error.obj:
                return _("{label}: expected an object with `{name}`, got {got}.").format(
                    label=answer.label, name=error.name, got=describe(answer.value)
                )
    elif isinstance(error, TypeError) and str(error).endswith("object is not callable"):
        place = error.__traceback__
        while place is not None and place.tb_next is not None:
            place = place.tb_next
        # Where the check itself calls, or `expect.raises` for it: deeper down it would be a fault of ours.
        if place is not None and place.tb_frame.f_code.co_filename in (str(check_file), inspect.getsourcefile(Expect)):
            return _("Something that this check calls is no function: {error}.").format(error=error)
    return None


def tripped(trace: Sequence[Answer]) -> str:
    """What to tell the student where a check could not work with an answer, though it can with right ones."""
    if not trace:
        return _("The check could not work with what your file defines.")
    last = trace[-1]
    return _("The check could not work with what was answered, last by {label}: {got}.").format(
        label=last.label, got=describe(last.value)
    )
