"""What was not handed in: the one place that says `missing`, or `not_due` while there is still time.

An exercise that nobody handed in is missed by nobody: its turn has not come.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from autograder.book.decisions import Decision
from autograder.course import CourseConfig
from autograder.language import _
from autograder.results.attempt import Name
from autograder.results.model import Result


def expected(
    course: CourseConfig,
    handed_in: Iterable[Name],
    decisions: Iterable[Decision] = (),
    students: Iterable[str] = (),
) -> list[Name]:
    """Of whom there is, or should be, a result for what: by student, then in the order of the course."""
    handed_in, decided = set(handed_in), {(d.student, d.exercise) for d in decisions if d.kind in ("override", "mark")}
    given = {exercise for _student, exercise in handed_in}
    everybody = {*students, *(student for student, _exercise in handed_in | decided)}
    wanted = {(student, exercise.id) for student in everybody for exercise in course.exercises if exercise.id in given}
    position = {exercise.id: i for i, exercise in enumerate(course.exercises)}
    # Exercises that the course no longer has keep their results, after the others; nobody misses them.
    known = {name for name in decided if name[1] in position}
    return sorted(handed_in | wanted | known, key=lambda name: (name[0], position.get(name[1], len(position)), name[1]))


def not_handed_in(
    course: CourseConfig, name: Name, extension: datetime | None = None, now: datetime | None = None
) -> Result:
    """What there is to say of an exercise that a student did not hand in.

    Args:
        extension: the student's own due date, if there is one.
        now: decides what is due; the present without it.
    """
    config = course.exercise(name[1])
    due = extension or config.due
    if due is not None and (now or datetime.now(UTC)) <= due:
        message = _("Nothing has been handed in for this exercise yet; it is due {due}.").format(due=due.isoformat())
        return Result(*name, 0.0, config.points, "not_due", message=message)
    message = _("Nothing was handed in for this exercise.")
    return Result(*name, 0.0, config.points, "missing", message=message)
