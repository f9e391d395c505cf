"""Time and memory of a check and of the import: whose word counts, and that a submission cannot raise them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest

from autograder.batch.job import Job, Order
from autograder.batch.judges import Judge

LIMITS = """
limits:
  per_import: {{seconds: 20, memory_mb: {imported}}}
  per_check: {{seconds: 20, memory_mb: {checked}}}
"""

TOUCH = """
def touch(megabytes):
    try:
        return len(bytearray(megabytes << 20)) > 0
    except MemoryError:
        return False
"""

CHECKS = '''
from autograder.judge import check


@check()
def test_small(student, expect):
    """A small check."""
    expect.true(student.touch(600), "no memory")


@check()
def test_large(student, expect):
    """A check that the configuration gives more."""
    expect.true(student.touch(600), "no memory")


@check()
def test_small_again(student, expect):
    """A small check after a large one."""
    expect.true(student.touch(600), "no memory")


@check(time_limit=7)
def test_time(student, expect):
    """A check that says its own time, and the configuration another."""
    student.wait()


@check(time_limit=0.4)
def test_own_time(student, expect):
    """A check that says its own time."""
    student.wait()
'''

Run = Callable[..., dict[str, Any]]


@pytest.fixture
def run(toy, tmp_path) -> Run:
    """`run(source, limits)` judges a file with these checks under these limits; gives the result, checks by id."""

    def judged(source: str, imported: int = 1024, checked: int = 1024) -> dict[str, Any]:
        config = (toy / "grading_config.yaml").read_text(encoding="utf-8").split("limits:")[0]
        config = config.replace(
            "points: 10", "points: 10\n    checks: {large: {memory_mb: 1024}, time: {seconds: 0.3}}"
        )
        (tmp_path / "grading_config.yaml").write_text(
            config + LIMITS.format(imported=imported, checked=checked), encoding="utf-8"
        )
        for folder in ("solutions", "reference"):
            (tmp_path / folder).symlink_to(toy / folder)
        hidden = tmp_path / "tests" / "hidden" / "toy"
        hidden.mkdir(parents=True)
        (hidden / "test_toy.py").write_text(CHECKS, encoding="utf-8")
        cells = [{"source": source, "where": "toy.py", "filename": "toy.py", "first_line": 1}]
        with Judge(Order(tmp_path / "grading_config.yaml", (hidden,), b"a secret of the tests")) as judge:
            result = judge.grade(Job("toy", "ada", cells, 120)).to_json()
        result["by_id"] = {check["id"]: check for check in result["checks"]}
        return result

    return judged


def outcomes(result: dict[str, Any], *ids: str) -> list[str]:
    return [result["by_id"][name]["outcome"] for name in ids]


MEMORY = ("small", "large", "small_again")


def test_a_check_has_its_own_memory_and_the_import_another(run):
    result = run(TOUCH + "HELD = touch(600)\nassert HELD\n", imported=1024, checked=256)
    assert result["loading"] == []
    assert outcomes(result, *MEMORY) == ["failed", "passed", "failed"]


def test_the_import_may_have_less_than_a_check(run):
    result = run(TOUCH + "assert touch(600), 'no memory'\n", imported=256, checked=1024)
    assert [(p["kind"], p["message"]) for p in result["loading"]] == [("exception", "AssertionError: no memory")]
    assert outcomes(result, *MEMORY) == ["passed", "passed", "passed"]


@pytest.mark.parametrize("call", ["setrlimit({kind}, (-1, -1))", "setrlimit({kind}, (hard, hard))",
                                  "prlimit(0, {kind}, (hard, hard))"])  # fmt: skip
def test_a_submission_cannot_raise_its_memory(run, call):
    source = f"""
import resource
def raise_it():
    for kind in (resource.RLIMIT_AS, resource.RLIMIT_DATA):
        hard = resource.getrlimit(kind)[1]
        try:
            resource.{call.format(kind="kind")}
        except (OSError, ValueError):
            pass
raise_it()
{TOUCH}
_touch = touch
def touch(megabytes):
    raise_it()
    return _touch(megabytes)
"""
    assert outcomes(run(source, checked=256), *MEMORY) == ["failed", "passed", "failed"]


def test_the_configurations_seconds_come_before_the_checks_own(run):
    result = run(TOUCH + "import time\ndef wait():\n    time.sleep(1)\n")
    assert outcomes(result, "time", "own_time") == ["failed", "failed"]
    assert "0.3 s" in result["by_id"]["time"]["message"]
    assert "0.4 s" in result["by_id"]["own_time"]["message"]


@pytest.mark.parametrize(("allowed", "outcome"), [(40, "failed"), (120, "passed")])
def test_the_process_has_the_limits_of_the_configuration(run, monkeypatch, allowed, outcome):
    """Fifty files at once are too many for one, and few enough for the other."""
    monkeypatch.setattr(sys.modules[__name__], "LIMITS", LIMITS + f"  process: {{{{open_files: {allowed}}}}}\n")
    source = """
def touch(megabytes):
    try:
        return len([open("/dev/null") for _ in range(50)]) > 0
    except OSError:
        return False
"""
    assert outcomes(run(source), "small") == [outcome]
