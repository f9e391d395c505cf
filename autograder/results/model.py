"""What came out of grading one submission for one exercise."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

SCHEMA_VERSION = 1

CheckOutcome = Literal["passed", "failed", "error", "blocked", "skipped"]
ResultOutcome = Literal["graded", "unreadable", "missing", "error"]


@dataclass
class CheckResult:
    """One check.

    Attributes:
        id: the check's id, the same in every result of the exercise.
        title: what it proves, in a sentence.
        points: earned.
        max_points: to be earned.
        outcome: `passed`; `failed` (the student's code is wrong); `blocked` (a check that it needs did not pass);
            `skipped`; `error` (a fault of the framework, never the student's).
        message: for the student: expected in kind, got.
        hint: what to look at next.
        diagnosis: id of the known mistake that gives this very answer, or None.
        duration_s: seconds, wall clock.
        figures: numbers that the check measured (for the instructor).
        kind: exact, statistical, training or quiz.
        visibility: who may see it.
    """

    id: str
    title: str
    points: float
    max_points: float
    outcome: CheckOutcome
    message: str = ""
    hint: str = ""
    diagnosis: str | None = None
    diagnosis_title: str = ""
    duration_s: float = 0.0
    figures: dict[str, float | None] = field(default_factory=dict)
    kind: str = "exact"
    visibility: str = "hidden"


@dataclass
class LoadingProblem:
    """Something in the file that could not be loaded: where, which line, what kind, what."""

    where: str
    line: int
    kind: str
    message: str


@dataclass
class Result:
    """One submission for one exercise; `to_json` gives what `result.schema.json` describes."""

    student: str
    exercise: str
    points: float
    max_points: float
    outcome: ResultOutcome
    checks: list[CheckResult] = field(default_factory=list)
    message: str = ""
    submission: dict[str, Any] = field(default_factory=dict)
    loading: list[LoadingProblem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    incidents: list[dict[str, str]] = field(default_factory=list)
    late: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, Any] = field(default_factory=dict)
    duration_s: float = 0.0
    schema_version: int = SCHEMA_VERSION

    @property
    def alarms(self) -> list[dict[str, str]]:
        """The incidents that somebody should look at; a figure that could not be drawn is none of them."""
        return [incident for incident in self.incidents if incident.get("kind") != "figure"]

    def to_json(self) -> dict[str, Any]:
        """The result as JSON-able data, schema version first."""
        data = asdict(self)
        return {"schema_version": data.pop("schema_version"), **data}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Result:
        """The result from `to_json`'s data (validate it first where it comes from outside)."""
        known = dict(data)
        known["checks"] = [CheckResult(**check) for check in data["checks"]]
        known["loading"] = [LoadingProblem(**problem) for problem in data["loading"]]
        return cls(**known)
