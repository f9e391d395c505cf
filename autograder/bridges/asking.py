"""A judge that another program asks: started at the first question, and asked again for the next submission."""

from __future__ import annotations

import atexit
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.batch.judges import Judge, JudgeFault, JudgeLost, Order
from autograder.batch.pool import MARGIN_SECONDS, MAX_ATTEMPTS
from autograder.course import CONFIG_NAME, CourseConfig, find_exercise, load_config, load_secret
from autograder.language import _
from autograder.results.model import Result
from autograder.submissions import Submission, code_cells

SETTINGS = "autograder.json"  # beside what was exported: where the course is


@dataclass
class Asker:
    """Judges of one course, one for each exercise asked about; they end with this process.

    Attributes:
        course: the configuration.
        unprotected: run students' code without isolation where there is none.
    """

    course: CourseConfig
    unprotected: bool = False

    def __post_init__(self) -> None:
        self._judges: dict[str, Judge] = {}
        atexit.register(self.close)

    def grade(self, submission: Submission) -> Result:
        """The result of what was handed in, with the inputs that `autograder grade` draws for this student.

        Raises:
            JudgeFault: the framework could not grade; never the student's fault.
        """
        exercise = submission.exercise
        limits = self.course.exercise(exercise).limits
        job: dict[str, Any] = {
            "exercise": exercise,
            "student": submission.student,
            "cells": list(code_cells(submission, exercise)),
            "submission": {
                "file": submission.path.name, "format": submission.format, "sha256": submission.sha256,
                "submitted": None,
            },
            "notes": list(submission.problems),
        }  # fmt: skip
        seconds = limits.total_seconds + 4 * limits.per_import.seconds + MARGIN_SECONDS
        for attempt in range(1, MAX_ATTEMPTS + 1):
            try:
                result = Result.from_json(self.judge(exercise).grade(job, seconds))
            except JudgeLost:
                self._judges.pop(exercise)
                if attempt == MAX_ATTEMPTS:
                    raise
                continue
            faults = [check for check in result.checks if check.outcome == "error"]
            if faults:
                raise JudgeFault(f"check {faults[0].id}: {faults[0].message}")
            return result
        raise AssertionError("unreachable")

    def judge(self, exercise: str) -> Judge:
        """The judge of an exercise, started if need be."""
        if exercise not in self._judges:
            folder = find_exercise(self.course, exercise).hidden_folder
            secret = load_secret(self.course, self.course.root)
            judge = Judge(Order(self.course.file, [folder], secret, self.unprotected))
            judge.start()
            self._judges[exercise] = judge
        return self._judges[exercise]

    def close(self) -> None:
        """End the judges."""
        atexit.unregister(self.close)
        while self._judges:
            self._judges.popitem()[1].close()


def worth(course: CourseConfig, exercises: Sequence[str]) -> Mapping[str, list[dict[str, Any]]]:
    """The checks of each exercise and their points (see `Judge.checks`); nothing is graded."""
    folders = [find_exercise(course, exercise).hidden_folder for exercise in exercises]
    with Judge(Order(course.file, folders, b"nothing is graded with it", listing=True)) as judge:
        return {exercise: judge.checks.get(exercise, []) for exercise in exercises}


def public_worth(course: CourseConfig, exercises: Sequence[str]) -> Mapping[str, list[dict[str, Any]]]:
    """The same of the public checks."""
    files = [find_exercise(course, exercise).public_checks for exercise in exercises]
    with Judge(Order(course.file, files, b"nothing is graded with it", listing=True, public=True)) as judge:
        return {exercise: judge.checks.get(exercise, []) for exercise in exercises}


def write_settings(folder: Path, course: CourseConfig) -> None:
    """Say, in an exported folder, where its course is."""
    (folder / SETTINGS).write_text(json.dumps({"course": str(course.root)}, indent=1) + "\n", encoding="utf-8")


def read_settings(start: Path) -> Path:
    """The course's folder as an exported folder at or above `start` names it; JudgeFault where none does."""
    start = start.resolve()
    for folder in (start, *start.parents):
        file = folder / SETTINGS
        if file.is_file():
            root = folder / str(json.loads(file.read_text(encoding="utf-8"))["course"])
            if not (root / CONFIG_NAME).is_file():
                raise JudgeFault(
                    _("{file}: there is no course in {root}; write there where it is now").format(file=file, root=root)
                )
            return root
    raise JudgeFault(
        _("no {name} in {folder} or above it: export the course again").format(name=SETTINGS, folder=start)
    )


def asker_for(start: Path) -> Asker:
    """The judges of the course that the exported folder at or above `start` belongs to."""
    return Asker(load_config(read_settings(start) / CONFIG_NAME))
