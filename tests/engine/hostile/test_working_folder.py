"""The folder that a command is started in may be a student's: a repository in CI, a flat folder of submissions."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.batch.job import Job, Order
from autograder.batch.judges import Judge
from autograder.submissions.layouts.github_classroom import commit_times

# What the judge, what it starts and what a cluster's workers import, and our own package.
PLANTED = ("json", "socket", "random", "typing", "pytest", "torch", "numpy", "dulwich", "multiprocessing", "autograder")


@pytest.fixture
def planted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """We work in a folder of hostile modules; the path returned exists as soon as one of them has run."""
    folder, mark = tmp_path / "repository", tmp_path / "mark"
    folder.mkdir()
    for name in PLANTED:
        (folder / f"{name}.py").write_text(f"open({os.fspath(mark)!r}, 'a').write({name + ' '!r})\nraise SystemExit\n")
    monkeypatch.chdir(folder)
    return mark


@pytest.mark.parametrize("unprotected", [False, True])
def test_a_judge_imports_nothing_from_where_it_is_started(planted, toy, toy_solution, unprotected):
    """It holds the secret, and what it says is the grade."""
    order = Order(toy / "grading_config.yaml", (toy / "tests/hidden/toy",), b"a secret", unprotected=unprotected)
    cells = [{"source": toy_solution, "where": "toy.py", "filename": "toy.py", "first_line": 1}]
    with Judge(order) as judge:
        result = judge.grade(Job("toy", "ada", cells, 120)).to_json()
    assert not planted.exists(), planted.read_text()
    assert {check["id"]: check["outcome"] for check in result["checks"]}["mean_value"] == "passed"


def test_the_reader_of_commits_imports_nothing_from_there(planted, tmp_path):
    assert commit_times([tmp_path / "repository"])[tmp_path / "repository"] != "", "it answers"
    assert not planted.exists(), planted.read_text()


def test_a_plain_worker_imports_nothing_from_there(planted):
    """A student who has called a file `random.py` could not check anything beside it."""
    code = (
        "import sys; sys.path[:] = [p for p in sys.path if p]\n"
        "from autograder.sandbox import plain, WorkerLimits\n"
        "from autograder.sandbox.warm import WarmParent\n"
        "import autograder, pathlib\n"
        "root = str(pathlib.Path(autograder.__file__).parents[1])\n"
        "order = {'root': root, 'import_path': [], 'preload': [], 'unprotected': True}\n"
        "try:\n    plain.spawn(order, WorkerLimits(2**33, 60), plain.isolation(True))\n"
        "except BaseException as error:\n    print(type(error).__name__, error)\n"
    )
    subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, timeout=120, check=False)
    assert not planted.exists(), planted.read_text()


def test_a_clusters_workers_import_nothing_from_there(planted, tmp_path):
    """Those on this machine are started by us, and again when one is lost; they run with the instructor's rights."""
    pytest.importorskip("distributed")
    program = tmp_path / "cluster.py"
    program.write_text(
        "import os\n"
        "from autograder.batch.cluster import Cluster, connect\n"
        "if __name__ == '__main__':\n"
        "    before = dict(os.environ)\n"
        "    with connect(Cluster('local:1')) as client:\n"
        "        client.wait_for_workers(1, timeout=60)\n"
        "        first = client.submit(os.getpid, pure=False).result(timeout=60)\n"
        "        client.restart(timeout=60)\n"
        "        print(client.submit(os.getpid, pure=False).result(timeout=60) != first)\n"
        "        changed = set(before.items()) ^ set(os.environ.items())\n"
        "        print(sorted(name for name, value in changed))\n"
    )
    ran = subprocess.run([sys.executable, program], capture_output=True, text=True, timeout=120, check=False)
    assert not planted.exists(), planted.read_text()
    # The workers alone are started so: whatever else this process starts has the user's own environment.
    assert ran.stdout == "True\n[]\n", ran.stdout + ran.stderr


def test_the_planted_modules_are_sound(planted):
    """Without the guard one of them is run."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"}
    command = [sys.executable, "-m", "autograder.submissions.commit_time"]
    subprocess.run(command, input=b"", check=False, env=environment)
    assert planted.exists()
