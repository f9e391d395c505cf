"""Our own code in the judge's process: what of it never ends is ended."""

from __future__ import annotations

import itertools

import pytest

from autograder.judge.loading import Code
from autograder.judge.local import LocalTransport
from autograder.judge.reference import load_module
from autograder.judge.remote import Student
from autograder.judge.session import Session
from autograder.judge.verdicts import StudentError

_numbers = itertools.count()
CODE = """
def batches(n, size):
    while True:
        yield from (list(range(i, i + size)) for i in range(0, n - size + 1, size))

def train(n, size):
    for batch in batches(n, size):
        return len(batch)

def stubborn():
    while True:
        try:
            train(3, 4)
        except ZeroDivisionError:
            pass
"""


def session(patience):
    name = f"patient_{next(_numbers)}"
    transport = LocalTransport(load_module(name, CODE, f"{name}.py"), patience=patience)
    made = Session(transport, Code("toy", ()), 60.0)
    made.begin_check("a", 60.0, 0)
    return made


@pytest.mark.parametrize(("name", "arguments"), [("train", (3, 4)), ("stubborn", ())])
def test_right_code_that_never_ends_on_odd_arguments_is_ended(name, arguments):
    student = Student(session(0.1))
    with pytest.raises(StudentError) as raised:
        getattr(student, name)(*arguments)
    assert raised.value.bases[0] == "TimeoutError"
    assert student.train(8, 4) == 4  # and it goes on


def test_what_ends_in_time_is_not_disturbed_later():
    student = Student(session(0.2))
    assert student.train(8, 4) == 4
    sum(range(20_000_000))  # longer than its patience, outside of it
    assert student.train(8, 4) == 4
