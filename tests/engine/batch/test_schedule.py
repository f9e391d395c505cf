"""The order of a batch: longest first, fair between students, wiser with every result."""

from __future__ import annotations

from autograder.batch.schedule import Schedule, ToDo


def piece(student, exercise, seconds=None, size=0):
    return ToDo((student, exercise), (student, exercise), seconds, size)


def taken(schedule, seconds=None):
    """Everything in order, each ended before the next is begun."""
    names = []
    while (name := schedule.take()) is not None:
        names.append(name)
        schedule.ended(name, seconds(name) if seconds else None)
    return names


def test_the_longest_known_comes_first():
    schedule = Schedule([piece("a", "x", 1.0), piece("b", "x", 9.0), piece("c", "y", 5.0)])
    assert taken(schedule) == [("b", "x"), ("c", "y"), ("a", "x")]


def test_what_nobody_has_seen_is_guessed_from_the_others():
    pieces = [piece(student, exercise) for student in "abcd" for exercise in ("short", "long")]
    names = taken(Schedule(pieces), lambda name: {"short": 1.0, "long": 50.0}[name[1]])
    assert {names[0][1], names[1][1]} == {"short", "long"}  # one of each is tried
    assert [exercise for _student, exercise in names[2:]] == ["long"] * 3 + ["short"] * 3


def test_of_what_nothing_is_known_one_is_tried_at_once():
    """Before what is known to be long: until one has ended nobody can say what the others will take."""
    pieces = [piece("a", "known", 500.0), piece("b", "known", 400.0), piece("c", "new"), piece("d", "new", size=9)]
    schedule = Schedule(pieces, {"known": [450.0]})
    assert schedule.take() == ("d", "new")
    schedule.ended(("d", "new"), 3.0)
    assert taken(schedule) == [("a", "known"), ("b", "known"), ("c", "new")]


def test_of_several_unknown_exercises_each_is_tried_before_any_is_tried_twice():
    schedule = Schedule([piece(s, e) for e in ("x", "y", "z") for s in "abc"])
    assert sorted(schedule.take()[1] for _ in range(3)) == ["x", "y", "z"]


def test_earlier_attempts_tell_from_the_start():
    pieces = [piece(student, exercise) for student in "ab" for exercise in ("short", "long")]
    schedule = Schedule(pieces, {"short": [1.0, 2.0], "long": [40.0]})
    assert [exercise for _student, exercise in taken(schedule)] == ["long", "long", "short", "short"]


def test_of_equally_long_ones_the_larger_file_comes_first():
    schedule = Schedule([piece("a", "x", size=10), piece("b", "x", size=30), piece("c", "x", size=20)])
    assert [student for student, _exercise in taken(schedule)] == ["b", "c", "a"]


def test_a_student_with_work_running_waits_for_others():
    """Every file of `slow` takes its whole time: they are the longest, and still do not take every worker."""
    pieces = [piece("slow", f"e{i}", 900.0) for i in range(3)] + [piece("quick", f"e{i}", 1.0) for i in range(3)]
    schedule = Schedule(pieces)
    first, second = schedule.take(), schedule.take()
    assert first[0] == "slow"
    assert second[0] == "quick"
    schedule.ended(second, 1.0)
    assert schedule.take()[0] == "quick"


def test_no_worker_idles_for_fairness():
    schedule = Schedule([piece("one", f"e{i}", 5.0) for i in range(3)])
    assert None not in [schedule.take() for _ in range(3)]
    assert schedule.take() is None


def test_the_time_left_is_known_when_every_exercise_is():
    schedule = Schedule([piece("a", "x"), piece("b", "x"), piece("c", "x", 7.0)])
    assert schedule.seconds_waiting() is None
    schedule.ended(schedule.take(), 3.0)  # the one that was measured before
    assert schedule.seconds_waiting() == 6.0
    taken(schedule)
    assert schedule.seconds_waiting() == 0.0
    assert len(schedule) == 0
