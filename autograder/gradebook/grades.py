"""From results and the gradebook to grades.

The order, for every student alike: the points of the checks; corrections of single checks; a correction of the whole
exercise, which replaces what came before; the marks of the rubric on top; then the late penalty on all that, counted
from the due date or, where the student has an extension, from that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from autograder.course import CourseConfig
from autograder.gradebook.book import Change
from autograder.gradebook.rubric import Item, Rubric
from autograder.results.grade import Correction, Grade, Mark, Remark
from autograder.results.model import Result
from autograder.results.points import rounded

Key = tuple[str, str]


def with_missing(results: Sequence[Result], course: CourseConfig, changes: Iterable[Change] = ()) -> list[Result]:
    """The results, and a `missing` one for each exercise of the batch that a student did not hand in.

    An exercise that nobody handed in is not of the batch: its turn has not come. A student or an exercise with a
    change in the gradebook counts as there.
    """
    known = {(result.student, result.exercise): result for result in results}
    changed = {(c.student, c.exercise) for c in changes if c.kind in ("override", "mark")}
    handed_in = {exercise for _, exercise in known}
    students = sorted({student for student, _ in (*known, *changed)})
    complete = []
    for student in students:
        for exercise in course.exercises:
            found = known.pop((student, exercise.id), None)
            if found is not None:
                complete.append(found)
            elif exercise.id in handed_in or (student, exercise.id) in changed:
                complete.append(Result(student, exercise.id, 0.0, exercise.points, "missing"))
    # Exercises that the course no longer has keep their results, after the others.
    return sorted([*complete, *known.values()], key=lambda result: result.student)


def grades(
    results: Sequence[Result], course: CourseConfig, changes: Sequence[Change], rubric: Rubric | None = None
) -> list[Grade]:
    """The grade of every result."""
    return list(map(grade_by(course, changes, rubric), results))


def grade_by(
    course: CourseConfig, changes: Sequence[Change], rubric: Rubric | None = None
) -> Callable[[Result], Grade]:
    """What makes the grade of a result, for results that are looked at one at a time."""
    by_key: dict[Key, list[Change]] = {}
    for change in changes:
        by_key.setdefault((change.student, change.exercise), []).append(change)

    def grade_of(result: Result) -> Grade:
        own = by_key.get((result.student, result.exercise), ())
        return grade(result, course, own, (rubric or {}).get(result.exercise, ()))

    return grade_of


def extensions(changes: Sequence[Change]) -> dict[Key, datetime | None]:
    """The due dates of students who have one of their own."""
    by_key: dict[Key, list[Change]] = {}
    for change in changes:
        if change.kind == "extend":
            by_key.setdefault((change.student, change.exercise), []).append(change)
    return {key: due for key, own in by_key.items() if (due := _extension(own)) is not None}


def grade(result: Result, course: CourseConfig, changes: Sequence[Change], items: Sequence[Item] = ()) -> Grade:
    """The grade of one result.

    Args:
        result: of one student at one exercise.
        course: due dates and late penalties.
        changes: the gradebook's about this student and exercise, oldest first.
        items: the exercise's rubric.
    """
    corrections = _corrections(changes, result)
    whole = corrections.pop("", None)
    checks = {check.id: check for check in result.checks}
    corrected = {name: c for name, c in corrections.items() if name in checks}
    points = result.points + sum(c.points - checks[name].points for name, c in corrected.items())
    if whole is not None:
        points = whole.points
    marks = _marks(changes, items)
    points = rounded(max(points, 0.0) + sum(mark.points or 0.0 for mark in marks))

    config = next((e for e in course.exercises if e.id == result.exercise), None)
    extension = _extension(changes)
    due = extension or (config.due if config else None)
    submitted = _submitted(result, course)
    if submitted is None or config is None:
        # Without the time of handing in nobody can say that it was late; an extension lifts what had been counted.
        penalty = 0.0 if extension else float(result.late.get("penalty", 0.0))
    else:
        penalty = config.late_penalty.fraction(due, submitted)
    return Grade(
        student=result.student,
        exercise=result.exercise,
        outcome=result.outcome,
        graded=result.points,
        points=points,
        max_points=result.max_points + sum(item.points for item in items),
        penalty=penalty,
        final=rounded(points * (1 - penalty)),
        due=due,
        extended=extension is not None,
        submitted=submitted,
        correction=whole,
        corrected=corrected,
        unused=tuple(c for name, c in corrections.items() if name not in checks),
        marks=marks,
        remarks=_remarks(changes),
    )


def _corrections(changes: Sequence[Change], result: Result) -> dict[str, Correction]:
    """The overrides in force, by check ("" is the whole exercise)."""
    graded: Mapping[str, float] = {"": result.points} | {check.id: check.points for check in result.checks}
    found: dict[str, Correction] = {}
    for change in changes:
        if change.kind != "override":
            continue
        if change.withdrawn or change.points is None:
            found.pop(change.check, None)
            continue
        stale = change.check not in graded or (change.was is not None and graded[change.check] != change.was)
        found[change.check] = Correction(
            change.who, change.when, change.why, change.check, change.points, change.was, stale
        )
    return found


def _marks(changes: Sequence[Change], items: Sequence[Item]) -> tuple[Mark, ...]:
    """Every item, marked or not. What was marked by an item that the rubric no longer has counts nothing."""
    last = {change.check: change for change in changes if change.kind == "mark"}
    marks = []
    for item in items:
        change = last.get(item.id)
        if change is None or change.withdrawn:
            marks.append(Mark(item.id, item.title, item.points))
        else:
            marks.append(Mark(item.id, item.title, item.points, change.points, change.who, change.why))
    return tuple(marks)


def _extension(changes: Sequence[Change]) -> datetime | None:
    last = next((c for c in reversed(changes) if c.kind == "extend"), None)
    return None if last is None or last.withdrawn else last.due


def _remarks(changes: Sequence[Change]) -> tuple[Remark, ...]:
    found: list[Remark] = []
    for change in changes:
        if change.kind == "comment":
            if change.withdrawn:
                found.clear()
            else:
                found.append(Remark(change.who, change.when, change.text, change.private))
    return tuple(found)


def _submitted(result: Result, course: CourseConfig) -> datetime | None:
    text = result.submission.get("submitted")
    if not isinstance(text, str):
        return None
    moment = datetime.fromisoformat(text)
    # As in the configuration: a time without its offset is a time of the course's zone.
    zone = UTC if course.timezone == "UTC" else ZoneInfo(course.timezone)
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)
