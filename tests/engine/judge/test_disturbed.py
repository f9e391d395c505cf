"""A worker killed from outside: who did it, what a try loses by it, and one total of time for all tries."""

from __future__ import annotations

import contextlib
import math
import os
import random
import signal
import socket
import threading
from types import SimpleNamespace

import msgspec
import psutil
import pytest

from autograder.batch.job import Job
from autograder.batch.retries import Quiet, Tries, in_tries
from autograder.judge.check import CheckInfo
from autograder.judge.grading import Grading
from autograder.judge.messages import Ask, Kept
from autograder.judge.transport import WorkerLost, WorkerTransport, no_handle
from autograder.judge.verdicts import FrameworkFault, StudentError
from autograder.results.model import CheckResult
from autograder.sandbox import Exit, WarmParent, WarmParentDied, WorkerLimits

CHECK = CheckInfo("a", "a", 1.0, "exact")


class Asked:
    """A session that has no worker: what is asked of it is kept."""

    def __init__(self, student_seconds: float) -> None:
        self.student_seconds = student_seconds
        self.given: list[float] = []

    def begin_check(self, name: str, seconds: float, *rest: object) -> None:
        self.given.append(seconds)


def begun(total: float, spent: float, used: float, wanted: float = 10.0) -> list[float]:
    session = Asked(used)
    Grading("toy", "ada", lambda name: 1, session, total_seconds=total, spent=spent).begin(CHECK, wanted, 64)
    return session.given


def test_a_check_has_its_time_as_long_as_all_tries_leave_it():
    assert begun(60, 0, 0) == [10]
    assert begun(60, 0, 55) == [5], "what the submission used itself is its own loss"
    assert begun(60, 40, 5) == [10]
    assert begun(math.inf, 1e6, 5) == [10]


@pytest.mark.parametrize("used", [11, 15, 25])
def test_time_that_others_took_is_a_fault_and_no_loss(used):
    with pytest.raises(FrameworkFault, match="40 s went into tries"):
        begun(60, 40, used)


def test_time_that_the_submission_took_is_its_loss():
    with pytest.raises(StudentError, match="used up its 60 s"):
        begun(60, 0, 60)
    with pytest.raises(StudentError, match="used up its 60 s"):
        begun(60, 40, 60)


class Ended:
    """A worker that is gone, on a machine so loaded that its minder says how only when it is asked to end it."""

    isolation = None

    def __init__(self, ended: Exit) -> None:
        self.socket, far_end = socket.socketpair()
        far_end.close()
        self._ended = ended
        self._said: Exit | None = None

    def wait(self, timeout: float | None) -> Exit | None:
        return self._said

    def kill(self) -> None:
        self._said = self._ended
        self.socket.close()


@pytest.mark.parametrize(
    ("ended", "proved", "reason"),
    [
        (Exit(None, 9, 0.1, 0, "memory"), [False], "memory"),
        (Exit(None, None, 0.0, 0, "lost"), [True], "lost"),
        (Exit(None, 11, 0.1, 0, "signal 11"), [], "signal 11"),
        (Exit(None, 9, 9.0, 0, "cpu"), [], "cpu"),
        (Exit(None, 9, 0.1, 0, "killed"), [], "closed the wire"),  # it was alive: the submission's own doing
    ],
)
def test_a_slow_minder_leaves_no_doubt_about_who_ended_a_worker(ended, proved, reason):
    transport = WorkerTransport(
        SimpleNamespace(spawn=lambda limits, libraries: Ended(ended)), WorkerLimits(memory_bytes=1, cpu_seconds=1)
    )
    transport.start()
    with pytest.raises(WorkerLost, match=reason):
        transport.request("seed", {"n": 1}, 10.0, no_handle)
    assert [death.proved for death in transport.deaths] == proved


@pytest.fixture(scope="module")
def parent():
    with WarmParent(preload=()) as parent:
        yield parent


def killed(parent, monkeypatch, counts, victims=1, witnessed=True):
    """The deaths that a transport sees while these counts are read of the kernel, one by one."""
    counts = iter(counts)
    monkeypatch.setattr("autograder.judge.transport.shortage.kills", lambda: next(counts))
    transport = WorkerTransport(parent, WorkerLimits(memory_bytes=2**28, cpu_seconds=9), witnessed=witnessed)
    transport.start()
    try:
        for worker in [transport._worker, transport._witness][:victims]:
            os.kill(worker.pid, signal.SIGKILL)
        with pytest.raises(WorkerLost, match="memory"):
            transport.request("seed", {"n": 1}, 10.0, no_handle)
        return [death.proved for death in transport.deaths]
    finally:
        transport.stop()


@pytest.mark.parametrize("witnessed", [False, True])
def test_it_is_ours_where_the_kernel_says_so(parent, monkeypatch, witnessed):
    assert killed(parent, monkeypatch, [(4, 0), (4, 1)], witnessed=witnessed) == [True]
    assert killed(parent, monkeypatch, [(4, 0), (4, 0)], witnessed=witnessed) == [False]


def test_it_is_ours_where_the_witness_died_with_it(parent, monkeypatch):
    assert killed(parent, monkeypatch, [(4, 0), (4, 0)], victims=2) == [True]


def judged(judge, **job):
    """The result of a slow submission, times aside."""
    cells = ({"source": SLOW, "where": "toy.py", "filename": "toy.py", "first_line": 1},)
    return timeless(judge.grade(Job("toy", "ada", cells, 120, **job)))


def timeless(result):
    result = result.to_json()
    for part in (result, *result["checks"]):
        part["duration_s"] = 0
    return result


def kill_workers(check: str = "", outcome: str = "") -> None:
    for process in psutil.Process().children(recursive=True):  # the zygote's too
        with contextlib.suppress(psutil.NoSuchProcess):  # it has ended meanwhile
            if process.name() == "ag-worker":
                process.kill()


def slow_job():
    cells = ({"source": SLOW, "where": "toy.py", "filename": "toy.py", "first_line": 1},)
    return Job("toy", "ada", cells, 120)


class Killer(threading.Thread):
    """Kills workers as a system short of memory would: in bouts, until it is told to stop."""

    def __init__(self, shortest: float = 0.4, longest: float = 1.0) -> None:
        super().__init__(daemon=True)
        self._told = threading.Event()
        self._rng = random.Random(7)
        self._pause = shortest, longest
        self.bouts = 0

    def run(self) -> None:
        while not self._told.wait(self._rng.uniform(*self._pause)):
            kill_workers()
            self.bouts += 1

    def stop(self) -> None:
        self._told.set()
        self.join()


def test_a_check_that_lost_its_worker_is_judged_again_by_itself(toy_judge):
    """Where a kill comes decides what it costs, and the load where it comes: what comes out is right each time."""
    expected, seen = judged(toy_judge), []
    for _time in range(3):
        killer = Killer(0.02, 0.02)
        seen.append([])

        def once(question: Ask, tries=seen[-1], killer=killer):
            def kill(check: str, seconds: float) -> None:
                tries[-1].append(check)
                if len(tries) == 1 and len(tries[0]) == 2:  # from the second check on, in the first try
                    killer.start()

            tries.append([])
            try:
                return toy_judge.ask(question, kill)
            finally:
                if killer.is_alive():
                    killer.stop()

        assert timeless(in_tries(Tries(slow_job()), once, Quiet(), progress=True)) == expected
        first, *later = seen[-1]
        if later and first[0] not in later[0] and set(first[1:]) & set(later[0]):
            return
    pytest.fail(f"what was judged is judged again: {seen}")


def test_workers_killed_while_a_machine_is_tried_say_nothing_of_what_it_can(tmp_path):
    """Nor does another try: whoever counts them decides."""

    limits = WorkerLimits(memory_bytes=256 << 20, cpu_seconds=20)

    def many() -> None:
        with WarmParent() as parent:
            for _ in range(1000):
                parent.spawn(limits).kill()

    killer = Killer(0.0, 0.002)
    killer.start()
    try:
        with pytest.raises(WarmParentDied, match="killed from outside"):
            many()
    finally:
        killer.stop()


def test_what_passes_all_the_same_is_no_incident(toy_judge):
    expected = judged(toy_judge)
    done = toy_judge.ask(Ask(slow_job(), progress=True), kill_workers)  # before each check
    lost, result = {killed.check for killed in done.killed}, timeless(done.result)
    for check, right in zip(result["checks"], expected["checks"], strict=True):
        assert check == right or check["id"] in lost or check["outcome"] == "blocked"
    assert {incident["check"] for incident in result["incidents"]} <= lost | {"import"}


def test_an_honest_submission_loses_no_point_while_workers_are_killed_all_the_time(toy_judge, monkeypatch):
    """Either it has what it has in peace, or it is no grade at all."""
    expected = judged(toy_judge)
    killer = Killer()
    killer.start()
    try:
        for _ in range(2):
            result = timeless(in_tries(Tries(slow_job()), toy_judge.ask, Quiet()))
            outcomes = {check["id"]: check["outcome"] for check in result["checks"]}
            if result["outcome"] == "graded":
                assert result == expected
            else:
                assert result["outcome"] == "error"
                assert "error" in outcomes.values()
            lost = {c["id"] for c, right in zip(result["checks"], expected["checks"], strict=True) if c != right}
            assert {outcomes[name] for name in lost} <= {"error", "blocked"}
    finally:
        killer.stop()
    assert killer.bouts > 1
    assert judged(toy_judge) == expected


@pytest.mark.parametrize("again", ["quiz_mean", "mean_value", "sample_spread"])
def test_checks_that_are_kept_leave_nothing_behind_for_the_next_job(toy_judge, again):
    expected = judged(toy_judge)
    checks = tuple(msgspec.convert(check, CheckResult) for check in expected["checks"] if check["id"] != again)
    kept = judged(toy_judge, kept=Kept(checks))
    assert kept["checks"] == expected["checks"]
    assert judged(toy_judge) == expected


SLOW = "import time\ndef mean(x):\n    time.sleep(0.5)\n    return x.mean(1)\n"


def test_a_try_without_time_is_a_fault(toy_judge):
    result = toy_judge.ask(Ask(slow_job(), spent=120.0)).result
    assert result.outcome == "error"
    assert {check.outcome for check in result.checks} <= {"error", "blocked"}
