"""Where the files of a course are: all is found by the exercise's id, nothing is registered by hand."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from autograder.course.config import CONFIG_NAME, CourseConfig
from autograder.course.errors import ConfigurationError
from autograder.language import _

STUDENT_FOLDER = "exercises"
PUBLIC_CHECKS = "test_public.py"


@dataclass(frozen=True)
class Exercise:
    """The files of one exercise. A path says where a file belongs; `require` says whether it is there."""

    id: str
    course: str  # the course's id
    root: Path
    shared_questions: bool = False  # the same quiz for everybody, as programs hand it out that know one notebook

    @property
    def folder(self) -> Path:
        return self.root / "solutions" / self.id

    @property
    def solution(self) -> Path:
        return self.folder / f"{self.id}.py"

    @property
    def quiz(self) -> Path:
        return self.folder / "quiz.py"

    @property
    def mistakes(self) -> Path:
        return self.folder / "mistakes.py"

    @property
    def losses(self) -> Path:
        return self.folder / "losses.yaml"

    @property
    def public_checks(self) -> Path:
        return self.folder / PUBLIC_CHECKS

    @property
    def hidden_folder(self) -> Path:
        return self.root / "tests" / "hidden" / self.id

    @property
    def hidden_checks(self) -> tuple[Path, ...]:
        return tuple(sorted(self.hidden_folder.glob("test_*.py")))

    @property
    def probes(self) -> Path:
        return self.hidden_folder / "probes.py"

    @property
    def contract(self) -> Path:
        return self.hidden_folder / "contract.yaml"

    @property
    def reference_json(self) -> Path:
        return self.root / "reference" / f"{self.id}.json"

    @property
    def alternatives(self) -> tuple[Path, ...]:
        return tuple(sorted((self.root / "tests" / "alternatives" / self.id).glob("*.py")))

    def missing(self) -> tuple[str, ...]:
        """One line for each thing that a complete exercise has and this one lacks."""
        belongs = {
            self.solution: "the solution, from which the stub is made",
            self.quiz: "the quiz",
            self.mistakes: "the bank of mistakes",
            self.public_checks: "the public checks",
            self.probes: "the probes (an empty file where none are needed)",
            self.contract: "the contract of the checks",
        }
        lines = [f"{self._relative(path)}: {what}" for path, what in belongs.items() if not path.is_file()]
        if not self.hidden_checks:
            lines.append(f"{self._relative(self.hidden_folder)}/test_*.py: the hidden checks")
        return tuple(lines)

    def require(self, *paths: Path) -> None:
        """Raise ConfigurationError, naming every one of these files that is missing."""
        absent = [self._relative(path) for path in paths if not path.exists()]
        if absent:
            raise ConfigurationError(
                _("the exercise {id!r} lacks {listing}").format(id=self.id, listing=", ".join(absent)),
                file=self.root / CONFIG_NAME,
            )

    def _relative(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()


def find_course(start: Path) -> Path:
    """The course's folder: the nearest one from `start` upwards that holds a grading_config.yaml."""
    start = start.resolve()
    for folder in (start, *start.parents):
        if (folder / CONFIG_NAME).is_file():
            return folder
    raise ConfigurationError(
        _("no {config_name} in {start} or any folder above it; name the course's folder").format(
            config_name=CONFIG_NAME, start=start
        )
    )


def find_exercise(config: CourseConfig, exercise: str) -> Exercise:
    """The files of one exercise; ConfigurationError for an id that the course does not have."""
    return Exercise(config.exercise(exercise).id, config.id, config.root, config.questions == "shared")


def list_exercises(config: CourseConfig) -> tuple[Exercise, ...]:
    """The files of every exercise, in the order of the course."""
    return tuple(find_exercise(config, exercise.id) for exercise in config.exercises)
