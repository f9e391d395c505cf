"""The configuration of a course, as it is used: read from `grading_config.yaml`, the course's values filled in.

`written` declares what the file may hold; what that cannot say (unknown time zones, ids given twice, a date that does
not exist) is checked here. An exercise takes the course's value unless it has its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from autograder.course.document import Document, Steps, did_you_mean, read_document, validate
from autograder.course.errors import ConfigurationError
from autograder.course.libraries import LIBRARIES
from autograder.course.schema import config_schema
from autograder.course.written import (
    SCHEMA_VERSION,
    Common,
    Counted,
    DataSet,
    Device,
    Intake,
    LatePenalty,
    Limits,
    Missing,
    Protection,
    QuestionsFor,
    WrittenCheck,
    WrittenConfig,
    WrittenExercise,
)
from autograder.language import LANGUAGES, TRANSLATIONS, _
from autograder.results.outcomes import Visibility

CONFIG_NAME = "grading_config.yaml"


@dataclass(frozen=True)
class ExerciseConfig:
    """One exercise of the course, with the course's defaults filled in."""

    id: str
    title: str
    points: float = 20.0
    due: datetime | None = None  # with its time zone
    hours: float | None = None  # that it takes a student
    after: tuple[str, ...] = ()  # the exercises that it builds on
    sources: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    late_penalty: LatePenalty = field(default_factory=LatePenalty)
    visibility: Visibility = "after_published"
    examples: Visibility = "after_due_date"
    published: bool = False
    answers_released: bool = False
    libraries: tuple[str, ...] = LIBRARIES  # what a submission may import
    checks: Mapping[str, WrittenCheck] = field(default_factory=dict)
    draft: bool = False  # still being written
    given: str = ""  # in a student's copy: what `untouched` knows a file by in which nothing is written

    def is_visible(self, check: str, now: datetime) -> bool:
        """Whether students may see the outcome of this check at this time."""
        own = self.checks.get(check)
        return self._holds((own.visibility if own else None) or self.visibility, now)

    def shows_examples(self, now: datetime) -> bool:
        """Whether students may see examples of what is wrong, of the checks that they may see at this time."""
        return self._holds(self.examples, now)

    def _holds(self, rule: Visibility, now: datetime) -> bool:
        if rule == "after_due_date":
            return self.due is not None and now > self.due
        return rule == "visible" or (rule == "after_published" and self.published)


@dataclass(frozen=True)
class DataConfig:
    """Where real digits come from."""

    set: DataSet = "auto"
    folder: Path | None = None


@dataclass(frozen=True)
class SecretConfig:
    """Where the course secret is kept; neither place is in the repository."""

    env: str = "AUTOGRADER_SECRET"
    file: Path | None = None


@dataclass(frozen=True)
class CourseConfig:
    """A whole `grading_config.yaml`."""

    id: str
    title: str
    exercises: tuple[ExerciseConfig, ...]
    file: Path
    language: str = "en"
    timezone: str = "UTC"
    attempts: Counted = "last"
    missing: Missing = "zero"
    questions: QuestionsFor = "personal"
    data: DataConfig = DataConfig()
    device: Device = "auto"
    workers_per_gpu: int = 1
    secret: SecretConfig = SecretConfig()
    isolation: Protection = "reduced"
    intake: Intake = field(default_factory=Intake)
    schema_version: int = SCHEMA_VERSION

    @property
    def root(self) -> Path:
        """The folder of the course."""
        return self.file.parent

    @property
    def translations(self) -> Path:
        """Where the course's own catalogues are, if it has any."""
        return self.root / TRANSLATIONS

    @property
    def finished(self) -> tuple[ExerciseConfig, ...]:
        """The exercises that are held to what a finished one has: without drafts."""
        return tuple(exercise for exercise in self.exercises if not exercise.draft)

    def exercise(self, exercise: str) -> ExerciseConfig:
        """The exercise with this id; ConfigurationError names those there are."""
        for candidate in self.exercises:
            if candidate.id == exercise:
                return candidate
        known = [candidate.id for candidate in self.exercises]
        raise ConfigurationError(
            _("the course has no exercise {exercise!r}{suggestion} (it has: {listing})").format(
                exercise=exercise, suggestion=did_you_mean(exercise, known), listing=", ".join(known)
            ),
            file=self.file,
        )


def load_config(path: Path) -> CourseConfig:
    """Read and validate a configuration; ConfigurationError says where it is wrong and what is allowed."""
    document = read_document(path)
    validate(document, config_schema())
    written = msgspec.convert(document.values, WrittenConfig, strict=False)
    course = written.course
    if course.language not in LANGUAGES:
        raise document.error(
            _("{language!r} is no language of this installation; there are {listing}").format(
                language=course.language, listing=", ".join(LANGUAGES)
            ),
            ("course", "language"),
        )
    zone = _zone(document, course.timezone)
    root = path.resolve().parent
    return CourseConfig(
        id=course.id,
        title=course.title,
        file=path.resolve(),
        exercises=_exercises(document, zone),
        language=course.language,
        timezone=course.timezone,
        attempts=written.attempts,
        missing=written.missing,
        questions=written.questions,
        data=DataConfig(written.data.set, _path(root, written.data.folder)),
        device=written.device,
        workers_per_gpu=written.workers_per_gpu,
        secret=SecretConfig(written.secret.env, _path(root, written.secret.file)),
        isolation=written.isolation,
        intake=written.intake,
    )


def _path(root: Path, text: str | None) -> Path | None:
    return None if text is None else root / Path(text).expanduser()


def _zone(document: Document, name: str) -> tzinfo:
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError) as error:
        raise document.error(
            _(
                "the time zone {name!r} is not known here; write an IANA name such as Europe/Paris, or install tzdata"
            ).format(name=name),
            ("course", "timezone"),
        ) from error


def _exercises(document: Document, zone: tzinfo) -> tuple[ExerciseConfig, ...]:
    values = document.values
    assert isinstance(values, Mapping)
    common = {name: values[name] for name in Common.__struct_fields__ if name in values}
    _require_time(document, msgspec.convert(common, Common, strict=False).limits, ("limits",))
    listed = values["exercises"]
    assert isinstance(listed, list)
    exercises: list[ExerciseConfig] = []
    for index, given in enumerate(listed):
        steps: Steps = ("exercises", index)
        written = msgspec.convert(_over(common, given), WrittenExercise, strict=False)
        if any(written.id == other.id for other in exercises):
            raise document.error(_("the exercise {id!r} is listed twice").format(id=written.id), (*steps, "id"))
        _require_time(document, written.limits, (*steps, "limits"))
        exercises.append(
            ExerciseConfig(
                id=written.id,
                title=written.title,
                points=written.points,
                due=_due(document, written.due, zone, (*steps, "due")),
                hours=written.hours,
                after=written.after,
                sources=written.sources,
                limits=written.limits,
                late_penalty=written.late_penalty,
                visibility=written.visibility,
                examples=written.examples,
                published=written.published,
                answers_released=written.answers_released,
                libraries=tuple(dict.fromkeys((*LIBRARIES, *written.libraries))),
                checks=written.checks,
                given=written.given,
                draft=written.draft,
            )
        )
    _require_order(document, exercises)
    return tuple(exercises)


def _require_order(document: Document, exercises: list[ExerciseConfig]) -> None:
    """What an exercise builds on comes before it: a circle cannot be."""
    places = {exercise.id: place for place, exercise in enumerate(exercises)}
    for place, exercise in enumerate(exercises):
        for other in exercise.after:
            if places.get(other, place) >= place:
                raise document.error(
                    _("the exercise {id!r} builds on {other!r}, which is no exercise before it").format(
                        id=exercise.id, other=other
                    ),
                    ("exercises", place, "after"),
                )


def _over(base: object, own: object) -> object:
    """What is written at `own`, and what only `base` says."""
    if not isinstance(base, Mapping) or not isinstance(own, Mapping):
        return own
    return {**base, **{name: _over(base.get(name), value) for name, value in own.items()}}


def _require_time(document: Document, limits: Limits, steps: Steps) -> None:
    if limits.total_seconds < max(limits.per_check.seconds, limits.per_import.seconds):
        raise document.error(
            _(
                "the total of {total_seconds:g} s is less than one step may take (per check {seconds:g} "
                "s, per import {seconds2:g} s)"
            ).format(
                total_seconds=limits.total_seconds, seconds=limits.per_check.seconds, seconds2=limits.per_import.seconds
            ),
            steps,
        )


def _due(document: Document, text: str | None, zone: tzinfo, steps: Steps) -> datetime | None:
    if text is None:
        return None
    try:
        if len(text) == len("2027-02-01"):
            return datetime.combine(date.fromisoformat(text), time(23, 59, 59), zone)
        due = datetime.fromisoformat(text)
    except ValueError as error:
        raise document.error(
            _("{text!r} is no date of the calendar: {error}").format(text=text, error=error), steps
        ) from error
    return due if due.tzinfo else due.replace(tzinfo=zone)
