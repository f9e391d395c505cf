"""What several of the framework's own tests need: the toy course, and a judge process that grades it."""

from __future__ import annotations

import os
import random
import shutil
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from hypothesis import settings

from autograder.batch.job import Job, Order
from autograder.batch.judges import Judge
from autograder.language import use_language
from autograder.submissions import Cell, Submission, code_of

TOY = Path(__file__).parent / "toy"
# Another number draws others everywhere: AUTOGRADER_TEST_DRAWS=1 make test.
DRAWS = os.environ.get("AUTOGRADER_TEST_DRAWS", "0")
# No deadline: how long an example takes is the machine's, and the load's.
settings.register_profile("same in every run", deadline=None, derandomize=DRAWS == "0")
settings.load_profile("same in every run")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """A test draws the same numbers in every run, before its fixtures do: what it fails on fails again."""
    seed = zlib.crc32(f"{DRAWS} {item.nodeid}".encode())
    random.seed(seed)
    numpy.random.seed(seed)
    torch.manual_seed(seed)


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    """A test that speaks another language leaves it behind for none."""
    yield
    use_language("en")


@pytest.fixture(scope="session")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the toy course that tests may write in."""
    folder = tmp_path_factory.mktemp("course") / "toy"
    shutil.copytree(TOY, folder, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


@pytest.fixture(scope="session")
def toy_judge(toy: Path) -> Iterator[Judge]:
    """A judge process for the toy course."""
    with Judge(Order(toy / "grading_config.yaml", (toy / "tests/hidden/toy",), b"a secret of the tests")) as judge:
        yield judge


@pytest.fixture(scope="session")
def toy_solution(toy: Path) -> str:
    """The text of the toy's solution."""
    return (toy / "solutions/toy/toy.py").read_text(encoding="utf-8")


Grade = Callable[..., dict[str, Any]]


@pytest.fixture
def grade(toy_judge: Judge) -> Grade:
    """`grade(source, student="ada")` gives the result of a toy submission, checks by id under `by_id`."""

    def run(source: str, student: str = "ada", **job: Any) -> dict[str, Any]:
        script = Submission(student, "toy", Path("toy.py"), "", "py", (Cell(1, "toy.py", source, 1),))
        code = code_of(script)
        job = {"cells": code.cells, "left_out": code.left_out, "reader": code.reader} | job
        result = toy_judge.grade(Job("toy", student, seconds=120, **job)).to_json()
        result["by_id"] = {check["id"]: check for check in result["checks"]}
        return result

    return run
