"""From results and decisions to grades.

The order, for every student alike: the points of the checks; overrides of single checks; an override of the whole
exercise, which replaces what came before; the marks of the rubric on top; then the late penalty on all that, counted
from the due date or, where the student has an extension, from that. Who is excused has no final points.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import msgspec

from autograder.book.decisions import Decision
from autograder.book.late import lateness_of, submitted
from autograder.book.rubric import Rubric, RubricItem
from autograder.course import CourseConfig
from autograder.language import _
from autograder.results.attempt import Name
from autograder.results.grade import Comment, Grade, Mark, Override
from autograder.results.model import Result
from autograder.results.outcomes import WITH_POINTS
from autograder.results.points import rounded


def grade_by(
    course: CourseConfig, decisions: Sequence[Decision], rubric: Rubric | None = None
) -> Callable[[Result], Grade]:
    """What makes the grade of a result, for results that are looked at one at a time."""
    by_key = _by_key(decisions)

    def grade_of(result: Result) -> Grade:
        own = by_key.get((result.student, result.exercise), ())
        return grade(result, course, own, (rubric or {}).get(result.exercise, ()))

    return grade_of


def extensions(decisions: Sequence[Decision]) -> dict[Name, datetime]:
    """The due dates of students who have one of their own."""
    return {key: due for key, own in _by_key(decisions).items() if (due := _extension(own)) is not None}


def excuses(decisions: Sequence[Decision]) -> set[Name]:
    """Who is excused from what."""
    return {key for key, own in _by_key(decisions).items() if excuse_in_force(own) is not None}


def excuse_in_force(decisions: Iterable[Decision]) -> Decision | None:
    """The excuse that holds, of decisions about one student's exercise, oldest first.

    Points that a teacher gives for the whole exercise afterwards take its place.
    """
    found: Decision | None = None
    for decision in decisions:
        whole = decision.kind == "override" and not decision.check and not decision.withdrawn
        if decision.kind == "excuse":
            found = None if decision.withdrawn else decision
        elif whole:
            found = None
    return found


def excused(result: Result) -> Result:
    """The result of somebody who is excused: what the checks say is kept, for who wants to know."""
    message = _("You are excused from this exercise: it does not count for you.")
    return msgspec.structs.replace(result, outcome="excused", message=message)


def _by_key(decisions: Sequence[Decision]) -> dict[Name, list[Decision]]:
    found: dict[Name, list[Decision]] = {}
    for decision in decisions:
        found.setdefault((decision.student, decision.exercise), []).append(decision)
    return found


def grade(
    result: Result, course: CourseConfig, decisions: Sequence[Decision], items: Sequence[RubricItem] = ()
) -> Grade:
    """The grade of one result.

    Args:
        decisions: the gradebook's about this student and exercise, oldest first.
    """
    overrides = _overrides(decisions, result)
    whole = overrides.pop("", None)
    free = excuse_in_force(decisions) is not None
    if free:
        whole = None  # an older one; it counts again once the excuse is withdrawn
    checks = {check.id: check for check in result.checks}
    single = {name: c for name, c in overrides.items() if name in checks}
    points = result.points + sum(c.points - checks[name].points for name, c in single.items())
    if whole is not None:
        points = whole.points
    marks = _marks(decisions, items)
    points = rounded(max(points, 0.0) + sum(mark.points or 0.0 for mark in marks))

    late = lateness_of(course, result, _extension(decisions))
    if late.penalty is None:
        # Without the time of handing in nobody can say that it was late; an extension lifts what had been counted.
        known = result.late.penalty if result.late is not None else 0.0
        late = replace(late, penalty=0.0 if late.extended else known)
    return Grade(
        student=result.student,
        exercise=result.exercise,
        outcome="excused" if free else result.outcome,
        graded=result.points,
        points=points,
        max_points=result.max_points + sum(item.points for item in items),
        penalty=late.penalty or 0.0,
        final=late.final(points) if not free and _counts(result, course, whole, marks) else None,
        due=late.due,
        extended=late.extended,
        submitted=submitted(course, result),
        override=whole,
        overrides=single,
        unused=tuple(c for name, c in overrides.items() if name not in checks),
        marks=marks,
        comments=_comments(decisions),
    )


def _counts(result: Result, course: CourseConfig, whole: Override | None, marks: Sequence[Mark]) -> bool:
    """Whether the points count. Of most outcomes nobody can say it yet, unless a teacher does: never a zero."""
    if whole is not None:
        return True
    if result.submission.time_unread and result.submission.submitted is None and _late_costs(result, course):
        return False  # provisional: it may have been late
    if result.outcome == "missing" and course.missing == "blank":
        return any(mark.points is not None for mark in marks)
    return result.outcome in WITH_POINTS


def _late_costs(result: Result, course: CourseConfig) -> bool:
    """Whether handing in late loses points."""
    config = next((exercise for exercise in course.exercises if exercise.id == result.exercise), None)
    return config is not None and config.due is not None and config.late_penalty.per_day > 0


def _overrides(decisions: Sequence[Decision], result: Result) -> dict[str, Override]:
    """The overrides in force, by check ("" is the whole exercise)."""
    graded: Mapping[str, float] = {"": result.points} | {check.id: check.points for check in result.checks}
    found: dict[str, Override] = {}
    for decision in decisions:
        if decision.kind != "override":
            continue
        if decision.withdrawn or decision.points is None:
            found.pop(decision.check, None)
            continue
        stale = decision.check not in graded or (decision.was is not None and graded[decision.check] != decision.was)
        found[decision.check] = Override(
            decision.who, decision.when, decision.why, decision.check, decision.points, decision.was, stale
        )
    return found


def _marks(decisions: Sequence[Decision], items: Sequence[RubricItem]) -> tuple[Mark, ...]:
    """Every item, marked or not. What was marked by an item that the rubric no longer has counts nothing."""
    last = {decision.check: decision for decision in decisions if decision.kind == "mark"}
    marks = []
    for item in items:
        decision = last.get(item.id)
        if decision is None or decision.withdrawn:
            marks.append(Mark(item.id, item.title, item.points))
        else:
            marks.append(Mark(item.id, item.title, item.points, decision.points, decision.who, decision.why))
    return tuple(marks)


def _extension(decisions: Sequence[Decision]) -> datetime | None:
    last = next((c for c in reversed(decisions) if c.kind == "extend"), None)
    return None if last is None or last.withdrawn else last.due


def _comments(decisions: Sequence[Decision]) -> tuple[Comment, ...]:
    found: list[Comment] = []
    for decision in decisions:
        if decision.kind == "comment":
            if decision.withdrawn:
                found.clear()
            else:
                found.append(Comment(decision.who, decision.when, decision.text, decision.private, decision.line))
    return tuple(found)
