"""What runs inside a dask worker: it keeps a judge process beside itself and passes jobs on. No student code here."""

from __future__ import annotations

import json
import platform
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

from autograder.batch.judges import Judge, Order
from autograder.batch.keys import Keys, differences
from autograder.batch.pictures import carry
from autograder.batch.pool import Task, attempt, start
from autograder.course import load_config
from autograder.language import _, speaking
from autograder.results.attempt import Key


class Mismatch(Exception):
    """This machine's course, code or libraries are not those of whoever sent the job."""


class _Local(threading.local):
    """A judge for each thread of the worker; it ends with the worker."""

    judge: Judge | None = None
    order: Order | None = None


_here = _Local()


def judge_here(order: Order, expected: Key, job: str, seconds: float) -> str:
    """The result of one job, judged on this machine: JSON of `result`, `fault` and, where asked for, `pictures`.

    Raises:
        Mismatch: says what differs, and on which machine.
        JudgeFault: no judge can be started here.
    """
    task = Task((), json.loads(job), seconds)
    with speaking(order.language or "en"):
        judge = _judge(order, expected, task.job["exercise"])
        done = attempt(judge, task)
    assert done is not None
    answer: dict[str, Any] = {"result": done.result, "fault": done.fault}
    if order.figures is not None:
        answer["pictures"] = carry(_drawn_here(), task.job["student"], task.job["exercise"])
    return json.dumps(answer, allow_nan=False)


def _judge(order: Order, expected: Key, exercise: str) -> Judge:
    if _here.judge is not None and _here.order == order:
        # What the judge holds was compared when it was started; only another exercise has to be looked at.
        if exercise not in _compared():
            _require_same(order, expected, exercise)
        return _here.judge
    if _here.judge is not None:
        _here.judge.close()
        _here.judge = None
    _compared().clear()
    _require_same(order, expected, exercise)
    # What it draws is carried to the folder that the order names, which may be on another machine.
    judge = Judge(order if order.figures is None else replace(order, figures=_drawn_here()), _slot())
    start(judge)
    _here.judge, _here.order = judge, order
    return judge


def _compared() -> set[str]:
    found: set[str] = _here.__dict__.setdefault("compared", set())
    return found


def _require_same(order: Order, expected: Key, exercise: str) -> None:
    machine = platform.node()
    if not Path(order.config).is_file():
        raise Mismatch(
            _(
                "{machine}: {file} is not there; mount the course's folder at the same path, or name its place with "
                "--cluster-course"
            ).format(machine=machine, file=order.config)
        )
    course = load_config(Path(order.config))
    found = Keys(course, order.secret, order.language or course.language, order.unprotected).shared(exercise)
    if found != expected:
        parts = "; ".join(differences(expected, found))
        raise Mismatch(
            _("{machine}: {exercise} is not the same there: {parts}").format(
                machine=machine, exercise=exercise, parts=parts
            )
        )
    _compared().add(exercise)


def _drawn_here() -> Path:
    """Where this thread's judge draws figures; dask removes it when the worker is gone."""
    from distributed import get_worker

    return Path(get_worker().local_directory) / f"figures-{threading.get_ident()}"


def _slot() -> int | None:
    """The number of this worker among those of a cluster on one machine: its submissions keep to one processor."""
    from distributed import get_worker

    name = get_worker().name
    return name if isinstance(name, int) else None
