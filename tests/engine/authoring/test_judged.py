"""Points and settings in statements are those of the checks: read from them, each counted once, drift refused."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

import autograder
from autograder.authoring.bundle import stub_source
from autograder.authoring.errors import AuthoringError
from autograder.authoring.judged import checks, fill
from autograder.course import Exercise, find_exercise, load_config

COURSE = load_config(Path(autograder.__file__).parents[1] / "grading_config.yaml")
CHECKS = """
FIT = {"steps": 300, "lr": 1e-3}
SIZE = 16


@check(points=1.5, kind="exact")
def test_quiz_one(student):
    pass


@check(points=2)
def test_nll(student):
    pass
"""


@pytest.fixture
def exercise(tmp_path: Path) -> Exercise:
    made = Exercise("demo", "course", tmp_path)
    made.hidden_folder.mkdir(parents=True)
    (made.hidden_folder / "test_updates.py").write_text(CHECKS)
    return made


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("# ({points} points)", "# (3.5 points)"),
        ("# {points:updates} {points:quiz_*} {points:nll,quiz_*}", "# 3.5 1.5 3.5"),
        ("# `{judged:updates.FIT}`, {judged:updates.SIZE}", "# `steps=300, lr=0.001`, 16"),
        ('print(f"{points}")', 'print(f"{points}")'),  # code is code
        ("# $\\sqrt{x}$", "# $\\sqrt{x}$"),
    ],
)
def test_places_are_filled(text, filled, exercise):
    assert fill(text, exercise) == filled


@pytest.mark.parametrize("text", ["# {points:gone}", "# {judged:updates.GONE}", "# {judged:gone.FIT}", "# {judged}"])
def test_what_the_checks_do_not_have_is_refused(text, exercise):
    with pytest.raises(AuthoringError, match="nothing of that name") as caught:
        fill(f"x = 1\n{text}", exercise)
    assert caught.value.line == 2


@pytest.mark.parametrize("name", [exercise.id for exercise in COURSE.exercises])
def test_the_parts_of_a_statement_are_all_checks_once(name):
    exercise = find_exercise(COURSE, name)
    places = re.findall(r"^#.*$", exercise.solution.read_text(encoding="utf-8"), re.MULTILINE)
    parts = [what.split(",") for line in places for what in re.findall(r"\{points:([^}]+)\}", line)]
    for file, check, _points in checks(exercise):
        found = [part for part in parts if any(p == file or fnmatchcase(check, p) for p in part)]
        assert len(found) == 1, f"{check}: {found}"
    assert f"({COURSE.exercise(name).points:g} points)" in stub_source(exercise) or "Points (20)" in stub_source(
        exercise
    )
