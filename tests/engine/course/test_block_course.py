"""The example of a block course has the semester's exercises, in its order, on other days."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from autograder.course import load_config

ROOT = Path(__file__).parents[3]


def test_the_block_course_is_the_semester_in_two_weeks():
    semester, block = (load_config(ROOT / file) for file in ("grading_config.yaml", "examples/block_course.yaml"))
    assert [replace(exercise, due=None) for exercise in block.exercises] == [
        replace(exercise, due=None) for exercise in semester.exercises
    ]
    dates = [exercise.due for exercise in block.exercises]
    assert dates == sorted(dates)
    assert (dates[-1] - dates[0]).days < 14
