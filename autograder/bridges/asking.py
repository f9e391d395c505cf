"""A judge that another program asks: started at the first question, and asked again for the next submission."""

from __future__ import annotations

import atexit
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.batch.job import Order, Worth, job_of
from autograder.batch.judges import Judge, JudgeFault
from autograder.batch.pool import Judges
from autograder.course import CONFIG_NAME, CourseConfig, find_exercise, load_config, load_secret
from autograder.language import _
from autograder.results.model import Result
from autograder.submissions import Submission

SETTINGS = "autograder.json"  # beside what was exported: where the course is


@dataclass
class Asker:
    """Judges of one course, started when they are asked; they end with this process.

    Attributes:
        course: the configuration.
        unprotected: run students' code without isolation where there is none.
    """

    course: CourseConfig
    unprotected: bool = False

    def __post_init__(self) -> None:
        self._judges: Judges | None = None
        atexit.register(self.close)

    def grade(self, submission: Submission) -> Result:
        """The result of what was handed in, with the inputs that `autograder grade` draws for this student.

        Raises:
            JudgeFault: the framework could not grade; never the student's fault.
        """
        if self._judges is None:
            secret = load_secret(self.course, self.course.root)
            self._judges = Judges(Order(self.course.file, (), secret, self.unprotected))
        result = self._judges.grade(job_of(self.course, submission))
        faults = [check for check in result.checks if check.outcome == "error"]
        if faults:
            raise JudgeFault(f"check {faults[0].id}: {faults[0].message}")
        return result

    def close(self) -> None:
        """End the judges."""
        atexit.unregister(self.close)
        if self._judges is not None:
            self._judges.close()
            self._judges = None


Checks = Mapping[str, Sequence[Worth]]  # of each exercise, in order


def worth(course: CourseConfig, exercises: Sequence[str]) -> Checks:
    """The checks of each exercise and their points; nothing is graded."""
    folders = tuple(find_exercise(course, exercise).hidden_folder for exercise in exercises)
    with Judge(Order(course.file, folders, b"nothing is graded with it", listing=True)) as judge:
        return {exercise: judge.checks.get(exercise, ()) for exercise in exercises}


def public_worth(course: CourseConfig, exercises: Sequence[str]) -> Checks:
    """The same of the public checks."""
    files = tuple(find_exercise(course, exercise).public_checks for exercise in exercises)
    with Judge(Order(course.file, files, b"nothing is graded with it", listing=True, public=True)) as judge:
        return {exercise: judge.checks.get(exercise, ()) for exercise in exercises}


def worth_of(result: Result) -> Sequence[Worth]:
    """The checks that a result has, and their points."""
    return tuple(Worth(check.id, check.title, check.max_points, check.visibility) for check in result.checks)


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
