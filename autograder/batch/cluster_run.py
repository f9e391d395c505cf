"""The jobs of a batch over a dask cluster, a few at a time; what lost workers had is run again by others."""

from __future__ import annotations

import contextlib
import time
from collections import deque
from collections.abc import Mapping
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from msgspec.structs import replace

from autograder.batch.cluster import WORKERS_SECONDS, Client, ClusterFault, Executor
from autograder.batch.cluster_worker import Mismatch, Outcome, judge_here
from autograder.batch.job import Order
from autograder.batch.judges import JudgeFault, JudgeLost
from autograder.batch.keys import Keys
from autograder.batch.pictures import unpack
from autograder.batch.pool import Done, OnDone, Source, Task
from autograder.batch.retries import TRIES, Tries
from autograder.course import CourseConfig
from autograder.judge.messages import from_line, to_line
from autograder.language import _
from autograder.results.attempt import Key, Name

LOOK_SECONDS = 2.0  # how often the number of workers is looked at


@dataclass
class _Trying:
    """A task and its tries."""

    task: Task[Name]
    tries: Tries


class ClusterRunner:
    """Runs tasks on a cluster; give it to `grade_folder` as its runner.

    Args:
        keys: what the workers' files must agree with.
        root: the course's folder on the workers; where it is here without it.
    """

    def __init__(
        self,
        client: Client,
        course: CourseConfig,
        keys: Keys,
        resources: Mapping[str, float] | None = None,
        root: Path | None = None,
    ) -> None:
        self._client = client
        self._course = course
        self._keys = keys
        self._resources = dict(resources or {})
        self._root = root
        self._expected: dict[str, Key] = {}

    def __call__(self, order: Order, source: Source[Name], on_done: OnDone[Name]) -> None:
        """Run every task.

        Raises:
            ClusterFault: there is no worker, or one that cannot grade this course.
            KeyboardInterrupt: after what had not begun was taken back.
        """
        self._await_workers()
        self._require_installed()
        executor = self._client.get_executor(pure=False, resources=self._resources or None)
        order = self._there(order)
        running: dict[Future[str], _Trying] = {}
        again: deque[_Trying] = deque()
        alone_since: float | None = None
        try:
            while True:
                slots = self._slots()
                # No more than can begin at once: what waits behind a job that kills its worker would be suspected too,
                # and every job here is a submission in memory.
                while len(running) < max(1, slots):
                    trying = again.popleft() if again else self._taken(source)
                    if trying is None:
                        break
                    if trying.task.fault:
                        on_done(Done(trying.task, None, trying.task.fault))
                    else:
                        running[self._submit(executor, order, trying)] = trying
                if not running:
                    return
                ended, _rest = wait(running, timeout=LOOK_SECONDS, return_when=FIRST_COMPLETED)
                for future in ended:
                    trying = running.pop(future)
                    done = self._done(trying, future)
                    if done is not None:
                        on_done(done)
                    else:
                        again.append(trying)
                alone_since = None if slots or ended else alone_since or time.monotonic()
                if alone_since is not None and time.monotonic() - alone_since > WORKERS_SECONDS:
                    raise ClusterFault(
                        _("the cluster has had no worker for {n} s; what is graded is kept").format(n=WORKERS_SECONDS)
                    )
        finally:
            executor.shutdown(wait=False)

    def _await_workers(self) -> None:
        try:
            self._client.wait_for_workers(1, timeout=WORKERS_SECONDS)
        except TimeoutError:
            raise ClusterFault(
                _("no worker has joined the cluster within {n} s").format(n=WORKERS_SECONDS)
            ) from None  # fmt: skip

    def _require_installed(self) -> None:
        """A worker without this package breaks at the first job it is sent, joins again, and so on for ever."""
        found = self._client.run(find_spec, "autograder", on_error="return")
        without = sorted(worker for worker, spec in found.items() if getattr(spec, "origin", None) is None)
        if without:
            raise ClusterFault(
                _("these workers lack this autograder: {listing}; install the same version there").format(
                    listing=", ".join(without)
                )
            )

    def _slots(self) -> int:
        """How many jobs can run at the same time now."""
        workers = self._client.scheduler_info(n_workers=-1)["workers"].values()
        total = 0
        for worker in workers:
            has = worker.get("resources", {})
            # A part of a GPU is no round number: ten tenths are one.
            limits = [int(has.get(name, 0) / amount + 1e-6) for name, amount in self._resources.items() if amount]
            total += min([worker["nthreads"], *limits])
        return total

    @staticmethod
    def _taken(source: Source[Name]) -> _Trying | None:
        task = source.take()
        return None if task is None else _Trying(task, Tries(task.job))

    def _submit(self, executor: Executor, order: Order, trying: _Trying) -> Future[str]:
        exercise = trying.task.job.exercise
        if exercise not in self._expected:
            self._expected[exercise] = self._keys.shared(exercise)
        line = to_line(trying.tries.next())
        future: Future[str] = executor.submit(judge_here, order, self._expected[exercise], line)
        return future

    def _done(self, trying: _Trying, future: Future[str]) -> Done[Name] | None:
        """What came of a try; None where there is to be another."""
        task = trying.task
        try:
            outcome = from_line(future.result(), Outcome)
        except Mismatch as mismatch:
            raise ClusterFault(str(mismatch)) from None
        except JudgeFault as fault:
            raise ClusterFault(_("a worker cannot grade: {fault}").format(fault=fault)) from None
        except (ModuleNotFoundError, AttributeError) as error:
            raise ClusterFault(
                _("a worker lacks this autograder: {error}; install the same version there").format(error=error)
            ) from error
        except CancelledError:
            raise ClusterFault(_("the cluster dropped a job; what is graded is kept")) from None
        except Exception as error:
            if type(error).__name__ != "KilledWorker":
                return Done(task, None, f"{type(error).__name__}: {error}")
            # A scheduler of somebody else's may have had several workers die of it before it said so.
            trying.tries.lost += getattr(error, "allowed_failures", 0) + 1
            if trying.tries.lost < TRIES:
                return None
            return Done(task, None, _("it has ended {n} workers of the cluster").format(n=trying.tries.lost))
        if outcome.lost:
            given_up = trying.tries.came_to_nothing(JudgeLost(outcome.lost))
            return None if given_up is None else Done(task, None, str(given_up))
        if outcome.done is None:
            return Done(task, None, outcome.fault)
        result = trying.tries.came(outcome.done)
        if result is None:
            return None
        if task.job.pictures is not None:
            unpack(outcome.pictures, task.job.pictures, task.job.student, task.job.exercise)
        return Done(task, result)

    def _there(self, order: Order) -> Order:
        """The order with the paths of the workers' machines."""
        if self._root is None:
            return order
        with contextlib.suppress(ValueError):
            here = self._course.root
            return replace(
                order,
                config=self._root / order.config.relative_to(here),
                checks=tuple(self._root / path.relative_to(here) for path in order.checks),
            )
        raise ClusterFault(_("the course's files lie outside its folder; --cluster-course cannot name them"))
