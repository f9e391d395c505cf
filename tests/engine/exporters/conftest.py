"""A course with results that no grading made: a late one, an override, an extension, a fault of ours, a formula."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from autograder.book.decisions import Decision
from autograder.book.place import open_store
from autograder.commands.main import cli
from autograder.results.files import result_path, write_result
from autograder.results.model import CheckResult, Result, SubmissionFacts

CONFIG = """
schema_version: 1
course: {id: c, title: C, timezone: Europe/Paris}
exercises:
  - {id: chains, title: "Chains, and more", points: 20, due: 2027-02-08, published: true}
  - {id: flows, title: Flows, points: 10}
late_penalty: {per_day: 0.25, cap: 0.5}
"""
HANDED_IN = """student,exercise,file,submitted,late,name,email,lms_id,notes
ada,chains,chains.py,,,Ada Lovelace,ada@x.org,1001,
zoé,chains,chains.py,,,Zoé_Müller,zoe@x.org,1002,
"""
LATE = datetime.fromisoformat("2027-02-09T12:00:00+01:00")


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """The folder of the course; its results are in `out`."""
    (tmp_path / "grading_config.yaml").write_text(CONFIG)
    out = tmp_path / "out"

    def put(student: str, exercise: str, points: float, most: float, outcome: Any = "graded", **submission: Any):
        checks = [CheckResult("a.b", "Counts", points, most, "passed")]
        result = Result(student, exercise, points, most, outcome, checks, submission=SubmissionFacts(**submission))
        write_result(result_path(out, student, exercise), result)

    put("ada", "chains", 18.25, 20, submitted=LATE)  # a day late
    put("ada", "flows", 10, 10)
    put("zoé", "chains", 12.5, 20, submitted=LATE)
    put("zoé", "flows", 0, 10, "missing")
    put("=cmd()", "chains", 3, 20)
    put("=cmd()", "flows", 4, 10, "error")  # one of two checks ran before our fault
    (out / "handed_in.csv").write_text(HANDED_IN)
    book = open_store(out)
    for student, kind, more in (
        ("zoé", "extend", {"due": datetime(2027, 2, 12, tzinfo=UTC)}),
        ("ada", "override", {"points": 20.0, "was": 18.25}),
        ("ada", "comment", {"text": "private!", "private": True}),
    ):
        book.decisions.add(Decision(datetime(2027, 3, 1, tzinfo=UTC), "t", "because", kind, student, "chains", **more))
    book.close()
    return tmp_path


@pytest.fixture
def run(course: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """`run("report", "OUT", "--csv")`: a command about the course's results, OUT being their folder."""
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: str) -> Any:
        own = [str(course / "out") if argument == "OUT" else argument for argument in arguments]
        ran = CliRunner().invoke(cli, [*own, "--course", str(course)])
        assert ran.exit_code == 0, (ran.output, ran.exception)
        return ran

    return run


@pytest.fixture
def export(course: Path) -> Callable[..., tuple[bytes, str]]:
    """`export("csv", "--wide")` gives the file and what was said."""

    def export(name: str, *options: str, fails: bool = False) -> tuple[bytes, str]:
        file = course / "made"
        file.unlink(missing_ok=True)
        arguments = ["export", name, str(course / "out"), "-o", str(file), "--course", str(course), *options]
        ran = CliRunner().invoke(cli, arguments, catch_exceptions=not fails)
        if not fails:
            assert ran.exit_code == 0, (ran.output, ran.exception)
        return (file.read_bytes() if file.exists() else b""), ran.output

    return export
