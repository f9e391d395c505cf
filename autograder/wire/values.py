"""The values that cross between judge and worker: plain data, tensors, and what stands for anything else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, TypedDict, TypeVar

if TYPE_CHECKING:
    import torch

MAX_DEPTH = 24
MAX_ITEMS = 1_000_000
MAX_TEXT = 1_000_000
MAX_DIMENSIONS = 16
MAX_TENSOR_BYTES = 192 * 2**20
MAX_ELEMENTS = 2**48  # of a shape, zeros left out: an empty tensor of 2**600 columns overflows later arithmetic
MAX_GENERATORS = 64  # in one message: each takes kilobytes that no byte on the wire has paid for
MAX_EQUAL_HASHES = 64  # keys of one dict with the same hash: more were made to collide, and cost quadratic time

DTYPES: dict[str, int] = {
    "float64": 8, "float32": 4, "float16": 2, "bfloat16": 2,
    "int64": 8, "int32": 4, "int16": 2, "int8": 1, "uint8": 1, "bool": 1,
    "complex64": 8, "complex128": 16,
}  # fmt: skip


class WireError(Exception):
    """A frame or a value that breaks the protocol."""


@dataclass(frozen=True)
class HandleReference:
    """An object that stays in the worker.

    Attributes:
        number: its key in the worker's table.
        type_name: the name of its class, as the worker says it.
        callable: whether it can be called.
    """

    number: int
    type_name: str
    callable: bool


@dataclass(frozen=True)
class Unusable:
    """An answer that cannot be sent, with the reason in words (a sparse tensor, 10^9 entries...)."""

    why: str


@dataclass(frozen=True)
class GeneratorSeed:
    """A `torch.Generator`, which crosses as its seed."""

    seed: int


class Array:
    """What a NumPy array decodes to: its tensor, remembered as NumPy's so that a check of types can say so."""

    def __init__(self, tensor: torch.Tensor) -> None:
        self.tensor = tensor


Other = TypeVar("Other")
Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
# What a frame holds once it is decoded. `Other` is what stands for the objects of the other side: handles in the judge,
# the objects themselves in the worker.
Value: TypeAlias = (
    "bool | int | float | complex | str | torch.Tensor | Array | torch.dtype | torch.Generator | Unusable | Other"
    " | list[Value[Other]] | tuple[Value[Other], ...] | set[Value[Other]] | dict[Value[Other], Value[Other]] | None"
)


class CellData(TypedDict):
    """A cell of code as it goes to the worker: its text, the student's name for its place, the name that tracebacks
    show, and the number of its first line there."""

    source: str
    where: str
    filename: str
    first_line: int
