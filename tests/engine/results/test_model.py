"""Results as JSON: version 2 comes back as it was, version 1 is read, and what is no result is refused."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import jsonschema
import pytest

from autograder.results.files import BrokenResult, read_result, result_text
from autograder.results.model import (
    CheckResult,
    Environment,
    Incident,
    InForce,
    Late,
    LoadingProblem,
    Result,
    SubmissionFacts,
)
from autograder.results.schema import SCHEMA_FILE, result_schema
from tests.engine.valid_results import validate

DUE = datetime.fromisoformat("2027-02-08T23:59:59+01:00")


def full() -> Result:
    return Result(
        "ada",
        "toy",
        3.0,
        10.0,
        "graded",
        checks=[CheckResult("a", "A holds.", 3.0, 10.0, "passed", measured={"loss": 0.5, "nan": None})],
        submission=SubmissionFacts("toy.py", "py", "ab" * 32, DUE, attempt=1, attempts=2),
        loading=[LoadingProblem("cell 1", 2, "syntax", "bad")],
        notes=["a note"],
        incidents=[Incident("died", "signal 9", "a")],
        late=Late(DUE, 0.25, 2.25),
        environment=Environment(InForce("reduced", ["seccomp"], ["namespaces"], ["no"]), {"torch": "2"}, "cpu", "x"),
        duration_s=1.5,
    )


# What 1ffff6a wrote.
VERSION_1 = {
    "schema_version": 1, "student": "ada", "exercise": "toy", "points": 3.0, "max_points": 10.0, "outcome": "graded",
    "checks": [{
        "id": "a", "title": "A holds.", "points": 3.0, "max_points": 10.0, "outcome": "passed", "message": "",
        "hint": "",
        "diagnosis": None, "diagnosis_title": "", "duration_s": 0.0, "figures": {"loss": 0.5, "nan": None},
        "kind": "exact", "visibility": "hidden",
    }],
    "message": "",
    "submission": {
        "file": "toy.py", "format": "py", "sha256": "ab" * 32, "submitted": "2027-02-08T23:59:59+01:00", "attempt": 1,
        "attempts": 2,
    },
    "loading": [{"where": "cell 1", "line": 2, "kind": "syntax", "message": "bad"}], "notes": ["a note"],
    "incidents": [{"kind": "died", "detail": "signal 9", "check": "a"}],
    "late": {"due": "2027-02-08T23:59:59+01:00", "penalty": 0.25, "points_after_penalty": 2.25},
    "environment": {
        "isolation": {"level": "reduced", "layers": ["seccomp"], "missing": ["namespaces"], "why": ["no"]},
        "versions": {"torch": "2"}, "device": "cpu", "data": "x",
    },
    "duration_s": 1.5,
}  # fmt: skip
UNREADABLE_1 = {
    **VERSION_1, "outcome": "unreadable", "checks": [], "loading": [], "incidents": [], "late": {}, "environment": {},
    "submission": {"file": "toy.pdf", "sha256": "", "submitted": None}, "message": "a PDF",
}  # fmt: skip


def test_what_is_written_is_read_back_and_is_valid():
    for result in (full(), Result("ada", "toy", 0.0, 10.0, "missing")):
        data = json.loads(result_text(result))
        validate(data)
        assert data["schema_version"] == 2
        assert Result.from_json(data) == result


def test_what_was_written_before_checks_had_parts_is_read_and_valid():
    data = full().to_json()
    assert data["checks"][0].pop("parts") == {}
    validate(data)
    assert Result.from_json(data).checks[0].share == 1


@pytest.mark.parametrize(
    ("outcome", "parts", "share"),
    [
        ("passed", {}, 1.0),
        ("failed", {}, 0.0),
        ("failed", {"f": "passed", "g": "failed", "h": "blocked", "i": "passed"}, 0.5),
        ("blocked", {}, 0.0),
        ("error", {"f": "passed", "g": "failed"}, 0.0),
    ],
)
def test_a_check_earns_the_share_of_its_parts(outcome, parts, share):
    assert CheckResult("a", "A holds.", 0.0, 2.0, outcome, parts=parts).share == share


def test_version_1_is_read():
    assert Result.from_json(VERSION_1) == full()
    old = Result.from_json(UNREADABLE_1)
    assert old.outcome == "handed_in_not_gradable"
    assert (old.message, old.late, old.environment.isolation, old.environment.level) == ("a PDF", None, None, "none")
    validate(old.to_json())


def test_a_mark_of_the_platform_and_what_nobody_knows_any_more():
    told = {**UNREADABLE_1, "submission": {"file": "toy.py", "marked_late": True, "something": "else"}}
    assert Result.from_json(told).submission == SubmissionFacts("toy.py", marked_late=True)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"schema_version": 3}, "schema_version"),
        ({"outcome": "unreadable"}, "outcome"),
        ({"outcome": 1}, "outcome"),
        ({"points": "3"}, "points"),
        ({"points": -1}, "points"),
        ({"student": ""}, "student"),
        ({"chekcs": []}, "chekcs"),
        ({"late": {}}, "late"),
        ({"checks": [{"id": "a"}]}, r"checks\[0\]"),
    ],
)
def test_what_is_no_result_is_refused_and_named(change, said, tmp_path: Path):
    data = full().to_json() | change
    path = tmp_path / "toy.json"
    path.write_text(json.dumps(data))
    with pytest.raises(BrokenResult, match=said):
        read_result(path)
    with pytest.raises(jsonschema.ValidationError):
        validate(data)


def test_the_published_schema_is_that_of_the_code():
    assert json.loads(SCHEMA_FILE.read_text(encoding="utf-8")) == result_schema()
    jsonschema.Draft202012Validator.check_schema(result_schema())
