"""`examples/api.py` grades a class and prints its table, in few lines and through what is public alone."""

from __future__ import annotations

import ast
import builtins
import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

import autograder

EXAMPLE = Path(__file__).parents[2] / "examples" / "api.py"


def test_it_grades_a_class_and_prints_a_table(toy, toy_solution, tmp_path):
    for student, text in (("ada", toy_solution), ("zoé", "def mean(x):\n    return x\n")):
        (tmp_path / "class" / student).mkdir(parents=True)
        (tmp_path / "class" / student / "toy.py").write_text(text)
    ran = subprocess.run(
        [sys.executable, EXAMPLE, tmp_path / "class", tmp_path / "out"], cwd=toy, capture_output=True, text=True,
        timeout=300, env=os.environ | {"AUTOGRADER_SECRET": "a secret of the tests"},
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert [line.split() for line in ran.stdout.splitlines()] == [["toy"], ["ada", "9"], ["zoé", "0"]]
    assert (tmp_path / "out" / "results" / "ada" / "toy.json").is_file()


def test_it_is_short_and_uses_what_is_public():
    source = EXAMPLE.read_text(encoding="utf-8")
    tree = ast.parse(source)
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {alias.name for node in imports for alias in node.names}
    assert names <= {"sys", *autograder.__all__}
    body = [line for line in source.split('"""')[2].splitlines() if line.strip()]
    assert len(body) <= 20


def test_everything_public_is_there_and_says_what_it_is():
    for name in autograder.__all__:
        assert (getattr(autograder, name).__doc__ or "").strip(), name


def raised(one: object) -> set[str]:
    """The errors that a docstring names under Raises."""
    section = (inspect.getdoc(one) or "").partition("Raises:\n")[2]
    return set(re.findall(r"^    (\w+): ", section.partition("\n\n")[0], re.MULTILINE))


def test_errors_that_are_named_are_public():
    """Whoever is told of an error can catch it, and all of them as AutograderError."""
    public = [getattr(autograder, name) for name in autograder.__all__]
    every = [*public, *(found for one in public if inspect.isclass(one) for found in vars(one).values())]
    made = [getattr(found, "__func__", found) for found in every]
    names = {name for found in made for name in raised(found)} - set(dir(builtins))
    assert {"JudgeFault", "StoreFault", "ConfigurationError"} <= names <= set(autograder.__all__)
    assert all(issubclass(getattr(autograder, name), autograder.AutograderError) for name in names)
