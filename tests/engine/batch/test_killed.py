"""Nothing is lost: whatever process is killed, the same command goes on and comes to the same results."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time

import psutil
import pytest

SECRET = "a secret of the tests"
FAST = "def mean(x):\n    return x.mean(1)\n"
SLOW = "import time\ndef mean(x):\n    time.sleep(0.3)\n    return x.mean(1)\n"


def make_class(base, n, text=FAST):
    for i in range(n):
        (base / f"s{i:02}").mkdir(parents=True)
        (base / f"s{i:02}" / "toy.py").write_text(text + f"# {i}\n")
    return base


def command(toy, folder, out, *more):
    return [sys.executable, "-m", "autograder.commands.main", "grade", str(folder), "--out", str(out),
            "--course", str(toy), *(more or ("--workers", "1"))]  # fmt: skip


def environment():
    return dict(os.environ) | {"AUTOGRADER_SECRET": SECRET, "OMP_NUM_THREADS": "1"}


def grade(toy, folder, out, *more):
    return subprocess.run(
        command(toy, folder, out, *more), env=environment(), capture_output=True, text=True, timeout=600, check=False
    )


def begin(toy, folder, out, *more):
    return subprocess.Popen(
        command(toy, folder, out, *more), env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip


def contents(out):
    """All results but their times."""
    found = {}
    for path in sorted((out / "results").glob("*/*.json")):
        data = json.loads(path.read_text())
        data["duration_s"] = 0
        for check in data["checks"]:
            check["duration_s"] = 0
        found[str(path.relative_to(out))] = data
    return found


def last_attempts(out):
    """The contents without the numbers of attempts: the undisturbed run is given only the last one of each."""
    found = contents(out)
    for data in found.values():
        assert data["submission"].pop("attempt", 1) == data["submission"].pop("attempts", 1)
    return found


def differences(found, expected, where=""):
    """Where two results differ, and how: what a long run leaves to look at."""
    if isinstance(found, dict) and isinstance(expected, dict):
        names = sorted(found.keys() | expected.keys())
        return [line for name in names for line in differences(found.get(name), expected.get(name), f"{where}/{name}")]
    if isinstance(found, list) and isinstance(expected, list) and len(found) == len(expected):
        pairs = enumerate(zip(found, expected, strict=True))
        return [line for number, (one, other) in pairs for line in differences(one, other, f"{where}/{number}")]
    return [] if found == expected else [f"{where}: {found!r} instead of {expected!r}"]


def role(process):
    """What a process of a batch does: the grader itself, a judge, its warm parent, a minder or a worker."""
    with contextlib.suppress(psutil.Error):
        name = process.name()
        if name in ("ag-judge", "ag-parent", "ag-minder", "ag-worker", "ag-zygote"):
            return name.removeprefix("ag-")
    return None


def processes(pid):
    """The processes below one, by role."""
    found = {}
    with contextlib.suppress(psutil.Error):
        for child in psutil.Process(pid).children(recursive=True):
            found.setdefault(role(child), []).append(child)
    return found


def wait_for(condition, seconds=400):
    """Wait until a condition gives something; None when it did not in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.1)  # looking through all processes is work too
    return None


@pytest.fixture(scope="module")
def calm(toy, tmp_path_factory):
    """A small class and its undisturbed results."""
    base = tmp_path_factory.mktemp("calm")
    folder = make_class(base / "class", 3, SLOW)
    ran = grade(toy, folder, base / "out")
    assert ran.returncode == 0, ran.stderr
    return folder, contents(base / "out")


SLOW_ONE = pytest.mark.slow
VICTIMS = ["judge", pytest.param("parent", marks=SLOW_ONE), pytest.param("minder", marks=SLOW_ONE), "worker", "zygote"]


@pytest.mark.parametrize("victim", VICTIMS)
def test_a_killed_helper_changes_no_result(toy, calm, tmp_path, victim):
    """The command itself goes on: the submission is judged again, and it is nobody's mistake."""
    folder, expected = calm
    process = begin(toy, folder, tmp_path / "out")
    try:
        # A worker that serves a submission: its judge has got past the throw-away worker of the start.
        at_work = wait_for(lambda: (tmp_path / "out" / "results").exists() and processes(process.pid).get("worker"))
        assert at_work, process.poll()
        found = processes(process.pid)[victim][0]
        found.kill()
        out, err = process.communicate(timeout=300)
    finally:
        process.kill()
    assert process.returncode == 0, out + err
    assert contents(tmp_path / "out") == expected


def test_the_killed_grader_leaves_no_process_and_goes_on(toy, calm, tmp_path):
    folder, expected = calm
    process = begin(toy, folder, tmp_path / "out")
    assert wait_for(lambda: processes(process.pid).get("worker"))
    below = [p for group in processes(process.pid).values() for p in group]
    process.kill()
    process.communicate()
    _gone, alive = psutil.wait_procs(below, timeout=30)
    assert alive == []
    assert grade(toy, folder, tmp_path / "out").returncode == 0
    assert contents(tmp_path / "out") == expected


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=SLOW_ONE)])
def test_interrupted_it_leaves_no_process_and_says_how_to_go_on(toy, calm, tmp_path, number):
    folder, expected = calm
    process = begin(toy, folder, tmp_path / "out")
    assert wait_for(lambda: processes(process.pid).get("worker"))
    below = [p for group in processes(process.pid).values() for p in group]
    process.send_signal(number)
    _out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert f"autograder grade {folder} --out {tmp_path / 'out'}" in err
    assert "Traceback" not in err
    _gone, alive = psutil.wait_procs(below, timeout=30)
    assert alive == []
    assert grade(toy, folder, tmp_path / "out").returncode == 0
    assert contents(tmp_path / "out") == expected


def test_two_graders_do_not_meet(toy, calm, tmp_path):
    folder, _expected = calm
    first = begin(toy, folder, tmp_path / "out")
    try:
        assert wait_for(lambda: processes(first.pid).get("judge"))
        first.send_signal(signal.SIGSTOP)  # it must not be done before the others have looked
        second = grade(toy, folder, tmp_path / "out")
        assert second.returncode == 2
        assert f"process {first.pid}" in second.stderr
        other = grade(toy, folder, tmp_path / "other", "--database", f"sqlite:///{tmp_path / 'out' / 'book.db'}")
        assert other.returncode == 2
        assert "book.db" in other.stderr
    finally:
        first.kill()
        first.communicate()


@pytest.mark.slow
def test_killed_fifty_times_it_goes_on(toy, tmp_path):
    """Students hand in again between the kills, so that there is always something left to do."""
    folder, out, calm = make_class(tmp_path / "class", 30, SLOW), tmp_path / "killed", tmp_path / "calm"
    rng = random.Random(3)
    killed = {}
    for number in range(50):
        process = begin(toy, folder, out, "--workers", "2")
        if rng.random() < 0.7:  # else it is killed while its judges start
            wait_for(lambda pid=process.pid: processes(pid).get("worker") or not psutil.pid_exists(pid))
        time.sleep(rng.uniform(0.0, 3.0))
        everybody = {"grader": [psutil.Process(process.pid)], **processes(process.pid)}
        kind = rng.choice(sorted(str(name) for name in everybody))
        killed[kind] = killed.get(kind, 0) + 1
        with contextlib.suppress(psutil.NoSuchProcess, KeyError):
            rng.choice(everybody[kind]).kill()
        process.communicate(timeout=600)
        for student in rng.sample(range(30), 6):
            (folder / f"s{student:02}" / "toy.py").write_text(SLOW + f"# {student} {number}\n")
    assert grade(toy, folder, out).returncode == 0
    assert grade(toy, folder, calm).returncode == 0
    assert differences(last_attempts(out), contents(calm)) == []
    assert {"grader", "judge", "parent", "minder", "worker"} <= set(killed)
