"""The quiz in a result: the student's own question, and the answer as it was given, right or wrong."""

from __future__ import annotations

import pytest

from autograder.authoring.personal import load_quiz, personal_rng, personalise
from autograder.course import find_exercise, load_config


@pytest.fixture(scope="module")
def place(toy):
    return find_exercise(load_config(toy / "grading_config.yaml"), "toy")


@pytest.mark.parametrize(
    ("answer", "says"), [("0.25", "0.25"), ("'b'", "'b'"), ("torch.ones(2, 3)", "[[1, 1, 1], [1, 1, 1]]"), ("None", "")]
)
def test_a_question_and_its_answer_are_in_the_result(grade, toy_solution, place, answer, says):
    source = personalise(toy_solution, place, "ada") + f"\nANSWERS = {{'mean': {answer}}}\n"
    quiz = grade(source, checks=["quiz_mean"])["by_id"]["quiz_mean"]
    _numbers, questions = load_quiz(place.quiz).draw(personal_rng(place, "ada"))
    assert quiz["outcome"] == "failed"
    assert quiz["asked"] == {"question": questions["mean"], "answer": says}


def test_the_question_is_the_judges_and_no_right_answer_slips_in(grade, place):
    found = grade(
        "QUIZ = {'mean': 'forged'}\nclass A(dict):\n    def __getitem__(self, key): raise SystemExit\nANSWERS = A()"
    )
    asked = found["by_id"]["quiz_mean"]["asked"]
    _numbers, questions = load_quiz(place.quiz).draw(personal_rng(place, "ada"))
    assert asked == {"question": questions["mean"], "answer": ""}
    assert all(check["asked"] is None for check in found["checks"] if check["kind"] != "quiz")
