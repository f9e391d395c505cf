"""The example class: every file is found and accounted for, and what it must get is written down consistently."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from autograder.authoring.mistakes import read_mistakes
from autograder.course import find_exercise, load_config
from autograder.submissions import Wanted, read_class

ROOT = Path(__file__).parents[3]
COURSE = load_config(ROOT / "grading_config.yaml")
EXPECTED: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "examples" / "expected.yaml").read_text())
SCAN = read_class(ROOT / "examples" / "submissions", Wanted([exercise.id for exercise in COURSE.exercises]))
ROWS = [(student, exercise) for student, row in EXPECTED.items() for exercise in row]


def test_every_example_is_found_and_nothing_else_lies_there() -> None:
    found = [(entry.student, entry.exercise) for entry in SCAN.entries]
    found += [(nothing.student, nothing.exercise) for nothing in SCAN.not_gradable]
    assert sorted(found) == sorted(ROWS)
    assert all(item.counts for item in SCAN.evidence)
    assert [nothing.message for nothing in SCAN.not_gradable if ".." in nothing.message] == []
    assert len(SCAN.entries) >= 14
    assert {entry.path.suffix for entry in SCAN.entries} == {".py", ".ipynb"}


@pytest.mark.parametrize(("student", "exercise"), ROWS, ids=lambda value: str(value))
def test_an_example_is_what_its_row_says(student: str, exercise: str) -> None:
    row = EXPECTED[student][exercise]
    found = [(entry.student, entry.exercise, entry.path, "graded") for entry in SCAN.entries]
    found += [(n.student, n.exercise, n.evidence[0].path, "handed_in_not_gradable") for n in SCAN.not_gradable]
    ((path, outcome),) = [(item[2], item[3]) for item in found if item[:2] == (student, exercise)]
    assert path.name == row["file"]
    assert outcome == row["outcome"]
    low, high = row["points"]
    assert 0 <= low <= high <= 20
    known = {mistake.id for mistake in read_mistakes(find_exercise(COURSE, exercise).mistakes)}
    assert set(row.get("diagnosis", {}).values()) <= known
    assert set(row.get("diagnosis", {})) <= set(row.get("loses", []))
