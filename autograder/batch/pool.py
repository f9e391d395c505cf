"""Judges that work at the same time and stay warm between calls: for a class's jobs and for single ones.

Each result is handed over as it comes; a judge that is lost is started again with the next try (see `retries`).
"""

from __future__ import annotations

import contextlib
import os
import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from autograder.batch.job import Job, Order
from autograder.batch.judges import CannotJudge, Judge, JudgeFault, OnCheck
from autograder.batch.retries import Deaths, Quiet, Tries, in_tries
from autograder.course import CourseConfig
from autograder.judge.gpus import places
from autograder.judge.messages import Ask, JobResult
from autograder.judge.verdicts import FrameworkFault
from autograder.language import _, in_same_language
from autograder.results.model import Result

K = TypeVar("K")  # what a caller knows a task by


@dataclass(frozen=True)
class Task(Generic[K]):
    """One job.

    Attributes:
        fault: why there is nothing to judge after all; empty otherwise.
    """

    key: K
    job: Job
    fault: str = ""


@dataclass(frozen=True)
class Done(Generic[K]):
    """What came of a task: a result, or the fault that prevented one."""

    task: Task[K]
    result: Result | None
    fault: str = ""


OnDone = Callable[[Done[K]], None]


class Source(Protocol[K]):
    """Where tasks come from: each is made when a judge is free for it, so that few are in memory."""

    def __len__(self) -> int:
        """How many have not been taken."""

    def take(self) -> Task[K] | None:
        """The next one, None where there are no more. Called by one thread at a time."""


class InOrder(Generic[K]):
    """Tasks that are there already."""

    def __init__(self, tasks: Sequence[Task[K]]) -> None:
        self._tasks = deque(tasks)

    def __len__(self) -> int:
        return len(self._tasks)

    def take(self) -> Task[K] | None:
        """The next in order."""
        return self._tasks.popleft() if self._tasks else None


def default_workers() -> int:
    """One judge per core that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1


def workers_for(course: CourseConfig, asked: int | None) -> int:
    """So many as were asked for, or one per core; where submissions compute on GPUs no more than have a place there."""
    wanted = asked or default_workers()
    try:
        most = places(course)
    except FrameworkFault:  # which the judge says when it starts
        return wanted
    return wanted if most is None else min(wanted, most)


def run_tasks(order: Order, tasks: Sequence[Task[K]], workers: int, on_done: OnDone[K]) -> None:
    """Run every task on judges that end afterwards; see `Judges.run`."""
    with Judges(order, workers) as judges:
        judges.run(InOrder(tasks), on_done)


class Judges:
    """Judges of one order, each started when it is first needed. Use as a context manager.

    Its methods may be called from several threads at the same time; together they keep at most `workers` judges.
    What the order names (configuration, checks, limits) is read when a judge starts, and not again.
    """

    judge_class = Judge

    def __init__(self, order: Order, workers: int = 1) -> None:
        self.order = order
        self.workers = max(1, workers)
        self._idle: list[Judge] = []
        self._slots = set(range(self.workers))  # numbers of those that have not been made
        self._busy: set[Judge] = set()
        self._waiting: deque[object] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._quiet = Quiet()
        self._deaths = Deaths()

    def __enter__(self) -> Judges:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def grade(self, job: Job, on_check: OnCheck | None = None) -> Result:
        """The result of one job, as soon as a judge is free for it.

        Raises:
            JudgeFault: the framework could not grade it; never the student's fault.
            CannotJudge: nothing can be graded here.
        """
        with self._borrowed() as judge:
            result = self.tried(judge, job, lambda: self._closed, on_check)
        if result is None:
            raise JudgeFault(_("the judges were closed while one was at work"))
        return result

    def tried(
        self, judge: Judge, job: Job, given_up: Callable[[], bool], on_check: OnCheck | None = None
    ) -> Result | None:
        """The result of one job by this judge, in as many tries as it needs; None where nobody waits any more."""

        def once(question: Ask) -> JobResult:
            judge.start()
            return judge.ask(question, on_check)

        return in_tries(Tries(job, self._deaths), once, self._quiet, given_up, progress=on_check is not None)

    def run(self, source: Source[K], on_done: OnDone[K]) -> None:
        """Run every task; `on_done` is called in the calling thread, once per task, as they end.

        Raises:
            CannotJudge: nothing can be graded here (isolation refused, checks that cannot be collected).
            KeyboardInterrupt: after the judges have been ended.
        """
        _Run(self, source, min(self.workers, len(source))).run(on_done)

    def close(self) -> None:
        """End all judges, also those that other threads are waiting for."""
        with self._changed:
            self._closed = True
            idle, self._idle = self._idle, []
            for judge in self._busy:
                judge.interrupt()
            self._changed.notify_all()
        for judge in idle:
            judge.hang_up()
        for judge in idle:
            judge.close()

    @contextlib.contextmanager
    def _borrowed(self, several: bool = False) -> Iterator[Judge]:
        """A judge that nobody else has; it need not run.

        Args:
            several: others will work beside it: its workers keep to a processor. One by itself has nobody to protect,
                and is not tied to a processor that other programs may be using.
        """
        judge = self._take(several)
        try:
            yield judge
        except JudgeFault:
            raise
        except BaseException:
            judge.kill()  # in the middle of a job
            raise
        finally:
            with self._changed:
                self._busy.discard(judge)
                closed = self._closed
                if not closed:
                    self._idle.append(judge)
                self._changed.notify_all()
            if closed:
                judge.kill()

    def _take(self, several: bool) -> Judge:
        with self._changed:
            ticket = object()
            self._waiting.append(ticket)  # one after the other: a class's threads would let nobody else in
            try:
                self._changed.wait_for(
                    lambda: self._closed or (self._waiting[0] is ticket and (self._idle or self._slots))
                )
            finally:
                self._waiting.remove(ticket)
                self._changed.notify_all()
            if self._closed:
                raise JudgeFault(_("the judges have been closed"))
            several = several or bool(self._busy)
            if self._idle:
                judge = self._idle.pop()
            else:
                number = min(self._slots)
                self._slots.discard(number)
                judge = self.judge_class(self.order, number if several else None)
                judge.number = number
            self._busy.add(judge)
        if several and judge.slot is None:
            judge.close()
            judge.slot = judge.number
        return judge


class _Run(Generic[K]):
    """A thread for each judge; the calling thread gets what they make."""

    def __init__(self, judges: Judges, source: Source[K], count: int) -> None:
        self._judges = judges
        self._source = source
        self._count = count
        self._taking = threading.Lock()
        # A thread's last word is None. Bounded: results must not pile up before a slow disk.
        self._done: queue.Queue[Done[K] | Exception | None] = queue.Queue(4 * max(1, count))
        self._stop = threading.Event()
        self._working: set[Judge] = set()

    def run(self, on_done: OnDone[K]) -> None:
        threads = [threading.Thread(target=in_same_language(self._work), daemon=True) for _ in range(self._count)]
        for thread in threads:
            thread.start()
        working = len(threads)
        try:
            while working:
                outcome = self._done.get()
                if outcome is None:
                    working -= 1
                elif isinstance(outcome, Done):
                    on_done(outcome)
                else:
                    raise outcome
        finally:
            self._stop.set()
            while any(thread.is_alive() for thread in threads):
                # Again and again: one may be just about to start its judge, or to hand over a result.
                if working:
                    for judge in tuple(self._working):
                        judge.interrupt()
                with contextlib.suppress(queue.Empty):
                    self._done.get(timeout=0.02)

    def _work(self) -> None:
        try:
            while not self._stop.is_set() and self._next():
                pass
        except Exception as fault:
            if not self._stop.is_set():
                self._done.put(fault)
        finally:
            self._done.put(None)

    def _next(self) -> bool:
        """One task; whether there was one."""
        with self._judges._borrowed(self._count > 1) as judge:
            self._working.add(judge)
            try:
                with self._taking:
                    task = self._source.take()
                if task is None:
                    return False
                done = self._done_by(judge, task)
                if done is not None:
                    self._done.put(done)
                return True
            finally:
                self._working.discard(judge)

    def _done_by(self, judge: Judge, task: Task[K]) -> Done[K] | None:
        """What comes of a task; None where nobody waits any more."""
        if task.fault:
            return Done(task, None, task.fault)
        try:
            result = self._judges.tried(judge, task.job, self._stop.is_set)
        except CannotJudge:
            raise
        except JudgeFault as fault:
            return Done(task, None, str(fault))
        return Done(task, result) if result is not None else None
