"""Where a student's copy of the course is: the generated folder with `course.yaml`, on whichever machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from autograder.course.config import CONFIG_NAME, CourseConfig, load_config
from autograder.course.discovery import STUDENT_FOLDER, Exercise
from autograder.course.errors import ConfigurationError
from autograder.language import LANGUAGES, _

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


def find_handout(start: Path, language: str | None = None) -> Handout:
    """The student's files nearest to `start`: in it, above it, or in `exercises/` of either.

    Args:
        start: a folder.
        language: preferred where `exercises/` has several; without it the course's own, where that is known.
    """
    start = start.resolve()
    for folder in (start, *start.parents):
        for place in (folder, *_languages(folder, language), folder / STUDENT_FOLDER):
            if (place / HANDOUT_CONFIG).is_file():
                return Handout(load_config(place / HANDOUT_CONFIG), place)
    raise ConfigurationError(
        _(
            "no {handout_config} in {start}, above it, or in {student_folder}/; go to the folder of the course's "
            "files, or make them with `autograder assign`"
        ).format(handout_config=HANDOUT_CONFIG, start=start, student_folder=STUDENT_FOLDER)
    )


def _languages(folder: Path, language: str | None) -> list[Path]:
    """The folders in which `autograder assign` puts each language, the preferred one first."""
    made = [spoken for spoken in LANGUAGES if (folder / STUDENT_FOLDER / spoken / HANDOUT_CONFIG).is_file()]
    if len(made) > 1 and language is None and (folder / CONFIG_NAME).is_file():
        language = load_config(folder / CONFIG_NAME).language
    return [folder / STUDENT_FOLDER / spoken for spoken in sorted(made, key=lambda spoken: spoken != language)]
