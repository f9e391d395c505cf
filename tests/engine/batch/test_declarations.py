"""What an exercise declares is held against itself before anything runs."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from autograder.authoring.errors import AuthoringError
from autograder.batch.declarations import declared_checks, wrong_declarations
from autograder.course import find_exercise, load_config

TOY = Path(__file__).parents[1] / "toy"
CHECKS, QUIZ, CONFIG = "tests/hidden/toy/test_toy.py", "solutions/toy/quiz.py", "grading_config.yaml"
CONTRACT, MISTAKES = "tests/hidden/toy/contract.yaml", "solutions/toy/mistakes.py"


@pytest.fixture
def course(tmp_path):
    return Path(shutil.copytree(TOY, tmp_path / "toy", ignore=shutil.ignore_patterns("__pycache__")))


def lines_of(course: Path, only=()) -> list[str]:
    config = load_config(course / CONFIG)
    return wrong_declarations(config, find_exercise(config, "toy"), only)


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_the_toy_declares_nothing_wrong(course):
    assert lines_of(course) == []
    declared = declared_checks(find_exercise(load_config(course / CONFIG), "toy"))
    assert [check.info.id for check in declared][-1] == "quiz_mean"
    assert (declared[0].info.id, declared[0].file.name, declared[0].line) == ("mean_value", "test_toy.py", 10)


def test_what_checks_share_lies_beside_them_and_is_read_anew(course):
    toy = find_exercise(load_config(course / CONFIG), "toy")
    beside = course / "tests/hidden/toy/samples.py"
    change(course / CHECKS, "import sampled", "import POINTS, sampled")
    change(course / CHECKS, "points=2, covers", "points=POINTS, covers")
    for points in (2, 3):
        beside.write_text(beside.read_text(encoding="utf-8") + f"\n\nPOINTS = {points}\n", encoding="utf-8")
        assert declared_checks(toy)[0].info.points == points


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        (CHECKS, "points=2, requires", "points=1, requires", "toy is worth 10 points, and its checks sum to 9"),
        (QUIZ, '"points": 1', '"points": 2', "toy is worth 10 points, and its checks sum to 11"),
        (CHECKS, 'covers="spread"', 'covers="spred"', "test_toy.py:24: spread_value covers 'spred'"),
        (CHECKS, 'covers="spread"', 'covers="spred"', "did you mean 'spread'"),
        (CHECKS, 'covers="spread"', 'covers="spred"', "no check covers 'spread'"),
        (CHECKS, 'requires=("mean_value",)', 'requires=("mean_vale",)', "spread_value requires 'mean_vale'"),
        (CHECKS, 'requires=("mean_value",)', 'requires=("nope",)', "test_toy.py:24: spread_value requires 'nope'"),
        (CHECKS, 'requires=("mean_value",)', 'requires=("spread_value",)', "which is no other check"),
        (CHECKS, 'covers="spread"', 'covers=("spread", "spreads")', "spread_value covers 'spreads'"),
        (
            CHECKS,
            'covers="spread"',
            'covers="spread", substance={"f": ("mean_vale",)}',
            "'mean_vale' as the substance of a part, which is no other check; did you mean 'mean_value'",
        ),
        (
            CHECKS,
            'covers="spread"',
            'covers="spread", substance={"*": "spread_value"}',
            "has 'spread_value' as the substance",
        ),
        (CHECKS, 'kind="statistical"', 'kind="statistics"', "is of kind 'statistics'; did you mean 'statistical'"),
        (CHECKS, "def test_line", "def test_quiz_mean", "the id 'quiz_mean' is taken"),
        (CONFIG, "  - id: toy\n", "  - id: toy\n    checks: {lin: {points: 2}}\n", "sets something for 'lin'"),
        (CONFIG, "  - id: toy\n", "  - id: toy\n    checks: {line: {points: 3}}\n", "checks sum to 11"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(course, file, old, new, words):
    change(course / file, old, new)
    assert any(words in line for line in lines_of(course)), lines_of(course)


def test_public_names_may_be_covered_and_checks_be_the_substance_of_parts(course):
    change(
        course / CHECKS, 'covers="spread"', 'covers=("spread", "Line", "sample"), substance={"Line": "line", "*": ()}'
    )
    assert lines_of(course) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        (MISTAKES, 'check="spread_value"', 'check="spred_value"', "mistakes.py:17: .*did you mean 'spread_value'"),
        (MISTAKES, 'old="x.ndim != 2"', 'old="x.ndim != 3"', "mistakes.py:13: .*does not stand in the solution"),
        (QUIZ, '"points": 1,', "", "needs a title and points"),
        (QUIZ, '        "mean": {', '        "men": {', "must have the same keys; only one of them has mean, men"),
    ],
)
def test_sources_of_another_form_are_refused(course, file, old, new, words):
    change(course / file, old, new)
    with pytest.raises(AuthoringError, match=words):
        lines_of(course)


def test_a_mistake_that_is_asked_for_must_exist(course):
    assert lines_of(course, ("unbiased_spread",)) == []
    (line,) = lines_of(course, ("unbiased_spred",))
    assert "no mistake is called 'unbiased_spred'; did you mean 'unbiased_spread'?" in line
