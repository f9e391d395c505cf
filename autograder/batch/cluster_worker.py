"""What runs inside a dask worker: it keeps a judge process beside itself and passes jobs on. No student code here."""

from __future__ import annotations

import platform
import threading
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from autograder.batch.job import Order
from autograder.batch.judges import CannotJudge, Judge, JudgeFault, TryLost
from autograder.batch.keys import Keys, differences
from autograder.batch.pictures import Carried, carry
from autograder.course import load_config
from autograder.judge.messages import Ask, JobResult, from_line, to_line
from autograder.language import _, speaking
from autograder.results.attempt import Key


class Mismatch(Exception):
    """This machine's course, code or libraries are not those of whoever sent the job."""


class _Local(threading.local):
    """A judge for each thread of the worker; it ends with the worker."""

    def __init__(self) -> None:
        self.judge: Judge | None = None
        self.order: Order | None = None
        self.compared: set[str] = set()  # exercises


_here = _Local()


class Outcome(Struct, frozen=True):
    """What came of one try of a job on another machine.

    Attributes:
        done: what the judge said.
        lost: why nothing came of this try; another may end well.
        fault: why it cannot be graded.
        pictures: of its figures, where they were asked for.
    """

    done: JobResult | None = None
    lost: str = ""
    fault: str = ""
    pictures: Carried = {}


def judge_here(order: Order, expected: Key, line: str) -> str:
    """One try of a job, judged on this machine: an `Outcome` as a line.

    Raises:
        Mismatch: says what differs, and on which machine.
        CannotJudge: nothing can be judged here.
    """
    question = from_line(line, Ask)
    job = question.job
    with speaking(order.language or "en"):
        judge = _judge(order, expected, job.exercise)
    if job.pictures is not None:
        # What it draws is carried to the folder that the job names, which may be on another machine.
        job = replace(job, pictures=_drawn_here())
    try:
        judge.start()
        done = judge.ask(replace(question, job=job))
    except CannotJudge:
        raise
    except TryLost as lost:
        return to_line(Outcome(lost=str(lost)))
    except JudgeFault as fault:
        return to_line(Outcome(fault=str(fault)))
    return to_line(Outcome(done, pictures=carry(job.pictures, job.student, job.exercise) if job.pictures else {}))


def _judge(order: Order, expected: Key, exercise: str) -> Judge:
    if _here.judge is not None and _here.order == order:
        # What the judge holds was compared when it was started; only another exercise has to be looked at.
        if exercise not in _here.compared:
            _require_same(order, expected, exercise)
        return _here.judge
    if _here.judge is not None:
        _here.judge.close()
        _here.judge = None
    _here.compared.clear()
    _require_same(order, expected, exercise)
    judge = Judge(order, _slot())
    _here.judge, _here.order = judge, order
    return judge


def _require_same(order: Order, expected: Key, exercise: str) -> None:
    machine = platform.node()
    if not order.config.is_file():
        raise Mismatch(
            _(
                "{machine}: {file} is not there; mount the course's folder at the same path, or name its place with "
                "--cluster-course"
            ).format(machine=machine, file=order.config)
        )
    course = load_config(order.config)
    found = Keys(course, order.secret, order.language or course.language, order.unprotected).shared(exercise)
    if found != expected:
        parts = "; ".join(differences(expected, found))
        raise Mismatch(
            _("{machine}: {exercise} is not the same there: {parts}").format(
                machine=machine, exercise=exercise, parts=parts
            )
        )
    _here.compared.add(exercise)


def _drawn_here() -> Path:
    """Where this thread's judge draws figures; dask removes it when the worker is gone."""
    from distributed import get_worker

    return Path(get_worker().local_directory) / f"figures-{threading.get_ident()}"


def _slot() -> int | None:
    """The number of this worker among those of a cluster on one machine: its submissions keep to one processor."""
    from distributed import get_worker

    name = get_worker().name
    return name if isinstance(name, int) else None
