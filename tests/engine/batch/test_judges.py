"""What a judge process makes of the environment that it is started in."""

from __future__ import annotations

from pathlib import Path

from autograder.batch.job import Job, Order
from autograder.batch.judges import Judge
from autograder.submissions import Cell, Submission, code_of


def test_options_for_other_tests_are_not_the_judges(toy, toy_solution, monkeypatch):
    monkeypatch.setenv("PYTEST_ADDOPTS", "-v --durations=3 -k nothing")
    monkeypatch.setenv("PYTEST_PLUGINS", "nowhere_to_be_found")
    order = Order(toy / "grading_config.yaml", (toy / "tests/hidden/toy",), b"a secret of the tests")
    code = code_of(Submission("ada", "toy", Path("toy.py"), "", "py", (Cell(1, "toy.py", toy_solution, 1),)))
    with Judge(order) as judge:
        job = Job("toy", "ada", cells=code.cells, left_out=code.left_out, reader=code.reader, seconds=60)
        result = judge.grade(job)
    assert result.outcome == "graded"
    assert sum(check.outcome == "passed" for check in result.checks) >= 6
