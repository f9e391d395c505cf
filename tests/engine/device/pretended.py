"""A GPU that is not there: real CPU tensors that carry another device, and are refused where a GPU would refuse them.

    with PretendedDevice():
        x = torch.zeros(3, device="cuda")      # x.device is cuda:0, its numbers are on the CPU
        x + torch.ones(3)                      # RuntimeError: Expected all tensors to be on the same device ...

A device is a property of memory, so what carries it is the tensor's storage: views, `detach()`, `.data`, parameters and
gradients share it, whatever made them. All that asks for a device (`.to`, `.device`, factories, generators, `.numpy()`)
is answered here; everything else runs on the CPU as it is, backward and optimisers too, and its results are on the
device of its arguments. Numbers and random draws are those of the CPU, bit by bit.

torch's own `FakeTensorMode` sees operands on two devices as well, but has no numbers: it ends at the first `.item()`,
mask or loop over data.

Not seen: what runs inside a single call of torch (backward of a custom function, hooks), where the CPU is as good.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import Any
from unittest import mock

import torch
from torch import Tensor
from torch._C._functorch import get_unwrapped, is_functorch_wrapped_tensor  # type: ignore[attr-defined]
from torch.overrides import TorchFunctionMode
from torch.utils._device import _device_constructors

CPU = torch.device("cpu")
CUDA = torch.device("cuda", 0)
Args = tuple[Any, ...]
Kwargs = dict[str, Any]


def device_of(tensor: Tensor) -> torch.device:
    """The device that a tensor carries."""
    return getattr(_storage(tensor), "pretended", CPU)


def _storage(tensor: Tensor) -> object:
    while is_functorch_wrapped_tensor(tensor):  # of vmap, grad and their like
        tensor = get_unwrapped(tensor)
    try:
        return tensor.untyped_storage()
    except (NotImplementedError, RuntimeError):  # sparse ones have none
        return None


def _put(value: object, device: torch.device) -> None:
    """Let all tensors of a result carry this device."""
    if isinstance(value, Tensor):
        storage = _storage(value)
        if device != CPU and storage is not None:
            storage.pretended = device  # type: ignore[attr-defined]
    elif isinstance(value, list | tuple):
        for item in value:
            _put(item, device)
    elif isinstance(value, dict):
        _put(list(value.values()), device)


def _named(device: object) -> torch.device:
    """`"cuda"`, `0` and a `torch.device` of either, as this machine's only ones are called."""
    found = CUDA if isinstance(device, int) else torch.device(device)  # type: ignore[arg-type]
    if found.type == "cuda" and found.index not in (None, 0):
        raise RuntimeError("CUDA error: invalid device ordinal")
    return CUDA if found.type == "cuda" else found


def _inside(value: object, kind: type) -> Iterator[Any]:
    if isinstance(value, kind):
        yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _inside(item, kind)
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _inside(item, kind)


class _AnyGenerator(type(torch._C.Generator)):  # type: ignore[misc]
    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, torch._C.Generator)


class PretendedGenerator(torch._C.Generator, metaclass=_AnyGenerator):
    """What `torch.Generator` is meanwhile: it may be on the other device too. The draws are the CPU's."""

    def __new__(cls, device: object = "cpu") -> PretendedGenerator:
        made = super().__new__(cls)
        made._device = _named(device)
        return made

    @property
    def device(self) -> torch.device:
        return self._device


def _different(*devices: torch.device) -> RuntimeError:
    listing = f"{devices[0]} and {devices[1]}"
    return RuntimeError(f"Expected all tensors to be on the same device, but found at least two devices, {listing}!")


def _of(value: object) -> list[torch.device]:
    return [device_of(tensor) for tensor in _inside(value, Tensor)]


# --- what asks for a device, or moves ---------------------------------------------------------------------------------


def _moved(tensor: Tensor, device: torch.device, dtype: torch.dtype | None = None, **kwargs: Any) -> Tensor:
    kwargs["copy"] = kwargs.get("copy", False) or device != device_of(tensor)
    result = tensor.to(dtype or tensor.dtype, **kwargs)
    _put(result, device)
    return result


def _to(tensor: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    device, dtype = kwargs.pop("device", None), kwargs.pop("dtype", None)
    other = kwargs.pop("other", None)
    flags = iter(("non_blocking", "copy"))
    for value in args:
        if isinstance(value, Tensor):
            other = value
        elif isinstance(value, torch.dtype):
            dtype = value
        elif isinstance(value, bool):
            kwargs[next(flags)] = value
        elif value is not None:
            device = value
    if other is not None:
        device, dtype = device_of(other), other.dtype
    return _moved(tensor, device_of(tensor) if device is None else _named(device), dtype, **kwargs)


def _to_gpu(tensor: Tensor, device: object = "cuda", **kwargs: Any) -> Tensor:
    return _moved(tensor, _named(device))


def _to_cpu(tensor: Tensor, **kwargs: Any) -> Tensor:
    return _moved(tensor, CPU)


def _type_as(tensor: Tensor, other: Tensor) -> Tensor:
    return _moved(tensor, device_of(other), other.dtype)


def _to_numpy(function: Callable[..., Any]) -> Callable[..., Any]:
    def numpy(tensor: Tensor, *args: Any, **kwargs: Any) -> Any:
        if device_of(tensor) != CPU and not kwargs.get("force"):
            raise TypeError(
                f"can't convert {device_of(tensor)} device type tensor to numpy. "
                "Use Tensor.cpu() to copy the tensor to host memory first."
            )
        return function(tensor, *args, **kwargs)

    return numpy


def _get_grad(tensor: Tensor) -> Tensor | None:
    found = tensor.grad
    _put(found, device_of(tensor))
    return found


def _set_grad(tensor: Tensor, value: Tensor | None) -> None:
    if value is not None and device_of(value) != device_of(tensor):
        raise RuntimeError("assigned grad has data located on a different device")
    tensor.grad = value


def _grad(outputs: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
    found = torch.autograd.grad(outputs, inputs, *args, **kwargs)
    for value, tensor in zip(found, [inputs] if isinstance(inputs, Tensor) else inputs, strict=True):
        _put(value, device_of(tensor))
    return found


# --- indices: a GPU takes those of the CPU, not the other way round ---------------------------------------------------


def _check_index(tensor: Tensor, index: object) -> list[Tensor]:
    indices = [i for i in _inside(index, Tensor) if i.dim() > 0]
    if device_of(tensor) == CPU and any(device_of(i) != CPU for i in indices):
        raise RuntimeError("indices should be either on cpu or on the same device as the indexed tensor (cpu)")
    return indices


def _getitem(tensor: Tensor, index: Any) -> Tensor:
    _check_index(tensor, index)
    result = tensor[index]
    _put(result, device_of(tensor))
    return result


def _setitem(tensor: Tensor, index: Any, value: Any) -> None:
    # Between slices a tensor is copied, from wherever; into places that are indexed it is put, from the same device.
    indexed = _check_index(tensor, index)
    if indexed and isinstance(value, Tensor) and value.dim() > 0 and device_of(value) != device_of(tensor):
        raise _different(device_of(tensor), device_of(value))
    tensor[index] = value


def _index_put(function: Callable[..., Any]) -> Callable[..., Any]:
    def index_put(tensor: Tensor, indices: Any, values: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        _check_index(tensor, indices)
        if values.dim() > 0 and device_of(values) != device_of(tensor):
            raise _different(device_of(tensor), device_of(values))
        result: Tensor = function(tensor, indices, values, *args, **kwargs)
        _put(result, device_of(tensor))
        return result

    return index_put


def _not_there(function: Callable[..., Any]) -> Callable[..., Any]:
    def missing(*args: Any, **kwargs: Any) -> Any:
        if CUDA in _of((args, kwargs)):
            raise NotImplementedError(
                f"Could not run 'aten::{function.__name__}' with arguments from the 'CUDA' backend."
            )
        return function(*args, **kwargs)

    return missing


_ANSWERS: dict[object, Callable[..., Any]] = {
    torch.Tensor.to: _to,
    torch.Tensor.cuda: _to_gpu,
    torch.Tensor.cpu: _to_cpu,
    torch.Tensor.type_as: _type_as,
    torch.Tensor.numpy: _to_numpy(torch.Tensor.numpy),
    torch.Tensor.__array__: _to_numpy(torch.Tensor.__array__),
    torch.Tensor.device.__get__: device_of,
    torch.Tensor.is_cuda.__get__: lambda tensor: device_of(tensor) != CPU,
    torch.Tensor.is_cpu.__get__: lambda tensor: device_of(tensor) == CPU,
    torch.Tensor.get_device: lambda tensor: 0 if device_of(tensor) != CPU else -1,
    torch.Tensor.grad.__get__: _get_grad,
    torch.Tensor.grad.__set__: _set_grad,
    torch.autograd.grad: _grad,
    torch.Tensor.__getitem__: _getitem,
    torch.Tensor.__setitem__: _setitem,
    torch.Tensor.index_put_: _index_put(torch.Tensor.index_put_),
    torch.Tensor.index_put: _index_put(torch.Tensor.index_put),
    torch.index_put: _index_put(torch.index_put),
    torch.histogram: _not_there(torch.histogram),
    torch.Tensor.histogram: _not_there(torch.Tensor.histogram),
    torch.histogramdd: _not_there(torch.histogramdd),
}
# Their result is where their first argument is, wherever the others are.
_LIKE_FIRST = frozenset((
    torch.Tensor.copy_, torch.Tensor.expand_as, torch.Tensor.view_as, torch.Tensor.reshape_as, torch._foreach_copy_,
    torch.Tensor.is_same_size, torch.is_same_size, torch.Tensor.data.__set__, torch.Tensor.new_tensor,
    torch._has_compatible_shallow_copy_type, torch.result_type, torch.broadcast_tensors,
    torch.functional.broadcast_tensors,
))  # fmt: skip
_FACTORIES = frozenset(_device_constructors())
_FROM_DATA = (torch.tensor, torch.as_tensor, torch.asarray)
# A number on the CPU is welcome among tensors on the GPU, but not in these.
_NO_NUMBERS = frozenset((torch.cat, torch.stack, torch.concat, torch.concatenate, torch.hstack, torch.vstack))
_PRODUCTS = frozenset((
    torch.matmul, torch.mm, torch.bmm, torch.mv, torch.einsum, torch.functional.einsum, torch.Tensor.matmul,
    torch.Tensor.mm, torch.Tensor.bmm, torch.Tensor.mv, torch.Tensor.__matmul__, torch.Tensor.__rmatmul__,
    torch.dot, torch.Tensor.dot, torch.tensordot, torch.functional.tensordot, torch.nn.functional.linear,
))  # fmt: skip


class PretendedDevice(TorchFunctionMode):
    """While it is entered there is one GPU, `cuda:0`."""

    def __enter__(self) -> PretendedDevice:
        self._patches = [
            mock.patch.object(torch, "Generator", PretendedGenerator),
            mock.patch.object(torch.cuda, "is_available", return_value=True),
            mock.patch.object(torch.cuda, "device_count", return_value=1),
            mock.patch.object(torch.cuda, "current_device", return_value=0),
            mock.patch.object(torch.cuda, "synchronize", return_value=None),
        ]
        for patch in self._patches:
            patch.start()
        return super().__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, traceback)
        for patch in reversed(self._patches):
            patch.stop()

    def __torch_function__(self, function: Any, types: Any, args: Args = (), kwargs: Kwargs | None = None) -> Any:
        kwargs = kwargs or {}
        answer = _ANSWERS.get(function)
        if answer is not None:
            return answer(*args, **kwargs)
        if function in _LIKE_FIRST:
            kwargs = dict(kwargs)
            device = kwargs.pop("device", None)
            result = function(*args, **kwargs)
            if isinstance(result, Tensor):
                _put(result, device_of(args[0]) if device is None else _named(device))
            return result
        device = _where(function, args, kwargs)
        for generator in _inside((args, kwargs), torch._C.Generator):
            if generator.device.type != device.type:
                raise RuntimeError(
                    f"Expected a '{device.type}' device type for generator but found '{generator.device.type}'"
                )
        if "device" in kwargs:
            kwargs = {name: value for name, value in kwargs.items() if name != "device"}
        result = function(*args, **kwargs)
        if device != CPU:
            if function in _FROM_DATA and isinstance(args[0], Tensor) and device_of(args[0]) != device:
                result = result.clone()
            _put(result, device)
        return result


def _where(function: Any, args: Args, kwargs: Kwargs) -> torch.device:
    """The device of what a function gives; RuntimeError where its arguments are on two."""
    asked = kwargs.get("device")
    if function in _FACTORIES:
        if asked is not None:
            return _named(asked)
        given = args[0] if args and function in _FROM_DATA else None
        return device_of(given) if isinstance(given, Tensor) else CPU
    if asked is not None:
        return _named(asked)  # zeros_like, new_zeros
    tensors = list(_inside((args, kwargs), Tensor))
    devices = [device_of(tensor) for tensor in tensors]
    if CUDA not in devices:
        return CPU
    numbers = function not in _NO_NUMBERS
    if any(d == CPU and not (numbers and t.dim() == 0) for t, d in zip(tensors, devices, strict=True)):
        raise _different(CUDA, CPU)
    if devices[0] == CPU and _in_place(getattr(function, "__name__", "")):
        raise _different(CPU, CUDA)
    if function in _PRODUCTS and not any(t.is_floating_point() or t.is_complex() for t in tensors):
        raise RuntimeError("\"addmm_cuda\" not implemented for 'Long'")
    return CUDA


def _in_place(name: str) -> bool:
    return name.startswith("__i") if name.startswith("__") else name.endswith("_")
