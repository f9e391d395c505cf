"""What examples need to know of an exercise and of no submission, kept in the user's cache for the next judge.

That is which calls a check makes on public numbers, what right code says of these and of their small versions, which of
them shows a known mistake, and on which public numbers right code passes a check. All follows from the exercise's files
and from ours, whose digest is in the file's name.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, TypeVar, cast

import torch
from msgspec import msgpack
from torch import Tensor

import autograder
from autograder.course.folders import user_folder
from autograder.judge.answers import dtype_name
from autograder.judge.arguments import Arguments
from autograder.judge.recording import How, Made, Seeded

if TYPE_CHECKING:
    from autograder.course import Exercise

VERSIONS_KEPT = 4  # of an exercise
ROOM = 16_000_000  # bytes of an exercise, beyond which no answer is kept
TENSOR = "tensor"  # before its dtype, its shape and its numbers
MOST_BYTES = 1_000_000  # of a fact
MOST_KEPT = 4096  # numbers of a tensor in an answer that is kept

T = TypeVar("T")
PlainCall: TypeAlias = list[object]  # or a value in it: a kind, and what it is of that kind; see `plain`


class Remembered:
    """Facts by name, as far as they are known: each a line of a file, to which every judge adds what it has found out.

    A line that cannot be read, or was cut where a judge was killed, is none; a file that cannot be written keeps none.

    Args:
        exercise: whose facts they are.
    """

    def __init__(self, exercise: Exercise) -> None:
        self._folder = user_folder("cache") / "examples"
        self._name = exercise.id
        self._path = self._folder / f"{exercise.id}-{_version(exercise)}"
        self._bytes = 0  # of the file, as far as this judge has seen it
        self._lines = self._read()  # each is looked into when it is asked for
        self._facts: dict[str, object] = {}
        self._things: dict[str, object] = {}  # what facts are of
        self._new: list[str] = []

    def once(
        self, name: str, find: Callable[[], T], fact_of: Callable[[T], object], of_fact: Callable[[PlainCall], T]
    ) -> T:
        """A thing that is found once: kept by this name as a fact, and the same one whenever this judge asks."""
        if name not in self._things:
            if name in self:
                self._things[name] = of_fact(cast("PlainCall", self[name]))
            else:
                self._things[name] = found = find()
                self[name] = fact_of(found)
        return cast("T", self._things[name])

    def __contains__(self, name: str) -> bool:
        line = self._lines.pop(name, None)
        if line is not None:
            with contextlib.suppress(ValueError):  # msgspec's and binascii's own errors are such
                self._facts[name] = msgpack.decode(base64.b64decode(line, validate=True))
        return name in self._facts

    def __getitem__(self, name: str) -> object:
        if name not in self:
            raise KeyError(name)
        return self._facts[name]

    def __setitem__(self, name: str, fact: object) -> None:
        self._facts[name] = fact
        self._new.append(name)

    @property
    def has_room(self) -> bool:
        """Whether there is room for what could be found out anew: what is asked follows from what students write."""
        return self._bytes < ROOM

    def _read(self) -> dict[str, bytes]:
        with contextlib.suppress(OSError):
            content = self._path.read_bytes()
            self._bytes = len(content)
            parted = (line.partition(b"\t") for line in content.split(b"\n"))
            return {name.decode("utf-8", "replace"): fact for name, _tab, fact in parted if fact}
        return {}

    def write(self) -> None:
        """Keep what has become known since, beside what another judge has found meanwhile."""
        lines = [_line(name, self._facts[name]) for name in self._new]
        if not lines:
            return
        with contextlib.suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            with self._path.open("ab", buffering=0) as file:  # one write, which no other judge's comes between
                self._bytes += file.write(b"".join((b"\n", *lines)))  # the last line there may have been cut
            self._new.clear()
            known = sorted(self._folder.glob(f"{self._name}-*"), key=lambda path: path.stat().st_mtime)
            for path in known[:-VERSIONS_KEPT]:
                path.unlink()


def _line(name: str, fact: object) -> bytes:
    """A fact as a line; nothing where it is not plain data, or long."""
    try:
        line = b"%s\t%s\n" % (name.encode(), base64.b64encode(msgpack.encode(fact)))
    except (TypeError, OverflowError, ValueError):
        return b""
    return line if len(line) <= MOST_BYTES else b""


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
                    else _numbers(made)
                )
                places[id(value)] = len(table)
                table.append(entry)
            return ["at", places[id(value)]]
        if isinstance(value, Seeded):
            return ["seed", value.seed]
        if isinstance(value, torch.dtype):
            return ["dtype", dtype_name(value)]
        if isinstance(value, list | tuple):
            return [type(value).__name__, list(map(of, value))]
        if isinstance(value, dict):
            return ["dict", _each(of, value)]
        return ["is", value]

    args = list(map(of, call.args))
    return [table, args]


def call_of(written: PlainCall) -> Arguments:
    """The call that was written by `plain`."""
    table, args = cast("tuple[list[list[object]], list[PlainCall]]", written)
    made: list[object] = []

    def value(one: PlainCall) -> object:
        kind, what = one
        if kind == "at":
            return made[cast("int", what)]
        if kind == "seed":
            return Seeded(cast("int", what))
        if kind == "dtype":
            return getattr(torch, cast("str", what))
        if kind in ("list", "tuple"):
            items = list(map(value, cast("list[PlainCall]", what)))
            return items if kind == "list" else tuple(items)
        return _each(value, cast("Mapping[str, PlainCall]", what)) if kind == "dict" else what

    for entry in table:  # each after those that it is made of
        if entry[0] == TENSOR:
            made.append(_tensor(*cast("tuple[str, list[int], bytes]", entry[1:])))
        else:
            how, name, of, passed, named = cast(
                "tuple[How, str | int, PlainCall, list[PlainCall], dict[str, PlainCall]]", entry
            )
            inner = cast("Made | None", value(of))
            made.append(Made(how, name, inner, tuple(map(value, passed)), _each(value, named)))
    return Arguments(tuple(map(value, args)))


def _numbers(tensor: Tensor) -> list[object]:
    """A tensor as plain data; one that is the same number everywhere as that number."""
    flat = tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).reshape(-1, tensor.element_size())
    if len(flat) > 1 and torch.equal(flat, flat[:1].expand_as(flat)):
        flat = flat[:1]
    return [TENSOR, dtype_name(tensor.dtype), list(tensor.shape), flat.numpy().tobytes()]


def _tensor(dtype: str, shape: list[int], numbers: bytes) -> Tensor:
    empty = torch.empty(shape, dtype=getattr(torch, dtype))
    if not numbers:
        return empty
    flat = torch.frombuffer(bytearray(numbers), dtype=empty.dtype)
    return flat.expand(empty.numel()).clone().reshape(shape)


def _each(change: Callable[[T], object], values: Mapping[str, T]) -> dict[str, object]:
    return {name: change(item) for name, item in values.items()}
