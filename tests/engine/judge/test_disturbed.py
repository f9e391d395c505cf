"""A worker killed from outside: all tries have one total of time, and what that spoils is never a student's loss."""

from __future__ import annotations

import math
import socket
from types import SimpleNamespace

import msgspec
import psutil
import pytest

from autograder.batch.job import Job
from autograder.batch.judges import JobDisturbed
from autograder.judge.check import CheckInfo
from autograder.judge.grading import Grading
from autograder.judge.messages import Kept
from autograder.judge.transport import WorkerLost, WorkerTransport, no_handle
from autograder.judge.verdicts import FrameworkFault, StudentError
from autograder.results.model import CheckResult
from autograder.sandbox import Exit, WorkerLimits

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
    ("ended", "disturbed", "reason"),
    [
        (Exit(None, 9, 0.1, 0, "memory"), True, "memory"),
        (Exit(None, None, 0.0, 0, "lost"), True, "lost"),
        (Exit(None, 11, 0.1, 0, "signal 11"), False, "signal 11"),
        (Exit(None, 9, 0.1, 0, "killed"), False, "closed the wire"),  # it was alive: the submission's own doing
    ],
)
def test_a_slow_minder_leaves_no_doubt_about_who_ended_a_worker(ended, disturbed, reason):
    transport = WorkerTransport(
        SimpleNamespace(spawn=lambda limits, libraries: Ended(ended)), WorkerLimits(memory_bytes=1, cpu_seconds=1)
    )
    transport.start()
    with pytest.raises(WorkerLost, match=reason):
        transport.request("seed", {"n": 1}, 10.0, no_handle)
    assert transport.disturbed is disturbed


def judged(judge, *rest, **job):
    """The result of a slow submission, times aside."""
    cells = ({"source": SLOW, "where": "toy.py", "filename": "toy.py", "first_line": 1},)
    result = judge.grade(Job("toy", "ada", cells, 120, **job), *rest).to_json()
    for part in (result, *result["checks"]):
        part["duration_s"] = 0
    return result


def kill_workers(check: str, outcome: str) -> None:
    for process in psutil.Process().children(recursive=True):  # the zygote's too
        if process.name() == "ag-worker":
            process.kill()


def test_after_a_disturbed_try_the_same_judge_finds_the_same(toy_judge):
    expected = judged(toy_judge)
    with pytest.raises(JobDisturbed):
        judged(toy_judge, kill_workers, False)
    assert judged(toy_judge) == expected


@pytest.mark.parametrize("again", ["quiz_mean", "mean_value", "sample_spread"])
def test_checks_that_are_kept_leave_nothing_behind_for_the_next_job(toy_judge, again):
    expected = judged(toy_judge)
    checks = tuple(msgspec.convert(check, CheckResult) for check in expected["checks"] if check["id"] != again)
    kept = judged(toy_judge, kept=Kept(checks))
    assert kept["checks"] == expected["checks"]
    assert judged(toy_judge) == expected


SLOW = "import time\ndef mean(x):\n    time.sleep(0.5)\n    return x.mean(1)\n"


def test_a_disturbed_try_says_what_it_took_and_ends_at_once(toy_judge):
    cells = ({"source": SLOW, "where": "toy.py", "filename": "toy.py", "first_line": 1},)
    seen = []

    def kill(check: str, outcome: str) -> None:
        seen.append(check)
        kill_workers(check, outcome)

    with pytest.raises(JobDisturbed) as lost:
        toy_judge.grade(Job("toy", "ada", cells, 120), kill, last=False)
    assert lost.value.spent > 0
    assert len(seen) == 2, "the check after the kill, and no more"
    result = toy_judge.grade(Job("toy", "ada", cells, 120), last=True, spent=120.0)
    assert result.outcome == "error"
    assert {check.outcome for check in result.checks} <= {"error", "blocked"}
