"""What reading a class gives: its hand-in, with what is to be graded and everything that is not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path

from autograder.language import _
from autograder.submissions.evidence import Evidence, NotGradable
from autograder.submissions.layout import Identity
from autograder.submissions.model import Submission
from autograder.submissions.resolutions import Question, Resolutions, key_of
from autograder.submissions.shelf import Shelf
from autograder.submissions.shown import shown


@dataclass(frozen=True)
class Entry:
    """One file to grade.

    Attributes:
        notes: for student and instructor: how it was found, what was not taken for it.
        submitted: with its time zone; None where nobody knows.
        late: the platform marks it as late.
        base: folder above the file that holds no link between; None: the folder of all submissions.
        who: the student, as the platform knows them; `who.group` names the group that it was handed in for.
        sha256: of the bytes that were read.
        unread_time: how the platform writes the time, where that could not be understood: points are provisional.
        drawn_for: whose personal questions the file answers, where they are another's and count all the same.
        drawn_doubt: for the teacher: they are another's, and do not count; perhaps it is a copy.
        others: other files for the same exercise, with the note about each.
    """

    student: str
    exercise: str
    path: Path
    notes: tuple[str, ...] = ()
    submitted: datetime | None = None
    late: bool = False
    base: Path | None = None
    who: Identity | None = None
    sha256: str = ""
    unread_time: str = ""
    drawn_for: str = ""
    drawn_doubt: str = ""
    others: tuple[tuple[Path, str], ...] = ()


@dataclass(frozen=True)
class HandIn:
    """What a class handed in, read through once. As a context manager it removes what was unpacked.

    Each student and exercise is one of three things: there is an entry, and it is graded; there is none, but evidence
    that something was handed in (`not_gradable`); or there is neither, and only then something may be missing.

    Attributes:
        folder: of all submissions; an entry's own `base` goes before it.
        students: all who handed in anything or are on the roster, also those who handed in nothing.
        entries: by student, then in the order of the course.
        evidence: what is not graded, and why.
        ignored: leftovers of systems and tools, tables, and the course's own files.
        earlier: earlier attempts, oldest first, where all of them are graded.
        detected: which layout was read, and what it was known by.
        absent: students of the roster who handed in nothing at all.
        names: of students, where a roster says them.
        exercises: ids, in the course's order.
        decided: what the teacher decided before.
        origin: the path of a file as the teacher knows it, in the archive that it came from.
    """

    folder: Path
    students: tuple[str, ...]
    entries: tuple[Entry, ...]
    evidence: tuple[Evidence, ...] = ()
    ignored: tuple[Path, ...] = ()
    earlier: tuple[Entry, ...] = ()
    detected: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    exercises: tuple[str, ...] = ()
    decided: Resolutions = field(default_factory=Resolutions)
    names: Mapping[str, str] = field(default_factory=dict)
    shelf: Shelf = field(default_factory=Shelf, compare=False, repr=False)
    origin: Callable[[Path], Path] = field(default=lambda path: path, compare=False, repr=False)
    remove: Callable[[], None] = field(default=lambda: None, compare=False, repr=False)

    @cached_property
    def not_gradable(self) -> tuple[NotGradable, ...]:
        """Every student and exercise with evidence and without an entry, by student, in the course's order."""
        graded = {(entry.student, entry.exercise) for entry in self.entries}
        found: dict[tuple[str, str], list[Evidence]] = {}
        for item in self.evidence:
            for student in item.students if item.counts else ():
                for exercise in item.exercises:
                    if (student, exercise) not in graded:
                        found.setdefault((student, exercise), []).append(item)
        order = {exercise: number for number, exercise in enumerate(self.exercises)}
        names = sorted(found, key=lambda name: (name[0], order.get(name[1], len(order))))
        # What is certainly about an exercise says more than what may be about any.
        return tuple(NotGradable(*n, tuple(sorted(found[n], key=lambda e: len(e.exercises)))) for n in names)

    @property
    def questions(self) -> list[Question]:
        """What a person has to decide, for the table that `--resolve` reads."""
        graded = {(entry.student, entry.exercise) for entry in self.entries}
        found = []
        for item in self.evidence:
            pairs = {(student, exercise) for student in item.students for exercise in item.exercises}
            settled = bool(pairs) and pairs <= graded and item.kind != "person_unknown"
            if not item.counts or settled:
                continue
            student = item.students[0] if len(item.students) == 1 else ""
            exercise = item.exercises[0] if len(item.exercises) == 1 else ""
            path = key_of(item.path, self.folder)
            found.append(Question(path, student, exercise, item.claimed, item.reason, item.to_teacher))
        drawn = _("write accept under `decision` where the name is the student's")
        unread = _("write the time under `submitted` as 2027-02-08T23:10:00+01:00")
        for entry in self.entries:
            time = shown(entry.unread_time) and _("the time {text} could not be read")
            for reason, advice in ((entry.drawn_doubt, drawn), (time.format(text=shown(entry.unread_time)), unread)):
                if reason:
                    path = key_of(self.origin(entry.path), self.folder)
                    found.append(Question(path, entry.student, entry.exercise, "", reason, advice))
        return found

    def __enter__(self) -> HandIn:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def read(self, entry: Entry) -> Submission:
        """The code of an entry; SubmissionUnreadable where there is none. What was read before is not read again."""
        submission = self.shelf.take(entry.path, entry.base or self.folder)
        return replace(submission, student=entry.student, exercise=entry.exercise)

    def close(self) -> None:
        """Remove what was unpacked: the entries that lie there cannot be read any more."""
        self.remove()
