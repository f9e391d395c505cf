"""A comparison labels itself: the call of the student's function as it stands in the check."""

from __future__ import annotations

import types

import pytest

from autograder.judge.compare import compare
from autograder.judge.verdicts import CheckFailed

student = types.SimpleNamespace(f=lambda x, k=1: x + k, g=lambda: None)


def message(check) -> str:
    with pytest.raises(CheckFailed) as caught:
        check()
    return caught.value.message


def test_the_call_of_the_student_is_the_label():
    x = 2.0
    assert message(lambda: compare(student.f(x), 7.0)).startswith("f(x): ")
    assert message(lambda: compare(student.f(x, k=x * 2), 7.0, rtol=1e-3)).startswith("f(x, k=x * 2): ")
    assert message(lambda: compare(student.g(), [1.0])).startswith("g(): ")


def test_it_may_stand_on_several_lines():
    def check(é=3.0):
        _é, _ = "é", compare(
            student.f(
                é,  # bytes and characters differ here
            ),
            7.0,
        )  # fmt: skip

    assert message(check).startswith("f(é): ")


def test_another_label_may_be_given():
    assert message(lambda: compare(student.f(1.0), 7.0, "the sum")).startswith("the sum: ")


def test_what_is_right_needs_no_label():
    answer = student.f(1.0)
    compare(answer, 2.0)
    assert message(lambda: compare(answer, 3.0)).startswith("answer: ")
