"""A student's repository, checked: which checks are run on it, and what its reader may see of them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from autograder.bridges.ci.report import Section, section
from autograder.course import ConfigurationError, find_exercise
from autograder.language import _
from autograder.reports.visible import student_view
from autograder.results.model import Result
from autograder.service.course import PUBLIC, Course
from autograder.service.grader import Grader
from autograder.service.handouts import untouched
from autograder.submissions import Entry, HandIn, Submission
from autograder.submissions.lines import LineFinder
from autograder.submissions.shown import shown


@dataclass(frozen=True)
class Repository:
    """A folder that a student works in.

    Attributes:
        course: the instructor's, with hidden checks; None where only public ones can be run.
        teacher: whether everything is shown: for logs that students cannot read.
        unprotected: hidden checks without isolation where this machine has none.
    """

    folder: Path
    course: Course | None
    handed_out: Course | None
    teacher: bool = False
    unprotected: bool = False

    @classmethod
    def find(
        cls, folder: Path, place: Path | None, checks: Literal["auto", "public", "hidden"], language: str | None,
        tell: Callable[[str], None], *, teacher: bool = False, unprotected: bool = False,
    ) -> Repository:  # fmt: skip
        """The repository in a folder, and the course at `place`, in the folder or above it.

        Raises:
            ConfigurationError: there is no course, none with hidden checks where those are asked for, or the folder
                is the course itself.
        """
        course = None
        if checks != "public":
            try:
                course = Course.open(place or folder, language, tell=tell)
            except ConfigurationError as missing:
                if checks == "hidden" or missing.file is not None:
                    raise
        if course is not None and course.config.root == folder.resolve():
            raise ConfigurationError(
                _("{folder} is the course itself; name a folder that a student works in").format(folder=folder)
            )
        handed_out = Course.handed_out(place or folder, language) if course is None else None
        return cls(folder, course, handed_out, teacher, unprotected)

    @property
    def any(self) -> Course:
        """What there is of the course."""
        course = self.course or self.handed_out
        assert course is not None
        return course

    def check(self, student: str, exercises: Sequence[str] = ()) -> list[Section]:
        """Check what is there, exercise by exercise.

        Raises:
            ConfigurationError: there is nothing to check.
            JudgeFault: the framework could not check.
        """
        found = self.any.read_student(self.folder, student, exercises)
        if not found.entries:
            wanted = ", ".join(self.any.chosen(exercises))
            raise ConfigurationError(
                _("{folder}: no file of an exercise in it (looked for {wanted}, .py and .ipynb)").format(
                    folder=self.folder, wanted=wanted
                )
            )
        with ExitStack() as stack:
            hidden = public = None
            if self.course is not None:
                hidden = stack.enter_context(self.course.grader(workers=1, unprotected=self.unprotected))
            handed_out = self.handed_out or self._handed_out(found)
            if handed_out is not None:
                public = stack.enter_context(handed_out.grader(PUBLIC, workers=1))
            return [self._section(entry, found, hidden, public) for entry in found.entries]

    def _handed_out(self, found: HandIn) -> Course | None:
        """What students have, where an exercise has no hidden checks."""
        assert self.course is not None
        if all(self._hidden(entry.exercise) for entry in found.entries):
            return None
        return Course.handed_out(self.course.config.root, self.course.language)

    def _hidden(self, exercise: str) -> bool:
        return self.course is not None and bool(find_exercise(self.course.config, exercise).hidden_checks)

    def _section(self, entry: Entry, found: HandIn, hidden: Grader | None, public: Grader | None) -> Section:
        started = time.monotonic()
        is_hidden = self._hidden(entry.exercise)
        grader = hidden if is_hidden else public
        assert grader is not None
        submission = _read(found, entry)
        result = _without_place(grader.grade_entry(found, entry), entry, found)
        # Files as they were given lie beside every student's: nothing is to be said of them.
        of_given = {
            note for path, note in entry.others
            if self._untouched(found.shelf.look(path, entry.base or found.folder).submission, entry)
        }  # fmt: skip
        result.notes = [note for note in result.notes if note not in of_given]
        if not is_hidden:  # whether there are answers to the quiz is the business of `check`
            result.checks = [check for check in result.checks if check.kind != "quiz"]
        # Public checks are public: their outcome is for everybody.
        everything = self.teacher or not is_hidden
        grade = self.any.grade(result)
        view = student_view(self.any.config, [result], [grade], datetime.now(UTC), teacher=everything).exercises[0]
        lines = LineFinder(submission, found.folder) if submission is not None else None
        begun = not self._untouched(submission, entry)
        seconds = time.monotonic() - started
        return section(view, _relative(entry.path), "hidden" if is_hidden else "public", begun, lines, seconds)

    def _untouched(self, submission: Submission | None, entry: Entry) -> bool:
        return submission is not None and untouched(self.any, entry.exercise, submission)


def _read(found: HandIn, entry: Entry) -> Submission | None:
    """The code of an entry; None where there is none."""
    return found.shelf.look(entry.path, entry.base or found.folder).submission


def _without_place(result: Result, entry: Entry, found: HandIn) -> Result:
    """Where a file lies is no news in a repository."""
    inner = shown(entry.path.relative_to(found.folder).parent.as_posix())
    usual = _("The file was found in the folder {folder}.").format(folder=inner)
    result.notes = [note for note in dict.fromkeys([*entry.notes, *result.notes]) if note != usual]
    return result


def _relative(path: Path) -> str:
    """A file as the service knows it: from the repository's root, which is where its jobs start."""
    start = Path(os.environ.get("GITHUB_WORKSPACE") or os.environ.get("CI_PROJECT_DIR") or ".").resolve()
    real = path.resolve()
    return real.relative_to(start).as_posix() if real.is_relative_to(start) else real.as_posix()
