"""Finding a course and its exercises' files."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.course import find_course, find_exercise, list_exercises, load_config
from autograder.course.errors import ConfigurationError

CONFIG = """\
schema_version: 1
course: {id: demo, title: Demo}
exercises:
  - {id: first, title: One}
  - {id: second, title: Two}
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "grading_config.yaml").write_text(CONFIG)
    return tmp_path.resolve()


def test_the_course_is_found_from_below(root: Path) -> None:
    inner = root / "solutions" / "first"
    inner.mkdir(parents=True)
    assert find_course(inner) == root
    assert find_course(root) == root


def test_no_course_says_where_it_looked(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"no grading_config\.yaml in .* or any folder above"):
        find_course(tmp_path)


def test_exercises_come_in_the_order_of_the_course(root: Path) -> None:
    course = load_config(root / "grading_config.yaml")
    assert [exercise.id for exercise in list_exercises(course)] == ["first", "second"]
    with pytest.raises(ConfigurationError, match="no exercise 'third'"):
        find_exercise(course, "third")


def test_missing_files_are_named_one_by_one(root: Path) -> None:
    exercise = find_exercise(load_config(root / "grading_config.yaml"), "first")
    assert exercise.course == "demo"
    exercise.solution.parent.mkdir(parents=True)
    exercise.solution.write_text("x = 1\n")
    missing = "\n".join(exercise.missing())
    assert "solutions/first/first.py" not in missing
    for name in (
        "quiz.py",
        "mistakes.py",
        "test_public.py",
        "probes.py",
        "contract.yaml",
        "tests/hidden/first/test_*.py",
    ):
        assert name in missing
    exercise.require(exercise.solution)
    with pytest.raises(
        ConfigurationError, match=r"'first' lacks solutions/first/quiz\.py, solutions/first/mistakes\.py"
    ):
        exercise.require(exercise.solution, exercise.quiz, exercise.mistakes)


def test_a_complete_exercise_misses_nothing(root: Path) -> None:
    exercise = find_exercise(load_config(root / "grading_config.yaml"), "first")
    hidden = exercise.hidden_folder / "test_values.py"
    for path in (
        exercise.solution, exercise.quiz, exercise.mistakes, exercise.public_checks, exercise.probes,
        exercise.contract, hidden, root / "tests/alternatives/first/loops.py",
    ):  # fmt: skip
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    assert exercise.missing() == ()
    assert exercise.hidden_checks == (hidden,)
    assert [path.name for path in exercise.alternatives] == ["loops.py"]
