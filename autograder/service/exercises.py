"""What authors of exercises ask for: a new one, and the images that checks use."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from autograder.authoring import new_exercise
from autograder.course import ConfigurationError, find_course
from autograder.course.data import find_images, load_images
from autograder.course.download import Bar, fetch
from autograder.course.sets import PUBLISHED
from autograder.language import _
from autograder.service.course import Course

__all__ = ["DATA_SETS", "Bar", "create", "fetch_images", "images"]

DATA_SETS = tuple(PUBLISHED)


def create(
    name: str, folder: Path | str = ".", title: str | None = None, new_course: str | None = None
) -> tuple[Path, ...]:  # fmt: skip
    """Write every file of a new exercise, working as it is, and its entry in `grading_config.yaml`.

    Args:
        folder: in or below the course's; the course's itself where it is new.
        title: what people read; made from the name without it.
        new_course: the title of a course to be made of this exercise.

    Returns:
        The files, the configuration last.

    Raises:
        ConfigurationError: there is no course, a title is none, or the course's configuration is wrong.
        AuthoringError: the name is taken or none, or the configuration cannot take an entry; nothing is written.
    """
    for text in (title, new_course):
        if text is not None and (not text.strip() or not text.isprintable()):
            raise ConfigurationError(_("{text!r} is no title: one line of text is needed").format(text=text))
    root = Path(folder).resolve()
    if new_course is None:
        try:
            root = find_course(root)
        except ConfigurationError as missing:
            raise ConfigurationError(
                _("{missing}; or make a course: --new-course TITLE").format(missing=missing)
            ) from None
    made = new_exercise.NewExercise(name, title or name.replace("_", " ").capitalize(), root)
    return new_exercise.create(made, new_course)


def fetch_images(name: str, bar: Callable[[str], Bar] | None = None) -> tuple[str, Path]:
    """Download a published data set's test files into this user's cache; its title, and the folder.

    Raises:
        ConfigurationError: no mirror gave the files.
    """
    published = PUBLISHED[name]
    return published.title, fetch(published, bar=bar)


def images(course: Course) -> Iterator[tuple[str, Path | str, str]]:
    """Which images this course uses here: name of the set, its folder or what stands for it, what to know about that.

    Raises:
        ConfigurationError: those that it demands are not here.
    """
    with course.speaking():
        for name, published in PUBLISHED.items():
            found = load_images(course.config, published, "held_out", 1)
            folder = find_images(published, course.config.data, course.config.root)
            yield name, folder or found.data_set, found.note
