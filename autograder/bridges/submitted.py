"""A folder of submissions as nbgrader's `submitted/<student>/<exercise>/<exercise>.ipynb`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from autograder.authoring.notebook import KERNEL, cell, notebook_text
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
    cells = [cell("code", f"cell-{n}", read.source) for n, read in enumerate(submission.cells, start=1)]
    return notebook_text({"cells": cells, "metadata": {"kernelspec": KERNEL}, "nbformat": 4, "nbformat_minor": 5})
