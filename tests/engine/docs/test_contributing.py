"""CONTRIBUTING.md: a new exercise in five steps, done as they stand there, in a small course."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys

from autograder import Course
from autograder.authoring.new_exercise import NewExercise, create
from autograder.batch.declarations import wrong_declarations
from autograder.course import find_exercise, load_config
from autograder.service.translations import up_to_date

from .conftest import DOCS, REPOSITORY, blocks, follow

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


def test_a_new_exercise_leaves_what_holds_the_course_green(tmp_path, monkeypatch):
    """A draft is not translated, and in no table of finished exercises: only what is wrong in it is red."""
    for part in ("solutions", "tests/hidden", "reference", "translations"):
        shutil.copytree(REPOSITORY / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__", "*.mo"))
    for name in ("grading_config.yaml", "pyproject.toml"):
        shutil.copy(REPOSITORY / name, tmp_path)
    before = load_config(tmp_path / "grading_config.yaml")
    create(NewExercise("gaussian_entropy", "The entropy of a Gaussian", tmp_path))
    config = load_config(tmp_path / "grading_config.yaml")
    assert [one.id for one in config.exercises] == [*(one.id for one in before.exercises), "gaussian_entropy"]
    assert config.finished == before.finished
    found = up_to_date("fr", Course(config), write=False)
    assert not found.problems
    assert not found.stale
    assert wrong_declarations(config, find_exercise(config, "gaussian_entropy")) == []
    for copy in ("class/ada/gaussian_entropy.py", "copies/ada/other.py"):  # a student's, in the course's folder
        (tmp_path / copy).parent.mkdir(parents=True)
        (tmp_path / copy).write_text("import math\n")
    ours = 'lint.isort.known-first-party=["autograder"]'
    command = [sys.executable, "-m", "ruff", "check", "--config", ours, "."]
    ruff = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert ruff.returncode == 0, ruff.stdout
    monkeypatch.syspath_prepend(str(DOCS))
    import generate

    page = generate.configuration()
    monkeypatch.setattr(generate, "REPOSITORY", tmp_path)
    assert generate.configuration() == page
    assert generate.finished_map(config) == generate.MAP.read_text(encoding="utf-8")


def test_there_are_five_steps():
    steps = re.findall(r"(?m)^\*\*(\d)\. ", PAGE.read_text(encoding="utf-8"))
    assert steps == ["1", "2", "3", "4", "5"]
    assert all(block.language for block in blocks(PAGE))
