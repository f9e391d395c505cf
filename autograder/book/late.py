"""The late policy, in one place: what a submission loses by the course's rule, and by when it was due.

Attempts are chosen and grades are made by the same function, so that they cannot disagree.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from autograder.course import CourseConfig
from autograder.results.model import Result
from autograder.results.points import rounded


@dataclass(frozen=True)
class Lateness:
    """How late a submission was.

    Attributes:
        due: with the student's extension; None without a due date.
        extended: whether the student has an extension.
        penalty: fraction of the points lost, 0 to 1; None where nobody can say: neither the time of handing in nor a
            mark of the platform is known, or the course no longer has the exercise.
    """

    due: datetime | None
    extended: bool
    penalty: float | None

    def final(self, points: float) -> float:
        """What is left of points."""
        return rounded(points * (1 - (self.penalty or 0.0)))


def lateness(
    course: CourseConfig,
    exercise: str,
    submitted: datetime | None,
    marked_late: bool = False,
    extension: datetime | None = None,
) -> Lateness:
    """What handing in at a time costs.

    Args:
        submitted: when; None where nobody knows. Without a zone it is a time of the course's.
        marked_late: the platform says late and does not say when.
        extension: the student's own due date, if there is one.
    """
    config = next((e for e in course.exercises if e.id == exercise), None)
    due = extension or (config.due if config else None)
    penalty: float | None = None
    if config is None:
        pass
    elif submitted is not None:
        penalty = config.late_penalty.fraction(due, in_zone(course, submitted))
    elif marked_late:
        # Late by the platform's mark alone: at least one day was begun; an extension is not known to have passed.
        penalty = 0.0 if extension else min(config.late_penalty.cap, config.late_penalty.per_day)
    return Lateness(due, extension is not None, penalty)


def lateness_of(course: CourseConfig, result: Result, extension: datetime | None = None) -> Lateness:
    """How late the file of a result was."""
    marked = result.submission.marked_late
    return lateness(course, result.exercise, submitted(course, result), marked, extension)


def submitted(course: CourseConfig, result: Result) -> datetime | None:
    """When the file of a result was handed in; None where nobody knows."""
    moment = result.submission.submitted
    return in_zone(course, moment) if moment is not None else None


def in_zone(course: CourseConfig, moment: datetime) -> datetime:
    """A moment with its zone: as in the configuration, a time without its offset is a time of the course's zone."""
    zone = UTC if course.timezone == "UTC" else ZoneInfo(course.timezone)
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)
