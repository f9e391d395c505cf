"""What is decided once: where a job is made, where something is said to be missing."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "autograder"


def calls(name: str, *words: str) -> set[str]:
    """The modules that call something of this name, with one of these words among the arguments where any are given."""
    found = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or ast.unparse(node.func).rpartition(".")[2] != name:
                continue
            given = {leaf.value for leaf in ast.walk(node) if isinstance(leaf, ast.Constant)}
            if not words or given & set(words):
                found.add(path.relative_to(PACKAGE).as_posix())
    return found


@pytest.mark.parametrize(
    ("name", "words", "places"),
    [
        ("Job", (), {"batch/job.py", "judge/sitting.py"}),  # the latter for a plain run of pytest
        ("Result", ("missing", "not_due"), {"book/missing.py"}),
        ("Result", ("handed_in_not_gradable",), {"batch/job.py"}),
        ("open_store", (), {"service/book.py"}),
        ("lateness", (), {"book/late.py"}),
    ],
)
def test_it_is_made_in_one_place(name, words, places):
    assert calls(name, *words) == places


def test_the_checks_of_an_exercise_say_nothing_twice():
    """What several files of checks need stands in a module beside them."""
    known: dict[tuple[str, str], str] = {}
    again = []
    for path in sorted((PACKAGE.parent / "tests/hidden").glob("*/*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and path.name != "probes.py":
                first = known.setdefault((path.parent.name, ast.dump(node)), path.name)
                if first != path.name:
                    again.append(f"{path.parent.name}: {node.name} in {first} and {path.name}")
    assert not again
