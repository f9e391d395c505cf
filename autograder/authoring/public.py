"""Which functions each public check calls: for a check of one section, and for the lines that notebooks have for it.

Public checks are ours: they are parsed here, and not run.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path

from autograder.course.errors import ConfigurationError
from autograder.language import _

_CHECK = "test_"
_PREFIX = "public_"  # of most ids


def called_by_checks(file: Path) -> dict[str, frozenset[str]]:
    """The public names that each check takes of the student's file, by the check's id and in the file's order."""
    tree = ast.parse(file.read_text(encoding="utf-8"), str(file))
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    return {name.removeprefix(_CHECK): _taken(name, functions, set()) for name in functions if name.startswith(_CHECK)}


def _taken(name: str, functions: Mapping[str, ast.FunctionDef], seen: set[str]) -> frozenset[str]:
    """Attributes of `student` in a function and in those of the file that it uses."""
    seen.add(name)
    found: set[str] = set()
    for node in ast.walk(functions[name]):
        match node:
            case ast.Attribute(value=ast.Name(id="student"), attr=attribute):
                found.add(attribute)
            case ast.Call(ast.Name("getattr"), [ast.Name("student"), _]):  # names that stand in the function as texts
                texts = [n.value for n in ast.walk(functions[name]) if isinstance(n, ast.Constant)]
                found |= {text for text in texts if isinstance(text, str) and text.isidentifier()}
            case ast.Name(id=other) if other in functions and other not in seen:
                found |= _taken(other, functions, seen)
    return frozenset(found)


def checks_of(file: Path, names: Sequence[str]) -> tuple[str, ...]:
    """Ids of the public checks of these functions or classes; a check's own id will do, with or without `public_`.

    Raises:
        ConfigurationError: no public check calls one of them; says which are called.
    """
    called = called_by_checks(file)
    chosen: list[str] = []
    for name in names:
        found = [check for check, taken in called.items() if name in taken or check in (name, _PREFIX + name)]
        if not found:
            known = sorted({function for taken in called.values() for function in taken})
            near = get_close_matches(name, [*known, *called], 1, 0.5)
            raise ConfigurationError(
                _("no public check calls {name}").format(name=name)
                + (_("; did you mean {near!r}?").format(near=near[0]) if near else "")
                + ("" if near else ".") + " " + _("They call: {listing}").format(listing=", ".join(known))
            )
        chosen += found
    return tuple(check for check in called if check in chosen)
