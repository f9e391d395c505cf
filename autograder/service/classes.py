"""A class graded: in rounds, by a plan, each result kept as it comes, then what counts settled and written down."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from autograder.batch.job import faulty
from autograder.batch.keys import Keys
from autograder.batch.pictures import Pictures
from autograder.batch.plan import Choice, Plan, Planned, key_of, make_plan, make_task
from autograder.batch.pool import Done, OnDone, Source, Task
from autograder.batch.schedule import Schedule, ToDo
from autograder.errors import AutograderError
from autograder.language import _
from autograder.results.attempt import Key, Known, Name
from autograder.results.grade import Grade
from autograder.results.model import Result
from autograder.service.held import Results
from autograder.service.rounds import earlier_rounds, found, noted
from autograder.service.views import write_questions, write_result, write_unplaced, write_views
from autograder.submissions import HandIn

if TYPE_CHECKING:
    from autograder.service.book import Book

__all__ = ["Batch", "Choice", "ChoiceFault", "ClassGrading", "Listener", "require"]

Runner = Callable[[Source[Name], OnDone[Name]], None]  # where jobs come from, who gets what comes of them


class ChoiceFault(AutograderError):
    """What was asked for is not there; says what is."""


def require(choice: Choice, exercises: Sequence[str], students: Sequence[str]) -> None:
    """Refuse patterns that match no exercise, and students that nobody knows: a slip would leave out a whole class.

    Args:
        choice: what was asked for.
        exercises: of the course.
        students: who handed in anything, or is on the roster.

    Raises:
        ChoiceFault: says which there are.
    """
    for pattern in choice.only:
        if not any(fnmatchcase(exercise, pattern.partition("/")[0]) for exercise in exercises):
            raise ChoiceFault(
                _("--only {pattern}: no exercise matches; there are: {listing}").format(
                    pattern=pattern, listing=", ".join(exercises)
                )
            )
    for student in set(choice.students) - set(students):
        near = get_close_matches(student.casefold(), {name.casefold(): name for name in students}, 5, 0.5)
        similar = [name for name in sorted(students) if name.casefold() in near] or sorted(students)[:10]
        raise ChoiceFault(
            _("--student {name}: nobody of this name handed in anything here; there are: {listing}").format(
                name=student, listing=", ".join(similar) + (", ..." if len(similar) < len(students) else "")
            )
        )


class Listener:
    """Told how grading goes; here it does nothing. Its methods are called in the thread that asked, one at a time."""

    def graded(self, result: Result, total: int, seconds_left: float | None) -> None:
        """One more submission is graded and kept.

        Args:
            result: of it, as the judge gave it.
            total: how many will be graded in this round.
            seconds_left: of work for one worker, in this round; None where nobody can say yet.
        """


@dataclass
class Batch:
    """What came of grading a class.

    Attributes:
        handed_in: what was graded.
        plan: of what was handed in last: what was graded and why.
        results: of what was asked for: one for each submission, and one for each exercise that a student missed.
        everyone: every result in the book, of this run and of earlier ones: the class as it is known.
        faults: what could not be graded by a fault of ours, in any round, earlier attempts among them.
        grades: of everyone.
        isolation: what was in force around the code of those in `results`, in words.
        changed: whether any result is another than before.
    """

    handed_in: HandIn
    plan: Plan
    results: Results
    everyone: Results
    grades: tuple[Grade, ...] = ()
    faults: list[Result] = field(default_factory=list)
    isolation: tuple[str, ...] = ()
    changed: bool = False

    @property
    def open_questions(self) -> int:
        """How many things of what was asked for need a person: not what a teacher gave points for or excused."""
        names = set(self.results.names)
        chosen = {"", *(student for student, _exercise in names)}
        settled = {
            (grade.student, grade.exercise) for grade in self.grades if grade.decided or grade.outcome == "excused"
        }  # fmt: skip
        asked = [
            one for one in self.handed_in.questions
            if one.student in chosen and (one.student, one.exercise) not in settled
        ]  # fmt: skip
        # What only the judge found to hold no code is no question of the hand-in's.
        empty = {(one.student, one.exercise) for one in self.grades if one.outcome == "handed_in_not_gradable"}
        known = {(one.student, one.exercise) for one in self.handed_in.not_gradable}
        return len(asked) + len((empty & names) - known - settled)


class ClassGrading:
    """One class under way. What it makes is in the book as it comes; names are all that piles up.

    Args:
        pictures: of figures, where there is a folder for them.
        draw: whether they are drawn; those of older submissions go anyway.
    """

    def __init__(
        self, book: Book, keys: Keys, choice: Choice, run: Runner, listener: Listener, pictures: Pictures | None,
        draw: bool,
    ) -> None:  # fmt: skip
        self._book = book
        self._config = book.course.config
        self._keys = keys
        self._choice = choice
        self._run = run
        self._listener = listener
        self._pictures = pictures
        self._drawing = pictures if draw else None
        self._faults: list[Result] = []

    def grade(self, handed_in: HandIn) -> Batch:
        """Grade what has to be, round by round; arguments and errors as of `Grader.grade_class`."""
        store = self._book.store
        with store.only_grader(self._book.views):
            for one in earlier_rounds(handed_in, store, self._keys):
                self._round(one)
            plan = self._round(handed_in)
            store.handed_in.note(noted(found(handed_in, plan.digests)), handed_in.students, handed_in.names)
            views = write_views(self._book)
            if self._book.views is not None:
                write_unplaced(self._book.views, handed_in)
                write_questions(self._book.views, handed_in)
        everyone, there = self._book.results(), set(handed_in.students)
        results = everyone.of(name for name in everyone.names if name[0] in there and self._choice.wants(*name))
        isolation = sorted({views.isolation[name] for name in results.names if name in views.isolation})
        changed = views.written or bool(plan.todo)
        return Batch(
            handed_in, plan, results, everyone, views.grades, self._faults, tuple(isolation), changed
        )  # fmt: skip

    def _round(self, handed_in: HandIn) -> Plan:
        known = self._book.store.attempts.latest()
        plan = make_plan(self._config, self._keys, handed_in, known, self._choice, self._drawing)
        for kept in plan.kept.values():
            if kept.outcome == "error":
                self._faults.append(self._book.store.attempts.result(kept.id))
        for result, key in plan.not_gradable:
            before = known.get((result.student, result.exercise))
            sha256 = result.submission.sha256
            if before is None or (before.sha256, before.key, before.outcome) != (sha256, key, result.outcome):
                self._keep(result, key, sha256)
            elif result.outcome == "error":
                self._faults.append(result)
        if plan.todo:
            self._judge(Jobs(self._book, handed_in, plan, known, self._drawing), plan)
        return plan

    def _judge(self, jobs: Jobs, plan: Plan) -> None:
        total = len(plan.todo)

        def collect(done: Done[Name]) -> None:
            planned = jobs.begun.pop(done.task.key)
            result = done.result or faulty(self._config, done.task.job, done.fault)
            sha256 = result.submission.sha256 or planned.sha256
            key = key_of(self._keys, planned.entry, sha256)
            if sha256 == planned.sha256 and planned.left is not None:
                key |= planned.left
            self._keep(result, key, sha256)
            jobs.schedule.ended(planned.name, result.duration_s if planned.again is None else None)
            self._listener.graded(result, total, jobs.schedule.seconds_waiting())

        if self._drawing is not None:
            for exercise in sorted({planned.entry.exercise for planned in plan.todo}):
                self._drawing.remove_older_reference(exercise)
        self._run(jobs, collect)

    def _keep(self, result: Result, key: Key, sha256: str) -> None:
        """The row first: a view that a kill keeps from being written is written by the next run."""
        self._book.store.attempts.keep(result, key, sha256)
        if self._book.views is not None:
            write_result(self._book.views, result)
        if self._drawing is not None and result.outcome == "graded":
            self._drawing.drawn(result.student, result.exercise, sha256)
        elif self._pictures is not None and result.outcome != "error":
            self._pictures.remove_older(result.student, result.exercise, sha256)
        if result.outcome == "error":
            self._faults.append(result)


class Jobs:
    """Where judges get their jobs from."""

    def __init__(
        self, book: Book, handed_in: HandIn, plan: Plan, known: Mapping[Name, Known], pictures: Pictures | None
    ) -> None:
        self._book = book
        self._handed_in = handed_in
        self._pictures = pictures
        self.begun: dict[Name, Planned] = {}
        pieces = (
            ToDo(p.name, p, p.known.seconds or None if p.known is not None else None, p.size) for p in plan.todo
        )  # fmt: skip
        self.schedule: Schedule[Planned] = Schedule(pieces, _durations(known))

    def __len__(self) -> int:
        return len(self.schedule)

    def take(self) -> Task[Name] | None:
        """Read the next submission."""
        planned = self.schedule.take()
        if planned is None:
            return None
        self.begun[planned.name] = planned
        if self._pictures is not None:
            self._pictures.begin(*planned.name)
        before = None
        if planned.again is not None and planned.known is not None:
            before = self._book.store.attempts.result(planned.known.id)
        folder = self._pictures.folder if self._pictures is not None else None
        return make_task(self._book.course.config, self._handed_in, planned, before, folder)


def _durations(attempts: Mapping[Name, Known]) -> Mapping[str, Sequence[float]]:
    """How long earlier attempts took, by exercise."""
    seen: dict[str, list[float]] = defaultdict(list)
    for (_student, exercise), known in attempts.items():
        if known.outcome == "graded" and known.seconds:
            seen[exercise].append(known.seconds)
    return dict(seen)
