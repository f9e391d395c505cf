"""Grading a folder of submissions: everything in it gets a result or is listed as what it is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import overload

from autograder.batch.job import Order, faulty
from autograder.batch.pictures import Pictures
from autograder.batch.plan import Name, Options, Plan, Planned, make_plan, make_task
from autograder.batch.pool import Done, Judges, OnDone, Source, Task
from autograder.batch.schedule import Piece, Schedule
from autograder.book.missing import not_handed_in
from autograder.book.place import open_store
from autograder.book.store import Store
from autograder.course import CourseConfig, find_exercise
from autograder.results.attempt import Key, Known
from autograder.results.files import (
    file_digest,
    read_result,
    result_names,
    result_path,
    result_text,
    text_digest,
    write_atomically,
)
from autograder.results.model import Result
from autograder.submissions import HandIn

__all__ = ["Batch", "Options", "grade_folder"]


class Results(Sequence[Result]):
    """Results that are read from their files when they are looked at: a class's together need not fit into memory.

    Args:
        out: the output folder.
        names: student and exercise of each.
    """

    def __init__(self, out: Path, names: Iterable[tuple[str, str]] = ()) -> None:
        self._out = out
        self.names = list(names)

    def __len__(self) -> int:
        return len(self.names)

    def __iter__(self) -> Iterator[Result]:
        return (read_result(result_path(self._out, *name)) for name in self.names)

    @overload
    def __getitem__(self, at: int) -> Result: ...
    @overload
    def __getitem__(self, at: slice) -> Results: ...
    def __getitem__(self, at: int | slice) -> Result | Results:
        if isinstance(at, slice):
            return Results(self._out, self.names[at])
        return read_result(result_path(self._out, *self.names[at]))


@dataclass
class Batch:
    """What came of a folder.

    Attributes:
        scan: what was found in the folder.
        plan: what was graded and why.
        results: of what was asked for: one for each submission, and one `missing` for each exercise that a student did
            not hand in.
        everyone: every result in the output folder, of this run and of earlier ones: the class as it is known.
        faults: results that the framework could not make: never a student's zero.
        changed: whether any result's file was written.
    """

    scan: HandIn
    plan: Plan
    results: Results
    everyone: Results
    faults: list[Result] = field(default_factory=list)
    changed: bool = False


# Told each new result as it comes, how many there will be, and how many seconds are left (None: not known yet).
OnResult = Callable[[Result, int], None]
OnLeft = Callable[[float | None], None]
Runner = Callable[[Order, Source[Name], OnDone[Name]], None]


def grade_folder(
    course: CourseConfig,
    secret: bytes,
    scan: HandIn,
    out: Path,
    options: Options,
    on_result: OnResult,
    store: Store | None = None,
    runner: Runner | None = None,
    on_left: OnLeft | None = None,
) -> Batch:
    """Grade what a scan found and what has changed since; every result is kept as it is made.

    Args:
        course: the configuration.
        secret: the course secret.
        scan: of the folder of submissions.
        out: where results go.
        options: how to run.
        on_result: told each new result as it comes, and how many there will be.
        store: the attempts known; the book in `out` without it.
        runner: runs the tasks; judges on this machine without it.
        on_left: told before each result how many seconds of work are left for all workers together.

    Raises:
        JudgeFault: nothing can be graded here.
        StoreFault: the book cannot be used, or somebody else is grading into it.
    """
    own = open_store(out, course.id) if store is None else None
    known = store or own
    assert known is not None
    try:
        with known.only_grader(out):
            attempts = known.attempts.latest()
            plan = make_plan(course, secret, scan, attempts, options, out)
            batch = Batch(scan, plan, Results(out), Results(out))
            work = _Work(course, secret, batch, out, options, known, attempts, _durations(attempts))
            work.keep_the_others()
            names = work.keep_what_holds()
            names += work.grade(runner, on_result, on_left)
            names += work.missing()
    finally:
        if own is not None:
            own.close()
    position = {exercise.id: i for i, exercise in enumerate(course.exercises)}

    def ordered(names: Iterable[tuple[str, str]]) -> Results:
        return Results(out, sorted(names, key=lambda name: (name[0], position.get(name[1], len(position)))))

    batch.results, batch.everyone = ordered(names), ordered(result_names(out))
    return batch


@dataclass
class _Work:
    """One batch under way. What it writes is on disk or in the database; names are all that piles up."""

    course: CourseConfig
    secret: bytes
    batch: Batch
    out: Path
    options: Options
    store: Store
    known: Mapping[tuple[str, str], Known]  # the newest attempts
    durations: Mapping[str, Sequence[float]]  # of earlier attempts, by exercise

    def __post_init__(self) -> None:
        self.pictures = Pictures(self.out, self.course, self.batch.plan.keys)

    def keep_the_others(self) -> None:
        """See to the files of those who were not asked for, too: tables and reports are of the whole class."""
        considered = {(entry.student, entry.exercise) for entry in self.batch.plan.entries}
        for entry in self.batch.scan.entries:
            name = entry.student, entry.exercise
            if name not in considered and name in self.known:
                self._keep(name, self.known[name])

    def keep_what_holds(self) -> list[tuple[str, str]]:
        """See to the files of results that still hold, and write those of files that hold no code."""
        plan = self.batch.plan
        for name, known in plan.kept.items():
            self._keep(name, known)
            if known.outcome == "error":
                self.batch.faults.append(self.store.attempts.result(known.id))
        for result, key in plan.unreadable:
            self._write(result, key, result.submission.sha256)
        return [*plan.kept, *((result.student, result.exercise) for result, _key in plan.unreadable)]

    def _keep(self, name: tuple[str, str], known: Known) -> None:
        path = result_path(self.out, *name)
        # A kill between the database and the file, a file removed by hand, or an older folder of results.
        found = file_digest(path)
        if not found or found != (known.written or found):
            self._write_file(path, result_text(self.store.attempts.result(known.id)))

    def grade(self, runner: Runner | None, on_result: OnResult, on_left: OnLeft | None) -> list[tuple[str, str]]:
        """Grade what has to be; the names of the results."""
        plan = self.batch.plan
        if not plan.todo:
            return []
        source = _Tasks(self)
        total = len(plan.todo)

        def collect(done: Done[Name]) -> None:
            name = done.task.key
            planned = source.begun.pop(name)
            result = done.result or faulty(self.course, done.task.job, done.fault)
            sha256 = result.submission.sha256 or planned.sha256
            key = plan.keys.of(*name, sha256)
            if sha256 == planned.sha256 and planned.left is not None:
                key |= planned.left
            self._write(result, key, sha256)
            source.schedule.ended(name, result.duration_s if planned.again is None else None)
            if on_left is not None:
                on_left(source.schedule.seconds_waiting())
            on_result(result, total)

        exercises = sorted({planned.entry.exercise for planned in plan.todo})
        folders = tuple(find_exercise(self.course, exercise).hidden_folder for exercise in exercises)
        options = self.options
        order = Order(self.course.file, folders, self.secret, options.unprotected, language=options.language)
        if options.figures:
            for exercise in exercises:
                self.pictures.remove_older_reference(exercise)
        names = [planned.name for planned in plan.todo]
        if runner is not None:
            runner(order, source, collect)
        else:
            with Judges(order, options.workers) as judges:
                judges.run(source, collect)
        return names

    def missing(self) -> list[tuple[str, str]]:
        """A result for each exercise of the class, of those asked for, that a student of this batch did not hand in."""
        options = self.options
        handed_in = {(entry.student, entry.exercise) for entry in self.batch.scan.entries}
        given = {exercise for _student, exercise in handed_in}
        names = []
        for exercise in self.course.exercises:
            if exercise.id not in given:
                continue
            for student in self.batch.scan.students:
                if (student, exercise.id) in handed_in or not options.wants(student, exercise.id):
                    continue
                names.append((student, exercise.id))
                # What an earlier run graded stays: a file taken away later does not take its grade along.
                path = result_path(self.out, student, exercise.id)
                if not path.is_file():
                    self._write_file(path, result_text(not_handed_in(self.course, (student, exercise.id))))
        return names

    def _write(self, result: Result, key: Key, sha256: str) -> None:
        """The row first: a file that a kill keeps from being written is written from it by the next run."""
        text = result_text(result)
        if sha256:
            self.store.attempts.keep(result, key, sha256, text_digest(text))
        name = result.student, result.exercise
        self._write_file(result_path(self.out, *name), text)
        if result.outcome == "graded" and self.options.figures:
            self.pictures.drawn(*name, sha256)
        elif result.outcome != "error":
            self.pictures.remove_older(*name, sha256)
        if result.outcome == "error":
            self.batch.faults.append(result)

    def _write_file(self, path: Path, text: str) -> None:
        # Not waiting for the disk: what a power failure takes is written again from the database.
        write_atomically(path, text, durable=False)
        self.batch.changed = True


class _Tasks:
    """The tasks of a batch in the order of its schedule, each made of its file when a judge is free."""

    def __init__(self, work: _Work) -> None:
        self._work = work
        self.begun: dict[tuple[str, str], Planned] = {}
        pieces = (
            Piece(p.name, p, p.known.seconds or None if p.known is not None else None, p.size)
            for p in work.batch.plan.todo
        )
        self.schedule: Schedule[Planned] = Schedule(pieces, work.durations)

    def __len__(self) -> int:
        return len(self.schedule)

    def take(self) -> Task[Name] | None:
        """Read the next submission."""
        planned = self.schedule.take()
        if planned is None:
            return None
        self.begun[planned.name] = planned
        if self._work.options.figures:
            self._work.pictures.begin(*planned.name)
        before = None
        if planned.again is not None and planned.known is not None:
            before = self._work.store.attempts.result(planned.known.id)
        figures = self._work.pictures.folder if self._work.options.figures else None
        return make_task(self._work.course, self._work.batch.scan, planned, before, figures)


def _durations(attempts: Mapping[tuple[str, str], Known]) -> dict[str, list[float]]:
    seen: dict[str, list[float]] = defaultdict(list)
    for (_student, exercise), known in attempts.items():
        if known.outcome == "graded" and known.seconds:
            seen[exercise].append(known.seconds)
    return seen
