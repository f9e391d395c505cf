"""A course, open: the way to its hand-ins, its grader and its book."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Concatenate, Literal, ParamSpec, Protocol, TypeVar

from autograder.course import CONFIG_NAME, ConfigurationError, CourseConfig, find_course, load_config, load_secret
from autograder.course.handout import Handout, find_handout
from autograder.course.roster import Roster, read_roster
from autograder.language import LANGUAGES, _, speaking
from autograder.submissions import HandIn, Resolutions, Wanted, read_class, read_resolutions, read_student

PUBLIC = "public"  # the checks that students have themselves

if TYPE_CHECKING:
    from autograder.results.grade import Grade
    from autograder.results.model import Result
    from autograder.service.book import Book
    from autograder.service.grader import Cluster, Grader


class BelongsToCourse(Protocol):
    """What belongs to a course."""

    @property
    def course(self) -> Course:
        """Whose it is."""


P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S", bound="Course | BelongsToCourse")


def in_its_language(method: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """What speaks the language of the course that it is given first, or is a method of, whatever the caller's is."""

    @wraps(method)
    def speak(of: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        course = of if isinstance(of, Course) else of.course
        with course.speaking():
            return method(of, *args, **kwargs)

    return speak


class Course:
    """A course with its language. It reads its files when it is opened: open it again after they were changed.

    Args:
        config: as read from `grading_config.yaml`.
        language: of messages and feedback, `en`, `fr`, ...; the course's own without it.
        tell: given a line for whoever runs the machine, such as where a new secret was made; dropped without it.
        secret: the course secret, where it is not to be looked for where the configuration says.

    Attributes:
        config: exercises, due dates, limits.
        language: of messages.
    """

    def __init__(
        self, config: CourseConfig, language: str | None = None, *, tell: Callable[[str], None] | None = None,
        secret: bytes | None = None,
    ) -> None:  # fmt: skip
        self.config = config
        if language is not None and language not in LANGUAGES:
            raise ConfigurationError(
                _("there is no language {language!r}; there are: {listing}").format(
                    language=language, listing=", ".join(LANGUAGES)
                )
            )
        self.language = language or config.language
        self._tell = tell or (lambda line: None)
        self._handout: Handout | None = None
        self._secret = secret

    @classmethod
    def open(
        cls, folder: Path | str = ".", language: str | None = None, *, tell: Callable[[str], None] | None = None
    ) -> Course:
        """Open the course in a folder or above it; arguments as of the class.

        Raises:
            ConfigurationError: there is none, or its `grading_config.yaml` is wrong: file, line, what is allowed.
        """
        return cls(load_config(find_course(Path(folder)) / CONFIG_NAME), language, tell=tell)

    @classmethod
    def handed_out(cls, folder: Path | str = ".", language: str | None = None) -> Course:
        """What students have of a course, in a folder or above it: only its public checks can be run.

        Raises:
            ConfigurationError: there is nothing of a course.
        """
        handout = find_handout(Path(folder), language)
        course = cls(handout.config, language)
        course._handout = handout
        return course

    @property
    def handout(self) -> Handout:
        """What students have; ConfigurationError where it has not been made."""
        if self._handout is None:
            self._handout = find_handout(self.config.root, self.language)
        return self._handout

    @property
    def exercises(self) -> tuple[str, ...]:
        """Ids of the exercises, in the order of the course."""
        return tuple(exercise.id for exercise in self.config.exercises)

    def speaking(self) -> AbstractContextManager[None]:
        """Make the course's language that of messages for the time of a block, in this thread."""
        return speaking(self.language, self.config.translations)

    @in_its_language
    def chosen(self, exercises: Sequence[str]) -> tuple[str, ...]:
        """These exercises, or all where none is named.

        Raises:
            ConfigurationError: the course has no such exercise; says which there are.
        """
        return tuple(self.config.exercise(exercise).id for exercise in exercises) or self.exercises

    @in_its_language
    def read(
        self,
        source: Path | str,
        layout: str = "auto",
        roster: Roster | Path | str | None = None,
        *,
        exercises: Sequence[str] = (),
        submitted_from: Literal["", "mtime"] = "",
        resolve: Sequence[Path | str] = (),
        damaged: bool = False,
        without: Sequence[Path] = (),
    ) -> HandIn:
        """Read what a class handed in: a folder or an archive, in the layout of whichever platform it came from.

        Nothing is run and nothing is dropped: what cannot be graded is in the hand-in's `evidence`, with the reason.
        Use it as a context manager: what was unpacked lives as long as it is open.

        Args:
            source: the folder or archive.
            layout: `auto`, or the name of a layout.
            roster: who is in the course: a CSV file, or one that was read. Who is in it and handed in nothing appears.
            exercises: what is graded of it; a single one is that of files whose names do not say.
            submitted_from: `mtime` takes a file's own time as that of handing in, where nothing better is known.
            resolve: tables of what was decided about hand-ins that need a person; what a later one says counts.
            damaged: read what can be read of a damaged archive of the class.
            without: folders that are not looked at, such as the one that results go to.

        Raises:
            ConfigurationError: there is no such folder, exercise or roster, or the archive cannot be unpacked.
        """
        self.chosen(exercises)
        people = read_roster(Path(roster)) if isinstance(roster, Path | str) else roster
        wanted = Wanted.of(
            self.config, exercises=exercises, layout=layout, roster=people, submitted_from=submitted_from,
            damaged=damaged, without=without,
        )  # fmt: skip
        decided = [read_resolutions(Path(file), wanted.exercises, people, wanted.zone) for file in resolve]
        resolutions = Resolutions({key: value for one in decided for key, value in one.settled.items()})
        return read_class(Path(source), replace(wanted, resolutions=resolutions))

    @in_its_language
    def read_student(self, folder: Path | str, student: str, exercises: Sequence[str] = ()) -> HandIn:
        """Read one student's files, such as a repository; archives in it are left alone.

        Args:
            folder: of the student.
            student: whose it is.
            exercises: only these; all of the course without it. A single one is that of a single file of code,
                whatever its name.

        Raises:
            ConfigurationError: there is no such folder or exercise.
        """
        wanted = self.chosen(exercises)
        found = read_student(Path(folder), student, self.exercises, wanted[0] if len(wanted) == 1 else "")
        return replace(found, entries=tuple(entry for entry in found.entries if entry.exercise in wanted))

    def grader(
        self,
        checks: Sequence[str] = (),
        workers: int | None = None,
        unprotected: bool = False,
        cluster: Cluster | None = None,
        figures: bool = False,
    ) -> Grader:
        """Judges of this course that stay warm until it is closed; arguments as of `Grader`."""
        from autograder.service.grader import Grader

        return Grader(self, checks, workers, unprotected, cluster, figures)

    def book(self, place: Path | str, views: Path | str | None = None) -> Book:
        """The book of this course: attempts, decisions, grades; arguments as of `Book`."""
        from autograder.service.book import Book

        return Book(self, place, views)

    @in_its_language
    def grade(self, result: Result) -> Grade:
        """The grade of a result that is in no book: nothing was decided about it, its own time says how late it is."""
        from autograder.book.grades import grade

        return grade(result, self.config, ())

    @in_its_language
    def nothing_in(self, handed_in: HandIn, student: str, exercise: str) -> Result:
        """The result of a student who did hand in, but no file for this exercise: never `missing`."""
        from autograder.batch.job import not_gradable

        message = _("No file for this exercise was found: hand in {exercise}.py or {exercise}.ipynb.")
        notes = [f"{item.path.name}: {item.reason}" for item in handed_in.evidence[:20]]
        return not_gradable(self.config, (student, exercise), message.format(exercise=exercise), notes=notes)

    def secret(self) -> bytes:
        """What makes inputs fresh and unknown to students; made and kept on this machine where there is none.

        Raises:
            ConfigurationError: it is too short, open to others, or inside the course's folder.
        """
        if self._secret is None:
            self._secret = load_secret(self.config, self.config.root, self._tell)
        return self._secret
