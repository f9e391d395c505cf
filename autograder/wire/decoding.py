"""A JSON tree with raw buffers back to values.

The judge decodes what a hostile worker may have written: every field is checked, and nothing is allocated that the
frame has not paid for.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Generic, TypeAlias

import numpy as np
import torch

from autograder.wire.values import (
    DTYPES,
    MAX_DEPTH,
    MAX_DIMENSIONS,
    MAX_ELEMENTS,
    MAX_EQUAL_HASHES,
    MAX_GENERATORS,
    MAX_ITEMS,
    Array,
    HandleReference,
    Other,
    Unusable,
    Value,
    WireError,
)

TakeHandle: TypeAlias = Callable[[HandleReference], Other]
Fields: TypeAlias = dict[str, object]


def decode(
    tree: object,
    buffers: Sequence[bytearray],
    take_handle: TakeHandle[Other] | None = None,
    device: str | None = None,
) -> Value[Other]:
    """Decode what `encode` made. `buffers` are writable, one per tensor.

    Args:
        tree: the JSON tree.
        buffers: raw data, as received.
        take_handle: turns a handle into the object, or into what stands for it.
        device: where tensors are put (worker only); the CPU by default.

    Raises:
        WireError: whatever the tree holds that `encode` would not have written.
    """
    return _Decoder(buffers, take_handle, device).decode(tree, 0)


class _Decoder(Generic[Other]):
    def __init__(self, buffers: Sequence[bytearray], take_handle: TakeHandle[Other] | None, device: str | None) -> None:
        self.buffers = buffers
        self.used = [False] * len(buffers)
        self.take_handle = take_handle
        self.device = device
        self.items = 0
        self.generators = 0

    def decode(self, tree: object, depth: int) -> Value[Other]:
        if depth > MAX_DEPTH + 2:
            raise WireError("value nested too deep")
        self._count(1)
        if tree is None or type(tree) is bool or type(tree) is int or type(tree) is float:
            return tree
        if type(tree) is str:
            return tree.encode("utf-8", "replace").decode()  # a lone surrogate could not be written to a result
        if type(tree) is list:
            return [self.decode(item, depth + 1) for item in tree]
        if type(tree) is not dict:
            raise WireError(f"unexpected JSON {type(tree).__name__}")
        tag = tree.get("t")
        if type(tag) is not str or tag not in _TAGS:
            raise WireError("unknown tag")
        if set(tree) != _TAGS[tag] | {"t"}:
            raise WireError(f"wrong fields for {tag}")
        return self._tagged(tag, tree, depth)

    def _tagged(self, tag: str, tree: Fields, depth: int) -> Value[Other]:
        match tag:
            case "int":
                return _integer(tree["v"])
            case "float":
                return _float(tree["v"])
            case "complex":
                return self._complex(tree["v"], depth)
            case "tuple":
                return tuple(self._items(tree["v"], depth))
            case "set":
                return self._set(tree["v"], depth)
            case "dict":
                return self._dict(tree["v"], depth)
            case "tensor":
                return self._tensor(tree)
            case "numbers":
                return self._numbers(tree)
            case "handle":
                return self._handle(tree)
            case "dtype":
                return _dtype(tree["v"])
            case "generator":
                return self._generator(tree["seed"])
        return _unusable(tree["v"])

    def _count(self, items: int) -> None:
        # Every value becomes an object of ours, however short it is on the wire.
        self.items += items
        if self.items > 2 * MAX_ITEMS:
            raise WireError("a value of too many items")

    def _complex(self, value: object, depth: int) -> complex:
        parts = self.decode(value, depth + 1)
        if type(parts) is not list or len(parts) != 2:
            raise WireError("bad complex number")
        real, imaginary = parts
        if type(real) is not float or type(imaginary) is not float:
            raise WireError("bad complex number")
        return complex(real, imaginary)

    def _set(self, value: object, depth: int) -> set[Value[Other]]:
        items = self._items(value, depth)
        hashes: dict[int, int] = {}
        for item in items:
            _spread(item, hashes)
        return set(items)

    def _items(self, value: object, depth: int) -> list[Value[Other]]:
        if type(value) is not list:
            raise WireError("bad sequence")
        return [self.decode(item, depth + 1) for item in value]

    def _dict(self, value: object, depth: int) -> dict[Value[Other], Value[Other]]:
        if type(value) is not list:
            raise WireError("bad dict")
        result = {}
        hashes: dict[int, int] = {}
        for pair in value:
            if type(pair) is not list or len(pair) != 2:
                raise WireError("bad dict entry")
            key = self.decode(pair[0], depth + 1)
            _spread(key, hashes)
            result[key] = self.decode(pair[1], depth + 1)
        return result

    def _buffer(self, number: object) -> bytearray:
        if type(number) is not int or not 0 <= number < len(self.buffers) or self.used[number]:
            raise WireError("bad buffer number")
        self.used[number] = True
        return self.buffers[number]

    def _tensor(self, tree: Fields) -> torch.Tensor | Array:
        dtype, shape, container = tree["d"], tree["s"], tree["c"]
        if type(dtype) is not str or dtype not in DTYPES:
            raise WireError("bad dtype")
        if type(shape) is not list or len(shape) > MAX_DIMENSIONS or any(type(n) is not int or n < 0 for n in shape):
            raise WireError("bad shape")
        if container not in ("torch", "numpy"):
            raise WireError("bad container")
        if math.prod(max(n, 1) for n in shape) > MAX_ELEMENTS:
            raise WireError("bad shape")
        data, due = self._buffer(tree["b"]), math.prod(shape) * DTYPES[dtype]
        if len(data) != due:
            raise WireError(f"buffer of {len(data)} bytes where {due} are due")
        kind: torch.dtype = getattr(torch, dtype)
        flat = torch.frombuffer(data, dtype=kind) if len(data) else torch.empty(0, dtype=kind)
        if dtype == "bool":
            # Any byte may have come; a bool tensor of 2s behaves in no defined way.
            flat = flat.view(torch.uint8) != 0
        tensor = flat.reshape(shape)
        if container == "numpy":
            return Array(tensor)  # NumPy knows the CPU only
        return tensor if self.device is None else tensor.to(self.device)

    def _numbers(self, tree: Fields) -> list[Value[Other]]:
        dtype = tree["d"]
        if dtype != "float64" and dtype != "int64":
            raise WireError("bad dtype of numbers")
        data = self._buffer(tree["b"])
        if len(data) % 8 or len(data) // 8 > MAX_ITEMS:
            raise WireError("bad length of numbers")
        self._count(len(data) // 8)
        values: list[Value[Other]] = np.frombuffer(data, dtype=dtype).tolist()
        return values

    def _handle(self, tree: Fields) -> Other:
        number, type_name, is_callable = tree["n"], tree["type"], tree["callable"]
        if (
            type(number) is not int
            or type(type_name) is not str
            or type(is_callable) is not bool
            or len(type_name) > 200
        ):
            raise WireError("bad handle")
        if self.take_handle is None:
            raise WireError("a handle where none is due")
        return self.take_handle(HandleReference(number, type_name, is_callable))

    def _generator(self, value: object) -> torch.Generator:
        seed = _integer(value)
        if not 0 <= seed < 2**64:
            raise WireError("bad seed")
        self.generators += 1
        if self.generators > MAX_GENERATORS:
            raise WireError("too many generators")
        return torch.Generator(device=self.device or "cpu").manual_seed(seed)


def _integer(value: object) -> int:
    if type(value) is not str or len(value) > 600:
        raise WireError("bad integer")
    try:
        return int(value, 16)
    except ValueError:
        raise WireError("bad integer") from None


def _float(value: object) -> float:
    if value != "nan" and value != "inf" and value != "-inf":
        raise WireError("bad float")
    return float(str(value))


def _dtype(value: object) -> torch.dtype:
    if type(value) is not str or value not in DTYPES:
        raise WireError("bad dtype")
    found: torch.dtype = getattr(torch, value)
    return found


def _unusable(value: object) -> Unusable:
    if type(value) is not str or len(value) > 500:
        raise WireError("bad reason")
    return Unusable(value)


def _spread(key: object, hashes: dict[int, int]) -> None:
    """Count the hash of a key before it goes into a table: numbers and tuples can be made to collide."""
    try:
        value = hash(key)
    except TypeError:
        raise WireError("a key that cannot be hashed") from None
    hashes[value] = hashes.get(value, 0) + 1
    if hashes[value] > MAX_EQUAL_HASHES:
        raise WireError("keys made to collide")


_TAGS: dict[str, frozenset[str]] = {
    "int": frozenset("v"),
    "float": frozenset("v"),
    "complex": frozenset("v"),
    "tuple": frozenset("v"),
    "set": frozenset("v"),
    "dict": frozenset("v"),
    "tensor": frozenset("dsbc"),
    "numbers": frozenset("bd"),
    "handle": frozenset({"n", "type", "callable"}),
    "dtype": frozenset("v"),
    "generator": frozenset({"seed"}),
    "unusable": frozenset("v"),
}
