"""Jobs over dask workers: the same results, also when a worker is killed; what is not safe is refused."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys

import psutil
import pytest

from autograder.batch.cluster import Cluster, ClusterFault, connect, is_safe
from autograder.batch.judges import JudgeFault
from autograder.batch.keys import Keys
from autograder.course import ConfigurationError, load_config

pytest.importorskip("distributed", reason="the extra `cluster` is not installed")
from autograder.batch.cluster_run import ClusterRunner
from autograder.batch.slurm import read_options
from tests.engine.classes import SECRET, grade_class

# dask and tornado leave their sockets and loops to the collector.
pytestmark = pytest.mark.filterwarnings("ignore")

SLOW = "import time\ndef mean(x):\n    time.sleep(0.3)\n    return x.mean(1)\n"


@pytest.fixture(scope="module")
def course(toy):
    return load_config(toy / "grading_config.yaml")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    base = tmp_path_factory.mktemp("class")
    for i in range(5):
        (base / f"s{i}").mkdir()
        (base / f"s{i}" / "toy.py").write_text(SLOW + f"# {i}\n")
    return base


@pytest.fixture(scope="module")
def two_workers():
    with connect(Cluster("local:2")) as client:
        yield client


def runner(client, course, root=None):
    return ClusterRunner(client, course, Keys(course, SECRET, course.language), root=root)


def grade(course, folder, out, tell=lambda result, total: None, runner=None):
    return grade_class(course, folder, out, runner, tell=tell)


def contents(out):
    found = {}
    for path in sorted((out / "results").glob("*/*.json")):
        data = json.loads(path.read_text())
        data["duration_s"] = 0
        for check in data["checks"]:
            check["duration_s"] = 0
        found[path.parent.name] = data
    return found


def dask_worker_of(judge):
    """The process that had a judge made, by its zygote or by itself."""
    process = judge.parent()
    while process.name().startswith("ag-"):
        process = process.parent()
    return process


def judges():
    found = []
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):  # workers come and go
            if child.name() == "ag-judge":
                found.append(child)
    return found


def test_a_worker_killed_in_the_middle_changes_no_result(course, folder, two_workers, tmp_path):
    grade(course, folder, tmp_path / "calm")
    killed = []

    def kill_one(result, total):
        if not killed:
            beside = [j for j in judges() if "spawn" in " ".join(dask_worker_of(j).cmdline())]
            assert beside, "no judge beside a dask worker"
            killed.append((dask_worker_of(beside[0]), beside[0]))
            killed[0][0].kill()

    batch = grade(course, folder, tmp_path / "out", kill_one, runner=runner(two_workers, course))
    assert killed
    assert [r.outcome for r in batch.results] == ["graded"] * 5
    assert contents(tmp_path / "out") == contents(tmp_path / "calm")
    # The judge of the lost worker does not stay behind.
    _gone, alive = psutil.wait_procs([killed[0][1]], timeout=30)
    assert alive == []


def test_a_killed_grader_leaves_no_workers_behind():
    program = (
        "from autograder.batch.cluster import Cluster, connect\n"
        "with connect(Cluster('local:1')) as client:\n"
        "    client.wait_for_workers(1, timeout=60)\n"
        "    print('there', flush=True)\n"
        "    client.submit(__import__('time').sleep, 600).result()\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as grader:
        try:
            assert grader.stdout.readline() == "there\n"
            below = psutil.Process(grader.pid).children(recursive=True)
        finally:
            grader.kill()
    assert len(below) >= 2  # nanny and worker
    _gone, alive = psutil.wait_procs(below, timeout=60)
    assert alive == []


def test_a_worker_that_does_not_start_is_said(monkeypatch):
    from autograder.batch import cluster_local

    monkeypatch.setattr(cluster_local.sys, "executable", shutil.which("true"))
    with pytest.raises(JudgeFault, match="did not start"), connect(Cluster("local:1")):
        pass


def test_a_worker_with_another_course_is_refused(course, toy, folder, two_workers, tmp_path):
    other = tmp_path / "elsewhere"
    shutil.copytree(toy, other)
    probes = other / "tests/hidden/toy/probes.py"
    probes.write_text(probes.read_text() + "\n# changed\n")
    with pytest.raises(ClusterFault, match="toy is not the same there: what the exercise's checks share"):
        grade(course, folder, tmp_path / "out", runner=runner(two_workers, course, other))
    with pytest.raises(ClusterFault, match=r"nowhere.*is not there"):
        grade(course, folder, tmp_path / "out", runner=runner(two_workers, course, tmp_path / "nowhere"))


@pytest.mark.slow
def test_a_job_that_kills_its_workers_is_reported(course, folder, tmp_path):
    """After three workers it is given up; the others are graded."""
    from autograder.batch import cluster_run

    with connect(Cluster("local:2")) as client:
        run = runner(client, course)
        submit = run._submit

        def submit_killer(executor, order, trying):
            if trying.task.key[0] == "s2":
                return executor.submit(os._exit, 1)
            return submit(executor, order, trying)

        run._submit = submit_killer
        batch = grade(course, folder, tmp_path / "out", runner=run)
    outcomes = {r.student: r.outcome for r in batch.results}
    assert outcomes == {"s0": "graded", "s1": "graded", "s2": "error", "s3": "graded", "s4": "graded"}
    assert "has ended 3 workers" in batch.faults[0].message
    assert cluster_run


@pytest.mark.parametrize(
    ("address", "safe"),
    [
        ("tcp://127.0.0.1:8786", True), ("127.0.0.1:8786", True), ("tcp://localhost:1", True), ("tcp://[::1]:1", True),
        ("tls://cluster.example:8786", True), ("tcp://cluster.example:8786", False), ("tcp://10.0.0.5:8786", False),
        ("cluster.example:8786", False), ("ucx://10.0.0.5:1", False), ("tcp://127.0.0.1.example:1", False),
    ],
)  # fmt: skip
def test_what_is_safe(address, safe):
    assert is_safe(address) is safe


def test_plain_tcp_to_another_machine_is_refused():
    with pytest.raises(ConfigurationError, match="--insecure-cluster"), connect(Cluster("tcp://10.255.255.1:8786")):
        pass


def test_a_scheduler_that_is_seen_from_elsewhere_is_refused():
    """We reach it at loopback, but its workers may be anywhere."""
    script = (
        "import asyncio, distributed\n"
        "async def main():\n"
        "    async with distributed.Scheduler(host='0.0.0.0', port=0, dashboard_address=':0') as s:\n"
        "        print(s.port, flush=True)\n"
        "        await s.finished()\n"
        "asyncio.run(main())\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as scheduler:
        try:
            port = int(scheduler.stdout.readline())
            with (
                pytest.raises(ConfigurationError, match="plain TCP"),
                connect(Cluster(f"tcp://127.0.0.1:{port}")),
            ):
                pass
        finally:
            scheduler.kill()


def test_tls_needs_its_files(tmp_path):
    with pytest.raises(ConfigurationError, match="--cluster-tls-ca"), connect(Cluster("tls://localhost:8786")):
        pass


def test_nobody_there_is_said(monkeypatch):
    monkeypatch.setattr("autograder.batch.cluster.CONNECT_SECONDS", 1)
    with pytest.raises(ClusterFault, match="no dask scheduler answers"), connect(Cluster("tcp://127.0.0.1:9")):
        pass


def test_options_of_slurm():
    assert read_options([("cores", "2"), ("queue", "short"), ("job_extra_directives", "-A x"),
                         ("job_extra_directives", "--gres=gpu:1")]) == {
        "cores": 2, "queue": "short", "job_extra_directives": ["-A x", "--gres=gpu:1"]}  # fmt: skip
    with pytest.raises(ConfigurationError, match="no such option"):
        read_options([("quue", "x")])
    with pytest.raises(ConfigurationError, match="a number is needed"):
        read_options([("cores", "many")])
