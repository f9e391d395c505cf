"""Whatever happens to a job, it is tried a bounded number of times in all, and those after it are graded."""

from __future__ import annotations

from concurrent.futures import Future
from pathlib import Path

import pytest

from autograder.batch.cluster_run import ClusterRunner
from autograder.batch.cluster_worker import Outcome
from autograder.batch.job import Job, Order
from autograder.batch.judges import CannotJudge, Judge, JudgeFault, JudgeLost, StartLost
from autograder.batch.pool import InOrder, Judges, Task
from autograder.batch.retries import TRIES, in_tries
from autograder.judge.messages import to_line
from autograder.results.model import Result

JUDGE = """
import json, os, socket, sys
from autograder.judge.messages import Disturbed, JobResult, Ask, Ready, Start, from_line, to_line
from autograder.results.model import Result
stream = socket.socket(fileno=int(sys.argv[1])).makefile("rw", encoding="utf-8", newline="\\n")
def count(what):
    with open({log!r}, "a") as file:
        file.write(what + "\\n")
def say(message):
    stream.write(to_line(message))
    stream.flush()
start = from_line(stream.readline(), Start)
count("start")
{at_start}
say(Ready({{}}))
for line in stream:
    question = from_line(line, Ask)
    count(f"try {{question.job.student}} {{question.last}}")
    if question.job.student == "killer":
        {at_killer}
    say(JobResult(Result(question.job.student, "toy", 1.0, 1.0, "graded")))
"""


@pytest.fixture
def judges(tmp_path):
    """`judges(at_start, at_killer)`: judges of a program that does so; what it did is in its `log`."""

    def make(at_start="", at_killer="os._exit(1)", workers=1):
        file = tmp_path / "judge.py"
        log = tmp_path / "log"
        file.write_text(JUDGE.format(log=str(log), at_start=at_start, at_killer=at_killer))

        class Program(Judge):
            program = (str(file),)

        found = Judges(Order(tmp_path / "grading_config.yaml", (), b"a secret"), workers)
        found.judge_class = Program
        found.log = lambda: log.read_text().splitlines()
        return found

    return make


def task(student):
    return Task(student, Job("toy", student, (), 60.0))


@pytest.mark.parametrize(
    ("at_killer", "starts"),
    [
        ("os._exit(1)", TRIES + 1),  # a judge that dies is started again for the next try
        ('say(Disturbed("killed")); continue', 1),
    ],
)
def test_a_job_that_loses_its_judge_each_time(judges, at_killer, starts):
    done = {}
    with judges(at_killer=at_killer) as pool:
        pool.run(InOrder([task("ada"), task("killer"), task("bob")]), lambda one: done.update({one.task.key: one}))
        log = pool.log()
    assert [line for line in log if "killer" in line] == [f"try killer {n == TRIES}" for n in range(1, TRIES + 1)]
    assert log.count("start") == starts
    assert done["killer"].result is None
    assert "3 times" in done["killer"].fault
    assert [done[name].result.outcome for name in ("ada", "bob")] == ["graded"] * 2


def test_one_that_is_lost_once_is_graded(judges):
    with judges(at_killer="if not question.last: os._exit(1)") as pool:
        assert pool.grade(Job("toy", "killer", (), 60.0)).outcome == "graded"


def test_where_no_judge_comes_up_the_batch_ends(judges):
    with judges(at_start="os._exit(1)") as pool:
        with pytest.raises(CannotJudge, match="3 times"):
            pool.run(InOrder([task("ada"), task("bob")]), lambda one: None)
        assert pool.log() == ["start"] * TRIES
    with judges(at_start='say(Disturbed("no memory")); sys.exit()') as pool, pytest.raises(CannotJudge, match="memory"):
        pool.grade(Job("toy", "ada", (), 60.0))


def test_a_fault_that_the_judge_reports_is_not_tried_again(judges):
    with judges(at_killer="from autograder.judge.messages import Fault; say(Fault('broken')); continue") as pool:
        with pytest.raises(JudgeFault, match="broken"):
            pool.grade(Job("toy", "killer", (), 60.0))
        assert len(pool.log()) == 2


def test_the_last_try_knows_that_it_is():
    seen = []

    def once(last):
        seen.append(last)
        raise JudgeLost("gone")

    with pytest.raises(JudgeFault, match="gone"):
        in_tries(once)
    assert seen == [False] * (TRIES - 1) + [True]
    assert in_tries(once, lambda: True) is None
    assert len(seen) == TRIES + 1


def test_starts_that_are_lost_end_the_batch_only_where_none_came_up():
    ends = [StartLost("a"), StartLost("b"), JudgeLost("c")]

    def once(last):
        raise ends.pop(0)

    with pytest.raises(JudgeFault) as caught:
        in_tries(once)
    assert not isinstance(caught.value, CannotJudge)


class KilledWorker(Exception):
    allowed_failures = 0


class Executor:
    """A cluster on which each try ends at once, in a way that the student's name says."""

    def __init__(self):
        self.tries = []

    def submit(self, function, order, expected, line, last):
        future = Future()
        student = "killer" if "killer" in line else "loser" if "loser" in line else "ada"
        self.tries.append((student, last))
        if student == "killer":
            future.set_exception(KilledWorker())
        else:
            result = Result("ada", "toy", 1.0, 1.0, "graded") if student == "ada" else None
            future.set_result(to_line(Outcome(result, lost="" if result else "gone")))
        return future

    def shutdown(self, wait):
        pass


def test_a_cluster_counts_in_the_same_way(monkeypatch):
    executor = Executor()
    keys = type("Keys", (), {"shared": lambda self, exercise: {}})()
    client = type("Client", (), {"get_executor": lambda self, **options: executor})()
    runner = ClusterRunner(client, None, keys)
    monkeypatch.setattr(runner, "_await_workers", lambda: None)
    monkeypatch.setattr(runner, "_require_installed", lambda: None)
    monkeypatch.setattr(runner, "_slots", lambda: 1)
    done = {}
    order = Order(Path("grading_config.yaml"), (), b"a secret")
    runner(order, InOrder([task(name) for name in ("killer", "loser", "ada")]), lambda d: done.update({d.task.key: d}))
    assert [last for name, last in executor.tries if name == "killer"] == [False] * (TRIES - 1) + [True]
    assert [last for name, last in executor.tries if name == "loser"] == [False] * (TRIES - 1) + [True]
    assert "ended 3 workers" in done["killer"].fault
    assert "lost 3 times: gone" in done["loser"].fault
    assert done["ada"].result is not None
