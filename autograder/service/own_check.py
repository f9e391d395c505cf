"""What a student asks to be checked: a file of whatever name, a folder, an exercise; and what to say of another."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

from autograder.authoring.public import checks_of
from autograder.course import ConfigurationError
from autograder.course.discovery import PUBLIC_CHECKS
from autograder.course.document import did_you_mean
from autograder.language import _
from autograder.service.course import Course
from autograder.submissions import Entry, SubmissionUnreadable, read_submission
from autograder.submissions.contracts import content_of, defined
from autograder.submissions.names import is_code, is_leftover, match_exercise

YOU = "you"  # public checks draw nothing by a name


def to_check(course: Course, place: Path, exercise: str | None = None, parts: Sequence[str] = ()) -> list[Entry]:
    """The files that are meant, each with its exercise.

    Args:
        course: what the student has of it.
        place: a file; a folder, for every file of an exercise in it; or an exercise's id, for its file in this folder
            or in one that lies here.
        exercise: what the file answers; known by its name without it, or by what it defines.
        parts: of a folder, only files of exercises that have public checks of these functions and classes, if any has.

    Raises:
        ConfigurationError: there is no such file, or nobody can say which exercise it is for; says what there is.
    """
    if exercise is not None:
        course.config.exercise(exercise)
    if place.is_dir():
        entries = _in_folder(course, place, exercise)
        return [entry for entry in entries if _has(course, entry.exercise, parts)] or entries
    if place.is_file():
        return [Entry(YOU, exercise or exercise_of(course, place), place)]
    if str(place) in course.exercises:
        return [_of_exercise(str(place))]
    raise ConfigurationError(_no_file(course, place))


def exercise_of(course: Course, file: Path) -> str:
    """The exercise that a file is for, by its name or by what it defines; ConfigurationError where neither says."""
    named = match_exercise(file.name, course.exercises)
    if named is not None:
        return named.exercise
    try:
        content = content_of(read_submission(file, student=YOU, exercise=file.stem))
    except SubmissionUnreadable as reason:
        raise ConfigurationError(f"{file}: {reason.message}") from reason
    handout = course.handout
    stubs = {e: handout.file(e, f"{e}.py") for e in course.exercises}
    fitting = content.fits({e: frozenset(defined(stub.read_text(encoding="utf-8"))) for e, stub in stubs.items()})
    if len(fitting) == 1:
        return fitting[0]
    raise ConfigurationError(
        _("{file}: its name does not say which exercise it is for; say --exercise NAME, one of: {listing}").format(
            file=file, listing=", ".join(course.exercises)
        )
    )


def _in_folder(course: Course, folder: Path, exercise: str | None) -> list[Entry]:
    names = [path for path in sorted(folder.iterdir()) if path.is_file() and is_code(path.name)]
    found = [(path, named.exercise) for path in names if (named := match_exercise(path.name, course.exercises))]
    chosen = [Entry(YOU, name, path) for path, name in found if exercise in (None, name)]
    if chosen:
        return chosen
    below = [path for path in sorted(folder.iterdir()) if path.is_dir() and not is_leftover(path.name)]
    hint = next((path for path in below if any(is_code(inside.name) for inside in path.iterdir())), None)
    raise ConfigurationError(
        _("{folder}: no file of an exercise is in this folder; name a file, such as {example}").format(
            folder=folder, example=(hint or folder) / f"{exercise or course.exercises[0]}.py"
        )
    )


def _has(course: Course, exercise: str, parts: Sequence[str]) -> bool:
    try:
        return bool(checks_of(course.handout.file(exercise, PUBLIC_CHECKS), parts)) or not parts
    except ConfigurationError:
        return False


def _of_exercise(exercise: str) -> Entry:
    names = (f"{exercise}.py", f"{exercise}.ipynb")
    found = [path for name in names for path in (Path(name), *sorted(Path().glob(f"*/{name}"))) if path.is_file()]
    # A folder of the course's own has its name, and holds the file as it was given.
    found = [path for path in found if path.parent.name != exercise]
    if len(found) == 1:
        return Entry(YOU, exercise, found[0])
    if not found:
        message = _("there is no {exercise}.py or {exercise}.ipynb here or in a folder here: name the file")
        raise ConfigurationError(message.format(exercise=exercise))
    listing = ", ".join(map(str, found))
    raise ConfigurationError(_("which of these is meant? {listing}").format(listing=listing))


def _no_file(course: Course, place: Path) -> str:
    missing = _("{file}: no such file").format(file=place)
    folder = place.parent
    there = [path.name for path in folder.iterdir() if is_code(path.name)] if folder.is_dir() else []
    close = get_close_matches(place.name, there, 1, 0.5)
    if close:
        return missing + _("; did you mean {name!r}?").format(name=str(folder / close[0]))
    if suggestion := did_you_mean(str(place), course.exercises):
        return missing + suggestion
    near = [*sorted(folder.glob("*")), *sorted(folder.glob("*/*"))] if folder.is_dir() else []
    # A folder of the course's own has its name, and holds the file as it was given.
    own = [path for path in near if is_code(path.name) and path.parent.name not in course.exercises]
    known = [str(path) for path in own if match_exercise(path.name, course.exercises) is not None]
    return missing + (_("; there are: {listing}").format(listing=", ".join(known[:10])) if known else "")
