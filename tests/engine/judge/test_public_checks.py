"""A student's own check: the form of quiz answers, which check runs, limits by the machine, and everything shown."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.authoring.bundle import write
from autograder.batch.judges import Judge
from autograder.course import load_config
from autograder.judge.messages import Job, Order
from autograder.results.model import Result

MEAN = "def mean(x):\n    return x.sum(1) / x.shape[1]\n"
QUIZ = 'QUIZ = {"mean": "What is it? (a number)"}\n'


@pytest.fixture(scope="module")
def judge(toy: Path) -> Iterator[Judge]:
    config = toy / "grading_config.yaml"
    write(load_config(config))
    handout = toy / "exercises" / "en"
    order = Order(handout / "course.yaml", (handout / "toy",), b"nothing is secret", True, public=True, slower=0.25)
    with Judge(order) as judge:
        yield judge


def checked(judge: Judge, source: str, watch=None, **job) -> Result:
    cells = ({"source": source, "where": "toy.py", "filename": "toy.py", "first_line": 1},)
    return judge.grade(Job("toy", "you", cells, 120, **job), watch)


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ("ANSWERS = {'mean': 3.5}", None),
        ("ANSWERS = {'mean': '3,5'}", None),
        ("ANSWERS = {'mean': None}", "ANSWERS['mean'] is still None: not answered."),
        ("ANSWERS = {'mean': 'b'}", "ANSWERS['mean']: expected a number, got the text 'b'."),
        ("ANSWERS = {'mean': '1/3'}", "ANSWERS['mean']: expected a number, got the text '1/3'."),
        ("ANSWERS = {'maen': 1}", "ANSWERS has no key 'mean' (its keys: 'maen')."),
        ("ANSWERS = [1]", "ANSWERS: expected a dict, got a list of 1 item."),
        ("", "The quiz is not answered: `ANSWERS` is not defined in your file."),
    ],
)
def test_the_form_of_an_answer_is_looked_at(judge, answers, message):
    (quiz,) = [c for c in checked(judge, QUIZ + MEAN + answers).checks if c.kind == "quiz"]
    assert (quiz.outcome, quiz.message) == (("passed", "") if message is None else ("failed", message))
    assert quiz.max_points == 0


@pytest.mark.parametrize(
    ("answer", "good"), [("b", True), ("(B)", True), ("z", False), ("e", False), ("by", False), ("Letter", False)]
)
def test_a_letter_is_one_of_those_listed(answer, good):
    from autograder.judge.quiz import _choice, _offers

    question = "How far? (a) by q(z|x); (b) by p(e); (c) by both. [one letter]"
    assert _offers(question, _choice(answer)) == good
    assert _offers("Is it (a) or not? Answer: 'by' or 'a letter'.", "by")


@pytest.mark.parametrize(("answer", "good"), [("both", True), ("Both.", True), ("booth", False), ("o", False)])
def test_a_word_is_one_that_the_question_offers(answer, good):
    from autograder.judge.quiz import QuizJudge
    from autograder.judge.verdicts import CheckFailed

    class Student:
        ANSWERS = {"q": answer}  # noqa: RUF012
        QUIZ = {"q": "Which? Answer: 'first', 'both' or 'neither'."}  # noqa: RUF012

    quiz = QuizJudge(Student(), {}, False, lambda name, value: None)
    if good:
        quiz.look_at_form("q", "choice")
    else:
        with pytest.raises(CheckFailed, match="one of the words that the question offers"):
            quiz.look_at_form("q", "choice")


def test_a_public_check_that_fails_shows_everything(judge):
    check = checked(judge, "def mean(x):\n    return x.sum(1) + 1\n").checks[0]
    assert check.outcome == "failed"
    assert "Expected: [1, 1]." in check.message
    assert "The call was mean([[1, 1, 1], [1, 1, 1]]); its answer: [4, 4]." in check.message
    assert "The check is test_mean_of_ones in toy/test_public.py, line" in check.hint


def test_what_raises_shows_its_call_and_what_is_not_written_needs_none(judge):
    raises = checked(judge, "def mean(x):\n    return x / 0 + 1 // 0\n").checks[0]
    assert "ZeroDivisionError" in raises.message
    assert "in mean). The call was mean([[1, 1, 1], [1, 1, 1]])." in raises.message
    assert raises.message.endswith("In that line: `x`: a tensor of shape (2, 3), float32.")
    unwritten = checked(judge, "def mean(x):\n    raise NotImplementedError\n").checks[0]
    assert "The call was" not in unwritten.message
    assert "test_public.py" not in unwritten.hint


def test_which_check_runs_is_told_with_its_limit_on_this_machine(judge):
    told = []
    checked(judge, MEAN, lambda title, seconds: told.append((title, seconds)))
    assert told == [("The mean of ones is one.", 1.0), ("Quiz, mean: an answer of the form that is asked for.", 1.0)]


def test_limits_are_those_of_grading_for_this_machine(judge):
    check = checked(judge, "def mean(x):\n    while True:\n        pass\n").checks[0]
    assert "did not end within the 1 s of this check" in check.message
    (problem,) = checked(judge, "while True:\n    pass\n" + MEAN).loading
    assert "did not end within 0.75 s" in problem.message


def test_a_library_that_grading_does_not_have_is_refused(judge):
    result = checked(judge, "import msgspec\n" + MEAN)
    assert "`msgspec` cannot be imported here" in result.loading[0].message
    assert result.checks[0].outcome == "passed"


def test_one_check_can_be_asked_for(judge):
    assert [check.id for check in checked(judge, MEAN, checks=("mean_of_ones",)).checks] == ["mean_of_ones"]
