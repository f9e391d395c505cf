"""A course with results that no grading made: a late one, an override, an extension, a fault of ours, a formula."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from autograder.book.decisions import Decision
from autograder.book.handed_in import Handed
from autograder.book.place import open_store
from autograder.commands.main import cli
from autograder.results.model import CheckResult, Result, SubmissionFacts
from tests.engine.classes import keep

CONFIG = """
schema_version: 1
course: {id: c, title: C, timezone: Europe/Paris}
exercises:
  - {id: chains, title: "Chains, and more", points: 20, due: 2027-02-08, published: true}
  - {id: flows, title: Flows, points: 10}
late_penalty: {per_day: 0.25, cap: 0.5}
"""
LATE = datetime(2027, 2, 9, 11, tzinfo=UTC)  # by a day begun
TOLD = {"ada": ("Ada Lovelace", "ada@x.org", "1001"), "zoé": ("Zoé_Müller", "zoe@x.org", "1002")}


def fill_book(out: Path, told: bool = True, called: Mapping[str, str] | None = None) -> None:
    """Make the book in `out`.

    Args:
        told: whether the platform told names, addresses and numbers of the students.
        called: other names of students.
    """
    names = called or {}
    (out / "book.db").unlink(missing_ok=True)

    def put(student: str, exercise: str, points: float, most: float, outcome: Any = "graded", **submission: Any):
        checks = [CheckResult("a.b", "Counts", points, most, "passed")]
        student = names.get(student, student)
        keep(out, Result(student, exercise, points, most, outcome, checks, submission=SubmissionFacts(**submission)))

    put("ada", "chains", 18.25, 20, submitted=LATE)
    put("ada", "flows", 10, 10)
    put("zoé", "chains", 12.5, 20, submitted=LATE)
    put("=cmd()", "chains", 3, 20)
    put("=cmd()", "flows", 4, 10, "error")  # one of two checks ran before our fault
    with open_store(out) as book:
        for student, kind, more in (
            ("zoé", "extend", {"due": datetime(2027, 2, 12, tzinfo=UTC)}),
            ("ada", "override", {"points": 20.0, "was": 18.25}),
            ("ada", "comment", {"text": "private!", "private": True}),
        ):
            signed = {"who": "t", "why": "because", "when": datetime(2027, 3, 1, tzinfo=UTC)}
            book.decisions.add(Decision(kind, names.get(student, student), "chains", **more, **signed))
        files = [
            Handed(names.get(student, student), "chains", "", "chains.py", LATE, name=name, email=email, lms_id=number)
            for student, (name, email, number) in TOLD.items()
        ]
        book.handed_in.note(files if told else ())


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """The folder of the course; its results are in `out`."""
    (tmp_path / "grading_config.yaml").write_text(CONFIG)
    fill_book(tmp_path / "out")
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
