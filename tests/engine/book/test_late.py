"""The late policy: what counts as late, and what it costs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from autograder.book.late import lateness
from autograder.course import load_config
from autograder.course.written import LatePenalty

DUE = datetime(2027, 2, 8, 22, 59, 59, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def policy(tmp_path):
    def made(penalty):
        file = tmp_path / "grading_config.yaml"
        file.write_text(
            "schema_version: 1\ncourse: {id: c, title: C, timezone: Europe/Paris}\n"
            "exercises: [{id: flows, title: F, due: 2027-02-08}, {id: chains, title: C}]\n"
            f"late_penalty: {penalty}\n"
        )
        return load_config(file)

    return made


@pytest.mark.parametrize(
    ("penalty", "lost"),
    [
        ("{per_day: 0.25, cap: 0.5}", 0.25),  # at least a day was begun
        ("{per_day: 0.25, cap: 0.1}", 0.1),  # and no more than the cap
        ("{per_day: 0.25, cap: 0}", 0.0),
        ("{per_day: 0, cap: 1}", 0.0),
    ],
)
def test_the_platforms_mark_costs_a_day_and_at_most_the_cap(policy, penalty, lost):
    course = policy(penalty)
    late = lateness(course, "flows", None, marked_late=True)
    assert late.penalty == lost
    assert late.final(8.0) == 8.0 * (1 - lost)
    # Nobody knows whether an extension has passed.
    extended = lateness(course, "flows", None, marked_late=True, extension=DUE + DAY)
    assert (extended.penalty, extended.due, extended.extended) == (0.0, DUE + DAY, True)


@pytest.mark.parametrize(
    ("submitted", "marked", "extension", "penalty"),
    [
        (DUE, False, None, 0.0),
        (DUE + timedelta(seconds=1), False, None, 0.1),
        (DUE + 2 * DAY, True, None, 0.2),  # the time is known: the mark says nothing more
        (DUE - DAY, True, None, 0.0),
        (DUE + 30 * DAY, False, None, 0.3),
        (DUE + 2 * DAY, False, DUE + DAY, 0.1),
        (datetime(2027, 2, 8, 23, 30), False, None, 0.0),  # without a zone it is a time of the course's
        (datetime(2027, 2, 9), False, None, 0.1),
        (None, False, None, None),
        (None, False, DUE + DAY, None),
    ],
)
def test_what_handing_in_at_a_time_costs(policy, submitted, marked, extension, penalty):
    late = lateness(policy("{per_day: 0.1, cap: 0.3}"), "flows", submitted, marked, extension)
    assert late.penalty == penalty


def test_without_a_due_date_nothing_is_late(policy):
    course = policy("{per_day: 0.1}")
    assert lateness(course, "chains", DUE + 99 * DAY).penalty == 0.0
    # Of an exercise that the course no longer has nobody can say.
    assert lateness(course, "gone", DUE + 99 * DAY).penalty is None


def test_what_is_left_is_rounded_as_points_are(policy):
    late = lateness(policy("{per_day: 0.1}"), "flows", DUE + DAY)
    assert late.final(1 / 3) == 0.3
    assert lateness(policy("{per_day: 0.1}"), "flows", None).final(1 / 3) == 0.3333


# --- days, grace, zones

PARIS = ZoneInfo("Europe/Paris")
PARIS_DUE = datetime(2027, 2, 8, 23, 59, 59, tzinfo=PARIS)
PENALTY = LatePenalty(0.1, 0.5, 30)


def paris(*when: int, fold: int = 0) -> datetime:
    return datetime(*when, tzinfo=PARIS, fold=fold)


@pytest.mark.parametrize(
    ("due", "submitted", "lost"),
    [
        (PARIS_DUE, PARIS_DUE + timedelta(minutes=30), 0),
        (PARIS_DUE, PARIS_DUE + timedelta(minutes=30, seconds=1), 0.1),
        (PARIS_DUE, PARIS_DUE + DAY, 0.1),
        (PARIS_DUE, PARIS_DUE + DAY + timedelta(seconds=1), 0.2),
        (PARIS_DUE, PARIS_DUE + 3 * DAY, 0.3),  # and not 0.30000000000000004
        (PARIS_DUE, PARIS_DUE + 30 * DAY, 0.5),
        (PARIS_DUE, datetime(2027, 2, 8, 22, 59, 59, tzinfo=UTC), 0),  # the same moment
        (PARIS_DUE, datetime(2027, 2, 9, 0, 0, tzinfo=UTC), 0.1),
        (PARIS_DUE, datetime(2027, 2, 8, 14, 59, tzinfo=ZoneInfo("America/Los_Angeles")), 0),
        # Summer time begins on 28 March 2027 at 2:00, and ends on 31 October at 3:00.
        (paris(2027, 3, 27, 23, 59, 59), paris(2027, 3, 28, 23, 59, 59), 0.1),  # 23 hours
        (paris(2027, 10, 30, 23, 59, 59), paris(2027, 10, 31, 23, 59, 59), 0.1),  # 25 hours: one day all the same
        (paris(2027, 10, 30, 23, 59, 59), datetime(2027, 10, 31, 22, 59, 59, tzinfo=UTC), 0.1),
        (paris(2027, 10, 31, 2, 15), paris(2027, 10, 31, 2, 15, fold=1), 0.1),  # an hour later by the sun
        (paris(2027, 10, 31, 2, 45), paris(2027, 10, 31, 2, 10, fold=1), 0),  # 25 minutes later: within the grace
        (paris(2027, 3, 28, 1, 50), paris(2027, 3, 28, 3, 15), 0),  # 25 minutes later
        (None, DUE, 0),
    ],
)
def test_what_a_late_submission_loses(due, submitted, lost):
    assert PENALTY.fraction(due, submitted) == lost
