"""What a judge says of the checks before it has graded anybody."""

from __future__ import annotations

from autograder.authoring.personal import personalise
from autograder.course import find_exercise, load_config


def test_a_judge_says_what_there_is_to_earn(toy, toy_judge, toy_solution, grade):
    course = load_config(toy / "grading_config.yaml")
    result = grade(personalise(toy_solution, find_exercise(course, "toy"), "ada"))
    told = toy_judge.checks["toy"]
    assert [(c["id"], c["title"], c["max_points"], c["visibility"]) for c in told] == [
        (c["id"], c["title"], c["max_points"], c["visibility"]) for c in result["checks"]
    ]
    assert sum(c["max_points"] for c in told) == result["max_points"]
