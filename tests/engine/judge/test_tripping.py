"""A check that trips over an answer fails; one that trips over any answer, or over something of ours, is an error."""

from __future__ import annotations

import shutil

import pytest

from autograder.batch.job import Job, Order
from autograder.batch.judges import Judge

CHECKS = '''
import math

import torch

from autograder.judge import check
from autograder.judge.verdicts import FrameworkFault


@check(points=2)
def test_careless(student, draw):
    """A check that works with right answers only."""
    spread = student.spread(draw.normal(4, 5))
    assert all(math.exp(float(v)) > 0 for v in spread[:, None].squeeze(1)), "no spread"


@check(points=2)
def test_broken(student):
    """A check that works with nothing."""
    student.spread(torch.ones(4, 5))
    raise ZeroDivisionError


@check(points=2)
def test_ours(student):
    """Something of ours, whatever was answered."""
    if student.spread(torch.ones(4, 5)) is None:
        raise FrameworkFault("no limit")


@check(points=2)
def test_attribute(student):
    """A check that goes by attributes."""
    assert student.Line().scale.sum() > 0, "no scale"
'''

ANSWERS = [
    "None", "1", "torch.ones(4, dtype=torch.int64)[0]", "torch.full((4,), 1e160, dtype=torch.float64)", "'text'",
    "[1, 2]", "{}", "object()", "torch.ones(4, 4)", "lambda: 1",
]  # fmt: skip


@pytest.fixture(scope="module")
def judge(toy, tmp_path_factory):
    course = tmp_path_factory.mktemp("tripping") / "toy"
    shutil.copytree(toy, course, ignore=shutil.ignore_patterns("quiz.py"))
    (course / "tests/hidden/toy/test_toy.py").write_text(CHECKS)
    with Judge(
        Order(course / "grading_config.yaml", (course / "tests/hidden/toy",), b"a secret of the tests")
    ) as judge:
        yield judge


def graded(judge, source):
    cells = ({"source": source, "where": "toy.py", "filename": "toy.py", "first_line": 1},)
    result = judge.grade(Job("toy", "ada", cells, 120))
    return {check.id: check for check in result.checks}


@pytest.mark.parametrize("answer", ANSWERS)
def test_an_answer_that_cannot_be_worked_with_is_the_students(judge, answer):
    found = graded(judge, f"import torch\ndef spread(x): return {answer}\n")
    assert found["careless"].outcome == "failed", found["careless"].message
    assert "Error" not in found["careless"].message
    assert found["broken"].outcome == "error"
    assert found["ours"].outcome == ("error" if answer == "None" else "passed")


def test_right_answers_pass_and_a_broken_check_is_an_error(judge, toy_solution):
    found = graded(judge, toy_solution)
    assert {name: check.outcome for name, check in found.items() if name != "attribute"} == {
        "careless": "passed", "broken": "error", "ours": "passed",
    }  # fmt: skip


def test_the_message_says_what_was_answered_and_nothing_of_the_check(judge):
    message = graded(judge, "import torch\ndef spread(x): return torch.ones(4, 4)\n")["careless"].message
    assert message == (
        "The check could not work with what was answered, last by spread: a tensor of shape (4, 4), float32."
    )
