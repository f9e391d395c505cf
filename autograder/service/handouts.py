"""What students are given: `exercises/` from the solutions, and an exercise with their own numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from autograder.authoring import bundle
from autograder.authoring.notebook import questions_apart, replace_personal
from autograder.authoring.personal import personalise
from autograder.course import ConfigurationError, find_exercise
from autograder.course.roster import read_roster
from autograder.course.tokens import fingerprint
from autograder.language import _, said
from autograder.results.files import write_atomically
from autograder.service.course import Course, in_its_language
from autograder.submissions import Submission

# What a name of a student, which becomes a folder, must not hold.
_NO_NAME = re.compile(r"[\x00-\x1f/\\]|\A\s*\Z|\A\.\.?\Z")


@in_its_language
def assign(course: Course, languages: Sequence[str] = ()) -> tuple[str, ...]:
    """Bring `exercises/` up to date; the paths that were written, from the course's folder.

    Args:
        languages: these; all that the course has been translated to where none is named.

    Raises:
        AuthoringError: a source cannot be made into what students get; which line of which file, and why.
    """
    return bundle.write(course.config, languages)


@in_its_language
def out_of_date(course: Course, languages: Sequence[str] = ()) -> list[str]:
    """A line for each way in which `exercises/` is not what its sources say; arguments and errors as of `assign`."""
    return bundle.check_up_to_date(course.config, languages)


def on_roster(file: Path) -> list[str]:
    """Everybody on a roster, as results will call them; ConfigurationError where it is none."""
    return [person.id for person in read_roster(file).people]


@in_its_language
def preview(course: Course, exercise: str) -> str:
    """A page with an exercise as students will read it; arguments and errors as of `assign`."""
    from autograder.reports.statement import statement_page

    source = find_exercise(course.config, exercise)
    title = said(course.config.exercise(source.id).title)
    return statement_page(questions_apart(bundle.stub_in(source)), title, course.config, course.language)


def untouched(course: Course, exercise: str, submission: Submission) -> bool:
    """Whether a file is as students were given it: nothing of the exercise is begun."""
    given = course.config.exercise(exercise).given
    if not given:
        source = find_exercise(course.config, exercise)
        if not source.solution.is_file():
            return False
        given = fingerprint(bundle.stub_source(source))
    return fingerprint("\n".join(cell.source for cell in submission.cells)) == given


@in_its_language
def hand_out(
    course: Course, exercise: str, folders: Mapping[str, Path], *, notebook: bool = False, force: bool = False
) -> list[Path]:
    """Write an exercise for each of these students, with the numbers that only they have.

    Args:
        folders: where to, by student; folders are made.

    Raises:
        ConfigurationError: a name is none, there is no such exercise, or a file is there already; nothing is written.
    """
    for student in folders:
        if _NO_NAME.search(student):
            raise ConfigurationError(
                _("--student {student!r}: a name without slashes and control characters is needed").format(
                    student=student
                )
            )
    handout = course.handout
    place = handout.exercise(exercise)
    source = handout.file(exercise, f"{exercise}.{'ipynb' if notebook else 'py'}")
    quiz = handout.file(exercise, "quiz.py")
    targets = {student: folder / source.name for student, folder in folders.items()}
    for target in targets.values():
        if target.exists() and not force:
            raise ConfigurationError(
                _("{target} is already there and may hold your work; --force replaces it").format(target=target)
            )
    for student, target in targets.items():

        def own(text: str, student: str = student) -> str:
            return personalise(text, place, student, quiz=quiz)

        given = source.read_text(encoding="utf-8")
        write_atomically(target, replace_personal(given, own, source) if notebook else own(given))
    return list(targets.values())
