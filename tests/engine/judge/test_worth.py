"""What a judge says of the checks before it has graded anybody."""

from __future__ import annotations

import pytest

from autograder.authoring.personal import personalise
from autograder.course import ExerciseConfig, find_exercise, load_config
from autograder.judge.scoring import apply_points
from autograder.results.model import CheckResult


def test_a_judge_says_what_there_is_to_earn(toy, toy_judge, toy_solution, grade):
    course = load_config(toy / "grading_config.yaml")
    result = grade(personalise(toy_solution, find_exercise(course, "toy"), "ada"))
    told = toy_judge.checks["toy"]
    assert [(c.id, c.title, c.max_points, c.visibility) for c in told] == [
        (c["id"], c["title"], c["max_points"], c["visibility"]) for c in result["checks"]
    ]
    assert sum(c.max_points for c in told) == result["max_points"]


def test_points_of_checks_add_up_to_the_exercise():
    # Each rounded by itself, seven checks of an exercise of 10 points once gave 10.0001.
    weights = [1.5, 1, 1.5, 1, 1, 1.5, 1]
    checks = [CheckResult(f"c{i}", "", 0.0, weight, "passed") for i, weight in enumerate(weights)]
    apply_points(checks, ExerciseConfig(id="x", title="X", points=10.0))
    assert round(sum(check.points for check in checks), 4) == 10.0
    assert [check.max_points for check in checks] == pytest.approx([w * 10 / 8.5 for w in weights], abs=1e-4)
