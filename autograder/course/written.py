"""`grading_config.yaml` as it is written: every key, what is allowed, what is taken where it is left out.

The published schema is made of these declarations (`course.schema`), and the file is read into them.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal, get_args

from msgspec import Meta, Struct, field

from autograder.results.outcomes import Visibility

SCHEMA_VERSION = 1
IN_ORDER = "in_order"  # see `schema`: msgspec sorts what is allowed

Device = Literal["auto", "cpu", "cuda"]
DataSet = Literal["auto", "mnist", "digits"]
Counted = Literal["best", "last", "first"]
Missing = Literal["zero", "blank"]
QuestionsFor = Literal["personal", "shared"]
Protection = Literal["full", "reduced"]


def _one_of(words: object, description: str) -> Meta:
    """In the order in which they are declared."""
    return Meta(description=description, extra_json_schema={IN_ORDER: list(get_args(words))})


NotEmpty = Annotated[str, Meta(min_length=1)]
Seconds = Annotated[float, Meta(description="seconds, more than 0 and at most a day", gt=0, le=86400)]
MemoryMb = Annotated[int, Meta(description="megabytes beyond what the empty worker uses, from 64", ge=64, le=1048576)]
Identifier = Annotated[
    str,
    Meta(
        description="lower-case letters, digits and '_', starting with a letter: it names files and a Python module",
        pattern="^[a-z][a-z0-9_]*$",
    ),
]
CourseId = Annotated[
    str,
    Meta(description="lower-case letters, digits, '-' and '_', starting with a letter", pattern="^[a-z][a-z0-9_-]*$"),
]
When = Annotated[
    str,
    Meta(
        description="a date (its end counts) or date and time, such as 2027-02-01 or 2027-02-01T18:00",
        pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2})?(Z|[+-][0-9]{2}:[0-9]{2})?)?$",
    ),
]
Rule = Annotated[Visibility, _one_of(Visibility, "when students see the outcome of a hidden check")]


class CheckLimit(Struct, frozen=True, forbid_unknown_fields=True):
    """What one check may use."""

    seconds: Seconds = 60
    memory_mb: MemoryMb = 2048


class ImportLimit(Struct, frozen=True, forbid_unknown_fields=True):
    """What loading the file may use."""

    seconds: Seconds = 20
    memory_mb: MemoryMb = 2048


class ProcessLimit(Struct, frozen=True, forbid_unknown_fields=True):
    """What the process that the file runs in may use; each by the name that the sandbox gives it.

    One more of `sandbox.WorkerLimits` is a line here: the schema, the documentation and the judge follow.
    """

    open_files: Annotated[int, Meta(description="files and sockets open at once, from 32", ge=32, le=4096)] = 64
    threads: Annotated[int, Meta(description="threads at once, from 8", ge=8, le=4096)] = 64
    gpu_memory_mb: Annotated[
        int,
        Meta(description="megabytes of a GPU's memory beyond what the empty worker uses, from 64", ge=64, le=1048576),
    ] = 4096


class TotalLimit(Struct, frozen=True, forbid_unknown_fields=True):
    """What everything together may use."""

    seconds: Seconds = 900


class Limits(Struct, frozen=True, forbid_unknown_fields=True):
    """What a submission may use: one check, the import, the process, everything together."""

    per_check: CheckLimit = CheckLimit()
    per_import: ImportLimit = ImportLimit()
    process: ProcessLimit = ProcessLimit()
    total: TotalLimit = TotalLimit()

    @property
    def total_seconds(self) -> float:
        """Of everything together."""
        return self.total.seconds


class LatePenalty(Struct, frozen=True, forbid_unknown_fields=True):
    """What a late submission loses, as a fraction of the points it earned."""

    per_day: Annotated[float, Meta(description="fraction lost for each day begun, 0 to 1", ge=0, le=1)] = 0
    cap: Annotated[float, Meta(description="the most that can be lost, 0 to 1", ge=0, le=1)] = 1
    grace_minutes: Annotated[float, Meta(description="minutes after the due date that cost nothing", ge=0)] = 0

    def fraction(self, due: datetime | None, submitted: datetime) -> float:
        """The fraction lost: `per_day` for each day begun after the due date, nothing within the grace.

        Days are those of the clock in the due date's zone: one that ends summer time has 25 hours and is one day. The
        grace is minutes that pass.
        """
        grace = timedelta(minutes=self.grace_minutes)
        if due is None or submitted.astimezone(UTC) <= due.astimezone(UTC) + grace:
            return 0.0
        on_the_clock = submitted.astimezone(due.tzinfo).replace(tzinfo=None) - due.replace(tzinfo=None)
        days = max(1, math.ceil(on_the_clock / timedelta(days=1)))
        return round(min(self.cap, self.per_day * days), 10)


class Intake(Struct, frozen=True, forbid_unknown_fields=True):
    """What one student may hand in, archives within archives included; over it nothing is graded or missing."""

    depth: Annotated[int, Meta(description="archives within one another", ge=1, le=20)] = 3
    entries: Annotated[int, Meta(description="files and folders", ge=1)] = 2_000
    unpacked_mb: Annotated[float, Meta(description="megabytes that come out of archives", gt=0)] = 200
    seconds: Annotated[float, Meta(description="seconds to look through it", gt=0)] = 30


class WrittenCheck(Struct, frozen=True, forbid_unknown_fields=True):
    """What differs for one check."""

    points: Annotated[float, Meta(description="points, 0 or more", ge=0, le=1000)] | None = None
    visibility: Rule | None = None
    seconds: Seconds | None = None
    memory_mb: MemoryMb | None = None


class Common(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the course says for all exercises, and an exercise for itself."""

    limits: Annotated[Limits, Meta(description="what a submission may use")] = Limits()
    late_penalty: Annotated[
        LatePenalty, Meta(description="what a late submission loses, as a fraction of its points")
    ] = LatePenalty()
    visibility: Rule = "after_published"
    examples: Annotated[
        Visibility,
        _one_of(
            Visibility,
            "when students see, of a failed check that they may see, the smallest example of what is wrong, with the "
            "right value; hidden makes none",
        ),
    ] = "after_due_date"
    published: Annotated[bool, Meta(description="whether the results are published to students")] = False
    libraries: Annotated[
        tuple[NotEmpty, ...],
        Meta(
            description="installed libraries that a submission may import beside torch, numpy, matplotlib, tqdm and "
            "rich, by the names under which they are installed"
        ),
    ] = ()
    answers_released: Annotated[bool, Meta(description="whether students get explanations of wrong quiz answers")] = (
        False
    )


class WrittenExercise(Common, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One exercise."""

    id: Identifier
    title: Annotated[NotEmpty, Meta(description="title of the exercise")]
    points: Annotated[float, Meta(description="points, a positive number", gt=0, le=1000)] = 20
    due: When | None = None
    draft: Annotated[
        bool, Meta(description="still being written: neither translated nor held to what a finished exercise has")
    ] = False
    given: Annotated[
        str,
        Meta(description="in students' files, by `autograder assign`: tells a file in which nothing is written"),
    ] = ""
    hours: Annotated[float, Meta(description="how long it takes a student, in hours", gt=0, le=1000)] | None = None
    after: Annotated[tuple[Identifier, ...], Meta(description="exercises of the course that it builds on")] = ()
    sources: Annotated[tuple[NotEmpty, ...], Meta(description="what it is taken from, as statements cite it")] = ()
    checks: Annotated[
        dict[Identifier, WrittenCheck], Meta(description="what differs for single checks, by their ids")
    ] = field(default_factory=dict)


class WrittenCourse(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the course is called."""

    id: CourseId
    title: Annotated[NotEmpty, Meta(description="title of the course")]
    language: Annotated[
        NotEmpty, Meta(description="language of the messages to students, one of those in autograder/locale")
    ] = "en"
    timezone: Annotated[
        NotEmpty, Meta(description="IANA name of the zone in which due dates are meant, such as Europe/Paris")
    ] = "UTC"


class WrittenData(Struct, frozen=True, forbid_unknown_fields=True):
    """Where real digits come from."""

    set: Annotated[
        DataSet, _one_of(DataSet, "mnist, scikit-learn's digits, or mnist where its files are found (auto)")
    ] = "auto"
    folder: Annotated[NotEmpty, Meta(description="folder that holds MNIST's files, relative to this file")] | None = (
        None
    )


class WrittenSecret(Struct, frozen=True, forbid_unknown_fields=True):
    """Where the course secret is kept: never in the repository."""

    env: Annotated[
        str,
        Meta(
            description="name of an environment variable (letters, digits, underscores)",
            pattern="^[A-Za-z_][A-Za-z0-9_]*$",
        ),
    ] = "AUTOGRADER_SECRET"
    file: Annotated[NotEmpty, Meta(description="path of a file outside the course's folder")] | None = None


class WrittenConfig(Common, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """grading_config.yaml: the exercises of a course and how they are graded"""

    schema_version: Annotated[Literal[1], Meta(description="version of this format")]
    course: Annotated[WrittenCourse, Meta(description="what the course is called")]
    exercises: Annotated[
        tuple[WrittenExercise, ...], Meta(description="the exercises in the order of the course", min_length=1)
    ]
    attempts: Annotated[Counted, _one_of(Counted, "which of several attempts counts")] = "last"
    missing: Annotated[
        Missing,
        _one_of(
            Missing,
            "what counts for an exercise that was due and was not handed in: zero points, or nothing, which leaves its "
            "cell blank in every export",
        ),
    ] = "zero"
    questions: Annotated[
        QuestionsFor,
        _one_of(
            QuestionsFor,
            "whether each student has a quiz of their own, or all have the same one (nbgrader and otter-grader hand "
            "out one notebook)",
        ),
    ] = "personal"
    data: Annotated[WrittenData, Meta(description="where real digits come from")] = WrittenData()
    device: Annotated[Device, _one_of(Device, "where students' code computes")] = "auto"
    workers_per_gpu: Annotated[
        int, Meta(description="how many submissions are judged on one GPU at the same time, 1 to 16", ge=1, le=16)
    ] = 1
    secret: Annotated[WrittenSecret, Meta(description="where the course secret is kept: never in the repository")] = (
        WrittenSecret()
    )
    isolation: Annotated[
        Protection,
        _one_of(
            Protection,
            "what to do where a layer of isolation is missing: full refuses, reduced accepts what the host offers and "
            "says so",
        ),
    ] = "reduced"
    intake: Annotated[
        Intake,
        Meta(
            description="what one student may hand in, archives within archives included; over it nothing is graded "
            "or missing"
        ),
    ] = Intake()
