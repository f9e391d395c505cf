"""The proof that each attacker of this folder is put through.

An attacker is text appended to the right solution of the toy course. `prove` grades it and holds:

1. it passes exactly the checks that its honest code deserves: all but those named as lost (and, with `ALSO` among
   these, what it spoils for itself);
2. an honest submission graded next gets what it got before, to the byte apart from times;
3. nothing is left: no process, no file, no shared memory, no descriptor more in the judge;
4. where the attempt is visible to us, the result says so (`incidents`).
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from autograder.authoring.personal import personalise
from autograder.batch.job import Job, Order
from autograder.batch.judges import Judge
from autograder.course import find_exercise, load_config
from tests.engine.valid_results import validate

SECRET = b"a secret of the tests"
# Part of the name of every file that an attacker tries to leave; tests in another process have their own.
MARK = "left-by-a-hostile-submission" + os.environ.get("PYTEST_XDIST_WORKER", "")
ALSO = "also others"  # among the lost checks: the attack breaks its own worker, and may lose any other too
LIMITS = """
limits:
  per_check: {seconds: 2, memory_mb: 256}
  per_import: {seconds: 2, memory_mb: 256}
  total: {seconds: 60}
"""
MODES = {"full": frozenset(), "without_landlock": frozenset({"landlock"}), "reduced": frozenset({"namespaces"})}

# What attackers need to speak on the wire themselves.
FORGER = """
import gc as _gc, json as _json, socket as _socket, struct as _struct, threading as _threading, time as _time


def _wire():
    return next(thing for thing in _gc.get_objects() if isinstance(thing, _socket.socket) and thing.fileno() == 3)


def _frame(number, kind, value):
    header = _json.dumps({"id": number, "kind": kind, "value": value, "sizes": []}).encode()
    return _struct.pack(">4sIQ", b"AGW1", len(header), 0) + header


def _write(data):
    wire = _wire()
    while data:
        try:
            data = data[wire.send(data):]
        except BlockingIOError:
            _time.sleep(0.001)
"""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every attacker in the full isolation; in the other modes with `make test-all`."""
    if "mode" in metafunc.fixturenames:
        slow = [pytest.param(mode, marks=pytest.mark.slow) for mode in MODES if mode != "full"]
        metafunc.parametrize("mode", ["full", *slow], scope="session")


@pytest.fixture(scope="session")
def quick_toy(toy: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The toy course with short limits."""
    course = tmp_path_factory.mktemp("hostile") / "toy"
    shutil.copytree(toy, course)
    file = course / "grading_config.yaml"
    file.write_text(file.read_text().split("limits:")[0] + LIMITS)
    return course


@pytest.fixture(scope="session")
def own_solution(quick_toy: Path, toy_solution: str) -> str:
    """The right solution with ada's questions: full marks."""
    course = load_config(quick_toy / "grading_config.yaml")
    return personalise(toy_solution, find_exercise(course, "toy"), "ada")


class Bench:
    """A judge, and how it stands: what an honest submission gets, what it holds open, what runs below it."""

    def __init__(self, judge: Judge, solution: str) -> None:
        self.judge = judge
        self.solution = solution
        self.process = psutil.Process(judge._process.pid)
        self.honest = self.without_times(self.grade(solution))  # the first also imports what checks need
        assert self.honest == self.without_times(self.grade(solution)), "the proof needs a reproducible course"
        self.descriptors = self.process.num_fds()
        self.running = {child.pid for child in self.process.children(recursive=True)}

    def grade(self, source: str, checks: tuple[str, ...] = ()) -> dict[str, Any]:
        cells = [{"source": source, "where": "toy.py", "filename": "toy.py", "first_line": 1}]
        return self.judge.grade(Job("toy", "ada", cells, 100, checks=checks)).to_json()

    @classmethod
    def without_times(cls, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: cls.without_times(item) for key, item in value.items() if key != "duration_s"}
        return [cls.without_times(item) for item in value] if isinstance(value, list) else value

    def assert_nothing_left(self) -> None:
        strangers = [p for p in self.process.children(recursive=True) if p.pid not in self.running]
        _gone, alive = psutil.wait_procs(strangers, timeout=30)
        assert alive == [], "processes are left"
        assert self.process.num_fds() <= self.descriptors, "the judge holds more descriptors"
        places = [
            Path(p) for p in ("/tmp", "/var/tmp", "/dev/shm", "/dev/mqueue", os.getcwd(), "/") if Path(p).is_dir()
        ]
        left = [path for place in places for path in place.iterdir() if MARK in path.name]
        assert left == [], "files are left"


@pytest.fixture(scope="session")
def bench(mode: str, quick_toy: Path, own_solution: str) -> Iterator[Bench]:
    if mode == "reduced" and os.getuid() == 0 and _python_is_private():
        pytest.skip("this Python is root's alone, and workers without namespaces run as another user")
    order = Order(quick_toy / "grading_config.yaml", (quick_toy / "tests/hidden/toy",), SECRET, without=MODES[mode])
    with Judge(order) as judge:
        yield Bench(judge, own_solution)


def _python_is_private() -> bool:
    import sys

    return any(not folder.stat().st_mode & 1 for folder in Path(sys.base_prefix).parents)


Prove = Callable[..., dict[str, Any]]


@pytest.fixture
def prove(bench: Bench) -> Prove:
    """`prove(attack, loses, flagged, checks)`: grade the attack and hold the four claims; gives the result."""

    def run(attack: str, loses: set[str] | frozenset[str], flagged: bool | None, checks: tuple[str, ...] = ()) -> Any:
        source = bench.solution + "\n\n" + (FORGER if "_wire(" in attack or "_write(" in attack else "") + attack
        result = bench.grade(source.replace("{MARK}", MARK), checks)
        validate(result)
        assert len(json.dumps(result)) < 100_000, "the result is flooded"
        outcomes = {check["id"]: check["outcome"] for check in result["checks"]}
        assert "error" not in outcomes.values(), [c for c in result["checks"] if c["outcome"] == "error"]
        lost = {name for name, outcome in outcomes.items() if outcome != "passed"}
        messages = [(c["id"], c["message"]) for c in result["checks"]] + [result["incidents"], result["loading"]]
        must = set(loses) & set(outcomes)
        assert must <= lost, f"passed: {must - lost}\n{messages}"
        assert lost == must or ALSO in loses, f"lost too: {lost - must}\n{messages}"
        if flagged is not None:
            assert bool(result["incidents"]) == flagged, messages
        assert bench.without_times(bench.grade(bench.solution)) == bench.honest, "the next student's result changed"
        bench.assert_nothing_left()
        return result

    return run
