"""What teachers mark by hand: `rubric.yaml` beside the course's configuration, validated by its own schema.

Its points come on top of the exercise's: an exercise of 20 points with a rubric of 4 is worth 24. Students' pages are
laid out by it, so an item that nobody has marked yet is shown as such, and counts nothing until then.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from autograder.course import ConfigurationError, CourseConfig
from autograder.course.document import did_you_mean, read_document, validate
from autograder.language import _

RUBRIC_NAME = "rubric.yaml"
SCHEMA_FILE = Path(__file__).with_name("rubric.schema.json")


@dataclass(frozen=True)
class Item:
    """One thing to be marked."""

    id: str
    title: str
    points: float


Rubric = Mapping[str, tuple[Item, ...]]


def load_rubric(course: CourseConfig) -> Rubric:
    """The items of each exercise; none where the course has no rubric. ConfigurationError says what is wrong."""
    file = course.root / RUBRIC_NAME
    if not file.exists():
        return {}
    document = read_document(file)
    validate(document, SCHEMA_FILE)
    known = [exercise.id for exercise in course.exercises]
    rubric: dict[str, tuple[Item, ...]] = {}
    for exercise, given in document.values["exercises"].items():
        if exercise not in known:
            message = f"the course has no exercise {exercise!r}{did_you_mean(exercise, known)}"
            raise document.error(message, ("exercises", exercise), key=True)
        items = tuple(Item(item["id"], item["title"], float(item["points"])) for item in given)
        names = [item.id for item in items]
        for index, name in enumerate(names):
            if name in names[:index]:
                raise document.error(
                    _("the item {name!r} is listed twice").format(name=name), ("exercises", exercise, index, "id")
                )
        rubric[exercise] = items
    return rubric


def find_item(course: CourseConfig, rubric: Rubric, exercise: str, item: str) -> Item:
    """One item; ConfigurationError names those there are."""
    items = rubric.get(exercise, ())
    for candidate in items:
        if candidate.id == item:
            return candidate
    known = ", ".join(candidate.id for candidate in items) or "no items"
    raise ConfigurationError(
        _("the rubric of {exercise!r} has no item {item!r} (it has: {known})").format(
            exercise=exercise, item=item, known=known
        ),
        file=course.root / RUBRIC_NAME,
    )
