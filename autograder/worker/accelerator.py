"""What makes a GPU give the CPU's grades: its arithmetic in full precision, and generators that draw on either device.

Where nothing asks for a GPU, none is touched: settings are stored, and CUDA is not initialised by them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import cast

import torch
from torch import Generator, Tensor
from torch.overrides import TorchFunctionMode

_OTHER = 0x9E3779B97F4A7C15  # the two devices of one generator do not draw the same numbers


def full_precision() -> None:
    """Products and convolutions in the precision of their arguments, the same ones whenever they are computed.

    A submission may have asked for TF32, which keeps 10 bits of 23: a comparison would fail what is right.
    """
    torch.set_float32_matmul_precision("highest")
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cuda.matmul.allow_fp16_reduced_precision_reduction = False
    torch.backends.cuda.matmul.allow_bf16_reduced_precision_reduction = False
    cudnn = torch.backends.cudnn
    cudnn.allow_tf32, cudnn.deterministic, cudnn.benchmark = False, True, False
    # The newer names of the same settings, where torch has them: they go before the older ones.
    for place in (
        torch.backends,
        torch.backends.cuda.matmul,
        cudnn,
        *(getattr(cudnn, k, None) for k in ("conv", "rnn")),
    ):
        if getattr(place, "fp32_precision", "ieee") not in ("ieee", "none"):
            place.fp32_precision = "ieee"  # type: ignore[union-attr]


class EitherDevice(TorchFunctionMode):
    """Lets a generator draw on the CPU and on the GPU.

    torch refuses `torch.randn(n, generator=g, device="cuda")` with a generator of the CPU, and `torch.randperm(n,
    generator=g)` with one of the GPU. A function gets one generator, and the contracts do not say where it is: who
    draws on the CPU and moves the numbers, and who draws on the device of the input, are both right. The one handed
    over is on the GPU; where it draws for the CPU another one takes its place, whose seed follows from its own.
    """

    def __init__(self) -> None:
        super().__init__()
        self._places: dict[int, tuple[Generator, int, Generator]] = {}  # with the seed that theirs follows from

    def forget(self) -> None:
        """The check is over, and its generators are not needed any more."""
        self._places.clear()

    def __torch_function__(
        self, function: object, types: Iterable[type], args: tuple[object, ...] = (), kwargs: object = None
    ) -> object:
        named = dict(cast("Mapping[str, object]", kwargs or {}))
        given = named.get("generator")
        if isinstance(given, Generator):
            named["generator"] = self._on(given, _drawn_on(args, named))
        return cast("type", function)(*args, **named)

    def _on(self, generator: Generator, kind: str) -> Generator:
        """The generator itself, or the one in its place on the other kind of device."""
        if generator.device.type == kind:
            return generator
        seed = generator.initial_seed()
        known = self._places.get(id(generator))
        if known is None or known[1] != seed:  # it is new, or seeded anew
            other = torch.Generator(device=kind).manual_seed((seed ^ _OTHER) & (2**63 - 1))
            known = self._places[id(generator)] = generator, seed, other
        return known[2]


def _drawn_on(args: tuple[object, ...], kwargs: Mapping[str, object]) -> str:
    """The kind of device on which a function of torch draws: the one asked for, else its first tensor's, else the
    default."""
    asked = kwargs.get("device")
    if asked is not None:
        return "cuda" if isinstance(asked, int) else torch.device(cast(str, asked)).type
    of = next((value.device for value in (*args, *kwargs.values()) if isinstance(value, Tensor)), None)
    return (of or torch.get_default_device()).type
