"""A folder of submissions: everything in it gets a result or is listed as what it is."""

from __future__ import annotations

import contextlib
import csv
import json
import subprocess
import sys

import psutil
import pytest

from autograder.batch.job import Job, Order
from autograder.batch.judges import Judge, JudgeFault
from autograder.batch.pool import Done, Task, run_tasks
from autograder.course import load_config
from autograder.results.files import read_result, result_names
from tests.engine.classes import SECRET, grade_class
from tests.engine.valid_results import validate


@pytest.fixture(scope="module")
def folder(tmp_path_factory, toy_solution):
    base = tmp_path_factory.mktemp("class")

    def put(student, name, content):
        (base / student).mkdir(exist_ok=True)
        (base / student / name).write_bytes(content if isinstance(content, bytes) else content.encode())

    put("ada", "toy.py", toy_solution)
    put("zoé 🌊", "toy.py", toy_solution)
    put("broken", "toy.py", "def mean(x:\n")
    put("binary", "toy.py", bytes(range(256)) * 20)
    put("page", "toy.ipynb", "<!DOCTYPE html><html></html>")
    notebook = {"cells": [{"cell_type": "code", "source": toy_solution, "outputs": [], "metadata": {}}],
                "metadata": {}, "nbformat": 4, "nbformat_minor": 5}  # fmt: skip
    put("nora", "toy.ipynb", json.dumps(notebook))
    put("lost", "essay.docx", b"PK")
    return base


@pytest.fixture(scope="module")
def graded(folder, toy, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    course = load_config(toy / "grading_config.yaml")
    seen = []
    batch = grade_class(course, folder, out, workers=2, tell=lambda result, total: seen.append(total))
    return batch, out, seen


def test_everybody_is_in_the_results(graded):
    batch, out, seen = graded
    found = {r.student: r.outcome for r in batch.results}
    assert found == {
        "ada": "graded", "zoé 🌊": "graded", "broken": "graded",
        "binary": "handed_in_not_gradable", "page": "handed_in_not_gradable",
        "nora": "graded", "lost": "handed_in_not_gradable",
    }  # fmt: skip
    assert seen == [4] * 4  # what cannot be graded needs no judge
    assert {student for student, _exercise in result_names(out)} == set(found)


def test_what_could_not_be_placed_is_listed(graded):
    batch, _, _ = graded
    listed = {item.path.parent.name: item.kind for item in batch.handed_in.evidence if item.kind != "aside"}
    assert listed == {"binary": "unreadable", "page": "unreadable", "lost": "no_code"}


def test_results_are_valid_and_read_back(graded):
    batch, out, _ = graded
    for result in batch.results:
        validate(result.to_json())
    assert read_result(out / "results" / "ada" / "toy.json").points == 9  # the quiz is another student's


def test_a_notebook_and_a_script_of_the_same_code_get_the_same(graded):
    batch, _, _ = graded
    points = {r.student: r.points for r in batch.results}
    assert points["nora"] == points["ada"]


def test_broken_checks_grade_nobody(toy, tmp_path):
    (tmp_path / "test_broken.py").write_text("import no_such_module\n")
    judge = Judge(Order(toy / "grading_config.yaml", (tmp_path,), SECRET))
    with pytest.raises(JudgeFault, match="cannot be collected"):
        judge.start()


def test_a_judge_that_is_killed_is_replaced(toy, toy_solution):
    """It is killed (as the kernel would when memory ends) in its second job; the job is run again and ends well."""
    order = Order(toy / "grading_config.yaml", (toy / "tests/hidden/toy",), SECRET)
    slow = toy_solution.replace("def mean(", "def slow_mean(") + (
        "\n\ndef mean(x):\n    import time\n    time.sleep(0.5)\n    return slow_mean(x)\n"
    )
    cells = [{"source": slow, "where": "toy.py", "filename": "toy.py", "first_line": 1}]
    tasks = [Task((i,), Job("toy", f"s{i}", cells, 180.0)) for i in range(3)]
    done: list[Done] = []
    others = judges()  # of other tests in this process
    killed = []

    def on_done(outcome: Done) -> None:
        done.append(outcome)
        if not killed:
            (judge,) = judges() - others
            judge.kill()
            killed.append(judge)

    run_tasks(order, tasks, 1, on_done)
    assert killed
    assert sorted(d.task.key for d in done) == [(0,), (1,), (2,)]
    assert all(d.result is not None and d.result.outcome == "graded" for d in done)


def judges():
    found = set()
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if child.name() == "ag-judge":
                found.add(child)
    return found


def test_the_command_grades_and_says_where(folder, toy, tmp_path):
    command = [sys.executable, "-m", "autograder.commands.main", "grade", str(folder), "--out", str(tmp_path / "out"),
               "--course", str(toy), "--student", "ada", "--student", "binary", "--workers", "1"]  # fmt: skip
    environment = {"PATH": "/usr/bin:/bin", "AUTOGRADER_SECRET": "a secret of the tests", "HOME": str(tmp_path)}
    ran = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)
    assert ran.returncode == 3, ran.stderr
    assert ran.stdout.splitlines()[-1].startswith("2 things need a person: "), ran.stdout
    assert "ada" in ran.stdout
    assert "grades.csv" in ran.stdout
    with (tmp_path / "out" / "grades.csv").open() as stream:
        rows = {row["student"]: row for row in csv.DictReader(stream)}
    assert rows["ada"]["outcome"] == "graded"
    assert rows["binary"]["outcome"] == "handed_in_not_gradable"
