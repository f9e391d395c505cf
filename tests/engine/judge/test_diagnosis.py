"""A mistake is named only where it answers like the student, call by call: any difference is enough to differ."""

from __future__ import annotations

import contextlib
import itertools

import pytest
import torch

from autograder.judge.check import CheckInfo
from autograder.judge.diagnosis import matching_mistake
from autograder.judge.grading import Grading
from autograder.judge.loading import Code
from autograder.judge.local import LocalTransport
from autograder.judge.reference import load_module
from autograder.judge.remote import Student
from autograder.judge.session import Answer, Session
from autograder.judge.verdicts import CheckFailed

_numbers = itertools.count()

STUDENT = """
import torch
def f(x): return x + 1
def g(x): return x + 1
def pair(x): return {"a": x, "b": [x, 1.0]}
def fails(x): raise ValueError("no")
def thing(x): return torch.nn.Linear(2, 2)
def sparse(x): return torch.eye(2).to_sparse()
def text(x): return "one"
"""


RIGHT = STUDENT + "def f(x): return x\ndef g(x): return x\n"


def session(source: str) -> Session:
    name = f"tried_{next(_numbers)}"
    return Session(LocalTransport(load_module(name, source, f"{name}.py")), Code("toy", ()), 60.0)


def calls(*names: str, end: Exception | None = None):
    """A check that calls these functions with the same numbers, and fails or ends otherwise."""

    def run(tried: Session) -> None:
        student = Student(tried)
        for name in names:
            with contextlib.suppress(CheckFailed):
                getattr(student, name)(torch.arange(3.0))
        raise end or CheckFailed("wrong")

    return run


def trace_of(run, source: str = STUDENT) -> list[Answer]:
    tried = session(source)
    tried.begin_check("a", 60.0, 0)
    with pytest.raises(CheckFailed):
        run(tried)
    return list(tried.trace)


def named(run, source: str, of_student=None) -> str | None:
    trace = trace_of(of_student or run)
    return matching_mistake(trace, [("m", session(source))], run, 0, session(RIGHT), lambda: trace)


@pytest.mark.parametrize("names", [("f",), ("f", "g"), ("pair",), ("fails",), ("thing",), ("text",), ("f", "fails")])
def test_the_same_answers_are_the_same_mistake(names):
    assert named(calls(*names), STUDENT) == "m"


@pytest.mark.parametrize(
    ("name", "other"),
    [("f", "x + 2"), ("f", "x[:2] + 1"), ("f", "None"), ("f", "(x + 1).tolist() + [1.0]"),
     ("pair", "{'a': x, 'b': [x, 2.0]}"), ("pair", "{'a': x}"), ("pair", "{'a': x, 'b': [x]}"), ("text", "'two'"),
     ("fails", "1 / 0"), ("fails", "x"), ("fails", "{'bases': ('ValueError', 'Exception', 'BaseException', 'object')}"),
     ("f", "torch.nn.Linear(2, 2)"), ("thing", "x"), ("sparse", "x")],
)  # fmt: skip
def test_another_answer_is_another_mistake(name, other):
    assert named(calls(name), STUDENT + f"def {name}(x): return {other}\n") is None


@pytest.mark.parametrize(
    ("name", "expected"), [("torch.ones(7, 3) @ torch.ones(4)", "m"), ("torch.ones(2).backward()", None)]
)
def test_an_error_of_torchs_is_the_same_where_it_says_the_same(name, expected):
    """A RuntimeError stands for many faults; the numbers in its text are those of the inputs."""
    broken = STUDENT + "def fails(x): return torch.ones(2, 3) @ torch.ones(5)\n"
    run = calls("fails")
    trace = trace_of(run, STUDENT + f"def fails(x): return {name}\n")
    assert matching_mistake(trace, [("m", session(broken))], run, 0, session(RIGHT)) == expected


def test_what_cannot_be_read_is_like_nothing():
    assert named(calls("sparse"), STUDENT) is None


def test_values_in_another_container_are_the_same():
    assert named(calls("f"), STUDENT + "def f(x): return (x + 1).tolist()\n") == "m"


def test_the_same_value_of_another_function_is_another_answer():
    assert named(calls("g"), STUDENT, of_student=calls("f")) is None


@pytest.mark.parametrize(("student", "mistake"), [(("f", "g"), ("f",)), (("f",), ("f", "g"))])
def test_an_answer_more_on_one_side_is_another_mistake(student, mistake):
    assert named(calls(*mistake), STUDENT, of_student=calls(*student)) is None


def test_a_mistake_that_passes_or_breaks_the_check_is_not_it():
    def passes(tried: Session) -> None:
        Student(tried).f(torch.arange(3.0))

    trace = trace_of(calls("f"))
    assert matching_mistake(trace, [("m", session(STUDENT))], passes, 0) is None
    broken = calls("f", end=ZeroDivisionError())
    assert matching_mistake(trace, [("m", session(STUDENT))], broken, 0) is None


def test_the_first_that_fits_is_named_and_every_session_ends():
    ended = []

    class Watched(Session):
        def close(self) -> None:
            ended.append(self)
            super().close()

    def watched(source: str) -> Session:
        made = session(source)
        return Watched(made.transport, made.code, 60.0)

    wrong = STUDENT + "def f(x): return x\n"
    candidates = [("a", watched(wrong)), ("b", watched(STUDENT)), ("c", watched(STUDENT))]
    run = calls("f")
    assert matching_mistake(trace_of(run), candidates, run, 0) == "b"
    assert ended == [one for _name, one in candidates]


@pytest.mark.parametrize(
    ("student", "mistake", "expected"),
    [("x + 1 + 1e-6 * x", "x + 1", "m"),  # the mistake, less precisely
     ("x + 1 + 1e-4 * x", "x + 1", "m"),  # a ten-thousandth of what the mistake changes
     ("x + 1 + 1e-2 * x", "x + 1", None),
     ("x + 1e-6", "x + 1.1e-6", None),  # both next to the right answer: nearer than any rounding, and another mistake
     ("x + 1e-6", "x + 1e-6", "m"),
     ("x * 1e9 + 1", "x * 1e9", None)],
)  # fmt: skip
def test_near_is_judged_by_what_the_mistake_changes(student, mistake, expected):
    def of(body):
        return STUDENT + f"def f(x): return (lambda x: {body})(x.double())\n"

    run = calls("f")
    trace = trace_of(run, of(student))
    right = session(STUDENT + "def f(x): return x.double()\n")
    assert matching_mistake(trace, [("m", session(of(mistake)))], run, 0, right, lambda: trace) == expected


def test_the_nearest_of_several_is_named_and_the_first_of_those_as_near():
    run = calls("f")
    trace = trace_of(run, STUDENT)
    found = [("far", STUDENT + "def f(x): return x + 1.0005\n"), ("near", STUDENT), ("as_near", STUDENT)]
    candidates = [(name, session(source)) for name, source in found]
    assert matching_mistake(trace, candidates, run, 0, session(RIGHT), lambda: trace) == "near"


def test_a_mistake_that_answers_otherwise_later_in_the_check_is_not_it():
    whole = calls("f", "g")
    trace = trace_of(calls("f"))
    other = STUDENT + "def g(x): return x\n"
    rest = trace_of(whole)
    for source, expected in ((STUDENT, "m"), (other, None)):
        assert matching_mistake(trace, [("m", session(source))], whole, 0, session(RIGHT), lambda: rest) == expected
    # Where the student's other answers cannot be had, what there is has to do.
    assert matching_mistake(trace, [("m", session(other))], whole, 0, session(RIGHT)) == "m"


def test_a_mistake_is_asked_nothing_more_once_it_has_answered_otherwise(tmp_path):
    """Of a hundred mistakes all but a few depart at their first answer; a check may train for seconds after that."""
    asked = tmp_path / "asked"
    noted = f"def g(x):\n    with open({str(asked)!r}, 'a') as file: file.write('g')\n    return x + 1\n"
    run = calls("f", "g")
    trace = trace_of(run)
    assert matching_mistake(trace, [("m", session(STUDENT + noted))], run, 0, session(RIGHT)) == "m"
    assert asked.read_text() == "g"
    other = STUDENT + noted + "def f(x): return x + 2\n"
    assert matching_mistake(trace, [("m", session(other))], run, 0, session(RIGHT)) is None
    assert asked.read_text() == "g"


def test_no_answer_is_like_no_mistake():
    def run(tried: Session) -> None:
        raise CheckFailed("wrong")

    assert matching_mistake([], [("m", session(STUDENT))], run, 0) is None


def test_random_mistakes_are_drawn_with_the_checks_seed():
    source = STUDENT + "def f(x): return torch.randn(3)\n"
    run = calls("f")
    tried = session(source)
    tried.begin_check("a", 60.0, 7)
    with pytest.raises(CheckFailed):
        run(tried)
    assert matching_mistake(list(tried.trace), [("m", session(source))], run, 7) == "m"
    assert matching_mistake(list(tried.trace), [("m", session(source))], run, 8) is None


@pytest.mark.parametrize(("outcome", "kept"), [("passed", False), ("failed", True), ("blocked", True)])
def test_a_diagnosis_is_taken_back_where_the_check_meant_for_it_passes(outcome, kept):
    """What fails first may look like a mistake of a function that turns out to be right."""
    grading = Grading("toy", "ada", len, session(RIGHT))
    first, meant = CheckInfo("first", "first", 1.0, "exact"), CheckInfo("meant", "meant", 1.0, "exact")
    result = grading.finish(first, "failed", 0.0, "wrong", "It looks like this.", "m", "a mistake")
    grading.likened["first"] = "meant", "look there"
    assert grading.passed == frozenset()
    grading.finish(meant, outcome, 0.0)
    grading.reconsider()
    told = ("m", "a mistake", "It looks like this.") if kept else (None, "", "look there")
    assert (result.diagnosis, result.diagnosis_title, result.hint) == told
