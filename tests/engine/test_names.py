"""A name stands for one thing: no two modules of the package have a class or a type of the same name."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import LONGEST

PACKAGE = Path(__file__).parents[2] / "autograder"

# Names that stand in several modules all the same, and why.
ALLOWED = {
    "NotEmpty": "the same bound in `results` and `course`, of which neither knows the other",
    "Rows": "the same table in `batch` and `reports`, of which neither knows the other",
}


def _names(source: str) -> Iterator[str]:
    """Classes wherever they stand, and types that a module gives a name (`Key = dict[str, str]`)."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            yield node.name
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else ()
        targets = [node.target] if isinstance(node, ast.AnnAssign) else targets
        for target in targets:
            if isinstance(target, ast.Name) and target.id.lstrip("_")[:1].isupper() and not target.id.isupper():
                yield target.id


def _shared(sources: dict[str, str]) -> dict[str, set[str]]:
    """Names that stand in several modules, and in which."""
    found: dict[str, set[str]] = defaultdict(set)
    for module, source in sources.items():
        for name in _names(source):
            found[name].add(module)
    return {name: modules for name, modules in found.items() if len(modules) > 1}


@pytest.fixture(scope="module")
def sources() -> dict[str, str]:
    return {str(file.relative_to(PACKAGE)): file.read_text() for file in PACKAGE.rglob("*.py")}


def test_a_name_stands_for_one_thing(sources: dict[str, str]) -> None:
    assert {name: modules for name, modules in _shared(sources).items() if name not in ALLOWED} == {}


def test_what_is_allowed_is_needed(sources: dict[str, str]) -> None:
    assert set(_shared(sources)) >= set(ALLOWED)


@pytest.mark.parametrize("second", ["class Key: ...", "def f():\n    class Key: ...", "Key = list[str]", "Key: A = B"])
def test_a_name_that_stands_for_two_things_is_seen(second: str) -> None:
    assert _shared({"a.py": "Key = dict[str, str]", "b.py": second}) == {"Key": {"a.py", "b.py"}}
    assert _shared({"a.py": "Key = dict[str, str]", "b.py": second.replace("Key", "Lock")}) == {}
    assert _shared({"a.py": "KEY = 1", "b.py": "KEY = 2"}) == {}


def test_the_tests_that_begin_are_there() -> None:
    assert [file for file in LONGEST if not (PACKAGE.parent / file).is_file()] == []
