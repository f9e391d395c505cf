"""Every attempt that was graded, and what its grade depended on."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Row, func, insert, select

from autograder.book.tables import OfCourse, attempts, of_course
from autograder.results.attempt import OWN, Key, Known
from autograder.results.model import Result

__all__ = ["Attempt", "Attempts", "Known"]


@dataclass(frozen=True)
class Attempt:
    """One graded attempt."""

    student: str
    exercise: str
    sha256: str
    key: Key
    graded_at: datetime
    result: Result


class Attempts(OfCourse):
    """The attempts of a course in a book's database; only ever added to."""

    def keep(self, result: Result, key: Key, sha256: str) -> None:
        """Keep one graded attempt; it is in the database when this returns."""
        with self._engine.begin() as connection:
            connection.execute(insert(attempts).values(attempt_row(self._course, result, key, sha256)))

    def any(self) -> bool:
        """Whether there is one."""
        with self._engine.connect() as connection:
            wanted = select(attempts.c.id).where(of_course(self._course, attempts.c.course)).limit(1)
            return connection.execute(wanted).first() is not None

    def latest(self) -> dict[tuple[str, str], Known]:
        """What is known of the newest attempt of each student at each exercise."""
        c = attempts.c
        newest = select(func.max(c.id)).where(of_course(self._course, c.course)).group_by(c.student, c.exercise)
        wanted = select(c.id, c.student, c.exercise, c.sha256, c.key, c.outcome, c.seconds)
        shared: dict[frozenset[tuple[str, str]], Key] = {}
        found = {}
        with self._engine.connect() as connection:
            rows = connection.execution_options(yield_per=1000).execute(wanted.where(c.id.in_(newest)))
            for number, student, exercise, sha256, key, outcome, seconds in rows:
                own = tuple((part, key.pop(part)) for part in OWN if part in key)
                common = shared.setdefault(frozenset(key.items()), key)
                found[student, exercise] = Known(number, sha256, common, own, outcome, seconds)
        return found

    def result(self, number: int) -> Result:
        """The result of one attempt."""
        with self._engine.connect() as connection:
            found = connection.execute(select(attempts.c.result).where(attempts.c.id == number)).scalar_one()
        return Result.from_json(json.loads(found))

    def history(self, student: str, exercise: str) -> list[Attempt]:
        """Every attempt of a student at an exercise, oldest first."""
        c = attempts.c
        wanted = select(c.student, c.exercise, c.sha256, c.key, c.graded_at, c.result)
        own = of_course(self._course, c.course), c.student == student, c.exercise == exercise
        wanted = wanted.where(*own).order_by(c.id)
        with self._engine.connect() as connection:
            return [_attempt(row) for row in connection.execute(wanted)]

    def several(self) -> set[tuple[str, str]]:
        """Students and exercises of which more than one file was graded."""
        c = attempts.c
        wanted = select(c.student, c.exercise).where(of_course(self._course, c.course)).group_by(c.student, c.exercise)
        wanted = wanted.having(func.count(c.sha256.distinct()) > 1)
        with self._engine.connect() as connection:
            return {(student, exercise) for student, exercise in connection.execute(wanted)}


def attempt_row(course: str, result: Result, key: Key, sha256: str) -> dict[str, object]:
    """An attempt as its table has it."""
    return {
        "course": course,
        "student": result.student,
        "exercise": result.exercise,
        "sha256": sha256,
        "key": key,
        "graded_at": datetime.now(UTC),
        "outcome": result.outcome,
        "points": result.points,
        "max_points": result.max_points,
        "result": json.dumps(result.to_json(), allow_nan=False),
        "seconds": result.duration_s,
    }


def _attempt(row: Row[str, str, str, Key, datetime, str]) -> Attempt:
    student, exercise, sha256, key, graded_at, result = row
    return Attempt(student, exercise, sha256, key, graded_at, Result.from_json(json.loads(result)))
