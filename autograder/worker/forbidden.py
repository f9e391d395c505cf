"""Library functions that a check forbids.

While the check runs each is replaced by a stand-in that refuses (`Fence`), for the library's own code and for probes
too. Who has kept the function under another name, or calls what lies beneath it, is refused as well: a function written
in Python has its code exchanged, and torch tells of every call of its own (a mode). That is a `WayRound`, which an
instructor gets to know. Before any statement of the submission runs, its text is searched for the names and for torch's
inner modules (`mentions`), which is told where the check passes and what it judges uses the place.

A fence, not a wall: who takes the mode off, or brings a copy of the function's code along, gets round it.
"""

from __future__ import annotations

import ast
import contextlib
import importlib
import re
import types
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Never, Protocol, cast

from autograder.wire.values import CellData

MAX_MENTIONS = 50
_ABSENT = object()
# Where torch keeps what lies beneath its functions, and its modes: no exercise needs them.
_INNER = re.compile(r"torch\.(_[a-zA-Z]|ops\b|overrides\b|utils\._python_dispatch\b)")


class Called(Protocol):
    """A function of torch's."""

    def __call__(self, *args: object, **kwargs: object) -> object: ...


class Refusal(Protocol):
    """Stands in the place of a function that may not be called."""

    def __call__(self, *args: object, **kwargs: object) -> Never: ...


class ForbiddenCall(RuntimeError):
    """The submission used what this check forbids."""


class WayRound(ForbiddenCall):
    """It did so by a way round the stand-in."""


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
        self._known: dict[str, tuple[object, object]] = {}
        self.put: set[int] = set()  # ids of what now stands in the place of something else

    def lift(self) -> None:
        """Put everything back."""
        self._known = {}
        self.put.clear()
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
            self._known[name] = (target, refuse)
            if isinstance(target, type):
                self._replace(target, "__init__", refuse)
                continue
            for alias in [key for key, value in namespace.items() if value is target]:
                self._undo.append(_restore_item(namespace, alias, target))
                namespace[alias] = refuse
            if isinstance(target, types.FunctionType) and not target.__code__.co_freevars:
                self._exchange(target, name)
            self._replace(owner, attribute, refuse)
        if any(name.startswith("torch.") for name in self._known):
            self._watch()

    def _exchange(self, function: types.FunctionType, name: str) -> None:
        """Give a function a code that refuses, under whatever names it is kept."""
        before = function.__code__
        function.__code__ = code = _refusing_code(name)
        self.put.add(id(code))

        def undo() -> None:
            function.__code__ = before

        self._undo.append(undo)

    def _watch(self) -> None:
        """Have torch tell of every call in this thread."""
        from torch.overrides import TorchFunctionMode

        # For a method torch looks up what is called so now, which is the stand-in.
        functions = {id(either): name for name, both in self._known.items() for either in both}
        operators = {part: name for name in self._known for part in _operators(name)}

        class TorchWatch(TorchFunctionMode):
            def __torch_function__(
                self,
                func: Called,
                types: object,
                args: Sequence[object] = (),
                kwargs: Mapping[str, object] | None = None,
            ) -> object:
                name = functions.get(id(func)) or operators.get(_operator(func))
                if name is not None:
                    raise WayRound(f"{name} may not be used here, under no other name either: write it yourself")
                return func(*args, **(kwargs or {}))

        watching = contextlib.ExitStack()
        watching.enter_context(cast("AbstractContextManager[None]", TorchWatch()))

        def undo() -> None:
            with contextlib.suppress(Exception):  # the submission has taken it off
                watching.close()

        self._undo.append(undo)

    def _replace(self, owner: object, attribute: str, refuse: Refusal) -> None:
        before = vars(owner).get(attribute, _ABSENT)
        setattr(owner, attribute, refuse)
        self.put.add(id(refuse))

        def undo() -> None:
            if before is _ABSENT:
                delattr(owner, attribute)
            else:
                setattr(owner, attribute, before)

        self._undo.append(undo)


def _operators(name: str) -> tuple[str, str]:
    """What torch calls the operator beneath a function: `linalg_svd` for `torch.linalg.svd`."""
    owner, last = name.split(".")[-2:]
    return last, f"{owner}_{last}"


def _operator(function: object) -> str:
    """The name of an operator of `torch.ops.aten`; empty for everything else."""
    if type(function).__name__ not in ("OpOverload", "OpOverloadPacket"):
        return ""
    return str(function).removeprefix("aten.").split(".")[0]


def _refusing_code(name: str) -> types.CodeType:
    """Of a function that has none of our names within reach."""
    text = (
        "def refuse(*args, **kwargs):\n"
        "    from autograder.worker.forbidden import WayRound\n"
        f"    raise WayRound({name!r} + ' may not be used here, under no other name either: write it yourself')\n"
    )
    namespace: dict[str, object] = {}
    exec(text, namespace)
    refuse = namespace["refuse"]
    assert isinstance(refuse, types.FunctionType)
    return refuse.__code__


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
    """A forbidden name in the text of a submission, or a way to it.

    Attributes:
        name: what is forbidden.
        said: what stands there.
        where: cell or file.
        line: its line.
        within: the names, defined at the margin, that use the place where it stands, by way of others too; empty where
            it stands in no definition, or for what lies beneath the library: there it matters to all.
    """

    name: str
    said: str
    where: str
    line: int
    within: tuple[str, ...] = ()

    def matters_to(self, names: Iterable[str]) -> bool:
        """Whether one of these names of the submission uses it, as far as the text tells."""
        return not self.within or not (asked := set(names)) or not asked.isdisjoint(self.within)


def mentions(cells: Sequence[CellData], names: Iterable[str]) -> list[Mention]:
    """Where the text of these cells uses the names: by import, attribute, method or `getattr` with a literal."""
    wanted = frozenset(names)
    imported: dict[str, str] = {}
    found: list[Mention] = []
    inner: set[tuple[str, str, int]] = set()
    trees: list[tuple[CellData, ast.Module]] = []
    for cell in cells:
        try:
            trees.append((cell, ast.parse(cell["source"])))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
    users = _users([statement for _cell, tree in trees for statement in tree.body])
    for cell, tree in trees:
        for name, line in _uses(tree, imported):
            within = next((users[id(s)] for s in tree.body if s.lineno <= line <= (s.end_lineno or line)), ())
            for hit in wanted:
                method = name.startswith(".") and hit.startswith("torch.Tensor.") and hit.endswith(name)
                at = cell["first_line"] - 1 + line
                if name == hit or method:
                    found.append(Mention(hit, hit, cell["where"], at, within))
                elif hit.startswith("torch.") and _INNER.match(name) and (hit, cell["where"], at) not in inner:
                    inner.add((hit, cell["where"], at))  # of a name with several dots once
                    found.append(Mention(hit, name, cell["where"], at))
    return found[:MAX_MENTIONS]


def _users(statements: Sequence[ast.stmt]) -> dict[int, tuple[str, ...]]:
    """By the id of each statement at the margin: the names that it defines, and those whose definitions use them."""
    defined: dict[int, set[str]] = {}
    used: dict[int, set[str]] = {}
    for statement in statements:
        names = [node for node in ast.walk(statement) if isinstance(node, ast.Name)]
        used[id(statement)] = {node.id for node in names if isinstance(node.ctx, ast.Load)}
        match statement:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                defined[id(statement)] = {name}
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                defined[id(statement)] = {alias.asname or alias.name.split(".")[0] for alias in aliases}
            case _:
                defined[id(statement)] = {node.id for node in names if isinstance(node.ctx, ast.Store)}
    answer = {}
    for statement in statements:
        reached: set[str] = set()
        wave = defined[id(statement)]
        while wave - reached:
            reached |= wave
            wave = set().union(*(defined[other] for other in used if not used[other].isdisjoint(reached)))
        answer[id(statement)] = tuple(sorted(reached))
    return answer


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
