"""Tensors that are written by their shape: of one number everywhere; an identity matrix, its rows moved on or not; a
row whose numbers count up or down by one amount.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import torch
from torch import Tensor

from autograder.judge.shown import example_value

OFTEN = 3  # times that an identity matrix stands in a call, from which on it is named
CONSTANT = 4  # numbers of a tensor that is written by its shape, where they are all the same


def is_plain(leaf: Tensor) -> bool:
    """Whether a tensor is written by its shape."""
    return is_constant(leaf) or is_even(leaf) or rows_moved(leaf) is not None


def takes_a_name(leaf: Tensor) -> bool:
    """Whether a tensor that stands in two places is named: one number in one pair of brackets is written twice."""
    return leaf.numel() > 1 or leaf.ndim > 1


def is_constant(leaf: Tensor) -> bool:
    """Whether a tensor is written by its shape and one number."""
    return leaf.numel() > CONSTANT and bool((leaf == leaf.reshape(-1)[0]).all())


def is_even(leaf: Tensor) -> bool:
    """Whether a tensor is written by its first number, its last one and how many there are."""
    if leaf.ndim != 1 or leaf.numel() <= CONSTANT or not leaf.is_floating_point() or bool(leaf[0] == leaf[-1]):
        return False
    even = torch.linspace(float(leaf[0]), float(leaf[-1]), len(leaf), dtype=torch.float64)
    return torch.allclose(leaf.to(torch.float64), even, rtol=1e-5, atol=1e-6 * float(leaf.abs().max()))


def is_matrix(leaf: Tensor) -> bool:
    """Whether a tensor is a matrix of two rows and two columns or more, in a batch of one or by itself."""
    return leaf.ndim >= 2 and leaf.is_floating_point() and min(leaf.shape[-2:]) > 1 \
        and leaf.numel() == leaf.shape[-2] * leaf.shape[-1]  # fmt: skip


def is_square(leaf: Tensor) -> bool:
    """Whether a tensor is a matrix of as many rows as columns."""
    return is_matrix(leaf) and leaf.shape[-2] == leaf.shape[-1]


def eye_like(leaf: Tensor, moved: int = 0) -> Tensor:
    """The identity matrix of a matrix's form, with its rows moved on so far, the last ones to the top."""
    rows, columns = leaf.shape[-2:]
    return torch.eye(rows, columns, dtype=leaf.dtype).roll(moved, 0).reshape(leaf.shape)


def rows_moved(leaf: Tensor) -> int | None:
    """How far the rows of an identity matrix have been moved on; None for what is no such matrix."""
    if not is_matrix(leaf):
        return None
    first = leaf.reshape(leaf.shape[-2:])[:, 0]
    moved = int(first.argmax())
    return moved if torch.equal(leaf, eye_like(leaf, moved)) else None


def numbers_of_eye(rows: int, columns: int) -> int:
    """How many numbers say the form of an identity matrix."""
    return 1 if rows == columns else 2


def numbers_in_all(leaves: Sequence[Tensor]) -> int:
    """How many numbers somebody would have to read: the shape of several that are one number everywhere, once."""
    forms: set[object] = set()
    named = {form for form, times in eyes(leaves).items() if times >= OFTEN}
    total = 0
    for leaf in leaves:
        moved = rows_moved(leaf)
        if moved is not None:
            total += (2 if moved else 0) + (
                numbers_of_eye(*leaf.shape[-2:]) if moved or leaf.shape[-2:] not in named else 0
            )
        elif is_constant(leaf):
            total += int(_number(leaf) not in (0, 1)) + (0 if (leaf.shape, leaf.dtype) in forms else leaf.ndim)
            forms.add((leaf.shape, leaf.dtype))
        elif is_even(leaf):
            total += 3
        else:
            total += leaf.numel()
    return total + sum(numbers_of_eye(*form) for form in named)


def eyes(leaves: Sequence[Tensor]) -> Counter[torch.Size]:
    """How many identity matrices there are, by their form."""
    return Counter(leaf.shape[-2:] for leaf in leaves if rows_moved(leaf) == 0)


def text_of_plain(leaf: Tensor, dtype: str, like: str = "") -> str:
    """A plain tensor as Python writes it, with the names of torch's functions alone.

    Args:
        dtype: as a last argument; or nothing.
        like: the name of another one of its shape that is one number everywhere, or of its identity matrix.
    """
    moved = rows_moved(leaf)
    if moved is not None:
        batch = f"[{', '.join(['None'] * (leaf.ndim - 2))}]" if leaf.ndim > 2 else ""
        rows, columns = leaf.shape[-2:]
        form = str(rows) if rows == columns else f"{rows}, {columns}"
        return f"{like or f'eye({form}{dtype})'}{f'.roll({moved}, 0)' if moved else ''}{batch}"
    number = example_value(leaf.reshape(-1)[0].item())
    if is_even(leaf):
        return f"linspace({number}, {example_value(float(leaf[-1]))}, {len(leaf)}{dtype})"
    sizes = ", ".join(map(str, leaf.shape))
    if _number(leaf) in (0, 1):
        name = "ones" if _number(leaf) else "zeros"
        return f"{name}_like({like}{dtype})" if like else f"{name}({sizes}{dtype})"
    shape = like or f"({sizes}{',' * (leaf.ndim == 1)})"
    return f"full{'_like' if like else ''}({shape}, {number}{dtype})"


def _number(leaf: Tensor) -> float:
    return float(leaf.reshape(-1)[0])
