"""Jobs over several judge processes: each result is handed over as it comes, a lost judge is replaced."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from autograder.batch.judges import Judge, JudgeFault, JudgeLost, Order

MAX_ATTEMPTS = 3
MARGIN_SECONDS = 120.0


@dataclass(frozen=True)
class Task:
    """One job.

    Attributes:
        key: what the caller knows it by.
        job: what the judge is told: `exercise`, `student`, `cells`, ...
        seconds: how long the student's code may take in all; a judge silent for longer (and a margin) is replaced.
    """

    key: tuple[Any, ...]
    job: dict[str, Any]
    seconds: float


@dataclass(frozen=True)
class Done:
    """What came of a task: a result, or the fault that prevented one."""

    task: Task
    result: dict[str, Any] | None
    fault: str = ""


def default_workers() -> int:
    """One judge per core that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1


def run_tasks(order: Order, tasks: Sequence[Task], workers: int, on_done: Callable[[Done], None]) -> None:
    """Run every task; `on_done` is called in the calling thread, once per task, as they end.

    Raises:
        JudgeFault: no judge can be started here at all (isolation refused, broken checks).
        KeyboardInterrupt: after the judges have been ended.
    """
    todo: queue.SimpleQueue[tuple[Task, int]] = queue.SimpleQueue()
    done: queue.SimpleQueue[Done | JudgeFault] = queue.SimpleQueue()
    for task in tasks:
        todo.put((task, 1))
    stop = threading.Event()
    judges: list[Judge] = []
    count = max(1, min(workers, len(tasks)))
    # A judge by itself has nobody beside it to protect: it is not tied to a processor that others may be using.
    slots: list[int | None] = [None] if count == 1 else list(range(count))
    threads = [
        threading.Thread(target=_work, args=(Judge(order, slot), todo, done, stop, judges), daemon=True)
        for slot in slots
    ]
    for thread in threads:
        thread.start()
    try:
        for _ in range(len(tasks)):
            outcome = done.get()
            if isinstance(outcome, JudgeFault):
                raise outcome
            on_done(outcome)
    except BaseException:
        stop.set()
        for judge in list(judges):
            judge.interrupt()
        raise
    finally:
        stop.set()
        for thread in threads:
            thread.join(15)


def _work(
    judge: Judge,
    todo: queue.SimpleQueue[tuple[Task, int]],
    done: queue.SimpleQueue[Done | JudgeFault],
    stop: threading.Event,
    judges: list[Judge],
) -> None:
    judges.append(judge)
    try:
        judge.start()
    except JudgeFault as fault:
        done.put(fault)
        return
    try:
        while not stop.is_set():
            try:
                task, attempt = todo.get_nowait()
            except queue.Empty:
                return
            try:
                done.put(Done(task, judge.grade(task.job, task.seconds + MARGIN_SECONDS)))
            except JudgeLost as lost:
                if stop.is_set():
                    return
                if attempt < MAX_ATTEMPTS:
                    todo.put((task, attempt + 1))
                else:
                    done.put(Done(task, None, f"the judge was lost {attempt} times: {lost}"))
                judge.start()
            except JudgeFault as fault:
                done.put(Done(task, None, str(fault)))
    except JudgeFault as fault:
        done.put(fault)
    finally:
        if not stop.is_set():
            judge.close()
