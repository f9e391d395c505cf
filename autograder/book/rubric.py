"""What teachers mark by hand: `rubric.yaml` beside the course's configuration, validated by its own schema.

Its points come on top of the exercise's: an exercise of 20 points with a rubric of 4 is worth 24. Students' pages are
laid out by it, so an item that nobody has marked yet is shown as such, and counts nothing until then.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from autograder.course import ConfigurationError, CourseConfig
from autograder.course.document import did_you_mean, read_document, validate
from autograder.course.schema import Schema, schema_of
from autograder.language import _

RUBRIC_NAME = "rubric.yaml"
SCHEMA_FILE = Path(__file__).with_name("rubric.schema.json")  # written by docs/generate.py


class RubricItem(Struct, frozen=True, forbid_unknown_fields=True):
    """One thing to be marked."""

    id: Annotated[str, Meta(description="a name for commands", pattern="^[a-z][a-z0-9_]*$")]
    title: Annotated[str, Meta(description="what students read", min_length=1)]
    points: Annotated[float, Meta(description="points, added to the exercise's own", ge=0, le=1000)]


class WrittenRubric(Struct, frozen=True, forbid_unknown_fields=True):
    """rubric.yaml, beside grading_config.yaml: figures, free answers and whatever no check can judge"""

    schema_version: Annotated[Literal[1], Meta(description="version of this format")]
    exercises: Annotated[dict[str, tuple[RubricItem, ...]], Meta(description="by exercise, what is marked, in order")]


Rubric = Mapping[str, tuple[RubricItem, ...]]


@cache
def rubric_schema() -> Schema:
    """The published schema of `rubric.yaml`."""
    return schema_of(WrittenRubric, "rubric", 1, "What teachers mark by hand")


def load_rubric(course: CourseConfig) -> Rubric:
    """The items of each exercise; none where the course has no rubric. ConfigurationError says what is wrong."""
    file = course.root / RUBRIC_NAME
    if not file.exists():
        return {}
    document = read_document(file)
    validate(document, rubric_schema())
    known = [exercise.id for exercise in course.exercises]
    rubric: dict[str, tuple[RubricItem, ...]] = {}
    for exercise, items in msgspec.convert(document.values, WrittenRubric, strict=False).exercises.items():
        if exercise not in known:
            message = f"the course has no exercise {exercise!r}{did_you_mean(exercise, known)}"
            raise document.error(message, ("exercises", exercise), key=True)
        names = [item.id for item in items]
        for index, name in enumerate(names):
            if name in names[:index]:
                raise document.error(
                    _("the item {name!r} is listed twice").format(name=name), ("exercises", exercise, index, "id")
                )
        rubric[exercise] = items
    return rubric


def find_item(course: CourseConfig, rubric: Rubric, exercise: str, item: str) -> RubricItem:
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
