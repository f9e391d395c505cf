"""The whole time of a submission: what all its checks may take together, its loading included."""

from __future__ import annotations

import pytest

from autograder.judge.check import CheckInfo
from autograder.judge.grading import Grading
from autograder.judge.verdicts import StudentError

CHECK = CheckInfo("one", "One holds.", 1.0, "exact")


class Session:
    """Keeps the seconds that a check was given."""

    def __init__(self, student_seconds: float) -> None:
        self.student_seconds = student_seconds
        self.given: list[float] = []

    def begin_check(self, check, seconds, seed, forbids, memory_mb):
        self.given.append(seconds)


def grading(spent: float, total: float = 10.0) -> tuple[Grading, Session]:
    session = Session(spent)
    return Grading("toy", "ada", lambda check: 1, session, total_seconds=total), session


@pytest.mark.parametrize(
    ("spent", "given"),
    [
        (0.0, 4.0),  # a check's own limit
        (6.0, 4.0),
        (7.5, 2.5),  # what is left of the whole
        (9.999, pytest.approx(0.001)),
    ],
)
def test_a_check_gets_its_own_time_or_what_is_left_of_the_whole(spent, given):
    judged, session = grading(spent)
    judged.begin(CHECK, 4.0, 512)
    assert session.given == [given]


@pytest.mark.parametrize("spent", [10.0, 10.5])
def test_no_check_is_begun_when_the_whole_time_is_used_up(spent):
    judged, session = grading(spent)
    with pytest.raises(StudentError, match="used up its 10 s") as caught:
        judged.begin(CHECK, 4.0, 512)
    assert caught.value.kind == "timeout"
    assert session.given == []
