"""Where a student's copy of the course is: the generated folder with `course.yaml`, on whichever machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from autograder.course.config import CourseConfig, load_config
from autograder.course.discovery import STUDENT_FOLDER, Exercise
from autograder.course.errors import ConfigurationError
from autograder.language import _

HANDOUT_CONFIG = "course.yaml"


@dataclass(frozen=True)
class Handout:
    """What students have: the configuration without secrets, and a folder per exercise."""

    config: CourseConfig
    folder: Path

    def exercise(self, exercise: str) -> Exercise:
        """The exercise with this id; ConfigurationError names those there are."""
        config = self.config
        return Exercise(config.exercise(exercise).id, config.id, self.folder, config.questions == "shared")

    def file(self, exercise: str, name: str) -> Path:
        """A file of an exercise; ConfigurationError where it is missing."""
        path = self.folder / exercise / name
        if not path.is_file():
            raise ConfigurationError(_("missing; get the course's files again, or run `autograder assign`"), file=path)
        return path


def find_handout(start: Path) -> Handout:
    """The student's files nearest to `start`: in it, above it, or in `exercises/` of either."""
    start = start.resolve()
    for folder in (start, *start.parents):
        for place in (folder, folder / STUDENT_FOLDER):
            if (place / HANDOUT_CONFIG).is_file():
                return Handout(load_config(place / HANDOUT_CONFIG), place)
    raise ConfigurationError(
        _(
            "no {handout_config} in {start}, above it, or in {student_folder}/; go to the folder of the course's files"
        ).format(handout_config=HANDOUT_CONFIG, start=start, student_folder=STUDENT_FOLDER)
    )
