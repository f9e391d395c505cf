"""A course for nbgrader: its configuration, a source notebook for each exercise, and what was handed in.

The notebook is the solution with nbgrader's marks, then a cell for the public checks, then one for each hidden check
with its points. A check's cell holds its title and no code of it. Nothing here imports nbgrader.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from autograder.authoring.bundle import generate
from autograder.authoring.notebook import KERNEL, cell, notebook_text, to_notebook
from autograder.authoring.personal import personalise
from autograder.bridges.asking import write_settings
from autograder.course import CourseConfig, find_exercise
from autograder.course.handout import HANDOUT_CONFIG
from autograder.language import _
from autograder.service.course import Course
from autograder.service.grader import Worth, worth
from autograder.submissions import Entry, HandIn, Submission, SubmissionUnreadable

PREFIX = "check-"  # of the grade_id of a hidden check's cell
PUBLIC = "public-checks"
EXAMPLE = "example"  # whose numbers the source notebook carries

CONFIG = """\
# Written by `autograder export nbgrader`: how nbgrader grades this course.
import os

c = get_config()  # noqa: F821
_here = os.path.dirname(os.path.abspath(__file__))

c.CourseDirectory.course_id = {course!r}
c.CourseDirectory.root = _here
# Validating a notebook runs it, and it draws its figures.
c.CourseDirectory.ignore = [".ipynb_checkpoints", "*.pyc", "__pycache__", "feedback", "figures"]

# The stub of each function is the one that `autograder assign` writes.
c.GenerateAssignment.preprocessors = [
    "nbgrader.preprocessors.IncludeHeaderFooter",
    "nbgrader.preprocessors.LockCells",
    "autograder.bridges.nbgrader_judge.StubCells",
    "nbgrader.preprocessors.ClearOutput",
    "nbgrader.preprocessors.CheckCellMetadata",
    "nbgrader.preprocessors.ComputeChecksums",
    "nbgrader.preprocessors.SaveCells",
    "nbgrader.preprocessors.ClearHiddenTests",
    "nbgrader.preprocessors.ComputeChecksums",
    "nbgrader.preprocessors.CheckCellMetadata",
]
# Cells of checks that a student deleted or doubled are put back.
c.Autograde.sanitize_preprocessors = [
    "nbgrader.preprocessors.ClearOutput",
    "autograder.bridges.nbgrader_judge.RestoreChecks",
    "nbgrader.preprocessors.DeduplicateIds",
    "nbgrader.preprocessors.OverwriteKernelspec",
    "nbgrader.preprocessors.OverwriteCells",
    "nbgrader.preprocessors.CheckCellMetadata",
]
# No kernel runs a student's code here: JudgeCells stands where nbgrader's Execute was. Whoever puts Execute back lets
# students' code run beside the grades.
c.Autograde.autograde_preprocessors = [
    "autograder.bridges.nbgrader_judge.JudgeCells",
    "nbgrader.preprocessors.LimitOutput",
    "nbgrader.preprocessors.SaveAutoGrades",
    "nbgrader.preprocessors.AssignLatePenalties",
    "nbgrader.preprocessors.CheckCellMetadata",
]
c.JudgeCells.folder = _here

# `nbgrader validate` runs the solution, and waits in the first check's cell for the judge.
c.Execute.timeout = {seconds}
"""


def write_course(course: Course, folder: Path, exercises: Sequence[str]) -> list[Path]:
    """Write the course; what was written, the configuration first.

    Args:
        folder: of the nbgrader course; made where it is missing. Files of other names in it are left alone.
    """
    folder.mkdir(parents=True, exist_ok=True)
    checks = worth(course, exercises)
    seconds = max(course.config.exercise(exercise).limits.total_seconds for exercise in exercises) + 120
    config = folder / "nbgrader_config.py"
    config.write_text(CONFIG.format(course=course.config.id, seconds=int(seconds)), encoding="utf-8")
    write_settings(folder, course)
    written = [config]
    handout = generate(course.config)
    for exercise in exercises:
        place = folder / "source" / exercise
        (place / exercise).mkdir(parents=True, exist_ok=True)
        notebook = place / f"{exercise}.ipynb"
        notebook.write_text(source_notebook(course.config, exercise, checks[exercise]), encoding="utf-8")
        # What the public checks need, in the form that `autograder check` finds it.
        (place / HANDOUT_CONFIG).write_bytes(handout[HANDOUT_CONFIG])
        for name in ("quiz.py", "test_public.py"):
            (place / exercise / name).write_bytes(handout[f"{exercise}/{name}"])
        written.append(notebook)
    return written


def source_notebook(course: CourseConfig, exercise: str, checks: Sequence[Worth]) -> str:
    """The source notebook of an exercise, as JSON text."""
    files = find_exercise(course, exercise)
    # The numbers of the student "example": `nbgrader validate` judges the solution under this name.
    solution = personalise(files.solution.read_text(encoding="utf-8"), files, EXAMPLE)
    notebook = json.loads(to_notebook(solution, exercise))
    title = (
        "## Checks\n\nThe first cell runs the public checks on the saved notebook; they earn no points. The others are "
        "judged after you have handed in, with inputs of your own."
    )
    notebook["cells"] += [
        _markdown("checks", title),
        check_cell(PUBLIC, f'from autograder.bridges.cells import public\n\npublic("{exercise}")', 0),
        *(check_cell(PREFIX + c.id, _check_source(exercise, c), c.max_points) for c in checks),
    ]
    return notebook_text(notebook)


def check_cell(identity: str, source: str, points: float) -> dict[str, object]:
    """A locked cell that earns points."""
    rights = {"grade": True, "locked": True, "schema_version": 3, "solution": False, "task": False}
    known = {"grade_id": identity, "cell_type": "code", "points": points, **rights}
    return cell("code", identity, source, nbgrader=known)


def _check_source(exercise: str, check: Worth) -> str:
    return f"""\
# {check.title}
# {check.max_points:g} points; judged when handed in.
### BEGIN HIDDEN TESTS
from autograder.bridges.cells import judged

judged({exercise!r}, {check.id!r})
### END HIDDEN TESTS"""


def _markdown(identity: str, source: str) -> dict[str, object]:
    rights = {"grade": False, "locked": True, "schema_version": 3, "solution": False, "task": False}
    return cell("markdown", identity, source, nbgrader={"grade_id": identity, "cell_type": "markdown", **rights})


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
