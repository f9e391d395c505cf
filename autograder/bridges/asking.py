"""A grader that another program asks: which course an exported folder belongs to, and what students read of checks."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

from autograder.course import CONFIG_NAME, ConfigurationError, ExerciseConfig
from autograder.language import _
from autograder.reports.visible import to_student
from autograder.reports.words import located
from autograder.results.model import CheckResult, Result
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


def verdict(check: CheckResult, result: Result, config: ExerciseConfig, now: datetime) -> str:
    """Whether a check passed and, where the course lets students see it, why not."""
    if check.outcome == "passed":
        return _("Passed.")
    if not config.is_visible(check.id, now):
        return _("Not passed.")
    message, hint = to_student(check, [other for other in result.checks if not config.is_visible(other.id, now)])
    lines = [message]
    if check.diagnosis_title:
        lines.append(_("This is what you get with a known mistake: {title}").format(title=check.diagnosis_title))
    lines.append(hint)
    return "\n".join(line for line in lines if line) or _("Not passed.")


def remarks(result: Result) -> str:
    """What could not be loaded, and the notes: about the student's own file, so always theirs to read."""
    return "\n".join([*map(located, result.loading), *result.notes])
