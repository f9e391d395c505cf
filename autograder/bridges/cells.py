"""What cells and test files of exported notebooks call: a judge in another process, never a check in this one.

Code in a kernel can change everything in that kernel, these functions too. What they say helps a student on their own
machine and an instructor who validates the solution; grades do not come from here (see `nbgrader_judge`,
`otter_plugin`).
"""

from __future__ import annotations

import hashlib
import os
from datetime import UTC, datetime
from pathlib import Path

from autograder.reports.words import located, outcome_word
from autograder.results.model import Result

_GUARD = "AUTOGRADER_INSIDE_A_CHECK"
_known: dict[tuple[str, str, str], Result] = {}


def public(exercise: str, check: str = "") -> None:
    """Run the public checks on the saved notebook or script in this folder, and print what came out.

    Args:
        exercise: its id: the file is called so.
        check: only this check's outcome counts; all without it.

    Raises:
        AssertionError: a public check did not pass.
        FileNotFoundError: there is no such file here.
    """
    if os.environ.get(_GUARD):  # the notebook that is being checked has this cell too
        return
    from autograder.service.course import PUBLIC, Course

    file = _file(exercise)
    key = ("public", exercise, _digest(file))
    if key not in _known:
        os.environ[_GUARD] = "1"
        try:
            with Course.handed_out().grader(PUBLIC, workers=1) as grader:
                _known[key] = grader.grade(file, "you", exercise)
        finally:
            del os.environ[_GUARD]
    result = _known[key]
    wanted = [c for c in result.checks if (c.id == check if check else c.kind != "quiz")]
    for problem in result.loading:
        print(located(problem))
    lost = [c for c in wanted if c.outcome != "passed"]
    for c in wanted:
        print(f"{outcome_word(c.outcome)}: {c.title}")
    if lost:
        raise AssertionError("\n".join(line for c in lost for line in (c.title, c.message, c.hint) if line))


def judged(exercise: str, check: str) -> None:
    """Judge the notebook in this folder: an instructor validates a solution with it (`nbgrader validate`).

    Raises:
        AssertionError: the check did not pass.
        RuntimeError: something else than a validation runs this cell. Grades are made by the judge that
            `nbgrader_config.py` names, without a kernel; where that file is gone, everybody must get nothing rather
            than what a kernel says.
    """
    if os.environ.get("NBGRADER_EXECUTION") != "validate":
        raise RuntimeError(
            "This cell is judged outside the notebook: autograde with the nbgrader_config.py of `autograder export "
            "nbgrader`."
        )
    from autograder.bridges.asking import course_of, sure, verdict
    from autograder.bridges.nbgrader_course import EXAMPLE

    file = _file(exercise)
    key = ("hidden", exercise, _digest(file))
    course = course_of(Path.cwd())
    if key not in _known:
        with course.grader(workers=1) as grader:
            _known[key] = sure(grader.grade(file, EXAMPLE, exercise))
    found = next(c for c in _known[key].checks if c.id == check)
    if found.outcome != "passed":
        raise AssertionError(verdict(found, _known[key], course.config.exercise(exercise), datetime.now(UTC)))
    print(f"{found.points:g} of {found.max_points:g}")


def _file(exercise: str) -> Path:
    for suffix in (".ipynb", ".py"):
        file = Path.cwd() / f"{exercise}{suffix}"
        if file.is_file():
            return file
    raise FileNotFoundError(f"no {exercise}.ipynb or {exercise}.py in {Path.cwd()}: save your work under this name")


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
