"""From results and decisions to grades: what counts in the end."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from autograder.book.counting import counting
from autograder.book.grades import excuses, grade
from autograder.book.handed_in import Handed
from autograder.book.rubric import RubricItem, load_rubric
from autograder.results.model import Late, Result
from tests.engine.book.conftest import NOW, RUBRIC, decision, grades, result


def test_overrides_by_check_and_of_the_whole(course):
    graded = result(points=(4.0, 0.0))
    by_check = [decision("override", check="c1", points=3.0, was=0.0)]
    assert grade(graded, course, by_check).final == 7.0
    whole = [*by_check, decision("override", points=9.0, was=4.0)]
    assert grade(graded, course, whole).final == 9.0
    back = [*whole, decision("override", withdrawn=True)]
    assert grade(graded, course, back).final == 7.0
    assert grade(graded, course, []).final == 4.0


def test_an_override_survives_a_regrade_and_is_marked(course):
    decisions = [decision("override", points=9.0, was=6.0)]
    same = grade(result(points=(4.0, 2.0)), course, decisions)
    assert (same.final, same.stale) == (9.0, False)
    other = grade(result(points=(5.0, 5.0)), course, decisions)
    assert (other.final, other.stale) == (9.0, True)
    gone = grade(result(points=(4.0, 2.0)), course, [decision("override", check="old", points=2.0, was=0.0)])
    assert (gone.final, gone.stale, len(gone.unused)) == (6.0, True, 1)


# Due 2027-02-08T23:59:59+01:00, half an hour of grace, a tenth for each day begun.
@pytest.mark.parametrize(
    ("submitted", "penalty"),
    [
        ("2027-02-08T22:59:59+00:00", 0.0),
        ("2027-02-08T23:20:00+00:00", 0.0),
        ("2027-02-09T00:00:00+00:00", 0.1),
        ("2027-02-10T12:00:00", 0.2),
        ("2027-06-01T12:00:00+02:00", 0.5),
        (None, 0.0),
    ],
)
def test_the_late_penalty_and_what_an_extension_does(course, submitted, penalty):
    given = result(points=(5.0, 5.0), submitted=submitted)
    late = grade(given, course, [])
    assert late.penalty == pytest.approx(penalty)
    assert late.final == pytest.approx(10 * (1 - penalty))
    later = datetime(2027, 2, 9, 23, 59, tzinfo=UTC)
    extended = grade(given, course, [decision("extend", due=later)])
    assert extended.extended
    assert extended.penalty == course.exercise("flows").late_penalty.fraction(later, extended.submitted or later)
    assert extended.penalty <= late.penalty
    assert grade(given, course, [decision("extend", due=later), decision("extend", withdrawn=True)]) == late


def test_the_penalty_of_the_result_counts_where_the_time_is_unknown(course):
    given = result(points=(5.0, 5.0))
    given.late = Late(None, 0.3, 7.0)
    assert grade(given, course, []).final == pytest.approx(7.0)
    assert grade(given, course, [decision("extend", due=NOW + timedelta(days=9))]).final == 10.0


def test_an_override_is_before_the_penalty(course):
    given = result(points=(0.0, 0.0), submitted="2027-02-10T12:00:00+01:00")
    assert grade(given, course, [decision("override", points=10.0, was=0.0)]).final == pytest.approx(8.0)


def test_decisions_touch_nobody_else(course):
    everyone = [result("ada"), result("bob"), result("ada", exercise="chains")]
    found = grades(everyone, course, [decision("override", points=9.0, was=6.0)])
    assert [g.final for g in found] == [9.0, 6.0, 6.0]


def test_marks_come_on_top_and_before_the_penalty(course):
    (course.root / "rubric.yaml").write_text(RUBRIC)
    items = load_rubric(course)["flows"]
    given = result(points=(4.0, 2.0), submitted="2027-02-10T12:00:00+01:00")
    unmarked = grade(given, course, [], items)
    assert (unmarked.points, unmarked.max_points) == (6.0, 15.0)
    assert [m.points for m in unmarked.marks] == [None, None]
    decisions = [
        decision("mark", check="figures", points=1.5), decision("mark", check="essay", points=3.0),
        decision("mark", check="gone", points=9.0), decision("mark", check="essay", withdrawn=True),
        decision("override", points=8.0, was=6.0),
    ]  # fmt: skip
    marked = grade(given, course, decisions, items)
    assert [m.points for m in marked.marks] == [1.5, None]
    assert marked.points == 9.5
    assert marked.final == pytest.approx(9.5 * 0.8)
    assert not marked.stale


def test_marks_are_kept_under_an_override(course):
    """An override stands for the checks; what the rubric adds comes on top, whichever was decided first."""
    (course.root / "rubric.yaml").write_text(RUBRIC)
    items = load_rubric(course)["flows"]
    marked, overridden = decision("mark", check="figures", points=1.5), decision("override", points=8.0, was=6.0)
    for decisions in ([marked, overridden], [overridden, marked]):
        found = grade(result(points=(4.0, 2.0)), course, decisions, items)
        assert (found.points, found.marked, found.overridden, found.final) == (9.5, 1.5, 8.0, 9.5)
    of_a_check = grade(result(points=(4.0, 2.0)), course, [marked, decision("override", check="c1", points=5.0)], items)
    assert (of_a_check.points, of_a_check.overridden, of_a_check.final) == (10.5, 9.0, 10.5)
    assert grade(result(), course, [marked], items).overridden is None


@pytest.mark.parametrize("outcome", ["error", "handed_in_not_gradable", "excused", "not_due"])
def test_what_nobody_can_grade_is_nobodys_zero(course, outcome):
    given = result(points=(), outcome=outcome)
    assert grade(given, course, []).final is None
    # A check's or an item's points do not make the exercise's; a teacher's for the whole exercise do.
    (course.root / "rubric.yaml").write_text(RUBRIC)
    items = load_rubric(course)["flows"]
    assert grade(given, course, [decision("mark", check="figures", points=1.5)], items).final is None
    whole = [decision("override", points=7.0, was=0.0)]
    assert grade(given, course, whole).final == 7.0
    assert grade(given, course, [*whole, decision("override", withdrawn=True)]).final is None


def test_who_is_excused_has_no_final_points(course):
    excuse, whole = decision("excuse"), decision("override", points=7.0, was=6.0)
    for given in (result(), result(points=(), outcome="missing"), result(points=(), outcome="error")):
        for decisions in ([excuse], [whole, excuse], [decision("excuse", withdrawn=True), excuse]):
            found = grade(given, course, decisions)
            assert (found.final, found.outcome, found.decided, found.open) == (None, "excused", False, False)
        # Points that are given later take its place; an older override counts again once it is withdrawn.
        for decisions in ([excuse, whole], [whole, excuse, decision("excuse", withdrawn=True)]):
            found = grade(given, course, decisions)
            assert (found.final, found.outcome) == (7, given.outcome)
    assert grade(result(), course, [excuse, decision("override", check="c0", points=5.0)]).final is None
    assert excuses([excuse, decision("excuse", student="bob"), decision("excuse", student="bob", withdrawn=True)]) == {
        ("ada", "flows")
    }


@pytest.mark.parametrize(("points", "final"), [((10.0,), 10.0), ((0.0,), 0.0)])
def test_what_was_graded_or_missed_counts(course, points, final):
    assert grade(result(points=points), course, []).final == final
    assert grade(result(points=(), outcome="missing"), course, []).final == 0.0


def test_the_course_says_what_counts_for_what_is_missing(course):
    blank = replace(course, missing="blank")
    missed = Result("ada", "flows", 0.0, 10.0, "missing")
    assert (grade(missed, course, []).final, grade(missed, blank, []).final) == (0.0, None)
    assert grade(missed, blank, [decision("override", points=3.0)]).final == 3.0
    items = (RubricItem("oral", "Oral", 2.0),)
    assert grade(missed, blank, [decision("mark", check="oral", points=1.5)], items).final == 1.5
    assert grade(missed, blank, [], items).final is None
    assert grade(result(points=(0.0, 0.0)), blank, []).final == 0.0


def test_what_counts_is_rounded_as_points_are(course):
    given = result(points=(1 / 3, 1 / 3), submitted="2027-02-10T12:00:00+01:00")
    assert (grade(given, course, []).points, grade(given, course, []).final) == (0.6667, 0.5334)


def test_nothing_is_no_less_than_nothing(course):
    """0.3 less 0.1 and 0.2 is a little less than 0 in binary, and would be written as -0."""
    given = result(points=(0.1, 0.2))
    given.points = 0.3
    decisions = [decision("override", check=name, points=0.0) for name in ("c0", "c1")]
    assert str(grade(given, course, decisions).final) == "0.0"


def test_a_time_that_could_not_be_read_is_no_final_until_it_is_known(course):
    """It is neither on time by silence nor late."""
    given = result(points=(5.0, 5.0))
    given.submission.time_unread = "mardi, peut-être"
    assert grade(given, course, []).final is None
    assert grade(given, course, []).points == 10
    assert grade(given, course, [decision("override", points=9.0)]).final == 9
    times = {"0": Handed("ada", "flows", "0", "flows.py", datetime(2027, 2, 7, tzinfo=UTC))}
    known = counting(course, [("0", given)], times)
    assert known.submission.time_unread == ""
    assert grade(known, course, []).final == 10
    chains = result(points=(5.0, 5.0), exercise="chains")
    chains.submission.time_unread = "soon"
    assert grade(chains, course, []).final == 10, "without a due date nothing is late"
