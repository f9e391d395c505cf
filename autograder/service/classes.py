"""A class graded: in rounds, by a plan, each result kept as it comes, then what counts settled and written down."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from autograder.batch.job import faulty
from autograder.batch.keys import Keys
from autograder.batch.pictures import Pictures
from autograder.batch.plan import Plan, key_of, make_plan
from autograder.batch.pool import Done, OnDone, Source
from autograder.results.attempt import Key, Name
from autograder.results.grade import Grade
from autograder.results.model import Result
from autograder.service.jobs import Jobs
from autograder.service.results import Results
from autograder.service.rounds import earlier_rounds, found, noted
from autograder.service.views import write_questions, write_result, write_unplaced, write_views
from autograder.submissions import HandIn

if TYPE_CHECKING:
    from autograder.service.book import Book
    from autograder.service.choice import Choice
    from autograder.service.listener import Listener

Runner = Callable[[Source[Name], OnDone[Name]], None]  # where jobs come from, who gets what comes of them


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
            store.handed_in.note(noted(found(handed_in, plan.digests)), handed_in.students)
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
