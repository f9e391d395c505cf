"""What the statistics take: torch tensors or array-likes, read as finite float64 arrays of a stated shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from torch import Tensor

Floats: TypeAlias = NDArray[np.float64]
Values: TypeAlias = "ArrayLike | Tensor"


def as_array(values: Values, name: str) -> Floats:
    """`values` as a finite float64 array; a torch tensor is detached and brought to the CPU."""
    # A tensor is known by its methods, without importing torch for those who pass arrays.
    array = np.asarray(values.detach().cpu() if hasattr(values, "detach") else values, dtype=np.float64)
    if not np.isfinite(array).all():
        raise ValueError(f"{name}: {int((~np.isfinite(array)).sum())} of {array.size} values are not finite")
    return array


def as_vector(values: Values, name: str) -> Floats:
    """`values` as (n,), n >= 1."""
    array = as_array(values, name)
    if array.ndim != 1 or array.size == 0:
        raise ValueError(f"{name}: expected shape (n,) with n >= 1, got {array.shape}")
    return array


def as_points(values: Values, name: str) -> Floats:
    """`values` as a cloud (n, d), n >= 1; a vector (n,) is read as n points on a line."""
    array = as_array(values, name)
    if array.ndim == 1:
        array = array[:, None]
    if array.ndim != 2 or 0 in array.shape:
        raise ValueError(f"{name}: expected shape (n, d) with n, d >= 1, got {array.shape}")
    return array


def as_clouds(x: Values, y: Values, names: tuple[str, str] = ("x", "y")) -> tuple[Floats, Floats]:
    """Two clouds (n, d) and (m, d) of the same dimension."""
    first, second = as_points(x, names[0]), as_points(y, names[1])
    if first.shape[1] != second.shape[1]:
        raise ValueError(f"{names[0]} and {names[1]}: dimensions {first.shape[1]} and {second.shape[1]} differ")
    return first, second


def as_covariance(values: Values, dimension: int, name: str) -> Floats:
    """`values` as a symmetric positive definite matrix (d, d)."""
    matrix = np.atleast_2d(as_array(values, name))
    if matrix.shape != (dimension, dimension):
        raise ValueError(f"{name}: expected shape {(dimension, dimension)}, got {matrix.shape}")
    if not np.allclose(matrix, matrix.T) or np.linalg.eigvalsh(matrix).min() <= 0:
        raise ValueError(f"{name}: expected a symmetric positive definite matrix")
    return matrix
