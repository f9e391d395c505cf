"""What GitHub Classroom's grading reporter reads: base64 of a JSON object, in the variable `<RUNNER>_RESULTS`."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import TypedDict

from autograder.bridges.ci.report import Line, Section, status
from autograder.reports.visible import NOT_SHOWN
from autograder.results.points import rounded

VERSION = 3


def classroom_result(sections: Sequence[Section]) -> str:
    """The report as one line of base64.

    The reporter adds up the scores of all tests. Where points are withheld, or public checks earn none, a passed check
    counts one.
    """
    weighed = bool(sections) and all(part.points is not None and part.max_points for part in sections)
    weighed = weighed and all(part.kind == "hidden" for part in sections)
    tests = [_test(part, line, weighed) for part in sections for line in part.lines]
    tests += [_unread(part, weighed) for part in sections if not part.lines]
    most = sum(part.max_points for part in sections) if weighed else sum(test["max_score"] for test in tests)
    outcome = status(sections)
    data = {"version": VERSION, "status": outcome, "max_score": rounded(most), "tests": tests}
    return base64.b64encode(json.dumps(data).encode()).decode("ascii")


class TestReport(TypedDict):
    """One test, as the reporter reads it."""

    name: str
    status: str
    score: float
    max_score: float
    message: str | None
    test_code: str
    filename: str
    line_no: int
    duration: float


def _test(part: Section, line: Line, weighed: bool) -> TestReport:
    # What is not shown or not run for a good reason must not fail anybody.
    states = {"passed": "pass", "error": "error", "skipped": "pass", NOT_SHOWN: "pass"}
    score = (line.points or 0.0) if weighed else float(line.outcome == "passed")
    counted = line.max_points if weighed else float(line.outcome in ("passed", "failed", "blocked", "error"))
    return {
        "name": f"{part.id}: {line.title}",
        "status": states.get(line.outcome, "fail"),
        "score": rounded(score),
        "max_score": rounded(counted),
        "message": line.text or None,
        "test_code": "",
        "filename": part.file,
        "line_no": line.line or 0,
        "duration": 0,
    }


def _unread(part: Section, weighed: bool) -> TestReport:
    return {
        "name": part.id,
        "status": "error" if part.outcome == "error" else "fail" if part.bad else "pass",
        "score": 0,
        "max_score": part.max_points if weighed else 1,
        "message": part.text or None,
        "test_code": "",
        "filename": part.file,
        "line_no": 0,
        "duration": 0,
    }
