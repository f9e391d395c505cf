"""Only what changed is graded again, and a batch that was killed goes on where it stopped."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time

import pytest

from autograder.batch.grade import Options, grade_folder
from autograder.batch.plan import make_plan
from autograder.batch.state import State, StateFault
from autograder.course import load_config
from autograder.submissions import scan_folder

SECRET = b"a secret of the tests"
FAST = "def mean(x):\n    return x.mean(1)\n"


def make_class(base, n):
    for i in range(n):
        (base / f"s{i:02}").mkdir(parents=True)
        (base / f"s{i:02}" / "toy.py").write_text(FAST + f"# {i}\n")
    return base


@pytest.fixture
def course(toy):
    return load_config(toy / "grading_config.yaml")


def run(course, folder, out, **options):
    graded = []
    scan = scan_folder(folder, ["toy"])
    batch = grade_folder(
        course, SECRET, scan, out, Options(workers=1, **options), lambda r, t: graded.append(r.student)
    )
    return batch, sorted(graded)


def contents(out):
    found = {}
    for path in sorted((out / "results").glob("*/*.json")):
        data = json.loads(path.read_text())
        data["duration_s"] = 0
        for check in data["checks"]:
            check["duration_s"] = 0
        found[str(path.relative_to(out))] = data
    return found


def test_only_what_changed_is_graded_again(course, toy, tmp_path):
    folder, out = make_class(tmp_path / "class", 3), tmp_path / "out"
    first, graded = run(course, folder, out)
    assert graded == ["s00", "s01", "s02"]
    again, graded = run(course, folder, out)
    assert graded == []
    assert [r.points for r in again.results] == [r.points for r in first.results]
    (folder / "s01" / "toy.py").write_text(FAST + "x = 1\n")
    _, graded = run(course, folder, out)
    assert graded == ["s01"]
    _, graded = run(course, folder, out, students=["s02"], force=True)
    assert graded == ["s02"]
    # A result that was lost is written again from the database, not graded again.
    (out / "results" / "s00" / "toy.json").unlink()
    _, graded = run(course, folder, out)
    assert graded == []
    assert (out / "results" / "s00" / "toy.json").is_file()
    with_state = State(out)
    assert [a.sha256 for a in with_state.history("s01", "toy")] != []
    assert len(with_state.history("s01", "toy")) == 2
    # A changed check touches everybody, and the plan says why.
    probes = toy / "tests/hidden/toy/probes.py"
    text = probes.read_text()
    probes.write_text(text + "\n# changed\n")
    plan = make_plan(course, SECRET, scan_folder(folder, ["toy"]), with_state.latest(), Options(workers=1))
    probes.write_text(text)
    with_state.close()
    assert len(plan.todo) == 3
    assert all("share" in item.why for item in plan.todo)


def test_another_secret_is_another_grading(course, tmp_path):
    folder, out = make_class(tmp_path / "class", 1), tmp_path / "out"
    run(course, folder, out)
    state = State(out)
    plan = make_plan(course, b"another secret here", scan_folder(folder, ["toy"]), state.latest(), Options(workers=1))
    state.close()
    assert [item.why for item in plan.todo] == ["changed: the student's seed (name or course secret)"]


def test_identical_files_are_pointed_out(course, tmp_path):
    folder = make_class(tmp_path / "class", 3)
    (folder / "s02" / "toy.py").write_bytes((folder / "s00" / "toy.py").read_bytes())
    plan = make_plan(course, SECRET, scan_folder(folder, ["toy"]), {}, Options(workers=1))
    assert plan.identical() == [("toy", ["s00", "s02"])]


def test_what_is_no_database_is_refused(tmp_path):
    (tmp_path / "state.db").write_bytes(b"not a database at all" * 100)
    with pytest.raises(StateFault, match="cannot be used"):
        State(tmp_path)


def kill_and_resume(toy, tmp_path, times, students):
    folder = make_class(tmp_path / "class", students)
    calm, out = tmp_path / "calm", tmp_path / "killed"
    environment = dict(os.environ) | {"AUTOGRADER_SECRET": SECRET.decode()}

    def command(where):
        return [sys.executable, "-m", "autograder.commands.main", "grade", str(folder), "--out", str(where),
                "--course", str(toy), "--workers", "1"]  # fmt: skip

    subprocess.run(command(calm), check=True, env=environment, capture_output=True, timeout=600)
    rng = random.Random(3)
    for _ in range(times):
        process = subprocess.Popen(
            command(out), env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        time.sleep(rng.uniform(0.2, 9.0))
        victims = [process.pid, *children(process.pid)]
        victim = rng.choice(victims)
        with contextlib.suppress(ProcessLookupError):
            os.kill(victim, signal.SIGKILL)
        process.wait(600) if victim != process.pid else process.wait(60)
    subprocess.run(command(out), check=True, env=environment, capture_output=True, timeout=600)
    assert contents(out) == contents(calm)


def children(pid):
    import psutil

    try:
        return [c.pid for c in psutil.Process(pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def test_killed_it_goes_on(toy, tmp_path):
    kill_and_resume(toy, tmp_path, times=1, students=2)


@pytest.mark.slow
def test_killed_fifty_times_it_goes_on(toy, tmp_path):
    kill_and_resume(toy, tmp_path, times=50, students=30)
