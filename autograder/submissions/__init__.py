"""Reading what students hand in. Text only: nothing of it is compiled or parsed as Python in this process.

What is public is imported when it is used: a command line that asks for the names of the layouts reads no archive.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from autograder.submissions.hand_in import Entry as Entry
    from autograder.submissions.hand_in import HandIn as HandIn
    from autograder.submissions.intake import Wanted as Wanted
    from autograder.submissions.intake import read_class as read_class
    from autograder.submissions.intake import read_student as read_student
    from autograder.submissions.layout import Unplaced as Unplaced
    from autograder.submissions.model import Cell as Cell
    from autograder.submissions.model import Submission as Submission
    from autograder.submissions.model import SubmissionUnreadable as SubmissionUnreadable
    from autograder.submissions.model import code_cells as code_cells
    from autograder.submissions.reader import read_submission as read_submission

_PUBLIC = {
    "Cell": "model",
    "Entry": "hand_in",
    "HandIn": "hand_in",
    "Submission": "model",
    "SubmissionUnreadable": "model",
    "Unplaced": "layout",
    "Wanted": "intake",
    "code_cells": "model",
    "read_class": "intake",
    "read_student": "intake",
    "read_submission": "reader",
}


def __getattr__(name: str) -> object:
    """What is public, imported when it is first used."""
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: object = getattr(import_module(f"{__name__}.{_PUBLIC[name]}"), name)
    globals()[name] = found
    return found
