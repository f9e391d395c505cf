"""What examples need to know of an exercise and of no submission, kept in the user's cache for the next judge.

That is which small call shows a known mistake, on which public numbers right code passes a check, and what right code
says where it takes long. All follows from the exercise's files and from ours, whose digest is in the file's name.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, TypeVar, cast

import torch
from torch import Tensor

import autograder
from autograder.course.folders import user_folder
from autograder.judge.arguments import Arguments
from autograder.judge.recording import How, Made, Seeded

if TYPE_CHECKING:
    from autograder.course import Exercise

VERSIONS_KEPT = 4  # of an exercise
MOST_FACTS = 4096  # of an exercise, beyond which no answer is kept
MOST_KEPT = 4096  # numbers of a tensor in an answer that is kept

T = TypeVar("T")
PlainCall: TypeAlias = list[object]  # or a value in it: a kind, and what it is of that kind; see `plain`


class Remembered:
    """PlainCall by name, as far as they are known; a file that cannot be read or written is none.

    Args:
        exercise: whose facts they are.
    """

    def __init__(self, exercise: Exercise) -> None:
        self._folder = user_folder("cache") / "examples"
        self._name = exercise.id
        self._path = self._folder / f"{exercise.id}-{_version(exercise)}.pt"
        self._facts = self._read()
        self._changed = False

    def __contains__(self, name: str) -> bool:
        return name in self._facts

    def __getitem__(self, name: str) -> object:
        return self._facts[name]

    def __setitem__(self, name: str, fact: object) -> None:
        self._facts[name] = fact
        self._changed = True

    @property
    def has_room(self) -> bool:
        """Whether there is room for what could be found out anew: what is asked follows from what students write."""
        return len(self._facts) < MOST_FACTS

    def _read(self) -> dict[str, object]:
        # Tensors and plain data alone: nothing in such a file is run. What is broken is as good as not there.
        with contextlib.suppress(Exception):
            return dict(torch.load(self._path, weights_only=True))
        return {}

    def write(self) -> None:
        """Keep what has become known since, beside what another judge has found meanwhile."""
        if not self._changed:
            return
        self._facts = self._read() | self._facts
        unfinished = self._path.with_suffix(f".{os.getpid()}")
        with contextlib.suppress(OSError, RuntimeError):
            self._folder.mkdir(parents=True, exist_ok=True)
            torch.save(self._facts, unfinished)
            unfinished.replace(self._path)
            self._changed = False
            known = sorted(self._folder.glob(f"{self._name}-*.pt"), key=lambda path: path.stat().st_mtime)
            for path in known[:-VERSIONS_KEPT]:
                path.unlink()


def _version(exercise: Exercise) -> str:
    """A digest of all that decides over the facts."""
    ours = (Path(autograder.__file__).parent / room for room in ("judge", "worker"))
    files = [exercise.solution, exercise.mistakes, *exercise.alternatives]
    files += sorted(exercise.hidden_folder.glob("*.py"))
    files += [path for room in ours for path in sorted(room.glob("*.py"))]
    digest = hashlib.sha256(torch.__version__.encode())
    for path in files:
        content = path.read_bytes() if path.is_file() else b""
        digest.update(f"{path.name} {len(content)}\n".encode() + content)
    return digest.hexdigest()[:16]


def is_plain_data(value: object) -> bool:
    """Whether a value can be kept: tensors of a few thousand numbers, texts, and lists, tuples and dicts of such."""
    if isinstance(value, list | tuple):
        return type(value) in (list, tuple) and len(value) <= MOST_KEPT and all(map(is_plain_data, value))
    if isinstance(value, dict):
        return type(value) is dict and all(map(is_plain_data, [*value, *value.values()]))
    if isinstance(value, Tensor):
        return type(value) is Tensor and value.numel() <= MOST_KEPT
    return value is None or type(value) in (bool, int, float, str)


def plain(call: Arguments) -> PlainCall:
    """A call as plain data and tensors; what stands in two places of it stands in one of these."""
    table: list[object] = []
    places: dict[int, int] = {}

    def of(value: object) -> object:
        if isinstance(value, Made | Tensor):
            if id(value) not in places:
                made = value
                entry = (
                    [made.how, made.name, of(made.of), list(map(of, made.args)), _each(of, made.kwargs)]
                    if isinstance(made, Made)
                    else made.clone()
                )
                places[id(value)] = len(table)
                table.append(entry)
            return ["at", places[id(value)]]
        if isinstance(value, Seeded):
            return ["seed", value.seed]
        if isinstance(value, list | tuple):
            return [type(value).__name__, list(map(of, value))]
        if isinstance(value, dict):
            return ["dict", _each(of, value)]
        return ["is", value]

    args = list(map(of, call.args))
    return [table, args]


def call_of(written: PlainCall) -> Arguments:
    """The call that was written by `plain`."""
    table, args = cast("tuple[list[Tensor | list[object]], list[PlainCall]]", written)
    made: list[object] = []

    def value(one: PlainCall) -> object:
        kind, what = one
        if kind == "at":
            return made[cast("int", what)]
        if kind == "seed":
            return Seeded(cast("int", what))
        if kind in ("list", "tuple"):
            items = list(map(value, cast("list[PlainCall]", what)))
            return items if kind == "list" else tuple(items)
        return _each(value, cast("Mapping[str, PlainCall]", what)) if kind == "dict" else what

    for entry in table:  # each after those that it is made of
        if isinstance(entry, Tensor):
            made.append(entry)
        else:
            how, name, of, passed, named = cast(
                "tuple[How, str | int, PlainCall, list[PlainCall], dict[str, PlainCall]]", entry
            )
            inner = cast("Made | None", value(of))
            made.append(Made(how, name, inner, tuple(map(value, passed)), _each(value, named)))
    return Arguments(tuple(map(value, args)))


def _each(change: Callable[[T], object], values: Mapping[str, T]) -> dict[str, object]:
    return {name: change(item) for name, item in values.items()}
