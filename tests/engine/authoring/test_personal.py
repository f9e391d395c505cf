"""Personal numbers: the same on every machine, different for every student, written as Python."""

from __future__ import annotations

import ast
import json
import random
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.authoring.errors import AuthoringError
from autograder.authoring.personal import (
    WIDTH,
    load_quiz,
    personal_rng,
    personalise,
    personalise_example,
    read_personal,
    render,
)
from autograder.course.discovery import Exercise

QUIZ = """\
import random
from dataclasses import replace

BASE = 10


def personal(rng):
    return {"n": rng.randint(1, 10**9), "pair": (1, 2)}


def questions(personal):
    return {"q": f"What is {personal['n']} plus {personal['pair']}? Answer: a number."}


### BEGIN SOLUTION
def answers(personal):
    return {"q": {"kind": "integer", "value": personal["n"] + BASE}}
### END SOLUTION
"""
SOURCE = """\
# %%
### BEGIN PERSONAL
PERSONAL = {}
QUIZ = {}
### END PERSONAL
ANSWERS = {"q": None}
"""


@pytest.fixture
def exercise(tmp_path: Path) -> Exercise:
    found = Exercise("demo", "course", tmp_path)
    found.quiz.parent.mkdir(parents=True)
    found.quiz.write_text(QUIZ)
    return found


def numbers(source: str) -> dict[str, object]:
    return read_personal(source, Path("x.py"))


def test_each_student_has_numbers_of_their_own(exercise: Exercise) -> None:
    alice, bob = personalise(SOURCE, exercise, "alice"), personalise(SOURCE, exercise, "bob")
    assert alice != bob
    assert alice == personalise(SOURCE, exercise, "alice")
    assert personalise(bob, exercise, "alice") == alice  # it replaces what another run wrote
    assert 'ANSWERS = {"q": None}' in alice
    values, quiz = numbers(alice)["PERSONAL"], numbers(alice)["QUIZ"]
    assert values["pair"] == [1, 2]  # type: ignore[index]
    assert quiz == {"q": f"What is {values['n']} plus [1, 2]? Answer: a number."}  # type: ignore[index]


def test_the_draw_is_the_published_one(exercise: Exercise) -> None:
    # A fixed value: students drew their questions by it.
    assert personal_rng(exercise, "alice").randint(1, 10**9) == 544692013


@pytest.mark.parametrize("same", ["Alice", " alice ", "ALICE", "\uff41lice"])
def test_the_form_of_the_name_does_not_count(exercise: Exercise, same: str) -> None:
    assert personalise(SOURCE, exercise, same) == personalise(SOURCE, exercise, "alice")


def test_course_and_exercise_count(exercise: Exercise) -> None:
    first = personal_rng(exercise, "alice").random()
    assert personal_rng(Exercise("demo", "other", exercise.root), "alice").random() != first
    assert personal_rng(Exercise("other", "course", exercise.root), "alice").random() != first


def test_the_example_is_nobodys(exercise: Exercise) -> None:
    quiz = load_quiz(exercise.quiz)
    values, _ = quiz.draw(random.Random("example"))
    assert numbers(personalise_example(SOURCE, exercise))["PERSONAL"] == values
    assert quiz.answers is not None
    assert quiz.answers(values)["q"]["value"] == values["n"] + 10


def test_a_source_needs_exactly_one_block(exercise: Exercise) -> None:
    for source, count in (("x = 1\n", 0), (SOURCE + SOURCE, 2)):
        with pytest.raises(AuthoringError, match=f"has {count} PERSONAL blocks"):
            personalise(source, exercise, "alice")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("(1, 2)", "{1, 2}", "cannot be written as JSON"),
        ("(1, 2)", "float('nan')", "cannot be written as JSON"),
        ('"pair": (1, 2)', "3: 4", "text as its keys"),
        ("def personal", "def other", "no function personal"),
        ('f"What', "b'x' or f\"What", "text to text"),
    ],
)
def test_a_quiz_that_cannot_be_drawn_is_its_authors_error(exercise: Exercise, old: str, new: str, words: str) -> None:
    assert old in QUIZ
    exercise.quiz.write_text(QUIZ.replace(old, new, 1))
    with pytest.raises(AuthoringError, match=words) as caught:
        personalise(SOURCE, exercise, "alice")
    assert caught.value.file == exercise.quiz


def test_a_missing_quiz_is_named(tmp_path: Path) -> None:
    with pytest.raises(AuthoringError, match="the quiz is missing"):
        load_quiz(tmp_path / "quiz.py")


def test_numbers_that_are_not_literals_are_an_error() -> None:
    source = SOURCE.replace("PERSONAL = {}", "PERSONAL = draw()")
    with pytest.raises(AuthoringError, match="not made of literals") as caught:
        numbers(source)
    assert caught.value.line == 2


TEXT = st.text(st.characters(codec="utf-8"))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_what_is_written_is_what_is_read(value: object) -> None:
    text = render("X = ", value)
    assert ast.literal_eval(text.removeprefix("X = ")) == json.loads(json.dumps(value))


@given(st.lists(st.text("abc é'\"", max_size=12), min_size=20, max_size=60))
def test_long_texts_are_broken_at_spaces(words: list[str]) -> None:
    text = " ".join(words)
    written = render("QUIZ = ", {"key": text})
    assert ast.literal_eval(written.removeprefix("QUIZ = ")) == {"key": text}
    assert all(len(line) <= WIDTH for line in written.split("\n"))


def test_shared_questions_are_those_of_the_general_stub(exercise: Exercise) -> None:
    shared = replace(exercise, shared_questions=True)
    assert personalise(SOURCE, shared, "alice") == personalise(SOURCE, shared, "bob")
    assert personalise(SOURCE, shared, "alice") == personalise_example(SOURCE, exercise)
