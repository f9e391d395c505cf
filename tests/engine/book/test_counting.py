"""Which attempt counts: the last, the first or the best, by when files were handed in."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from autograder.book.counting import counting
from autograder.book.grades import grade
from autograder.book.handed_in import Handed
from tests.engine.book.conftest import decision, result

DUE = datetime(2027, 2, 8, 22, 59, 59, tzinfo=UTC)
DAY = timedelta(days=1)
SHA = "a" * 64


def attempt(sha256, points, submitted=None, outcome="graded"):
    made = result(points=(points,), submitted=submitted and submitted.isoformat(), sha256=sha256, outcome=outcome)
    return sha256, made


@pytest.mark.parametrize(
    ("policy", "points", "days", "counts"),
    [
        ("last", (8, 6), (-2, -1), 2),
        ("first", (8, 6), (-2, -1), 1),
        ("first", (8, 6), (-1, -2), 2),  # by the time of handing in, not of grading
        ("best", (8, 6), (-2, -1), 1),
        ("best", (6, 8), (-2, -1), 2),
        ("best", (6, 6), (-2, -1), 2),  # of equal ones the last
        ("best", (8, 9), (-1, 2), 1),  # 9 points two days late are 7.2
        ("best", (8, 10), (None, None), 2),
        ("first", (8, 10), (None, None), 1),
        ("last", (8, 10), (2, -1), 1),
    ],
)
def test_which_attempt_counts(course, policy, points, days, counts):
    tries = [
        attempt(str(number), worth, None if day is None else DUE + day * DAY)
        for number, (worth, day) in enumerate(zip(points, days, strict=True), start=1)
    ]
    found = counting(replace(course, attempts=policy), tries, {})
    assert found.submission.sha256 == str(counts)
    assert found.submission.attempts == 2
    # A note says so where it is not the last.
    position = sorted(range(2), key=lambda i: (days[i] is not None and days[i], i)).index(counts - 1) + 1
    assert found.submission.attempt == position
    assert bool(found.notes) == (position == 1)


def test_a_regrade_is_no_attempt(course):
    for policy in ("first", "last", "best"):
        found = counting(replace(course, attempts=policy), [attempt(SHA, 5), attempt(SHA, 3)], {})
        assert found.points == 3
        assert found.submission.attempts is None


def test_a_regrade_of_the_first_leaves_it_the_first(course):
    tries = [attempt("one", 5), attempt("two", 7), attempt("one", 6)]
    found = counting(replace(course, attempts="first"), tries, {})
    assert (found.submission.sha256, found.points, found.submission.attempt) == ("one", 6, 1)


def test_what_was_once_one_of_several_and_is_now_alone_says_so(course):
    sha256, alone = attempt(SHA, 5)
    alone.submission.attempt, alone.submission.attempts = 1, 2
    assert counting(course, [(sha256, alone)], {}).submission.attempts is None


def test_the_late_policy_that_chooses_is_that_of_grades(course):
    """The platform's mark costs a day when attempts are chosen, too, and an extension lifts it."""
    tries = [attempt("on time", 8), attempt("marked", 8.5)]
    times = {"marked": Handed("ada", "flows", "marked", late=True), "on time": Handed("ada", "flows", "on time")}
    best = replace(course, attempts="best")
    assert counting(best, tries, times).submission.sha256 == "on time"  # 8.5 less a tenth are 7.65
    assert counting(best, tries, times, DUE + DAY).submission.sha256 == "marked"


@pytest.mark.parametrize("policy", ["last", "best"])
def test_a_time_that_becomes_known_later_counts(course, policy):
    course = replace(course, attempts=policy)
    times = {"first": Handed("ada", "flows", "first", submitted=DUE - DAY),
             "second": Handed("ada", "flows", "second", submitted=DUE + 2 * DAY)}  # fmt: skip
    found = counting(course, [attempt("second", 9), attempt("first", 8)], times)
    assert found.submission.sha256 == ("second" if policy == "last" else "first")


def test_how_late_it_was_is_in_the_result(course):
    times = {SHA: Handed("ada", "flows", SHA, submitted=DUE + DAY)}
    found = counting(course, [attempt(SHA, 8)], times)
    assert (found.late.penalty, found.late.points_after_penalty) == (0.1, 7.2)
    assert counting(course, [attempt(SHA, 8)], times, DUE + 2 * DAY).late.penalty == 0.0
    assert counting(course, [attempt(SHA, 8)], {}).late is None


def test_the_platforms_mark_gives_way_to_a_time(course):
    marked = counting(course, [attempt(SHA, 8)], {SHA: Handed("ada", "flows", SHA, late=True)})
    assert grade(marked, course, []).final == 7.2
    assert grade(marked, course, [decision("extend", due=DUE + DAY)]).final == 8.0
    known = {SHA: Handed("ada", "flows", SHA, submitted=DUE, late=True)}
    again = counting(course, [(SHA, marked)], known)
    assert (marked.submission.marked_late, again.submission.marked_late) == (True, False)
    assert grade(again, course, []).final == 8.0


# --- what could not be graded


def test_an_earlier_attempt_that_was_our_fault_is_not_forgotten(course):
    """Of the best nobody can say yet which it is: what is there counts, and a note says what is open."""
    tries = [attempt("lost", 0, DUE - 2 * DAY, "error"), attempt("graded", 6, DUE - DAY)]
    best = counting(replace(course, attempts="best"), tries, {})
    assert (best.outcome, best.points) == ("graded", 6)
    assert "1 of 2 could not be graded" in best.notes[0]
    # The first is our fault, and nobody's zero.
    first = counting(replace(course, attempts="first"), tries, {})
    assert first.outcome == "error"
    assert grade(first, course, []).final is None
    assert not counting(replace(course, attempts="last"), tries, {}).notes


@pytest.mark.parametrize("outcome", ["handed_in_not_gradable", "error"])
def test_the_best_is_one_that_was_graded(course, outcome):
    """A file without code, handed in last, takes no earlier grade away where the best counts; it is the last."""
    tries = [attempt("graded", 0, DUE - 2 * DAY), attempt("", 0, DUE - DAY, outcome)]
    assert counting(replace(course, attempts="best"), tries, {}).outcome == "graded"
    assert counting(replace(course, attempts="last"), tries, {}).outcome == outcome
    assert counting(replace(course, attempts="best"), tries[1:], {}).outcome == outcome
