"""The tables of a book, as the last migration leaves them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ColumnElement,
    DateTime,
    Engine,
    Float,
    Index,
    Integer,
    MetaData,
    Named,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    TypedColumns,
    true,
)

from autograder.results.attempt import Key

metadata = MetaData()

# A course is "" in rows from before there was this column: they belong to whichever course asks.
_COURSE = 100
_STUDENT = 400
_EXERCISE = 100
_MOMENT = 40  # ISO 8601 with its offset: SQLite's own type forgets the zone


class AttemptColumns(TypedColumns):
    """One graded file each."""

    id: Named[int] = Column(Integer, primary_key=True)
    student: Named[str] = Column(String(_STUDENT), nullable=False)
    exercise: Named[str] = Column(String(_EXERCISE), nullable=False)
    sha256: Named[str] = Column(String(64), nullable=False)
    key: Named[Key] = Column(JSON, nullable=False)
    graded_at: Named[datetime] = Column(DateTime(timezone=True), nullable=False)
    outcome: Named[str] = Column(String(20), nullable=False)
    points: Named[float] = Column(Float, nullable=False)
    max_points: Named[float] = Column(Float, nullable=False)
    result: Named[str] = Column(Text, nullable=False)
    course: Named[str] = Column(String(_COURSE), nullable=False, server_default="")
    seconds: Named[float] = Column(Float, nullable=False, server_default="0")


class DecisionColumns(TypedColumns):
    """One decision of a teacher each; only ever added to."""

    id: Named[int] = Column(Integer, primary_key=True)
    course: Named[str] = Column(String(_COURSE), nullable=False, server_default="")
    when: Named[str] = Column(String(_MOMENT), nullable=False)
    who: Named[str] = Column(String(200), nullable=False)
    why: Named[str] = Column(Text, nullable=False)
    kind: Named[str] = Column(String(20), nullable=False)
    student: Named[str] = Column(String(_STUDENT), nullable=False)
    exercise: Named[str] = Column(String(_EXERCISE), nullable=False)
    check: Named[str] = Column(String(200), nullable=False)
    points: Named[float | None] = Column(Float)
    was: Named[float | None] = Column(Float)
    due: Named[str | None] = Column(String(_MOMENT))
    text: Named[str] = Column(Text, nullable=False)
    private: Named[bool] = Column(Boolean, nullable=False)
    withdrawn: Named[bool] = Column(Boolean, nullable=False)
    line: Named[str] = Column(String(20), nullable=False, server_default="")


class HandedInColumns(TypedColumns):
    """One file that a student handed in each: when, and what the platform said of its author."""

    id: Named[int] = Column(Integer, primary_key=True)
    course: Named[str] = Column(String(_COURSE), nullable=False, server_default="")
    student: Named[str] = Column(String(_STUDENT), nullable=False)
    exercise: Named[str] = Column(String(_EXERCISE), nullable=False)
    sha256: Named[str] = Column(String(64), nullable=False)  # empty where the file could not be read
    file: Named[str] = Column(Text, nullable=False)
    submitted: Named[str | None] = Column(String(_MOMENT))
    late: Named[bool] = Column(Boolean, nullable=False)
    name: Named[str] = Column(Text, nullable=False)
    email: Named[str] = Column(Text, nullable=False)
    platform: Named[str] = Column(Text, nullable=False)
    lms_id: Named[str] = Column(Text, nullable=False)
    notes: Named[str] = Column(Text, nullable=False)


class StudentColumns(TypedColumns):
    """The students of a course, those who handed in nothing among them."""

    course: Named[str] = Column(String(_COURSE), nullable=False)
    student: Named[str] = Column(String(_STUDENT), nullable=False)
    name: Named[str] = Column(Text, nullable=False, server_default="")


class RollColumns(TypedColumns):
    """One change of who is in the class each; whoever was erased has no name here."""

    id: Named[int] = Column(Integer, primary_key=True)
    course: Named[str] = Column(String(_COURSE), nullable=False, server_default="")
    when: Named[str] = Column(String(_MOMENT), nullable=False)
    who: Named[str] = Column(String(200), nullable=False)
    why: Named[str] = Column(Text, nullable=False)
    kind: Named[str] = Column(String(20), nullable=False)
    student: Named[str] = Column(String(_STUDENT), nullable=False)
    into: Named[str] = Column(String(_STUDENT), nullable=False)


class OriginColumns(TypedColumns):
    """What was taken over from an older version's files, so that nothing is taken over twice."""

    digest: Named[str] = Column(String(64), primary_key=True)
    source: Named[str] = Column(Text, nullable=False)
    taken_at: Named[datetime] = Column(DateTime(timezone=True), nullable=False)


attempts = Table(
    "attempts", metadata, AttemptColumns, Index("attempts_by_student", "course", "student", "exercise", "id")
)  # fmt: skip
decisions = Table("decisions", metadata, DecisionColumns, Index("decisions_by_student", "student", "exercise", "id"))
handed_in = Table(
    "handed_in", metadata, HandedInColumns, Index("handed_in_by_student", "course", "student", "exercise", "id")
)  # fmt: skip
students = Table("students", metadata, StudentColumns, PrimaryKeyConstraint("course", "student"))
roll = Table("roll", metadata, RollColumns)
origins = Table("origins", metadata, OriginColumns)


class OfCourse:
    """What a database holds of a course, by the course's id; of every course where that is empty."""

    def __init__(self, engine: Engine, course: str) -> None:
        self._engine = engine
        self._course = course


def of_course(course: str, column: ColumnElement[str]) -> ColumnElement[bool]:
    """Rows of a course, and those from before there were courses; all rows where none is named."""
    return column.in_([course, ""]) if course else true()
