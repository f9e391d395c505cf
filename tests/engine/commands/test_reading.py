"""Every command that is given submissions reads them as `grade` does."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.results.model import Result
from tests.engine import command_line
from tests.engine.classes import keep


def autograder(*arguments: str | Path) -> str:
    ran = command_line.autograder(*arguments)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@pytest.fixture
def flat(tmp_path: Path, toy_solution: str) -> Path:
    """Two students' files in one folder, no folder per student anywhere."""
    folder = tmp_path / "flat"
    folder.mkdir()
    for student in ("ada", "bob"):
        (folder / f"{student}_toy.py").write_text(toy_solution)
    return folder


def test_nbgraders_course_gets_the_submissions_that_are_graded(flat: Path, toy: Path, tmp_path: Path):
    told = autograder("grade", flat, "--course", toy, "--out", tmp_path / "out", "--dry-run")
    assert "2 would be graded" in told
    autograder("export", "nbgrader", tmp_path / "course", "--course", toy, "--submissions", flat)
    submitted = sorted(p.relative_to(tmp_path / "course") for p in (tmp_path / "course/submitted").rglob("*.ipynb"))
    assert submitted == [Path("submitted") / student / "toy/toy.ipynb" for student in ("ada", "bob")]


def test_the_class_report_compares_the_submissions_that_were_graded(flat: Path, toy: Path, tmp_path: Path):
    for student in ("ada", "bob"):
        keep(tmp_path / "out", Result(student, "toy", 20.0, 20.0, "graded"))
    autograder("report", tmp_path / "out", "--class", tmp_path / "without", "--course", toy)
    autograder("report", tmp_path / "out", "--class", tmp_path / "with", "--course", toy, "--submissions", flat)
    heading = "Nearly the same code"
    assert heading not in (tmp_path / "without/class.md").read_text()
    assert heading in (tmp_path / "with/class.md").read_text()
