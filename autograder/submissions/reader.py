"""One handed-in file to a submission: what it is follows from its content, its name is only a hint."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from autograder.language import _
from autograder.submissions.model import Cell, Format, LeftOut, Submission, SubmissionUnreadable
from autograder.submissions.notebook import MAX_SOURCE, looks_like_notebook, split_notebook
from autograder.submissions.opening import read_regular
from autograder.submissions.script import split_script
from autograder.submissions.text import decode

MAX_BYTES = 32_000_000  # a notebook with its outputs; code alone is held to MAX_SOURCE

_PYTHON_LINE = re.compile(r"^(def |class |import |from \w[\w.]* import |[A-Za-z_]\w* ?=)", re.MULTILINE)


def read_submission(
    path: Path, *, student: str | None = None, exercise: str | None = None, base: Path | None = None
) -> Submission:
    """Read a `.py` or `.ipynb` file into cells of text.

    Args:
        path: the file.
        student: whose it is; the name of its folder without it.
        exercise: what it answers; the file's own name without it.
        base: the folder of all submissions; no folder between it and the file may be a link.

    Raises:
        SubmissionUnreadable: with the message for the student and, where bytes were read, their SHA-256.
    """
    student = path.parent.name if student is None else student
    exercise = path.stem if exercise is None else exercise
    sha256 = ""
    try:
        raw = read_regular(path, MAX_BYTES, base)
        sha256 = hashlib.sha256(raw.content).hexdigest()
        text, notes = decode(raw.content)
        cells, kind, more, left_out = _split(text, path)
    except SubmissionUnreadable as unreadable:
        raise SubmissionUnreadable(
            unreadable.message,
            student=student,
            exercise=exercise,
            path=path,
            sha256=sha256,
            fault=unreadable.fault,
        ) from unreadable.__cause__
    if raw.links > 1:
        notes.append(_("The file has a second name elsewhere (a hard link)."))
    return Submission(student, exercise, path, sha256, kind, cells, (*notes, *more), tuple(left_out))


def _split(text: str, path: Path) -> tuple[tuple[Cell, ...], Format, list[str], list[LeftOut]]:
    named_notebook = path.suffix.lower() == ".ipynb"
    is_notebook = looks_like_notebook(text)
    if not named_notebook and is_notebook:
        cells, notes, left_out = split_notebook(text)
        return cells, "ipynb", [_("The file is called .py but is a notebook; it was read as one."), *notes], left_out
    if named_notebook and not text.lstrip().startswith(("{", "[")):
        if not _PYTHON_LINE.search(text):
            raise SubmissionUnreadable(_("This is not a notebook: a notebook is a JSON file, this one is not."))
        return (
            _script(text, path),
            "py",
            [_("The file is called .ipynb but is a script; it was read as one.")],
            [],
        )
    if named_notebook:
        cells, notes, left_out = split_notebook(text)
        return cells, "ipynb", notes, left_out
    cells = _script(text, path)
    return cells, "py", [] if cells else [_("The script has no code, only comments.")], []


def _script(text: str, path: Path) -> tuple[Cell, ...]:
    if len(text) > MAX_SOURCE:
        raise SubmissionUnreadable(
            _("The script has {size:.1f} MB; at most {limit:.0f} MB are read. Take data out of it.").format(
                size=len(text) / 1e6, limit=MAX_SOURCE / 1e6
            )
        )
    return split_script(text, path.name)
