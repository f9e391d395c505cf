"""Who handed in what and when, as the last reading of a class found it, and who its students are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

import msgspec
from sqlalchemy import Connection, delete, insert, select, update

from autograder.book.tables import OfCourse, handed_in, of_course, students


@dataclass(frozen=True)
class Handed:
    """One file that a student handed in.

    Attributes:
        sha256: of the file; empty where it could not be read.
        submitted: when, with its time zone; None where nobody knows.
        late: marked as late by the platform, which does not say when.
        platform: whose name, address and number they are: `moodle`, `canvas`, ...
        lms_id: the platform's number of the student.
        notes: what was strange about the file, in sentences.
    """

    student: str
    exercise: str
    sha256: str
    file: str = ""
    submitted: datetime | None = None
    late: bool = False
    name: str = ""
    email: str = ""
    platform: str = ""
    lms_id: str = ""
    notes: str = ""


class HandedIn(OfCourse):
    """What was handed in for a course, in a book's database."""

    def note(
        self, found: Iterable[Handed], class_list: Iterable[str] = (), names: Mapping[str, str] | None = None
    ) -> None:  # fmt: skip
        """Keep what a reading of the class found: what it says of a file takes the place of what was known of it.

        Args:
            found: the files, of each student and exercise the one that was handed in last at the end. Of the same
                file twice the earlier time counts: who hands in again what is there already is not late by it.
            class_list: students of the course, those who handed in nothing among them.
            names: of students, where a roster says them.
        """
        with self._engine.connect().execution_options(writes_at_once=True) as connection, connection.begin():
            note(connection, self._course, found, class_list, names or {})

    def files(self) -> list[Handed]:
        """Every file, of each student and exercise the one that was handed in last at the end."""
        wanted = select(handed_in).where(of_course(self._course, handed_in.c.course)).order_by(handed_in.c.id)
        with self._engine.connect() as connection:
            return [msgspec.convert(dict(row), Handed) for row in connection.execute(wanted).mappings()]

    def names(self) -> dict[str, str]:
        """The names of students who are known by another than their id; a file's author is called as it says."""
        wanted = select(students.c.student, students.c.name).where(of_course(self._course, students.c.course))
        with self._engine.connect() as connection:
            listed = {student: name for student, name in connection.execute(wanted).all() if name}
        return listed | {one.student: one.name for one in self.files() if one.name}

    def students(self) -> list[str]:
        """The students of the course, sorted."""
        wanted = select(students.c.student).where(of_course(self._course, students.c.course))
        with self._engine.connect() as connection:
            return sorted(set(connection.execute(wanted).scalars()))


def note(
    connection: Connection, course: str, found: Iterable[Handed], class_list: Iterable[str],
    names: Mapping[str, str] = MappingProxyType({}),
) -> None:  # fmt: skip
    """Keep what a reading of a class found, in the caller's transaction; arguments as of `HandedIn.note`."""
    files: dict[tuple[str, str, str], Handed] = {}
    for one in found:
        name = one.student, one.exercise, one.sha256
        before = files.pop(name, None)
        files[name] = one if before is None else _earlier(before, one)
    c = handed_in.c
    for student, exercise, sha256 in files:
        same = (c.course.in_([course, ""]), c.student == student, c.exercise == exercise, c.sha256 == sha256)
        connection.execute(delete(handed_in).where(*same))
    if files:
        rows = [
            {**vars(one), "course": course, "submitted": one.submitted.isoformat() if one.submitted else None}
            for one in files.values()
        ]
        connection.execute(insert(handed_in), rows)
    known = set(connection.execute(select(students.c.student).where(of_course(course, students.c.course))).scalars())
    new = {*class_list, *(one.student for one in files.values())} - known
    if new:
        connection.execute(insert(students), [{"course": course, "student": student} for student in sorted(new)])
    listed = of_course(course, students.c.course)
    for student, called in names.items():
        other = listed, students.c.student == student, students.c.name != called
        connection.execute(update(students).where(*other).values(name=called))


def _earlier(one: Handed, other: Handed) -> Handed:
    if one.submitted is None or other.submitted is None:
        return one if one.submitted is not None or not one.late else other
    return one if one.submitted <= other.submitted else other
