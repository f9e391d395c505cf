"""What a class has in common that is wrong: grouped by mistake, relation or answer, and told to all without a name."""

from __future__ import annotations

import pytest

from autograder.reports.class_view import _correlation
from autograder.reports.misunderstandings import misunderstandings
from autograder.results.model import CheckResult, Example, Result

CALL = Example("f(tensor([1.]))", "tensor([2.])", "tensor([1.])")
OTHER = Example("f(tensor([1.]))", "tensor([3.])", "tensor([1.])")


def result(student, *checks, points=0.0):
    return Result(student, "toy", points, 2.0, "graded", list(checks))


def failed(name="a", **more):
    return CheckResult(name, f"Title of {name}.", 0.0, 1.0, "failed", "wrong", **more)


def known(**more):
    hint = "It looks like this: twice too much. Halve it."
    return failed(diagnosis="twice", diagnosis_title="twice too much", hint=hint, **more)


def test_a_known_mistake_is_counted_once_a_student():
    (found,) = misunderstandings([result("ada", known(), known(example=CALL)), result("bilal", known())])
    assert (found.id, found.students, found.checks) == ("twice", ("ada", "bilal"), ("a",))
    assert found.for_all == (
        "2 submissions of toy show this:\nIt looks like this: twice too much. Halve it.\n"
        "    f(tensor([1.]))\n    gives tensor([2.])\n    right is tensor([1.])"
    )


def test_without_a_known_mistake_the_relation_or_the_answer_groups():
    twice = "Every value is twice the right one."
    found = misunderstandings([
        result("ada", failed(relation=twice, example=CALL)),
        result("bilal", failed("b", relation=twice, example=OTHER)),
        result("chloe", failed(example=OTHER)), result("daniel", failed(example=OTHER)),
        result("elif", failed(example=CALL)), result("fay", failed()),
    ])  # fmt: skip
    assert [(m.title, m.students) for m in found] == [
        ("a wrong answer of f", ("chloe", "daniel")),
        (f"f: {twice}", ("ada", "bilal")),
    ]


def test_nobody_is_named():
    (found,) = misunderstandings([result("zoe-identity", known()), result("ada", known())])
    assert "zoe" not in found.for_all


@pytest.mark.parametrize(
    ("here", "rest", "expected"),
    [([1, 1, 0, 0, 0], [9, 8, 1, 2, 1], 0.99), ([1, 1, 1, 1, 1], [1, 2, 3, 4, 5], None), ([1, 0], [1, 2], None)],
)
def test_which_checks_tell_students_apart(here, rest, expected):
    found = _correlation(here, rest)
    assert found == expected or found == pytest.approx(expected, abs=0.02)
