"""The example class: every file is found and accounted for, and what it must get is written down consistently."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from autograder.authoring.overlay import read_mistakes
from autograder.course import find_exercise, load_config
from autograder.submissions import SubmissionUnreadable, Wanted, read_class, read_submission

ROOT = Path(__file__).parents[3]
COURSE = load_config(ROOT / "grading_config.yaml")
EXPECTED: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "examples" / "expected.yaml").read_text())
SCAN = read_class(ROOT / "examples" / "submissions", Wanted([exercise.id for exercise in COURSE.exercises]))
ROWS = [(student, exercise) for student, row in EXPECTED.items() for exercise in row]


def test_every_example_is_found_and_nothing_else_lies_there() -> None:
    assert sorted((entry.student, entry.exercise) for entry in SCAN.entries) == sorted(ROWS)
    assert SCAN.unplaced == ()
    assert len(SCAN.entries) >= 14
    assert {entry.path.suffix for entry in SCAN.entries} == {".py", ".ipynb"}


@pytest.mark.parametrize(("student", "exercise"), ROWS, ids=lambda value: str(value))
def test_an_example_is_what_its_row_says(student: str, exercise: str) -> None:
    row = EXPECTED[student][exercise]
    (entry,) = [item for item in SCAN.entries if (item.student, item.exercise) == (student, exercise)]
    assert entry.path.name == row["file"]
    try:
        read_submission(entry.path, base=SCAN.folder)
        outcome = "graded"
    except SubmissionUnreadable as reason:
        outcome = "handed_in_not_gradable" if reason.fault == "content" else "error"
    assert outcome == row["outcome"]
    low, high = row["points"]
    assert 0 <= low <= high <= 20
    known = {mistake.id for mistake in read_mistakes(find_exercise(COURSE, exercise).mistakes)}
    assert set(row.get("diagnosis", {}).values()) <= known
    assert set(row.get("diagnosis", {})) <= set(row.get("loses", []))
