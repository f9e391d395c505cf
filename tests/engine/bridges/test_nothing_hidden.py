"""What a student can read of any bridge or page holds no measured figure, no incident, no hidden check's message."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from autograder.book.grades import grade as grade_of
from autograder.bridges.asking import remarks, verdict
from autograder.bridges.ci.log import log
from autograder.bridges.ci.report import section
from autograder.bridges.ci.writers import classroom_result, code_quality, github_annotations, junit_xml, summary
from autograder.bridges.gradescope.results import results_json
from autograder.course import CourseConfig, load_config
from autograder.reports.pages import student_page
from autograder.reports.visible import student_view
from autograder.results.model import CheckResult, Incident, Result

CONFIG = """\
schema_version: 1
course: {id: small, title: Small}
exercises:
  - {id: toy, title: Toy, points: 5, checks: {shown: {visibility: visible}, blocked: {visibility: visible},
     broken: {visibility: visible}, secret: {visibility: hidden}, passed: {visibility: visible}}}
published: PUBLISHED
"""
NOW = datetime(2027, 3, 1, tzinfo=UTC)
MEASURED = {"the quantity": 0.123456789}
NEVER = ("the quantity", "0.1235", "0.12345", "0.123", "a worker died", "the secret's message", "the fault's message")


@pytest.fixture(params=["false", "true"], ids=["kept back", "published"])
def course(request, tmp_path: Path) -> CourseConfig:
    file = tmp_path / "grading_config.yaml"
    file.write_text(CONFIG.replace("PUBLISHED", request.param))
    return load_config(file)


def result() -> Result:
    def check(name: str, outcome: str, message: str, visibility: str = "visible") -> CheckResult:
        return CheckResult(name, f"Title of {name}.", float(outcome == "passed"), 1.0, outcome, message, "a hint",
                           measured=dict(MEASURED), visibility=visibility)  # fmt: skip

    checks = [
        check("passed", "passed", ""), check("shown", "failed", "what it got"),
        check("blocked", "blocked", "Not judged: it needs `Title of secret.`"),
        check("broken", "error", "the fault's message"), check("secret", "failed", "the secret's message", "hidden"),
    ]  # fmt: skip
    return Result("ada", "toy", 1.0, 5.0, "graded", checks, incidents=[Incident("crash", "a worker died", "secret")])


def texts(course: CourseConfig, teacher: bool = False) -> Iterator[tuple[str, str]]:
    """What each bridge and page makes of the result."""
    found, config = result(), course.exercise("toy")
    grade = grade_of(found, course, ())
    view = student_view(course, [found], [grade], NOW, teacher=teacher)
    yield "page", student_page(view, course, "en")
    if not teacher:
        data = results_json(found, grade, config)
        data["tests"] = [test for test in data["tests"] if test["visibility"] == "visible"]  # as Gradescope shows it
        yield "gradescope", json.dumps(data)
        told = [verdict(check, found, config, NOW) for check in found.checks]
        yield "nbgrader and otter-grader", "\n".join([*told, remarks(found)])
    sections = [section(view.exercises[0], "toy.py", "hidden", True, None, 1.0)]
    yield "annotations", "\n".join(github_annotations(sections))
    yield "code quality", code_quality(sections)
    yield "junit", junit_xml(sections)
    yield "summary", summary(sections)
    yield "log", log(sections)
    yield "classroom", base64.b64decode(classroom_result(sections)).decode()


def test_students_read_no_figure_no_incident_and_no_hidden_message(course):
    for place, text in texts(course):
        assert [word for word in NEVER if word in text] == [], place
        # The other direction: what they may see is there, the hidden check's name not in it.
        assert "what it got" in text, place
        assert "a check that it needs did not pass" in text, place


def test_teachers_read_them_on_their_page(course):
    page = dict(texts(course, teacher=True))["page"]
    for word in ("the quantity", "a worker died", "the fault", "the secret"):
        assert word in page
