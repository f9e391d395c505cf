"""What a statement says of how it is judged: points and settings, read from the checks themselves.

In the Markdown of a solution stands

    {points}              the points of all hidden checks
    {points:pca}          those of the checks in test_pca.py; {points:quiz} those of the questions of quiz.py
    {points:quiz_*,nll}   those of checks with such ids, or in files of such names
    {judged:updates.FIT}  the constant FIT of test_updates.py: a number, or a dict of arguments as `steps=300, lr=0.01`

so that what students read cannot differ from what they are judged by. The checks are parsed, never run.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

from autograder.authoring.errors import AuthoringError
from autograder.authoring.personal import quiz_questions
from autograder.course.discovery import Exercise
from autograder.language import _

_PLACE = re.compile(r"\{(?P<kind>points|judged)(?::(?P<what>[\w*,.]+))?\}")


def fill(source: str, exercise: Exercise) -> str:
    """The source of a solution with points and settings in the places of its Markdown.

    Raises:
        AuthoringError: a place names no check, or no constant.
    """
    lines = source.split("\n")
    known = cache(lambda: tuple(checks(exercise)))
    for number, line in enumerate(lines):
        if line.startswith("#") and _PLACE.search(line):

            def value(place: re.Match[str], number: int = number) -> str:
                what = place["what"]
                found = _points(known(), what) if place["kind"] == "points" else _judged(exercise, what)
                if found is None:
                    raise AuthoringError(
                        _("{place}: the hidden checks have nothing of that name").format(place=place[0]),
                        file=exercise.solution,
                        line=number + 1,
                    )
                return found

            lines[number] = _PLACE.sub(value, line)
    return "\n".join(lines)


def _points(known: Iterable[tuple[str, str, float]], what: str | None) -> str | None:
    patterns = what.split(",") if what else ["*"]
    found = [
        points
        for name, check, points in known
        if any(pattern == name or fnmatchcase(check, pattern) for pattern in patterns)
    ]
    return f"{sum(found):g}" if found else None


def checks(exercise: Exercise) -> Iterator[tuple[str, str, float]]:
    """Each check of an exercise: its file's name without `test_` and `.py`, its id, its points."""
    for file in exercise.hidden_checks:
        for check, points in _checks(file):
            yield file.stem.removeprefix("test_"), check, points
    for question in quiz_questions(exercise):
        yield "quiz", f"quiz_{question.key}", question.points


def _checks(file: Path) -> Iterator[tuple[str, float]]:
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if not isinstance(node, ast.FunctionDef):
            continue
        for decorator in node.decorator_list:
            if isinstance(decorator, ast.Call) and getattr(decorator.func, "id", "") == "check":
                given = {keyword.arg: keyword.value for keyword in decorator.keywords}
                yield node.name.removeprefix("test_"), float(ast.literal_eval(given["points"]))


def _judged(exercise: Exercise, what: str | None) -> str | None:
    stem, _dot, constant = (what or "").rpartition(".")
    file = exercise.hidden_folder / f"test_{stem}.py"
    if not file.is_file():
        return None
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == [constant]:
            value = ast.literal_eval(node.value)
            if isinstance(value, dict):
                return ", ".join(f"{name}={_number(given)}" for name, given in value.items())
            return _number(value)
    return None


def _number(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
