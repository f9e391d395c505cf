"""What came out of grading one submission for one exercise. The published schema is made of these declarations."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct, field

from autograder.results.outcomes import (
    CheckKind,
    CheckOutcome,
    IsolationLevel,
    PartOutcome,
    ProblemKind,
    ResultOutcome,
    Visibility,
)
from autograder.results.upgrade import upgraded

SCHEMA_VERSION: Final = 2

NotNegative = Annotated[float, Meta(ge=0)]
NotEmpty = Annotated[str, Meta(min_length=1)]


class Example(Struct, frozen=True, forbid_unknown_fields=True):
    """A small call on public numbers that shows what is wrong."""

    call: Annotated[str, Meta(description="as it can be typed into a notebook")]
    got: Annotated[str, Meta(description="what it gives, or the exception that it raises")]
    right: Annotated[str, Meta(description="what is right, or the exception that is due")]


class OwnLines(Struct, frozen=True, forbid_unknown_fields=True):
    """Lines of the submission."""

    where: Annotated[str, Meta(description="which cell or file")]
    line: Annotated[int, Meta(description="number of the first one there")]
    text: str


class RaisedLine(Struct, frozen=True, forbid_unknown_fields=True):
    """The statement of the submission that an exception came from."""

    where: Annotated[str, Meta(description="which cell or file")]
    line: Annotated[int, Meta(description="number of the line that raised")]
    text: str
    values: Annotated[
        dict[str, str], Meta(description="what the tensors, arrays and numbers in it were, by name; never a value")
    ] = field(default_factory=dict)


class AskedQuestion(Struct, frozen=True, forbid_unknown_fields=True):
    """A question of the quiz, and what was answered."""

    question: Annotated[str, Meta(description="with the student's own numbers")]
    answer: Annotated[str, Meta(description="as it was given; empty where there is none")] = ""


class CheckResult(Struct, forbid_unknown_fields=True):
    """One check."""

    id: Annotated[str, Meta(description="the same in every result of the exercise")]
    title: Annotated[str, Meta(description="what the check proves, in a sentence")]
    points: Annotated[NotNegative, Meta(description="earned")]
    max_points: Annotated[NotNegative, Meta(description="to be earned")]
    outcome: Annotated[
        CheckOutcome,
        Meta(
            description="failed: the student's code is wrong; blocked: a check that it needs did not pass; "
            "error: a fault of the framework, never the student's"
        ),
    ]
    message: Annotated[str, Meta(description="for the student: what was expected in kind, what was got")] = ""
    hint: Annotated[str, Meta(description="what to look at next")] = ""
    diagnosis: Annotated[str | None, Meta(description="id of the known mistake that gives this very answer")] = None
    diagnosis_title: str = ""
    duration_s: Annotated[NotNegative, Meta(description="seconds, wall clock")] = 0.0
    measured: Annotated[
        dict[str, float | None],
        Meta(description="numbers that the check measured, for the instructor; null where one was not finite"),
    ] = field(default_factory=dict)
    kind: CheckKind = "exact"
    visibility: Annotated[Visibility, Meta(description="when students see it")] = "hidden"
    parts: Annotated[
        dict[str, PartOutcome],
        Meta(
            description="of a failed check over several functions: what came out of each. It earns the share that has "
            "passed, and nothing where there are no parts"
        ),
    ] = field(default_factory=dict)
    relation: Annotated[str, Meta(description="what all wrong answers are to the right ones, in a sentence")] = ""
    example: Annotated[Example | None, Meta(description="the smallest call found that shows what is wrong")] = None
    lines: Annotated[OwnLines | None, Meta(description="the student's function that the check is about")] = None
    raised: Annotated[RaisedLine | None, Meta(description="the student's line that raised an exception")] = None
    asked: Annotated[AskedQuestion | None, Meta(description="of a check of the quiz: the question")] = None

    @property
    def share(self) -> float:
        """How much of its points the check earns, from 0 to 1."""
        if self.outcome == "passed":
            return 1.0
        if self.outcome != "failed" or not self.parts:
            return 0.0
        return sum(part == "passed" for part in self.parts.values()) / len(self.parts)


class LoadingProblem(Struct, forbid_unknown_fields=True):
    """Something in the file that could not be loaded."""

    where: Annotated[str, Meta(description="which cell or file")]
    line: int
    kind: ProblemKind
    message: str


class Incident(Struct, frozen=True, forbid_unknown_fields=True):
    """Something that an instructor should know: a worker that broke the protocol, died or hung."""

    kind: str
    detail: str
    check: Annotated[str, Meta(description="during which check, or `import`")] = ""


class SubmissionFacts(Struct, forbid_unknown_fields=True):
    """What is known of the file that was graded."""

    file: Annotated[str, Meta(description="its name")] = ""
    format: Annotated[str, Meta(description="`py`, `ipynb` ...")] = ""
    sha256: Annotated[str, Meta(description="of its bytes; empty where it could not be read")] = ""
    submitted: Annotated[datetime | None, Meta(description="when it was handed in, null where nobody knows")] = None
    marked_late: Annotated[bool, Meta(description="the platform marks it as late and does not say the time")] = False
    time_unread: Annotated[
        str,
        Meta(description="the time as the platform writes it, where it could not be read: the points are provisional"),
    ] = ""
    attempt: Annotated[
        Annotated[int, Meta(ge=1)] | None, Meta(description="which of several attempts this result is of")
    ] = None
    attempts: Annotated[Annotated[int, Meta(ge=2)] | None, Meta(description="how many files were graded")] = None


class Late(Struct, frozen=True, forbid_unknown_fields=True):
    """How late it was handed in."""

    due: Annotated[datetime | None, Meta(description="with the student's extension")]
    penalty: Annotated[float, Meta(ge=0, le=1, description="fraction of the points lost")]
    points_after_penalty: NotNegative


class InForce(Struct, frozen=True, forbid_unknown_fields=True):
    """Which layers of isolation were around the student's code."""

    level: IsolationLevel
    layers: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    why: Annotated[list[str], Meta(description="what the system answered, for each missing layer")] = field(
        default_factory=list
    )


class Environment(Struct, frozen=True, forbid_unknown_fields=True):
    """What a figure can depend on beside the submission."""

    isolation: Annotated[InForce | None, Meta(description="null where no code was run")] = None
    versions: dict[str, str] = field(default_factory=dict)
    device: str = ""
    data: Annotated[str, Meta(description="which digits were used, where any were")] = ""
    limits_of: Annotated[
        str, Meta(description="`cpu` where another device's own limits were not calibrated, and the CPU's judged")
    ] = ""

    @property
    def level(self) -> IsolationLevel:
        """Of isolation; `none` where no code was run."""
        return self.isolation.level if self.isolation is not None else "none"


class Result(Struct, forbid_unknown_fields=True):
    """Result of one submission for one exercise."""

    student: NotEmpty
    exercise: NotEmpty
    points: Annotated[NotNegative, Meta(description="earned, before any late penalty")]
    max_points: NotNegative
    outcome: Annotated[
        ResultOutcome,
        Meta(
            description="graded; error: a fault of the framework; handed_in_not_gradable: there is no code in it; "
            "missing: nothing was handed in; not_due: nothing was handed in yet; excused: by a teacher"
        ),
    ]
    checks: list[CheckResult] = field(default_factory=list)
    message: Annotated[str, Meta(description="for the student, about the submission as a whole")] = ""
    submission: SubmissionFacts = field(default_factory=SubmissionFacts)
    loading: Annotated[list[LoadingProblem], Meta(description="what in the file could not be loaded")] = field(
        default_factory=list
    )
    notes: Annotated[list[str], Meta(description="about the file, for the student")] = field(default_factory=list)
    incidents: Annotated[list[Incident], Meta(description="workers lost, protocol broken: for the instructor")] = field(
        default_factory=list
    )
    late: Annotated[Late | None, Meta(description="null where nobody knows when it was handed in")] = None
    environment: Environment = field(default_factory=Environment)
    duration_s: Annotated[NotNegative, Meta(description="seconds, wall clock")] = 0.0
    schema_version: Literal[2] = SCHEMA_VERSION

    @property
    def alarms(self) -> list[Incident]:
        """The incidents that somebody should look at; a figure or an example that could not be made is none of them."""
        return [incident for incident in self.incidents if incident.kind not in ("figure", "example")]

    def to_json(self) -> dict[str, object]:
        """The result as JSON-able data, schema version first."""
        data: dict[str, object] = msgspec.to_builtins(self)
        return {"schema_version": data.pop("schema_version"), **data}

    @classmethod
    def from_json(cls, data: object) -> Result:
        """The result from `to_json`'s data, of this version or of version 1.

        Raises:
            ValueError: it is no result; says where and what was expected.
        """
        return msgspec.convert(upgraded(data), cls)
