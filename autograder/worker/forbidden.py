"""Library functions that a check forbids.

While the check runs each is replaced by a stand-in that refuses (`Fence`), for the library's own code and for probes
too. Before any statement of the submission runs, its text is searched for the names (`mentions`), which an instructor
gets to know where the check passes. A fence, not a wall: who keeps the function in a list, or takes it from the
library's C module, gets round both.
"""

from __future__ import annotations

import ast
import importlib
import types
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Never, Protocol

from autograder.wire.values import CellData

MAX_MENTIONS = 50
_ABSENT = object()


class Refusal(Protocol):
    """Stands in the place of a function that may not be called."""

    def __call__(self, *args: object, **kwargs: object) -> Never: ...


class ForbiddenCall(RuntimeError):
    """The submission used what this check forbids."""


def find(name: str) -> tuple[object, str]:
    """The owner of a dotted name and its last part: a module or a class, and an attribute of it.

    Raises:
        LookupError: there is no such thing.
    """
    parts = name.split(".")
    for length in range(len(parts) - 1, 0, -1):
        try:
            owner: object = importlib.import_module(".".join(parts[:length]))
        except ImportError:
            continue
        for part in parts[length:-1]:
            owner = getattr(owner, part, _ABSENT)
        if getattr(owner, parts[-1], _ABSENT) is not _ABSENT:
            return owner, parts[-1]
    raise LookupError(f"there is no {name}")


class Fence:
    """What is forbidden now, and how it is put back."""

    def __init__(self) -> None:
        self._undo: list[Callable[[], None]] = []

    def lift(self) -> None:
        """Put everything back."""
        while self._undo:
            self._undo.pop()()

    def forbid(self, names: Iterable[str], namespace: dict[str, object]) -> None:
        """Replace each named function, in its library and where `namespace` (the submission's) has imported it.

        A class stays what it is for `isinstance`; only making an instance is refused.
        """
        for name in names:
            try:
                owner, attribute = find(name)
            except LookupError:  # the submission has removed it: then it cannot use it either
                continue
            target = getattr(owner, attribute)
            refuse = _stand_in(name)
            if isinstance(target, type):
                self._replace(target, "__init__", refuse)
                continue
            for alias in [key for key, value in namespace.items() if value is target]:
                self._undo.append(_restore_item(namespace, alias, target))
                namespace[alias] = refuse
            self._replace(owner, attribute, refuse)

    def _replace(self, owner: object, attribute: str, refuse: Refusal) -> None:
        before = vars(owner).get(attribute, _ABSENT)
        setattr(owner, attribute, refuse)

        def undo() -> None:
            if before is _ABSENT:
                delattr(owner, attribute)
            else:
                setattr(owner, attribute, before)

        self._undo.append(undo)


def _stand_in(name: str) -> Refusal:
    def refuse(*args: object, **kwargs: object) -> Never:
        raise ForbiddenCall(f"{name} may not be used here: write it yourself")

    return refuse


def _restore_item(namespace: dict[str, object], key: str, value: object) -> Callable[[], None]:
    def undo() -> None:
        namespace[key] = value

    return undo


# --- the static look ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Mention:
    """A forbidden name in the text of a submission."""

    name: str
    where: str
    line: int


def mentions(cells: Sequence[CellData], names: Iterable[str]) -> list[Mention]:
    """Where the text of these cells uses the names: by import, attribute, method or `getattr` with a literal."""
    wanted = frozenset(names)
    imported: dict[str, str] = {}
    found: list[Mention] = []
    for cell in cells:
        try:
            tree = ast.parse(cell["source"])
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        for name, line in _uses(tree, imported):
            for hit in wanted:
                if name == hit or (name.startswith(".") and hit.startswith("torch.Tensor.") and hit.endswith(name)):
                    found.append(Mention(hit, cell["where"], cell["first_line"] - 1 + line))
    return found[:MAX_MENTIONS]


def _uses(tree: ast.AST, imported: dict[str, str]) -> Iterator[tuple[str, int]]:
    """Dotted names with their lines; `.name` for an attribute of something unknown."""
    nodes = list(ast.walk(tree))
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                first = alias.name.split(".")[0]
                imported[alias.asname or first] = alias.name if alias.asname else first
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                imported[alias.asname or alias.name] = full
                yield full, node.lineno
    for node in nodes:
        if isinstance(node, ast.Attribute):
            owner = _dotted(node.value, imported)
            yield (f"{owner}.{node.attr}" if owner else f".{node.attr}"), node.lineno
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "getattr":
            match node.args:
                case [holder, ast.Constant(value=str(name)), *_]:
                    yield f"{_dotted(holder, imported)}.{name}", node.lineno


def _dotted(node: ast.AST, imported: Mapping[str, str]) -> str:
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name) or node.id not in imported:
        return ""
    return ".".join([imported[node.id], *reversed(parts)])


def namespace_of(module: object) -> dict[str, object]:
    """The names of the submission's module."""
    return vars(module) if isinstance(module, types.ModuleType) else {}
