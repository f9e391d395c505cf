"""Whatever happens to a job, it is tried a bounded number of times in all, and those after it are graded."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from pathlib import Path

import pytest

from autograder.batch import retries
from autograder.batch.cluster_run import ClusterRunner
from autograder.batch.cluster_worker import Outcome
from autograder.batch.job import Job, Order
from autograder.batch.judges import CannotJudge, Judge, JudgeFault, JudgeLost, StartLost
from autograder.batch.pool import InOrder, Judges, Task
from autograder.batch.retries import TRIES, Deaths, Quiet, Tries, in_tries
from autograder.judge.messages import Ask, JobResult, Killed, from_line, to_line
from autograder.results.model import CheckResult, Result

JUDGE = """
import json, os, socket, sys
from autograder.judge.messages import Disturbed, JobResult, Ask, Ready, Start, from_line, to_line
from autograder.results.model import Result
stream = socket.socket(fileno=int(sys.argv[1])).makefile("rw", encoding="utf-8", newline="\\n")
LOG = {log!r}
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
        ('say(Disturbed("gone")); continue', 1),
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


def test_one_by_itself_is_started_again(judges, monkeypatch):
    monkeypatch.setattr(
        retries, "Judge", judges(at_start="if sum(1 for line in open(LOG)) < 2: os._exit(1)").judge_class
    )
    with retries.started(Order(Path("grading_config.yaml"), (), b"a secret")) as judge:
        assert judge.checks == {}
    monkeypatch.setattr(retries, "Judge", judges(at_start="os._exit(1)").judge_class)
    with pytest.raises(CannotJudge, match="3 times"), retries.started(Order(Path("grading_config.yaml"), (), b"a")):
        pass


def test_a_fault_that_the_judge_reports_is_not_tried_again(judges):
    with judges(at_killer="from autograder.judge.messages import Fault; say(Fault('broken')); continue") as pool:
        with pytest.raises(JudgeFault, match="broken"):
            pool.grade(Job("toy", "killer", (), 60.0))
        assert len(pool.log()) == 2


def a_job(student="ada"):
    return Job("toy", student, (), 60.0)


def test_the_last_try_knows_that_it_is():
    seen = []

    def once(question):
        seen.append(question.last)
        raise JudgeLost("gone")

    with pytest.raises(JudgeFault, match="gone"):
        in_tries(Tries(a_job()), once, Quiet())
    assert seen == [False] * (TRIES - 1) + [True]
    assert in_tries(Tries(a_job()), once, Quiet(), lambda: True) is None
    assert len(seen) == TRIES


def test_starts_that_are_lost_end_the_batch_only_where_none_came_up():
    ends = [StartLost("a"), StartLost("b"), JudgeLost("c")]

    def once(question):
        raise ends.pop(0)

    with pytest.raises(JudgeFault) as caught:
        in_tries(Tries(a_job()), once, Quiet())
    assert not isinstance(caught.value, CannotJudge)


# --- checks that lost their worker --------------------------------------------------------------------------------


class Shaken:
    """A judge whose workers are killed in these checks, try by try; what it was asked is kept."""

    def __init__(self, *lost, proved=False, at=0.0):
        self.lost = list(lost)
        self.proved = proved
        self.at = at
        self.asked = []

    def __call__(self, question):
        self.asked.append(question)
        known = {check.id: check for check in question.job.kept.checks} if question.job.kept else {}
        names = self.lost[len(self.asked) - 1]
        checks = [
            known.get(name) or CheckResult(name, name, 0.0 if name in names else 1.0, 1.0,
                                           "failed" if name in names else "passed", "it ended" if name in names else "")
            for name in ("a", "b", "c")
        ]  # fmt: skip
        result = Result("ada", "toy", sum(c.points for c in checks), 3.0, "graded", checks)
        return JobResult(result, tuple(Killed(name, self.at, self.proved) for name in names), 1.5)


def outcomes(result):
    return result.outcome, result.points, [check.outcome for check in result.checks]


def test_only_what_was_lost_is_judged_again_and_all_tries_have_one_time():
    judge = Shaken("ab", "b", "")
    assert outcomes(in_tries(Tries(a_job()), judge, Quiet())) == ("graded", 3.0, ["passed"] * 3)
    assert [sorted(c.id for c in q.job.kept.checks) if q.job.kept else None for q in judge.asked] == [
        None,
        ["c"],
        ["a", "c"],
    ]
    assert [(q.last, q.spent, q.doubted) for q in judge.asked] == [
        (False, 0, False),
        (False, 1.5, True),
        (True, 3.0, True),
    ]


def test_what_is_lost_each_time_without_a_word_from_the_kernel_costs_that_check():
    result = in_tries(Tries(a_job()), Shaken("b", "b", "b"), Quiet())
    assert outcomes(result) == ("graded", 2.0, ["passed", "failed", "passed"])
    assert result.checks[1].message == "it ended"


def test_what_others_did_is_an_error_and_no_zero():
    result = in_tries(Tries(a_job()), Shaken("b", "b", "b", proved=True), Quiet())
    assert outcomes(result) == ("error", 2.0, ["passed", "error", "passed"])
    assert "killed from outside" in result.checks[1].message


def test_once_proved_the_rest_is_believed():
    judge = Shaken("b", "b", "b", proved=True)

    def once(question):
        judge.proved = not judge.asked  # the kernel speaks of the first alone
        return judge(question)

    assert in_tries(Tries(a_job()), once, Quiet()).outcome == "error"


@pytest.mark.parametrize(("apart", "outcome"), [(0.5, "error"), (60.0, "graded")])
def test_two_who_die_together_are_nobodys_fault(apart, outcome):
    deaths = Deaths()
    deaths.add(100.0 + apart, a_job("bob"))
    deaths.add(100.0, a_job("carl")) if outcome == "error" else None
    assert in_tries(Tries(a_job(), deaths), Shaken("b", "b", "b", at=100.0), Quiet()).outcome == outcome


def test_ones_own_deaths_prove_nothing():
    deaths, job = Deaths(), a_job()
    deaths.add(100.0, job)
    assert not deaths.with_it(100.0, job)


def test_the_last_try_runs_alone():
    quiet, order, running = Quiet(), [], threading.Event()
    end = threading.Event()

    def one():
        with quiet.trying(False):
            running.set()
            assert end.wait(60)
            order.append("beside")

    def last():
        with quiet.trying(True):
            order.append("alone")

    def later():
        with quiet.trying(False):
            order.append("later")

    threads = [threading.Thread(target=target) for target in (one, last)]
    threads[0].start()
    assert running.wait(60)
    threads[1].start()
    while not quiet._alone:
        pass
    threads.append(threading.Thread(target=later))
    threads[2].start()
    end.set()
    for thread in threads:
        thread.join(60)
    assert order == ["beside", "alone", "later"]


class KilledWorker(Exception):
    allowed_failures = 0


class Executor:
    """A cluster on which each try ends at once, in a way that the student's name says."""

    def __init__(self):
        self.tries = []

    def submit(self, function, order, expected, line):
        future = Future()
        last = from_line(line, Ask).last
        student = "killer" if "killer" in line else "loser" if "loser" in line else "ada"
        self.tries.append((student, last))
        if student == "killer":
            future.set_exception(KilledWorker())
        else:
            result = Result("ada", "toy", 1.0, 1.0, "graded") if student == "ada" else None
            future.set_result(to_line(Outcome(JobResult(result) if result else None, lost="" if result else "gone")))
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
