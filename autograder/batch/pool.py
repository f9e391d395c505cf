"""Jobs over several judge processes: each result is handed over as it comes, a lost judge is replaced."""

from __future__ import annotations

import contextlib
import os
import queue
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from autograder.batch.judges import Judge, JudgeFault, JudgeLost, Order
from autograder.language import _, in_same_language

MAX_ATTEMPTS = 3
MARGIN_SECONDS = 120.0


@dataclass(frozen=True)
class Task:
    """One job.

    Attributes:
        key: what the caller knows it by.
        job: what the judge is told: `exercise`, `student`, `cells`, ...
        seconds: how long the student's code may take in all; a judge silent for longer (and a margin) is replaced.
        fault: why there is nothing to judge after all; empty otherwise.
    """

    key: tuple[Any, ...]
    job: dict[str, Any]
    seconds: float
    fault: str = ""


@dataclass(frozen=True)
class Done:
    """What came of a task: a result, or the fault that prevented one."""

    task: Task
    result: dict[str, Any] | None
    fault: str = ""


OnDone = Callable[[Done], None]


class Source(Protocol):
    """Where tasks come from: each is made when a judge is free for it, so that few are in memory."""

    def __len__(self) -> int:
        """How many have not been taken."""

    def take(self) -> Task | None:
        """The next one, None where there are no more. Called by one thread at a time."""


class InOrder:
    """Tasks that are there already."""

    def __init__(self, tasks: Sequence[Task]) -> None:
        self._tasks = deque(tasks)

    def __len__(self) -> int:
        return len(self._tasks)

    def take(self) -> Task | None:
        """The next in order."""
        return self._tasks.popleft() if self._tasks else None


def default_workers() -> int:
    """One judge per core that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1


def run_tasks(order: Order, tasks: Sequence[Task] | Source, workers: int, on_done: OnDone) -> None:
    """Run every task; `on_done` is called in the calling thread, once per task, as they end.

    Raises:
        JudgeFault: no judge can be started here at all (isolation refused, broken checks).
        KeyboardInterrupt: after the judges have been ended.
    """
    source = tasks if hasattr(tasks, "take") else InOrder(tasks)
    count = max(1, min(workers, len(source)))
    # A judge by itself has nobody beside it to protect: it is not tied to a processor that others may be using.
    slots: list[int | None] = [None] if count == 1 else list(range(count))
    pool = _Pool(source, [Judge(order, slot) for slot in slots])
    pool.run(on_done)


class _Pool:
    """A thread for each judge; the calling thread gets what they make."""

    def __init__(self, source: Source, judges: Sequence[Judge]) -> None:
        self._source = source
        self._judges = judges
        self._taking = threading.Lock()
        # A thread's last word is None. Bounded: results must not pile up before a slow disk.
        self._done: queue.Queue[Done | Exception | None] = queue.Queue(4 * len(judges))
        self._stop = threading.Event()

    def run(self, on_done: OnDone) -> None:
        threads = [
            threading.Thread(target=in_same_language(self._work), args=(judge,), daemon=True) for judge in self._judges
        ]
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
                    for judge in self._judges:
                        judge.interrupt()
                with contextlib.suppress(queue.Empty):
                    self._done.get(timeout=0.02)

    def _work(self, judge: Judge) -> None:
        try:
            start(judge)
            while not self._stop.is_set():
                with self._taking:
                    task = self._source.take()
                if task is None:
                    break
                done = attempt(judge, task, self._stop.is_set)
                if done is not None:
                    self._done.put(done)
        except Exception as fault:
            if not self._stop.is_set():
                self._done.put(fault)
        finally:
            judge.kill() if self._stop.is_set() else judge.close()
            self._done.put(None)


def start(judge: Judge) -> None:
    """Start a judge; one that is killed while it starts is started again.

    Raises:
        JudgeFault: it can't be started.
    """
    for number in range(MAX_ATTEMPTS):
        try:
            return judge.start()
        except JudgeLost:
            if number == MAX_ATTEMPTS - 1:
                raise


def attempt(judge: Judge, task: Task, given_up: Callable[[], bool] = lambda: False) -> Done | None:
    """What comes of a task, after several attempts where its judge was lost; None where nobody waits any more.

    A job that ends its judge each time is given up, so that it does not end every judge there is.
    """
    if task.fault:
        return Done(task, None, task.fault)
    for number in range(MAX_ATTEMPTS):
        try:
            return Done(task, judge.grade(task.job, task.seconds + MARGIN_SECONDS))
        except JudgeLost as lost:
            if given_up():
                return None
            start(judge)
            if number == MAX_ATTEMPTS - 1:
                return Done(task, None, _("the judge was lost {n} times: {reason}").format(n=MAX_ATTEMPTS, reason=lost))
        except JudgeFault as fault:
            return Done(task, None, str(fault))
    raise AssertionError
