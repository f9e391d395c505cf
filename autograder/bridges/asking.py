"""A grader that another program asks: which course an exported folder belongs to, and what its checks are worth."""

from __future__ import annotations

import json
from pathlib import Path

from autograder.course import CONFIG_NAME, ConfigurationError
from autograder.language import _
from autograder.results.model import Result
from autograder.service.course import Course
from autograder.service.grader import JudgeFault

SETTINGS = "autograder.json"  # beside what was exported: where the course is


def sure(result: Result) -> Result:
    """The result, where the framework made all of it: a program that knows only points must keep none of another.

    Raises:
        JudgeFault: a check broke, or the file could not be opened here.
    """
    if result.outcome == "error":
        broken = [f"check {check.id}: {check.message}" for check in result.checks if check.outcome == "error"]
        raise JudgeFault(broken[0] if broken else result.message)
    return result


def write_settings(folder: Path, course: Course) -> None:
    """Say, in an exported folder, where its course is."""
    text = json.dumps({"course": str(course.config.root)}, indent=1)
    (folder / SETTINGS).write_text(f"{text}\n", encoding="utf-8")


def course_of(start: Path) -> Course:
    """The course that the exported folder at or above `start` belongs to.

    Raises:
        ConfigurationError: there is no such folder, or no course where it says.
    """
    start = start.resolve()
    for folder in (start, *start.parents):
        file = folder / SETTINGS
        if file.is_file():
            root = folder / str(json.loads(file.read_text(encoding="utf-8"))["course"])
            if not (root / CONFIG_NAME).is_file():
                raise ConfigurationError(
                    _("there is no course in {root}; write there where it is now").format(root=root), file=file
                )
            return Course.open(root)
    raise ConfigurationError(
        _("no {name} in {folder} or above it: export the course again").format(name=SETTINGS, folder=start)
    )
