"""otter-grader's plugin of an exported exercise: the judge gives the points, and otter runs no student's code.

otter runs a student's code and the tests in one kernel and reads the scores from a pickle that this kernel wrote: the
code can change the tests, the scores, and what else the grading process unpickles. This plugin has the submission
judged in the sandbox before otter looks at it, empties the folder of everything that was handed in, has an empty
notebook run in its place, and writes the judge's points over whatever came of that.
"""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from otter.plugins import AbstractOtterPlugin
from otter.test_files import TestFile
from otter.test_files.abstract_test import TestCaseResult
from otter.test_files.exception_test import ExceptionTestFile

from autograder.bridges.asking import remarks, sure, verdict
from autograder.bridges.otter_course import BUNDLE
from autograder.course.config import ExerciseConfig
from autograder.results.model import Result
from autograder.service.course import Course

_EMPTY = '{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}'
STUDENT = "AUTOGRADER_STUDENT"  # whose submission it is, where otter does not know


class JudgePlugin(AbstractOtterPlugin):  # type: ignore[misc]
    """Judges the submission before otter runs anything."""

    _result: Result | None = None

    def before_grading(self, config: Any) -> None:
        """Judge, then take away everything that was handed in.

        Raises:
            JudgeFault: the framework could not grade: otter stops, and nobody gets a zero for it.
        """
        file = Path(self.submission_path)
        with self._course().grader(workers=1) as grader:
            self._result = sure(grader.grade(file, self._student(file), self.plugin_config["exercise"]))
        # otter unpickles a log it finds here, and its kernel imports modules from here.
        for item in file.parent.iterdir():
            if item.name == "tests" and item.is_dir() and not item.is_symlink():
                continue  # otter's own copy, made from the zip
            if item.is_dir() and not item.is_symlink():
                shutil.rmtree(item)
            else:
                item.unlink()
        # otter opens the file all the same before it asks what to run instead.
        file.write_text(_EMPTY if file.suffix == ".ipynb" else "", encoding="utf-8")

    def before_execution(self, submission: Any) -> Any:
        """Nothing of the student's is run."""
        import nbformat

        notebook = nbformat.v4.new_notebook()  # type: ignore[no-untyped-call]
        notebook.metadata["kernelspec"] = {"display_name": "Python 3", "language": "python", "name": "python3"}
        return notebook

    def after_grading(self, results: Any) -> None:
        """Put the judge's points in place of the tests' own outcomes."""
        if self._result is None:
            raise RuntimeError("the submission was not judged")
        course = self._course()
        with course.speaking():
            self._write(self._result, course.config.exercise(self._result.exercise), results)

    def _write(self, result: Result, exercise: ExerciseConfig, results: Any) -> None:
        checks = {check.id: check for check in result.checks}
        now = datetime.now(UTC)
        files = []
        for path in sorted(Path("tests").glob("*.py")):
            file: TestFile = ExceptionTestFile.from_file(str(path))
            check = checks.get(file.name)
            text = result.message if check is None else verdict(check, result, exercise, now)
            passed = check is not None and check.outcome == "passed"
            file.test_case_results = [
                TestCaseResult(test_case=case, message=text, passed=passed) for case in file.test_cases
            ]
            if check is not None:
                file.update_score(check.points)  # the share of a check over several functions
            files.append(file)
        results.__init__(files, results.notebook)
        if not all(exercise.is_visible(file.name, now) for file in files):
            results.hide_everything()  # from students, in Gradescope; its publishing of grades knows nothing of ours
        said = remarks(result) or result.message
        if said:
            results.set_output(said)

    def _course(self) -> Course:
        # The zip's files/ were put here and are taken away with what was handed in; the originals are beside it.
        files = Path(self.submission_path).parents[1] / "source" / "files"
        # A folder that `otter generate` is given goes into files/ under its own name.
        source = next((place for place in (files / BUNDLE, files / "files" / BUNDLE) if place.is_dir()), files / BUNDLE)
        return Course.open(source)

    def _student(self, file: Path) -> str:
        """Who handed it in: as the caller says, as Gradescope's metadata say, or by the name of the file."""
        named = os.environ.get(STUDENT)
        if named:
            return named
        users = (self.submission_metadata or {}).get("users") or []
        mails = sorted(str(user["email"]) for user in users if isinstance(user, dict) and user.get("email"))
        return mails[0] if mails else file.stem
