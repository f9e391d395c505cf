"""`grading_config.yaml`: the exercises of a course in order, and how they are graded.

The file is held against `grading_config.schema.json`; what a schema cannot say (unknown time zones, ids given
twice, a date that does not exist) is checked here. What the file leaves out takes the default written in the
dataclasses below; an exercise takes the course's value unless it has its own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from autograder.course.document import Document, Steps, did_you_mean, read_document, validate
from autograder.course.errors import ConfigurationError
from autograder.language import LANGUAGES, TRANSLATIONS, _
from autograder.results.outcomes import Visibility

CONFIG_NAME = "grading_config.yaml"
SCHEMA_FILE = Path(__file__).with_name("grading_config.schema.json")
SCHEMA_VERSION = 1

Device = Literal["auto", "cpu", "cuda"]
DataSet = Literal["auto", "mnist", "digits"]
Attempts = Literal["best", "last", "first"]
Missing = Literal["zero", "blank"]
Questions = Literal["personal", "shared"]
Isolation = Literal["full", "reduced"]


@dataclass(frozen=True)
class Limit:
    """What one step of a submission may use."""

    seconds: float
    memory_mb: int  # beyond what the empty worker uses


@dataclass(frozen=True)
class Limits:
    """What a submission may use: one check, the import, everything together."""

    per_check: Limit = Limit(seconds=60, memory_mb=2048)
    per_import: Limit = Limit(seconds=20, memory_mb=2048)
    total_seconds: float = 900


@dataclass(frozen=True)
class Intake:
    """What one student may hand in, archives within archives included; over it nothing is graded or missing."""

    depth: int = 3  # archives within one another
    entries: int = 2_000  # files and folders
    unpacked_mb: float = 200
    seconds: float = 30


@dataclass(frozen=True)
class LatePenalty:
    """What a late submission loses, as a fraction of the points it earned."""

    per_day: float = 0.0
    cap: float = 1.0
    grace: timedelta = timedelta(0)

    def fraction(self, due: datetime | None, submitted: datetime) -> float:
        """The fraction lost: `per_day` for each day begun after the due date, nothing within the grace.

        Days are those of the clock in the due date's zone: one that ends summer time has 25 hours and is one day. The
        grace is minutes that pass.
        """
        if due is None or submitted.astimezone(UTC) <= due.astimezone(UTC) + self.grace:
            return 0.0
        on_the_clock = submitted.astimezone(due.tzinfo).replace(tzinfo=None) - due.replace(tzinfo=None)
        days = max(1, math.ceil(on_the_clock / timedelta(days=1)))
        return round(min(self.cap, self.per_day * days), 10)


@dataclass(frozen=True)
class CheckOverride:
    """What differs for one check; None keeps what the check or the exercise says."""

    points: float | None = None
    visibility: Visibility | None = None
    seconds: float | None = None
    memory_mb: int | None = None


@dataclass(frozen=True)
class ExerciseConfig:
    """One exercise of the course, with the course's defaults filled in."""

    id: str
    title: str
    points: float = 20.0
    due: datetime | None = None  # with its time zone
    limits: Limits = Limits()
    late_penalty: LatePenalty = LatePenalty()
    visibility: Visibility = "after_published"
    published: bool = False
    answers_released: bool = False
    checks: Mapping[str, CheckOverride] = field(default_factory=dict)

    def is_visible(self, check: str, now: datetime) -> bool:
        """Whether students may see the outcome of this check at this time."""
        override = self.checks.get(check)
        rule = (override.visibility if override else None) or self.visibility
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
    attempts: Attempts = "last"
    missing: Missing = "zero"
    questions: Questions = "personal"
    data: DataConfig = DataConfig()
    device: Device = "auto"
    secret: SecretConfig = SecretConfig()
    isolation: Isolation = "reduced"
    intake: Intake = Intake()
    schema_version: int = SCHEMA_VERSION

    @property
    def root(self) -> Path:
        """The folder of the course."""
        return self.file.parent

    @property
    def translations(self) -> Path:
        """Where the course's own catalogues are, if it has any."""
        return self.root / TRANSLATIONS

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
    validate(document, SCHEMA_FILE)
    values = document.values
    course = values["course"]
    language = course.get("language", "en")
    if language not in LANGUAGES:
        raise document.error(
            _("{language!r} is no language of this installation; there are {listing}").format(
                language=language, listing=", ".join(LANGUAGES)
            ),
            ("course", "language"),
        )
    zone = _zone(document, course.get("timezone", "UTC"))
    root = path.resolve().parent
    data = values.get("data", {})
    secret = values.get("secret", {})
    return CourseConfig(
        id=course["id"],
        title=course["title"],
        file=path.resolve(),
        exercises=_exercises(document, zone),
        language=language,
        timezone=course.get("timezone", "UTC"),
        attempts=values.get("attempts", "last"),
        missing=values.get("missing", "zero"),
        questions=values.get("questions", "personal"),
        data=DataConfig(data.get("set", "auto"), _path(root, data.get("folder"))),
        device=values.get("device", "auto"),
        secret=SecretConfig(secret.get("env", SecretConfig.env), _path(root, secret.get("file"))),
        isolation=values.get("isolation", "reduced"),
        intake=Intake(**values.get("intake", {})),
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
    # The course's own values make the exercise that all others start from.
    course = _apply(ExerciseConfig(id="", title=""), values, document, ())
    exercises: list[ExerciseConfig] = []
    for index, given in enumerate(values["exercises"]):
        steps: Steps = ("exercises", index)
        if any(given["id"] == other.id for other in exercises):
            raise document.error(_("the exercise {id!r} is listed twice").format(id=given["id"]), (*steps, "id"))
        exercise = replace(
            course,
            id=given["id"],
            title=given["title"],
            points=float(given.get("points", ExerciseConfig.points)),
            due=_due(document, given.get("due"), zone, (*steps, "due")),
            checks={name: CheckOverride(**check) for name, check in given.get("checks", {}).items()},
        )
        exercises.append(_apply(exercise, given, document, steps))
    return tuple(exercises)


def _apply(exercise: ExerciseConfig, values: dict[str, Any], document: Document, steps: Steps) -> ExerciseConfig:
    simple = {name: values[name] for name in ("visibility", "published", "answers_released") if name in values}
    return replace(
        exercise,
        limits=_limits(exercise.limits, values.get("limits", {}), document, (*steps, "limits")),
        late_penalty=_late_penalty(exercise.late_penalty, values.get("late_penalty", {})),
        **simple,
    )


def _limits(limits: Limits, values: dict[str, Any], document: Document, steps: Steps) -> Limits:
    result = replace(
        limits,
        per_check=replace(limits.per_check, **values.get("per_check", {})),
        per_import=replace(limits.per_import, **values.get("per_import", {})),
        total_seconds=values.get("total", {}).get("seconds", limits.total_seconds),
    )
    if result.total_seconds < max(result.per_check.seconds, result.per_import.seconds):
        raise document.error(
            _(
                "the total of {total_seconds:g} s is less than one step may take (per check {seconds:g} "
                "s, per import {seconds2:g} s)"
            ).format(
                total_seconds=result.total_seconds, seconds=result.per_check.seconds, seconds2=result.per_import.seconds
            ),
            steps,
        )
    return result


def _late_penalty(penalty: LatePenalty, values: dict[str, Any]) -> LatePenalty:
    changed: dict[str, Any] = {name: values[name] for name in ("per_day", "cap") if name in values}
    if "grace_minutes" in values:
        changed["grace"] = timedelta(minutes=values["grace_minutes"])
    return replace(penalty, **changed)


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
