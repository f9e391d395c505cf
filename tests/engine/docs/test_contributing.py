"""CONTRIBUTING.md: a new exercise in five steps, done as they stand there, in a small course."""

from __future__ import annotations

import re
import shutil

from autograder.course import load_config

from .conftest import REPOSITORY, blocks, follow

PAGE = REPOSITORY / "CONTRIBUTING.md"


def test_five_steps_make_an_exercise_that_is_graded(toy, tmp_path):
    course = tmp_path / "course"
    shutil.copytree(toy, course)
    before = (course / "grading_config.yaml").read_text().splitlines()
    assert follow(PAGE, course, tmp_path / "logs") > 8
    config = load_config(course / "grading_config.yaml")
    assert [exercise.id for exercise in config.exercises] == ["toy", "gaussian_entropy"]
    after = (course / "grading_config.yaml").read_text().splitlines()
    assert [line for line in after if line in before] == before, "the configuration keeps its lines and comments"


def test_there_are_five_steps():
    steps = re.findall(r"(?m)^\*\*(\d)\. ", PAGE.read_text(encoding="utf-8"))
    assert steps == ["1", "2", "3", "4", "5"]
    assert all(block.language for block in blocks(PAGE))
