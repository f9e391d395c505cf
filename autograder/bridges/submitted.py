"""A folder of submissions as nbgrader's `submitted/<student>/<exercise>/<exercise>.ipynb`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from autograder.language import _
from autograder.submissions import Entry, HandIn, Submission, SubmissionUnreadable


def write_submitted(handed_in: HandIn, folder: Path, exercises: Sequence[str]) -> list[str]:
    """Write a notebook for each submission; scripts become notebooks.

    Returns:
        A line for each submission that holds no code: nbgrader cannot grade it, and `nbgrader-scores` gives its zero.
    """
    left_out = []
    for entry in handed_in.entries:
        if entry.exercise not in exercises:
            continue
        try:
            submission = handed_in.read(entry)
        except SubmissionUnreadable as reason:
            left_out.append(_("{student} {exercise}: {reason}").format(
                student=entry.student, exercise=entry.exercise, reason=reason.message))  # fmt: skip
            continue
        target = folder / "submitted" / entry.student / entry.exercise / f"{entry.exercise}.ipynb"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(_notebook(entry, submission), encoding="utf-8")
    return left_out


def _notebook(entry: Entry, submission: Submission) -> str:
    """As handed in, or its code cells alone: what the judge reads of it either way."""
    if submission.format == "ipynb":
        text = entry.path.read_text(encoding="utf-8-sig")
        if json.loads(text).get("nbformat") == 4:
            return text
    return json.dumps(code_notebook([cell.source for cell in submission.cells]), indent=1, ensure_ascii=False) + "\n"


def code_notebook(sources: Sequence[str]) -> dict[str, object]:
    """A notebook of these code cells."""
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    cells: list[dict[str, object]] = [
        {
            "cell_type": "code",
            "execution_count": None,
            "id": f"cell-{number}",
            "metadata": {},
            "outputs": [],
            "source": source,
        }
        for number, source in enumerate(sources, start=1)
    ]
    return {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
