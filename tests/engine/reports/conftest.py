"""A course and results that no grading made: what reports are tested with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from autograder.course import CourseConfig, load_config
from autograder.results.model import CheckResult, Environment, InForce, LoadingProblem, Result, SubmissionFacts

CONFIG = """\
schema_version: 1
course: {id: small, title: "A small <course>", timezone: Europe/Paris}
exercises:
  - {id: flows, title: Flows, points: 10, due: 2027-02-08, checks: {secret: {visibility: hidden}}}
  - {id: chains, title: Chains, points: 10}
late_penalty: {per_day: 0.1, cap: 0.5, grace_minutes: 30}
visibility: after_published
published: PUBLISHED
"""


@pytest.fixture
def make_course(tmp_path: Path) -> Callable[..., CourseConfig]:
    """A course whose results are published, or not."""

    def make(published: bool = True) -> CourseConfig:
        file = tmp_path / "course" / "grading_config.yaml"
        file.parent.mkdir(exist_ok=True)
        file.write_text(CONFIG.replace("PUBLISHED", str(published).lower()))
        return load_config(file)

    return make


@pytest.fixture
def course(make_course: Callable[..., CourseConfig]) -> CourseConfig:
    """A course whose results are published."""
    return make_course()


def make_check(name: str, outcome: str = "passed", points: float = 5.0, **more: Any) -> CheckResult:
    """A check worth 5 points."""
    more = {"title": f"The title of {name}", "visibility": "after_published"} | more
    earned = points if outcome == "passed" else 0.0
    return CheckResult(id=name, points=earned, max_points=points, outcome=outcome, **more)


def make_result(student: str = "ada", exercise: str = "flows", *checks: CheckResult, **more: Any) -> Result:
    """A graded result."""
    given = checks or (make_check("density"), make_check("secret"))
    more = {
        "submission": SubmissionFacts(f"{exercise}.py", "py", "ab" * 32),
        "environment": Environment(InForce("full", ["landlock", "seccomp"]), {"torch": "2.13.0"}, "cpu", "digits"),
        "duration_s": 3.0,
    } | more
    points, most = sum(c.points for c in given), sum(c.max_points for c in given)
    return Result(student, exercise, points, most, more.pop("outcome", "graded"), list(given), **more)


@pytest.fixture
def check() -> Callable[..., CheckResult]:
    return make_check


@pytest.fixture
def result() -> Callable[..., Result]:
    return make_result


@pytest.fixture
def problem() -> LoadingProblem:
    return LoadingProblem("cell 3", 7, "syntax", "SyntaxError: <b>bold</b> at `x = (`")
