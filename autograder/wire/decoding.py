"""A JSON tree with raw buffers back to values.

The judge decodes what a hostile worker may have written: every field is checked, and nothing is allocated that the
frame has not paid for.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

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
    Unusable,
    WireError,
)

TakeHandle = Callable[[HandleReference], Any]


def decode(tree: Any, buffers: Sequence[Any], take_handle: TakeHandle | None = None, device: Any = None) -> Any:
    """Decode what `encode` made. `buffers` are writable bytes-like objects, one per tensor.

    Args:
        tree: the JSON tree.
        buffers: raw data, as received.
        take_handle: turns a handle into the object, or into what stands for it.
        device: where tensors are put (worker only); the CPU by default.

    Raises:
        WireError: whatever the tree holds that `encode` would not have written.
    """
    return _Decoder(buffers, take_handle, device).decode(tree, 0)


class _Decoder:
    def __init__(self, buffers: Sequence[Any], take_handle: TakeHandle | None, device: Any) -> None:
        self.buffers = buffers
        self.used = [False] * len(buffers)
        self.take_handle = take_handle
        self.device = device
        self.items = 0
        self.generators = 0

    def decode(self, tree: Any, depth: int) -> Any:
        if depth > MAX_DEPTH + 2:
            raise WireError("value nested too deep")
        self._count(1)
        kind = type(tree)
        if tree is None or kind in (bool, int, float):
            return tree
        if kind is str:
            return tree.encode("utf-8", "replace").decode()  # a lone surrogate could not be written to a result
        if kind is list:
            return [self.decode(item, depth + 1) for item in tree]
        if kind is not dict:
            raise WireError(f"unexpected JSON {kind.__name__}")
        decoder = _DECODERS.get(tree["t"] if type(tree.get("t")) is str else "")
        if decoder is None:
            raise WireError("unknown tag")
        names, function = decoder
        if set(tree) != names | {"t"}:
            raise WireError(f"wrong fields for {tree['t']}")
        return function(self, tree, depth)

    def _count(self, items: int) -> None:
        # Every value becomes an object of ours, however short it is on the wire.
        self.items += items
        if self.items > 2 * MAX_ITEMS:
            raise WireError("a value of too many items")

    def _integer(self, tree: dict[str, Any], depth: int) -> int:
        text = tree["v"]
        if type(text) is not str or len(text) > 600:
            raise WireError("bad integer")
        try:
            return int(text, 16)
        except ValueError:
            raise WireError("bad integer") from None

    def _float(self, tree: dict[str, Any], depth: int) -> float:
        if tree["v"] not in ("nan", "inf", "-inf"):
            raise WireError("bad float")
        return float(tree["v"])

    def _complex(self, tree: dict[str, Any], depth: int) -> complex:
        parts = self.decode(tree["v"], depth + 1)
        if type(parts) is not list or len(parts) != 2 or any(type(p) is not float for p in parts):
            raise WireError("bad complex number")
        return complex(*parts)

    def _tuple(self, tree: dict[str, Any], depth: int) -> tuple[Any, ...]:
        return tuple(self._items(tree, depth))

    def _set(self, tree: dict[str, Any], depth: int) -> Any:
        items = self._items(tree, depth)
        hashes: dict[int, int] = {}
        for item in items:
            _spread(item, hashes)
        return set(items)

    def _items(self, tree: dict[str, Any], depth: int) -> list[Any]:
        if type(tree["v"]) is not list:
            raise WireError("bad sequence")
        return [self.decode(item, depth + 1) for item in tree["v"]]

    def _dict(self, tree: dict[str, Any], depth: int) -> dict[Any, Any]:
        if type(tree["v"]) is not list:
            raise WireError("bad dict")
        result = {}
        hashes: dict[int, int] = {}
        for pair in tree["v"]:
            if type(pair) is not list or len(pair) != 2:
                raise WireError("bad dict entry")
            key = self.decode(pair[0], depth + 1)
            _spread(key, hashes)
            result[key] = self.decode(pair[1], depth + 1)
        return result

    def _bytes(self, number: Any, expected: int) -> Any:
        if type(number) is not int or not 0 <= number < len(self.buffers) or self.used[number]:
            raise WireError("bad buffer number")
        self.used[number] = True
        data = self.buffers[number]
        if len(data) != expected:
            raise WireError(f"buffer of {len(data)} bytes where {expected} are due")
        return data

    def _tensor(self, tree: dict[str, Any], depth: int) -> Any:
        import torch

        dtype, shape = tree["d"], tree["s"]
        if type(dtype) is not str or dtype not in DTYPES:
            raise WireError("bad dtype")
        if type(shape) is not list or len(shape) > MAX_DIMENSIONS or any(type(n) is not int or n < 0 for n in shape):
            raise WireError("bad shape")
        if tree["c"] not in ("torch", "numpy"):
            raise WireError("bad container")
        if math.prod(max(n, 1) for n in shape) > MAX_ELEMENTS:
            raise WireError("bad shape")
        data = self._bytes(tree["b"], math.prod(shape) * DTYPES[dtype])
        flat = (
            torch.frombuffer(data, dtype=getattr(torch, dtype))
            if len(data)
            else torch.empty(0, dtype=getattr(torch, dtype))
        )
        if dtype == "bool":
            # Any byte may have come; a bool tensor of 2s behaves in no defined way.
            flat = flat.view(torch.uint8) != 0
        tensor = flat.reshape(shape)
        if self.device is not None:
            tensor = tensor.to(self.device)
        return Array(tensor) if tree["c"] == "numpy" else tensor

    def _numbers(self, tree: dict[str, Any], depth: int) -> list[Any]:
        import numpy as np

        if tree["d"] not in ("float64", "int64"):
            raise WireError("bad dtype of numbers")
        number = tree["b"]
        size = len(self.buffers[number]) if type(number) is int and 0 <= number < len(self.buffers) else 0
        if size % 8 or size // 8 > MAX_ITEMS:
            raise WireError("bad length of numbers")
        self._count(size // 8)
        values: list[Any] = np.frombuffer(self._bytes(number, size), dtype=tree["d"]).tolist()
        return values

    def _handle(self, tree: dict[str, Any], depth: int) -> Any:
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

    def _dtype(self, tree: dict[str, Any], depth: int) -> Any:
        import torch

        if type(tree["v"]) is not str or tree["v"] not in DTYPES:
            raise WireError("bad dtype")
        return getattr(torch, tree["v"])

    def _generator(self, tree: dict[str, Any], depth: int) -> Any:
        import torch

        seed = self._integer({"v": tree["seed"]}, depth)
        if not 0 <= seed < 2**64:
            raise WireError("bad seed")
        self.generators += 1
        if self.generators > MAX_GENERATORS:
            raise WireError("too many generators")
        return torch.Generator(device=self.device or "cpu").manual_seed(seed)

    def _unusable(self, tree: dict[str, Any], depth: int) -> Unusable:
        if type(tree["v"]) is not str or len(tree["v"]) > 500:
            raise WireError("bad reason")
        return Unusable(tree["v"])


def _spread(key: Any, hashes: dict[int, int]) -> None:
    """Count the hash of a key before it goes into a table: numbers and tuples can be made to collide."""
    try:
        value = hash(key)
    except TypeError:
        raise WireError("a key that cannot be hashed") from None
    hashes[value] = hashes.get(value, 0) + 1
    if hashes[value] > MAX_EQUAL_HASHES:
        raise WireError("keys made to collide")


_DECODERS: dict[str, tuple[set[str], Callable[[_Decoder, dict[str, Any], int], Any]]] = {
    "int": ({"v"}, _Decoder._integer),
    "float": ({"v"}, _Decoder._float),
    "complex": ({"v"}, _Decoder._complex),
    "tuple": ({"v"}, _Decoder._tuple),
    "set": ({"v"}, _Decoder._set),
    "dict": ({"v"}, _Decoder._dict),
    "tensor": ({"d", "s", "b", "c"}, _Decoder._tensor),
    "numbers": ({"b", "d"}, _Decoder._numbers),
    "handle": ({"n", "type", "callable"}, _Decoder._handle),
    "generator": ({"seed"}, _Decoder._generator),
    "dtype": ({"v"}, _Decoder._dtype),
    "unusable": ({"v"}, _Decoder._unusable),
}
