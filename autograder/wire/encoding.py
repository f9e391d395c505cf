"""Values to a JSON tree with raw buffers beside it. Objects that are no plain data become handles."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TypeAlias, cast

import numpy as np
import torch
from numpy.typing import ArrayLike

from autograder.wire.values import (
    DTYPES,
    MAX_DEPTH,
    MAX_DIMENSIONS,
    MAX_ITEMS,
    MAX_TENSOR_BYTES,
    MAX_TEXT,
    Array,
    GeneratorSeed,
    HandleReference,
    Json,
    Unusable,
    WireError,
)

_PACKED_LENGTH = 16  # longer lists of numbers of one type travel as a buffer
Buffers: TypeAlias = list[memoryview]
MakeHandle: TypeAlias = Callable[[object], HandleReference]


def encode(value: object, buffers: Buffers, make_handle: MakeHandle | None = None) -> Json:
    """Encode `value`; the bytes of tensors are appended to `buffers`.

    Args:
        value: the value; tensors are detached and moved to the CPU.
        buffers: list that receives the raw data.
        make_handle: called for any object that is no plain data; without it such an object raises WireError.
    """
    return _Encoder(buffers, make_handle).encode(value, 0)


class _Encoder:
    def __init__(self, buffers: Buffers, make_handle: MakeHandle | None) -> None:
        self.buffers = buffers
        self.make_handle = make_handle
        self.items = 0

    def encode(self, value: object, depth: int) -> Json:
        self.items += 1
        if self.items > MAX_ITEMS:
            return _unusable(f"a value of more than {MAX_ITEMS:,} items")
        if depth > MAX_DEPTH:
            return _unusable(f"a value nested more than {MAX_DEPTH} levels deep")
        if value is None or type(value) is bool:
            return value
        if type(value) is int:
            if abs(value) < 2**53:
                return value
            if value.bit_length() > 2048:
                return _unusable("an integer of more than 2,048 bits")
            return {"t": "int", "v": hex(value)}
        if type(value) is float:
            return value if math.isfinite(value) else {"t": "float", "v": repr(value)}
        if type(value) is str:
            if len(value) > MAX_TEXT:
                return _unusable(f"a text of {len(value):,} characters")
            return value.encode("utf-8", "replace").decode()
        if type(value) is complex:
            return {"t": "complex", "v": [self.encode(value.real, depth), self.encode(value.imag, depth)]}
        if type(value) is list:
            return self._list(value, depth)
        if type(value) is tuple:
            return {"t": "tuple", "v": [self.encode(item, depth + 1) for item in value]}
        if type(value) is dict:
            pairs: list[Json] = [[self.encode(k, depth + 1), self.encode(v, depth + 1)] for k, v in list(value.items())]
            return {"t": "dict", "v": pairs}
        if type(value) is set or type(value) is frozenset:
            return {"t": "set", "v": [self.encode(item, depth + 1) for item in list(value)]}
        if type(value) is HandleReference:
            return {"t": "handle", "n": value.number, "type": value.type_name[:200], "callable": value.callable}
        if type(value) is Array:
            tensor = value.tensor.contiguous()
            name = str(tensor.dtype).removeprefix("torch.")
            return self._array(tensor.numpy(), tuple(tensor.shape), name, "numpy")
        if type(value) is Unusable:
            return _unusable(value.why)
        if type(value) is GeneratorSeed:
            return {"t": "generator", "seed": hex(value.seed)}
        return self._other(value)

    def _list(self, value: list[object], depth: int) -> Json:
        if len(value) > _PACKED_LENGTH:
            types = set(map(type, value))
            if len(value) > MAX_ITEMS:
                return _unusable(f"a list of {len(value):,} items")
            if types == {float} or (types == {int} and _fit(cast("list[int]", value))):
                self.items += len(value)
                return {
                    "t": "numbers",
                    "b": self._buffer(np.array(value)),
                    "d": "float64" if float in types else "int64",
                }
        return [self.encode(item, depth + 1) for item in value]

    def _buffer(self, array: ArrayLike) -> int:
        self.buffers.append(np.asarray(array).reshape(-1).view(np.uint8).data)
        return len(self.buffers) - 1

    def _other(self, value: object) -> Json:
        if isinstance(value, torch.Tensor):
            return self._tensor(value)
        if isinstance(value, np.ndarray):
            if value.dtype.name not in DTYPES:
                return _unusable(f"a NumPy array of dtype {value.dtype.name[:40]}")
            if value.ndim > MAX_DIMENSIONS:
                return _unusable(f"a NumPy array of {value.ndim} dimensions")
            if value.nbytes > MAX_TENSOR_BYTES:
                return _unusable(f"a NumPy array of {value.nbytes:,} bytes")
            return self._array(np.ascontiguousarray(value), value.shape, value.dtype.name, "numpy")
        if isinstance(value, np.generic):
            return (
                self.encode(value.item(), 0)
                if type(value.item()) in (bool, int, float, complex)
                else _unusable(f"a NumPy scalar of dtype {value.dtype.name[:40]}")
            )
        if isinstance(value, torch.Generator):
            return self.encode(GeneratorSeed(value.initial_seed()), 0)
        if isinstance(value, torch.dtype):
            return {"t": "dtype", "v": str(value).removeprefix("torch.")}
        if isinstance(value, torch.Size):
            return {"t": "tuple", "v": [int(n) for n in value]}
        if isinstance(value, str | int | float | list | tuple | dict) and not callable(value):
            return self._subclass(value)
        if self.make_handle is None:
            raise WireError(f"a value of type {type(value).__name__} cannot cross the wire")
        return self.encode(self.make_handle(value), 0)

    def _subclass(self, value: str | int | float | list[object] | tuple[object, ...] | dict[object, object]) -> Json:
        # A namedtuple, an OrderedDict, an IntEnum: plain data in another coat. The base's own methods are used,
        # so that a subclass that lies in __iter__ or __eq__ gains nothing.
        plain: object
        if isinstance(value, dict):
            plain = dict(dict.items(value))
        elif isinstance(value, list):
            plain = list(list.__iter__(value))
        elif isinstance(value, tuple):
            plain = tuple(tuple.__iter__(value))
        elif isinstance(value, str):
            plain = str.__str__(value)
        elif isinstance(value, int):
            plain = int.__int__(value)
        else:
            plain = float.__float__(value)
        return self.encode(plain, 1)

    def _tensor(self, tensor: torch.Tensor) -> Json:
        if type(tensor) not in (torch.Tensor, torch.nn.Parameter):
            # A subclass may answer any question its own way; its plain data is what is judged.
            tensor = torch.Tensor.as_subclass(tensor, torch.Tensor)
        if tensor.layout is not torch.strided:
            return _unusable(f"a tensor of layout {tensor.layout}")
        if tensor.device.type == "meta":
            return _unusable("a tensor on the meta device, which has no data")
        name = str(tensor.dtype).removeprefix("torch.")
        if tensor.is_quantized or name not in DTYPES:
            return _unusable(f"a tensor of dtype {name[:40]}")
        size = math.prod(max(n, 1) for n in tensor.shape) * DTYPES[name]
        if tensor.ndim > MAX_DIMENSIONS:
            return _unusable(f"a tensor of {tensor.ndim} dimensions")
        if size > MAX_TENSOR_BYTES:
            return _unusable(f"a tensor of shape {list(tensor.shape)}: {size:,} bytes, more than an answer may have")
        plain = tensor.detach().resolve_conj().resolve_neg().cpu().contiguous()
        shape = tuple(plain.shape)
        raw = plain.reshape(-1).view(torch.uint8) if name == "bfloat16" else plain
        return self._array(raw.numpy(), shape, name, "torch")

    def _array(self, array: ArrayLike, shape: Sequence[int], dtype: str, container: str) -> Json:
        return {"t": "tensor", "d": dtype, "s": [int(n) for n in shape], "b": self._buffer(array), "c": container}


def _fit(numbers: Sequence[int]) -> bool:
    """Whether they can travel as 64 bits."""
    return max(map(abs, numbers)) < 2**62


def _unusable(why: str) -> Json:
    return {"t": "unusable", "v": why[:500]}
