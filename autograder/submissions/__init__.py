"""Reading what students hand in. Text only: nothing of it is compiled or parsed as Python in this process.

What is public is imported when it is used: a command line that asks for the names of the layouts reads no archive.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from autograder.submissions.code import code_of as code_of
    from autograder.submissions.evidence import Evidence as Evidence
    from autograder.submissions.evidence import NotGradable as NotGradable
    from autograder.submissions.hand_in import Entry as Entry
    from autograder.submissions.hand_in import HandIn as HandIn
    from autograder.submissions.intake import read_class as read_class
    from autograder.submissions.intake import read_student as read_student
    from autograder.submissions.jupyter import ipython_version as ipython_version
    from autograder.submissions.model import Cell as Cell
    from autograder.submissions.model import Submission as Submission
    from autograder.submissions.model import SubmissionUnreadable as SubmissionUnreadable
    from autograder.submissions.reader import read_submission as read_submission
    from autograder.submissions.resolutions import Resolutions as Resolutions
    from autograder.submissions.resolutions import read_resolutions as read_resolutions
    from autograder.submissions.wanted import Wanted as Wanted

_PUBLIC = {
    "Cell": "model",
    "Entry": "hand_in",
    "Evidence": "evidence",
    "HandIn": "hand_in",
    "NotGradable": "evidence",
    "Resolutions": "resolutions",
    "Submission": "model",
    "SubmissionUnreadable": "model",
    "Wanted": "wanted",
    "code_of": "code",
    "ipython_version": "jupyter",
    "read_class": "intake",
    "read_resolutions": "resolutions",
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
