"""What was not handed in is missing, or not due; one place says so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from autograder.book.grades import grade
from tests.engine.book.conftest import NOW, complete, decision, result

DUE = datetime(2027, 2, 8, 22, 59, 59, tzinfo=UTC)


def outcomes(*given, **more):
    return [(r.student, r.exercise, r.outcome) for r in complete(*given, **more)]


def test_missing_work_has_a_place(course):
    assert outcomes([result("ada"), result("bob")], course) == [
        ("ada", "flows", "graded"), ("bob", "flows", "graded"),
    ]  # fmt: skip
    both = outcomes([result("ada"), result("bob", exercise="chains")], course, now=NOW)
    assert both == [
        ("ada", "flows", "graded"), ("ada", "chains", "missing"),
        ("bob", "flows", "missing"), ("bob", "chains", "graded"),
    ]  # fmt: skip


def test_a_student_of_the_class_who_handed_in_nothing_is_there(course):
    assert outcomes([result("ada")], course, students=["eve", "ada"], now=NOW)[1] == ("eve", "flows", "missing")
    # An exercise that nobody handed in has not had its turn.
    assert outcomes([], course, students=["eve"], now=NOW) == []


@pytest.mark.parametrize(("late", "outcome"), [(timedelta(0), "not_due"), (timedelta(seconds=1), "missing")])
def test_until_it_is_due_nothing_is_missing(course, late, outcome):
    found = complete([result("ada")], course, students=["eve"], now=DUE + late)[1]
    assert found.outcome == outcome
    assert grade(found, course, []).final == (None if outcome == "not_due" else 0.0)
    assert found.message


def test_an_extension_is_a_due_date(course):
    extended = [decision("extend", student="eve", due=NOW + timedelta(days=1))]
    assert outcomes([result("ada")], course, extended, ["eve"], NOW)[1] == ("eve", "flows", "not_due")
    back = [*extended, decision("extend", student="eve", withdrawn=True)]
    assert outcomes([result("ada")], course, back, ["eve"], NOW)[1] == ("eve", "flows", "missing")


@pytest.mark.parametrize("kind", ["override", "mark"])
def test_who_was_given_points_is_there(course, kind):
    given = [decision(kind, student="zoe", exercise="chains", points=3.0)]
    assert outcomes([], course, given, now=NOW) == [("zoe", "chains", "missing")]
    assert outcomes([], course, [decision("comment", student="zoe", text="x")], now=NOW) == []


def test_an_exercise_that_the_course_no_longer_has_keeps_its_results_and_is_missed_by_nobody(course):
    assert outcomes([result("ada", exercise="gone"), result("bob")], course, now=NOW) == [
        ("ada", "flows", "missing"), ("ada", "gone", "graded"), ("bob", "flows", "graded"),
    ]  # fmt: skip
