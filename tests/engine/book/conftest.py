"""A small course with due dates, and decisions and results that no grading made."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from autograder.book.decisions import Decision
from autograder.course import load_config
from autograder.results.model import CheckResult, Result, SubmissionFacts

NOW = datetime(2027, 3, 1, 9, tzinfo=UTC)
CONFIG = """\
schema_version: 1
course: {id: small, title: Small, timezone: Europe/Paris}
exercises:
  - {id: flows, title: Flows, points: 10, due: 2027-02-08}
  - {id: chains, title: Chains, points: 10}
late_penalty: {per_day: 0.1, cap: 0.5, grace_minutes: 30}
"""
RUBRIC = """\
schema_version: 1
exercises:
  flows:
    - {id: figures, title: Figures are readable, points: 2}
    - {id: essay, title: The question is answered, points: 3}
"""


@pytest.fixture
def course(tmp_path):
    file = tmp_path / "course" / "grading_config.yaml"
    file.parent.mkdir()
    file.write_text(CONFIG)
    return load_config(file)


def result(student="ada", points=(4.0, 2.0), submitted=None, exercise="flows", sha256="0", outcome="graded"):
    checks = [CheckResult(f"c{i}", f"C{i}", p, 5.0, "passed" if p else "failed") for i, p in enumerate(points)]
    when = datetime.fromisoformat(submitted) if submitted else None
    facts = SubmissionFacts(f"{exercise}.py", "py", sha256, when)
    return Result(student, exercise, sum(points), 10.0, outcome, checks, submission=facts)


def decision(kind, **more):
    return Decision(NOW, "Dr T", "because", kind, more.pop("student", "ada"), more.pop("exercise", "flows"), **more)
